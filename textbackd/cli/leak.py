"""`textbackd leak`: how big the leak is, from old records, before anything is switched on."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import click
import phonenumbers

from textbackd.cli import DEFAULT_CONFIG
from textbackd.cli.options import config_option, moment
from textbackd.config import Settings, load, values
from textbackd.config.zones import business_zone, machine_zone
from textbackd.core.leak import worth
from textbackd.errors import TextbackdError
from textbackd.report.measure import Answer, Progress, Question, measure

STEP: Final = 0.01  # of a file; a bar that moves more often costs more than it tells
DAY: Final = timedelta(days=1)
MOST_VALUE: Final = 1e12  # of a job, in any currency


def _amount(written: str) -> float:
    try:
        amount = float(written)
    except ValueError:
        amount = -1.0
    if not 0 <= amount <= MOST_VALUE:  # nor is it nan, which is not above nothing either
        raise click.BadParameter(f"{written!r} is no amount. Write 350, or 1250.50.")
    return amount


def _share(written: str) -> float:
    """Return 0.3 for 0.3 and for 30%."""
    try:
        share = float(written.strip().removesuffix("%")) / (100 if written.strip().endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise click.BadParameter(f"{written!r} is no share. Write 0.3 or 30% for three of ten.")
    return share


@click.command(short_help="Tell how many callers were lost, from old call records.")
@click.option(
    "--cdr",
    required=True,
    metavar="SOURCE",
    help="Call records: Master.csv or another CSV file, sqlite:///…, mysql://… or postgresql://….",
)
@click.option(
    "--queue-log",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Asterisk's queue_log, if it is not beside them.",
)
@click.option(
    "--trunk",
    "trunks",
    multiple=True,
    metavar="PATTERN",
    help="What calls from outside come in over: a channel, PJSIP/provider*, or a context. Found if left out. May be repeated.",
)
@click.option(
    "--country", default=None, metavar="US", help="Where numbers are read as if dialled; the configuration's, or US."
)
@click.option(
    "--timezone",
    "zone",
    default=None,
    metavar="ZONE",
    help="The PBX's and the shop's zone; the configuration's, or the country's.",
)
@click.option("--job-value", type=_amount, metavar="N", help="What an average job brings.")
@click.option("--close-rate", type=_share, metavar="P", help="How many new callers buy: 0.3 or 30% is three of ten.")
@click.option("--since", default=None, metavar="DATE|TIME", help="From that day on (2026-03-01), or for so long (90d).")
@click.option("--until", default=None, metavar="DATE|TIME", help="Up to that day and with it, or up to so long ago.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option(
    "--html", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="A page to look at and to print."
)
@config_option
def leak(
    cdr: str, queue_log: Path | None, trunks: tuple[str, ...], country: str | None, zone: str | None, job_value: float | None,
    close_rate: float | None, since: str | None, until: str | None, as_json: bool, html: Path | None, config: Path,
) -> None:  # fmt: skip
    """Tell how many callers were lost, from the PBX's old call records.

    Needs no daemon, no configuration, and changes nothing. What it assumed stands at the end.
    """
    if close_rate is not None and job_value is None:
        raise click.UsageError("--close-rate needs --job-value: a share of nothing is nothing.")
    settings = _settings(config)
    home = _country(country) or (settings.business.country if settings else "US")
    clock = _zone(zone) or (settings.business.timezone if settings else business_zone(home, machine_zone())[0])
    begins, ends = _asked(since, until, clock)
    question = Question(
        cdr=cdr,
        queue_log=queue_log,
        trunks=trunks or _configured_trunks(settings),
        country=home,
        zone=clock,
        since=begins,
        until=ends,
    )
    with _progress() as progress:
        answer = measure(question, progress)
    if answer.skipped and not answer.rows:
        raise TextbackdError(_none_is_one(cdr, answer.skipped))
    _tell(answer, job_value, close_rate, as_json=as_json, html=html)


def _none_is_one(cdr: str, lines: int) -> str:
    scheme, is_database, _ = cdr.partition("://")
    name, what = (f"{scheme}://…", "row") if is_database else (cdr, "line")  # an address holds a password
    return f"{name}: " + (
        f"none of its {lines:,} {what}s is a call record." if lines > 1 else f"its {what} is no call record."
    )


def _tell(
    answer: Answer, job_value: float | None, close_rate: float | None, *, as_json: bool, html: Path | None
) -> None:
    from textbackd.report import figures, page, terminal  # noqa: PLC0415  # rich and jinja2, which `--help` does not need

    value = None if job_value is None else worth(answer.leak, job_value, close_rate)
    if html is not None:
        _write(html, page.page(answer, value))
        click.echo(f"{html}: written. Open it in a browser, or print it.", err=as_json)
    if as_json:
        click.echo(json.dumps(figures.figures(answer, value), ensure_ascii=False))
    elif html is None:
        terminal.show(answer, value, sys.stdout)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise TextbackdError(f"--html {path}: cannot be written ({error.strerror or error}).") from error


def _settings(config: Path) -> Settings | None:
    """Return the configuration, which gives country, timezone and trunks; None if there is none at the usual place, or not for us."""
    return load(config) if config != DEFAULT_CONFIG or os.access(config, os.R_OK) else None


def _country(written: str | None) -> str | None:
    if written is not None and written.upper() not in phonenumbers.SUPPORTED_REGIONS:
        raise click.UsageError(f"--country {written}: is not a country. Write its two letters, as US or GB.")
    return written.upper() if written else None


def _zone(written: str | None) -> ZoneInfo | None:
    try:
        return values.zone(written) if written else None
    except ValueError as error:
        raise click.UsageError(f"--timezone: {error}") from error


def _configured_trunks(settings: Settings | None) -> tuple[str, ...]:
    """Return the trunks that a configuration names; none if it leaves them to be found."""
    sections = settings.pbx.values() if settings else ()
    named = [section.trunks for section in sections if section.trunks.model_fields_set]
    return tuple(pattern for trunks in named for pattern in (*trunks.contexts, *trunks.channels))


def _asked(since: str | None, until: str | None, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    """Return from when on, and until when; None where nothing was said."""
    begins = None if since is None else moment("--since", since, zone)
    ends = None if until is None else moment("--until", until, zone, after=DAY)
    if begins and ends and begins >= ends:
        raise click.UsageError(f"--since {since} comes after --until {until}. Write the earlier one first.")
    return begins, ends


@contextmanager
def _progress() -> Iterator[Progress]:
    """Show a bar on a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich import progress as rich  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415

    columns = (
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        rich.TextColumn("{task.fields[rows]:,} rows"),
        rich.TimeRemainingColumn(),
    )
    with rich.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield _Moving(bar, bar.add_task("", total=None, rows=0))


class _Moving:
    """Moves a bar, and not more often than it can be seen."""

    def __init__(self, bar: Any, task: Any) -> None:
        self._bar, self._task, self._seen = bar, task, ("", -1.0)

    def __call__(self, what: str, rows: int, done: float | None) -> None:
        step = rows / 50_000 if done is None else done
        if what != self._seen[0] or step - self._seen[1] >= (1.0 if done is None else STEP):
            self._seen = what, step
            self._bar.update(
                self._task, description=what, rows=rows, completed=done or 0, total=None if done is None else 1
            )
