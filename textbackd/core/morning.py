"""When does a shop's day begin, and since when was it closed?   core/timetable.py → here → flow/staff/alarms.py      Pure."""

from collections.abc import Collection, Iterator
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
    """Return when the last of the lines closed before `opening`, at most ten days before."""
    earliest = opening - LONGEST_CLOSED
    ends = [end for times in lines for _, end in times.open_between(earliest, opening) if end < opening]
    return max(ends, default=earliest)
