"""`textbackd simulate`: what this configuration would have done with last month's calls."""

import json
import sys
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import click

from textbackd.cli.options import config_option, load_or_embedded, moment
from textbackd.cli.traces import pbx_of
from textbackd.config import Settings
from textbackd.core.limits import MILLIONTHS
from textbackd.core.missed import Verdict
from textbackd.core.way import DECISIONS, REASONS
from textbackd.flow.simulate import Outcome
from textbackd.flow.simulate import simulate as simulated
from textbackd.store.states import State

USUALLY: Final = timedelta(days=31)
WIDTH: Final = 80
NO_TEXT: Final = "No text: "
NOT_LOOKED_AT: Final = "Opt-outs, pauses, replies and `textbackd never` are not looked at."


@click.command(short_help="Tell what this configuration would have done with past calls.")
@click.option(
    "--cdr",
    "source",
    required=True,
    metavar="SOURCE",
    help="Call records: a CSV file, sqlite:///…, mysql://… or postgresql://….",
)
@click.option(
    "--since", default=None, metavar="DATE|TIME", help="From that day on (2026-03-01), or for so long (90d); 31d."
)
@click.option("--pbx", default=None, metavar="NAME", help="Whose trunks count, if the configuration has several PBXs.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@config_option
def simulate(source: str, since: str | None, pbx: str | None, as_json: bool, config: Path) -> None:
    """Tell what this configuration would have done with calls of the past.

    Who would have been texted, who not and why, and what it would have cost. Reads Asterisk's call records; sends nothing, and needs no
    daemon.
    """
    settings = load_or_embedded(config)
    zone = settings.business.timezone
    begin = moment("--since", since, zone) if since is not None else datetime.now(UTC) - USUALLY
    outcome = simulated(settings, source, pbx=pbx_of(settings, pbx), since=begin, progress=_progress)
    if sys.stderr.isatty():
        click.echo("\r" + " " * 40 + "\r", err=True, nl=False)
    if as_json:
        click.echo(json.dumps(_fields(outcome, begin), ensure_ascii=False))
        return
    for line in _summary(outcome, settings, begin):
        click.echo(line)


def _progress(what: str, number: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{number:,} {what} …", err=True, nl=False)


def _fields(outcome: Outcome, since: datetime) -> dict[str, Any]:
    return {
        "since": since.isoformat(),
        "first": outcome.first.isoformat() if outcome.first else None,
        "last": outcome.last.isoformat() if outcome.last else None,
        "calls": outcome.calls,
        "verdicts": dict(sorted(outcome.verdicts.items())),
        "missed_by_reason": dict(sorted(outcome.missed.items())),
        "missed_by_decision": dict(sorted(outcome.decided.items())),
        "texts": {
            "sent": outcome.count(State.ACCEPTED),
            "held": outcome.count(State.ACCEPTED, held=True),
            "cancelled": outcome.count(State.CANCELLED),
            "expired": outcome.count(State.EXPIRED),
        },
        "callers": outcome.callers,
        "segments": outcome.segments,
        "cost": outcome.cost / MILLIONTHS,
        "brake": outcome.brakes,
        "rows_skipped": outcome.rows_skipped,
    }


# ---- for people


def _summary(outcome: Outcome, settings: Settings, since: datetime) -> Iterator[str]:
    zone = settings.business.timezone
    if outcome.first is None or outcome.last is None:
        yield f"No call from outside since {_day(since, zone)}. Look further back with --since 365d, or check `trunks`."
        yield from _unreadable(outcome)
        return
    yield f"Calls from {_day(outcome.first, zone)} to {_day(outcome.last, zone)}, decided by this configuration"
    yield ""
    yield from _calls(outcome)
    yield ""
    yield from _texts(outcome)
    yield ""
    yield from _refusals(outcome)
    yield from _money(outcome)
    yield from _footnotes(outcome)


def _day(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%a %d %b %Y")


def _calls(outcome: Outcome) -> Iterator[str]:
    """Yield the calls, counted as `leak` counts them."""
    got = outcome.verdicts.get
    yield _row("Calls from outside", outcome.calls)
    yield _row("Answered", got(Verdict.ANSWERED, 0) + got(Verdict.LOST_AFTER_ANSWER, 0))
    if lost := got(Verdict.LOST_AFTER_ANSWER, 0):
        yield from _item(lost, "of them let go of again, and nobody took over")
    yield _row("Missed", got(Verdict.MISSED, 0))
    for reason, times in sorted(outcome.missed.items(), key=lambda item: -item[1]):
        yield from _item(times, REASONS.get(reason, reason))
    if uncertain := got(Verdict.UNCERTAIN, 0):
        yield _row("Uncertain", uncertain, "perhaps missed")
    if ignored := got(Verdict.IGNORED, 0):
        yield _row("Not counted", ignored, "blocked callers, fax, voicemail access")


def _texts(outcome: Outcome) -> Iterator[str]:
    sent, held = outcome.count(State.ACCEPTED), outcome.count(State.ACCEPTED, held=True)
    yield _row("Texts", sent, f"to {outcome.callers} caller{'s' if outcome.callers != 1 else ''}")
    if held:
        yield from _item(held, "of them held over the night, and sent in the morning")
    if cancelled := outcome.count(State.CANCELLED):
        yield from _item(cancelled, "more not needed: the caller got through or was called back first")
    if expired := outcome.count(State.EXPIRED):
        yield from _item(expired, "more expired: the caller was on the phone, or the brake on, until it was too late")


def _refusals(outcome: Outcome) -> Iterator[str]:
    refused = {why: number for why, number in outcome.decided.items() if DECISIONS[why].startswith(NO_TEXT)}
    yield _row("Missed calls without a text", sum(refused.values()))
    for why, number in sorted(refused.items(), key=lambda item: (-item[1], item[0])):
        yield from _item(number, DECISIONS[why].removeprefix(NO_TEXT))


def _money(outcome: Outcome) -> Iterator[str]:
    yield ""
    yield _row("Segments", outcome.segments)
    cost = f"{outcome.cost / MILLIONTHS:.2f}" if outcome.cost else "unknown"
    yield _row("Cost", cost, "" if outcome.cost else "write `price` at the gateway")


def _footnotes(outcome: Outcome) -> Iterator[str]:
    yield ""
    yield NOT_LOOKED_AT
    if outcome.brakes:
        times = "once" if outcome.brakes == 1 else f"{outcome.brakes} times"
        yield from textwrap.wrap(
            f"The brake (`policy.brake`) was pulled {times}; each time somebody is taken to have released it after an hour.",
            WIDTH,
        )
    yield from _unreadable(outcome)


def _unreadable(outcome: Outcome) -> Iterator[str]:
    if skipped := outcome.rows_skipped:
        yield (
            "One record could not be read and was left out."
            if skipped == 1
            else f"{skipped:,} records could not be read and were left out."
        )


def _row(title: str, value: int | str, note: str = "") -> str:
    number = f"{value:,}" if isinstance(value, int) else value
    return f"{title:<28} {number:>9}  {note}".rstrip()


def _item(number: int, sentence: str) -> Iterator[str]:
    before = f"  {number:>7,}  "
    yield from textwrap.wrap(sentence, WIDTH, initial_indent=before, subsequent_indent=" " * len(before))
