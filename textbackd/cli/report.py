"""`textbackd report`: what happened on the phone and what came back, from what textbackd wrote down."""

import json
import os
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import click
import sqlite_utils

from textbackd.cli.options import config_option
from textbackd.config import Settings, load
from textbackd.errors import TextbackdError
from textbackd.report import period
from textbackd.report.period import Period, Span
from textbackd.store.database import open_database


@click.command(short_help="Tell what came of the calls, what it cost and brought.")
@click.option("--today", is_flag=True, help="Today so far.")
@click.option("--week", is_flag=True, help="Since Monday; so it is without any of these.")
@click.option("--month", is_flag=True, help="Since the first of the month.")
@click.option("--from", "first", default="", metavar="DAY", help="From that day on: 2026-03-01.")
@click.option("--to", "last", default="", metavar="DAY", help="Up to that day and with it.")
@click.option("--line", metavar="NAME", help="One line only.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option(
    "--csv", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True), metavar="FILE",
    help="Write the calls as a spreadsheet; - prints it. A file that exists is not written over.",
)  # fmt: skip
@config_option
def report(
    today: bool, week: bool, month: bool, first: str, last: str, line: str | None, as_json: bool, csv: Path | None, config: Path
) -> None:  # fmt: skip
    """Tell how many calls were missed, what became of them, and what it cost and brought.

    Changes nothing, and may run beside the daemon.
    """
    settings = load(config)
    if line is not None and line not in settings.lines:
        raise click.UsageError(f"--line {line}: there is {', '.join(settings.lines)}.")
    if as_json and csv is not None:
        raise click.UsageError("--json and --csv: choose one.")
    spans = [span for span, is_asked in ((Span.TODAY, today), (Span.WEEK, week), (Span.MONTH, month)) if is_asked]
    asked = _period(settings, spans, first, last)
    with closing(open_database(settings.storage, create=False)) as db:
        if csv is not None:
            _write(csv, db, asked, line)
        else:
            _tell(settings, db, asked, line, as_json)


def _period(settings: Settings, spans: Sequence[Span], first: str, last: str) -> Period:
    zone = settings.business.timezone
    today = datetime.now(UTC).astimezone(zone).date()
    named = [f"--{span}" for span in spans] + ["--from or --to"] * bool(first or last)
    if len(named) > 1:
        raise click.UsageError(f"{' and '.join(named)}: choose one.")
    if not first and not last:
        return period.named(spans[0] if spans else Span.WEEK, today, zone)
    try:
        return period.chosen(first, last, today, zone)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _tell(settings: Settings, db: sqlite_utils.Database, asked: Period, line: str | None, as_json: bool) -> None:
    from textbackd.report import running, running_figures, running_terminal  # noqa: PLC0415  # rich, which `--help` does not need

    question = running.Question(
        period=asked,
        country=settings.business.country,
        line=line,
        now=datetime.now(UTC),
        timetables={name: settings.timetable(one) for name, one in settings.lines.items()},
    )
    told = running.measure(db, question)
    if as_json:
        click.echo(json.dumps(running_figures.figures(told), ensure_ascii=False))
        return
    running_terminal.show(told, lambda key: settings.staff[key].name if key in settings.staff else key, sys.stdout)


def _write(path: Path, db: sqlite_utils.Database, asked: Period, line: str | None) -> None:
    from textbackd.report import rows  # noqa: PLC0415
    from textbackd.store.figures import Asked  # noqa: PLC0415

    span = Asked(since=asked.since, until=asked.until, followed=asked.until, line=line)
    pieces = rows.pieces(db, rows.Sheet.CALLS, span, asked.zone)
    if str(path) == "-":
        for piece in pieces:
            click.echo(piece, nl=False)
        return
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="", errors="replace") as file:
            file.writelines(pieces)
    except OSError as error:
        raise TextbackdError(f"{path}: cannot be written ({error.strerror}). Name another FILE.") from error
    click.echo(f"{path}: written.")
