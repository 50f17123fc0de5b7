"""The whole days of a calendar file.   a file of the shop's → here → kept_days.py

Any calendar program can write such a file, so whoever keeps the shop's closed days there need not keep them twice. A day counts if an
event takes all of it (DTSTART of type DATE); an appointment of an hour closes no shop. Repetitions are expanded by dateutil.
Source: RFC 5545 §3.6.1 (VEVENT; DTEND is the first day after it), §3.3.10 (RRULE), §3.8.4.4 (RECURRENCE-ID: one of a series, moved).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

LARGEST: Final = 1024 * 1024  # bytes; a thousand events take a fifth of that
LONGEST: Final = 400  # days of one event
DAY: Final = timedelta(days=1)
COUNTS: Final = frozenset({"DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID"})
# A rule that repeats by the hour would never end, and has no place among whole days.
_BY_DAYS: Final = re.compile(r"FREQ=(?:DAILY|WEEKLY|MONTHLY|YEARLY)(?:;|$)", re.IGNORECASE)
_UNTIL: Final = re.compile(r"(UNTIL=[0-9]{8})T[0-9]{6}Z?", re.IGNORECASE)


class CalendarError(ValueError):
    """The file cannot be used; one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeDays:
    """One event: so many days from `first` on, once or again and again."""

    name: str
    first: date
    days: int
    rule: str  # RRULE as it is written; "": once
    more: frozenset[date]  # RDATE
    without: frozenset[date]  # EXDATE, and what RECURRENCE-ID moved

    def in_year(self, year: int) -> Iterator[date]:
        """Yield the days of the event that lie in a year."""
        for start in self._starts(date(year, 1, 1) - self.days * DAY, date(year, 12, 31)):
            for number in range(self.days):
                if (day := start + number * DAY).year == year:
                    yield day

    def _starts(self, since: date, until: date) -> Iterator[date]:
        repeated = self._repeated(since, until) if self.rule else [self.first]
        yield from (start for start in {*repeated, *self.more} - self.without if since <= start <= until)

    def _repeated(self, since: date, until: date) -> list[date]:
        from dateutil.rrule import rrulestr  # noqa: PLC0415  # only a shop with such a file needs it

        rule = rrulestr(self.rule, dtstart=datetime.combine(self.first, time()))
        found = rule.between(datetime.combine(since, time()), datetime.combine(until, time()), inc=True)
        return [moment.date() for moment in found]


def read_calendar(path: Path) -> list[WholeDays]:
    """Return the events of a file that take whole days. Raises CalendarError."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except (OSError, ValueError) as exc:
        raise CalendarError(f"{path} cannot be read ({getattr(exc, 'strerror', None) or 'no such name'}).") from exc
    if len(data) > LARGEST:
        raise CalendarError(f"{path} is larger than 1 MiB. Export only the days on which the shop is closed.")
    return calendar_days(data, path)


def calendar_days(data: bytes, path: Path) -> list[WholeDays]:
    """Return the whole days in the bytes of a calendar; `path` is for the complaint. Raises CalendarError."""
    import icalendar  # noqa: PLC0415  # only a shop with such a file needs it

    try:
        calendars = icalendar.Calendar.from_ical(data, multiple=True)
        events = [event for calendar in calendars for event in calendar.walk("VEVENT")]
        moved = {
            (str(event.get("UID")), event.decoded("RECURRENCE-ID")) for event in events if "RECURRENCE-ID" in event
        }
        found = [days for event in events if (days := _whole_days(event, moved)) is not None]
        broken = [name for event in events for name, _ in event.errors if name in COUNTS]
        if broken:
            raise ValueError(broken[0])
        for days in found:
            _ = list(days.in_year(days.first.year))  # a rule that dateutil does not understand shows itself here
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError) as exc:
        raise CalendarError(f"{path} is not a calendar that can be read. Export it anew, as iCalendar (.ics).") from exc
    if not calendars:
        raise CalendarError(f"{path} holds no calendar. Export it anew, as iCalendar (.ics).")
    return found


def _whole_days(event: Any, moved: set[tuple[str, Any]]) -> WholeDays | None:
    if "DTSTART" not in event or str(event.get("STATUS", "")).upper() == "CANCELLED":
        return None
    first = event.decoded("DTSTART")
    if not _is_day(first):
        return None
    rule = event["RRULE"].to_ical().decode() if "RRULE" in event else ""
    if rule and not _BY_DAYS.search(rule):
        return None
    series = "RECURRENCE-ID" not in event
    gone = {at for uid, at in moved if series and uid == str(event.get("UID")) and _is_day(at)}
    return WholeDays(
        name=" ".join(str(event.get("SUMMARY", "")).split())[:60],
        first=first,
        days=min(max((_end(event, first) - first).days, 1), LONGEST),
        rule=_UNTIL.sub(r"\1", rule),  # the rule counts in days here, and dateutil does not mix them with moments
        more=frozenset(_dates(event, "RDATE")),
        without=frozenset({*_dates(event, "EXDATE"), *gone}),
    )


def _end(event: Any, first: date) -> date:
    end: date = event.decoded("DTEND") if "DTEND" in event else first
    if "DTEND" in event and _is_day(end):
        return end
    lasts: timedelta = event.decoded("DURATION") if "DURATION" in event else DAY
    return first + lasts


def _dates(event: Any, key: str) -> Iterator[date]:
    """Yield the dates of a property that may stand once or several times, each with several values."""
    written = event.get(key, [])
    for values in written if isinstance(written, list) else [written]:
        yield from (value.dt for value in values.dts if _is_day(value.dt))


def _is_day(value: Any) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)
