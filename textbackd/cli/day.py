"""One day of every line in words, for `textbackd check --explain-day`.   config → here → cli/configuration.py"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final

from textbackd.cli.options import wrapped
from textbackd.config import Line, Policy, Settings
from textbackd.core.opening_hours import DAY, Interval
from textbackd.core.timetable import Timetable
from textbackd.core.words import WORDS, Language

EN: Final = WORDS[Language.EN]
NIGHT: Final = {
    "send": "the answer to a call is sent at any hour",
    "hold": "the answer to a call waits for the end of these hours",
    "skip": "a call in these hours is not answered",
}


def explain_day(settings: Settings, day: date) -> Iterator[str]:
    """Yield when each line is open, closed and on holiday on a day, and when it is quiet."""
    yield f"{_written(day)} {day.year}"
    for name, line in settings.lines.items():
        yield from ("", f"{name} ({line.timezone or settings.business.timezone})")
        yield from (f"  {sentence}" for sentence in _line(settings.timetable(line), line, day))
        if {"quiet_hours", "night"} & line.policy.model_fields_set:
            yield from wrapped(_quiet(settings.policy_of(line)), "  ")
    yield from ("", *wrapped(_quiet(settings.policy)))


def _line(table: Timetable, line: Line, day: date) -> Iterator[str]:
    name, stretches = table.kept.name(day), list(table.stretches(day))
    if name is not None:
        yield f"Holiday{f': {name}' if name else ''}."
    if not stretches:
        yield f"Closed all day. {_opens(table, day)}"
    elif _whole(stretches):
        yield "Open all day."
    else:
        yield f"Open {' and '.join(map(str, stretches))}, closed otherwise."
    yield from _clocks(table.zone, day)
    if line.night_switch is not None and (switch := line.night_switch.switch()) is not None:
        asked = " ".join(value for key, value in switch.action.items() if key != "Action")
        yield f"The PBX's day/night switch ({asked}) beats these hours."


def _whole(stretches: list[Interval]) -> bool:
    reached = timedelta(0)
    for stretch in stretches:
        if stretch.opens > reached:
            return False
        reached = max(reached, stretch.closes)
    return reached >= DAY


def _opens(table: Timetable, day: date) -> str:
    opens = table.opens_next(datetime.combine(day, time(12), table.zone))
    if opens is None:
        return "Never opens again."
    local = opens.astimezone(table.zone)
    return f"Opens again on {_written(local.date())} at {local.hour}:{local.minute:02}."


def _written(day: date) -> str:
    return f"{EN.weekdays[day.weekday()]} {day.day} {EN.months[day.month - 1]}"


def _clocks(zone: tzinfo, day: date) -> Iterator[str]:
    """Yield a word on the change of the clocks, if they change on this day."""
    before, after = (datetime.combine(day + DAY * number, time(), zone).utcoffset() for number in (0, 1))
    if before is not None and after is not None and before != after:
        yield f"The clocks go {'forward' if after > before else 'back'} on this day, by {_length(abs(after - before))}."


def _length(span: timedelta) -> str:
    minutes = int(span.total_seconds()) // 60
    return "an hour" if minutes == 60 else f"{minutes} minutes"


def _quiet(policy: Policy) -> str:
    if policy.quiet_hours is None:
        return "No quiet hours (policy.quiet_hours: off)."
    hours = f"Quiet {policy.quiet_hours}, by the caller's clock: what is late waits, and"
    return f"{hours} {NIGHT[policy.night]} (policy.night: {policy.night})."
