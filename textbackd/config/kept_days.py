"""The holidays of a line, day by day.   hours.py, ics.py → here → core/timetable.py

Those of whole countries and regions come from the library `holidays`, which knows the ones that move; it takes 19 MB, so it is
imported only when a line names a region. A calendar file is read again when it changes, so a day off needs no restart.
"""

import logging
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from textbackd.config.hours import Holidays
from textbackd.config.ics import CalendarError, WholeDays, read_calendar
from textbackd.config.regions import region_days

log = logging.getLogger(__name__)


class _Days(Protocol):
    def name(self, day: date) -> str | None: ...


class HolidaysKept:
    """The days that one line keeps; `in` and `name` ask for one."""

    def __init__(self, holidays: Holidays) -> None:
        self._dates = holidays.dates
        self._sources: list[_Days] = [_Region(region) for region in holidays.regions]
        self._sources += [_CalendarFile(path) for path in holidays.files]

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and self.name(day) is not None

    def name(self, day: date) -> str | None:
        """Return what the day is called, "" for one without a name, None for one that is not kept."""
        names = [name for source in self._sources if (name := source.name(day)) is not None]
        return next(iter(names), "" if day in self._dates else None)


class _Region:
    def __init__(self, region: str) -> None:
        self._days = region_days(region)

    def name(self, day: date) -> str | None:
        found: str | None = self._days.get(day)
        return found


class _CalendarFile:
    """A file that may change, vanish and break while the daemon runs: then the days last read hold."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._events: list[WholeDays] = []
        self._complaint = ""
        self._year = lru_cache(maxsize=4)(self._days_of)

    def name(self, day: date) -> str | None:
        self._look()
        return self._year(day.year).get(day)

    def _look(self) -> None:
        try:
            seen = self._path.stat()
            stamp: tuple[int, int] | None = (seen.st_mtime_ns, seen.st_size)
        except OSError:
            stamp = None
        if stamp is not None and stamp == self._stamp:
            return
        try:
            self._events, self._stamp, self._complaint = read_calendar(self._path), stamp, ""
            self._year.cache_clear()
        except CalendarError as error:
            self._stamp = stamp
            self._complain(str(error))

    def _complain(self, sentence: str) -> None:
        """Log a cause once, not at every look."""
        if sentence != self._complaint:
            self._complaint = sentence
            log.warning("%s The days read before hold.", sentence)

    def _days_of(self, year: int) -> dict[date, str]:
        return {day: event.name for event in self._events for day in event.in_year(year)}
