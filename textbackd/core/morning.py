"""When does a shop's day begin, and since when was it closed?   core/timetable.py → here → flow/staff/alarms.py      Pure."""

from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Final

from textbackd.core.opening_hours import DAY
from textbackd.core.timetable import Timetable

ALWAYS_OPEN_BEGINS: Final = timedelta(hours=8)  # the morning of a line that never closes
LONGEST_CLOSED: Final = timedelta(days=10)  # whatever came before that is no news


def morning(now: datetime, lines: Collection[Timetable]) -> datetime | None:
    """Return when (aware UTC) the first of the lines opens on this day; None if none does.

    Hours that begin at midnight are the end of the day before, unless they last all day.
    """
    openings = [opening for times in lines for opening in _openings(now, times)]
    return min(openings, default=None)


def _openings(now: datetime, times: Timetable) -> Iterator[datetime]:
    day = now.astimezone(times.zone).date()
    midnight = datetime.combine(day, time(), times.zone)
    for stretch in times.stretches(day):
        opens = ALWAYS_OPEN_BEGINS if stretch.closes - stretch.opens >= DAY else stretch.opens
        if opens:
            yield (midnight + opens).astimezone(UTC)


def closed_since(opening: datetime, lines: Collection[Timetable]) -> datetime:
    """Return when the last of the lines closed before `opening`, at most ten days before; the morning before if none ever closes."""
    earliest = opening - LONGEST_CLOSED
    whole = (earliest, opening)
    stretches = [list(_joined(times.open_between(*whole))) for times in lines]
    if all(open_for == [whole] for open_for in stretches):
        return opening - DAY
    return max((end for open_for in stretches for _, end in open_for if end < opening), default=earliest)


def _joined(parts: Iterable[tuple[datetime, datetime]]) -> Iterator[tuple[datetime, datetime]]:
    """Yield stretches of time, those that touch as one: nothing closes at midnight that opens then."""
    begun: tuple[datetime, datetime] | None = None
    for begins, ends in parts:
        if begun is not None and begins > begun[1]:
            yield begun
            begun = None
        begun = (begun[0] if begun else begins, ends)
    if begun is not None:
        yield begun
