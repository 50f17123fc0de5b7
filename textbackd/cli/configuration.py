"""`textbackd check`."""

import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import click

from textbackd.cli.day import explain_day
from textbackd.cli.options import config_option, wrapped
from textbackd.config import Settings, lint, load
from textbackd.config.lint import awaited
from textbackd.config.preview import Preview, group_preview, previews
from textbackd.core.compose import TextKind
from textbackd.core.opening_hours import DAY
from textbackd.core.segments import Encoding


@click.command(short_help="Read the configuration, show its texts and its faults.")
@click.option(
    "--explain-day",
    "day",
    metavar="DATE",
    callback=lambda _, __, written: _date(written),
    help="Only tell when each line is open on a day: 2026-12-24, today or tomorrow.",
)
@config_option
def check(day: date | None, config: Path) -> None:
    """Read the configuration, print its texts and everything that is wrong with it, change nothing.

    Exit code 0: all is well; 1: warnings, such as a secret that is not there yet; 2: faults.
    """
    settings = load(config)
    if day is not None:
        click.echo("\n".join(explain_day(settings, day)))
        return
    warnings = lint(settings)
    now = datetime.now(UTC)
    for line in [
        *_texts(settings, now),
        *_group_texts(settings, now),
        *warnings,
        *_nobody_told(settings),
    ]:
        click.echo(line)
    if warnings:
        click.echo(f"\n{len(warnings)} warning{'s' if len(warnings) != 1 else ''}. {_prospect(settings)}")
        sys.exit(1)
    click.echo(f"{config}: all is well. Start with `textbackd run --config {config}`.")
    click.echo("If it runs as a service already: systemctl reload textbackd")


def _prospect(settings: Settings) -> str:
    missing = awaited(settings)
    return f"textbackd will not start until {', and '.join(missing)}." if missing else "The configuration can be used."


def _date(written: str | None) -> date | None:
    if written is None:
        return None
    near = {"today": 0, "tomorrow": 1}.get(written.casefold())
    try:
        return date.fromisoformat(written) if near is None else datetime.now().astimezone().date() + near * DAY
    except ValueError as exc:
        raise click.BadParameter("Write the day as 2026-12-24, today or tomorrow.") from exc


def _texts(settings: Settings, now: datetime) -> Iterator[str]:
    """Yield what each line texts, and what it takes; kinds of call that get the same words stand together."""
    for name, line in settings.lines.items():
        yield f"What callers of {name} get ({line.language}):"
        shown = previews(settings, name, now)
        for template in dict.fromkeys(each.template for each in shown):
            same = [each for each in shown if each.template == template]
            yield f"  {', '.join(each.kind for each in same)}: {size(same[0])}"
            yield from wrapped(f"“{same[0].body}”", "    ")
        if silent := [kind for kind in TextKind if kind not in {each.kind for each in shown}]:
            yield f"  {', '.join(silent)}: nothing"
        yield ""


def _group_texts(settings: Settings, now: datetime) -> Iterator[str]:
    """Yield what groups of contacts get instead."""
    for name in settings.contacts:
        if (shown := group_preview(settings, name, now)) is not None:
            yield f"What contacts in {name} get: {size(shown)}"
            yield from (*wrapped(f"“{shown.body}”", "    "), "")


def size(shown: Preview) -> str:
    """Return "2 radio texts (GSM-7, 161 septets), 0.0158"."""
    cut = shown.segments
    many = f"{cut.count} radio text{'s' if cut.count != 1 else ''}"
    alphabet = f"GSM-7, {cut.units} septets" if cut.encoding is Encoding.GSM7 else f"UCS-2, {cut.units} characters"
    return f"{many} ({alphabet})" + (f", {shown.price.normalize():f}" if shown.price else "")


def _nobody_told(settings: Settings) -> Iterator[str]:
    """Yield a note where callers' texts are seen in the inbox only: allowed, but nobody shall find out by a lost job."""
    if not any(person.mobile or person.email or person.sip or person.notify for person in settings.staff.values()):
        who = "none of the staff has a `mobile`, `email`, `sip` or `notify`" if settings.staff else "no staff"
        yield from wrapped(f"note: {who}: nobody is told when a caller writes; look into the inbox.")
