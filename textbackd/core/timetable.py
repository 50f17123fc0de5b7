"""Is a line open, closed or on holiday, and when does it open next?  Pure.   opening_hours.py, config → here → compose, conclude

The hours and the holidays of a line in the line's own zone, and over them the PBX's day/night switch if the line has one: whoever
flips it is in the shop, so it is right where the two disagree.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from itertools import pairwise
from typing import Protocol

from textbackd.core.opening_hours import DAY, SEARCH, Interval, OpeningHours


class Opening(StrEnum):
    """What a line is at one moment."""

    OPEN = "open"
    CLOSED = "closed"
    HOLIDAY = "holiday"  # not open, on a day that the line keeps


class KeptDays(Protocol):
    """The holidays of a line."""

    def __contains__(self, day: object) -> bool:
        """Return whether the line keeps this date."""

    def name(self, day: date) -> str | None:
        """Return what the day is called, "" for one without a name, None for one that is not kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """When one line is open."""

    hours: OpeningHours
    zone: tzinfo  # of the line
    kept: KeptDays

    def state(self, at: datetime, *, switched_closed: bool | None = None) -> Opening:
        """Return what the line is at `at`, an aware moment.

        `switched_closed` is what the PBX's switch says, None where there is none or it did not answer: then the hours decide.
        """
        is_open = self.hours.is_open(at, self.zone, self.kept) if switched_closed is None else not switched_closed
        if is_open:
            return Opening.OPEN
        return Opening.HOLIDAY if at.astimezone(self.zone).date() in self.kept else Opening.CLOSED

    def opens_next(self, at: datetime) -> datetime | None:
        """Return when the line opens after `at` (aware UTC); None if it never does, and also if by its hours it is open.

        In the last case the switch, or the PBX's own announcement, has closed it, and nobody has written until when.
        """
        if self.hours.is_open(at, self.zone, self.kept):
            return None
        return self.hours.next_open(at, self.zone, self.kept)

    def closed_next(self, at: datetime) -> datetime | None:
        """Return `at` (aware UTC) if by its hours the line is closed then, else the first moment after it at which it is; None if never."""
        if not self.hours.is_open(at, self.zone, self.kept):
            return at
        day = at.astimezone(self.zone).date() - DAY  # hours may run past midnight
        for _ in range(SEARCH.days):
            turns = sorted(moment for moment in self.hours.turns(day, self.zone) if moment > at)
            found = next((moment for moment in turns if not self.hours.is_open(moment, self.zone, self.kept)), None)
            if found is not None:
                return found
            day += DAY
        return None

    def stretches(self, day: date) -> Iterator[Interval]:
        """Yield when the line is open on `day`, by the clock on the wall: what began the evening before, and its own hours."""
        if day - DAY not in self.kept:
            for stretch in self.hours.week[(day - DAY).weekday()]:
                if stretch.closes > DAY:
                    yield Interval(timedelta(0), stretch.closes - DAY)
        if day not in self.kept:
            yield from sorted(self.hours.week[day.weekday()])

    def open_between(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield, within two aware moments, from when to when the line is open by its hours; parts that touch come as several."""
        day, last = (start.astimezone(self.zone) - DAY).date(), end.astimezone(self.zone).date()
        start, end = (
            start.astimezone(UTC),
            end.astimezone(UTC),
        )  # in one zone of the wall, differences would be the wall's
        turns = {start, end} if start < end else set[datetime]()
        while day <= last:
            turns.update(moment for moment in self.hours.turns(day, self.zone) if start < moment < end)
            day += DAY
        moments = sorted(turns)
        for begins, ends in pairwise(moments):
            if self.hours.is_open(begins, self.zone, self.kept):
                yield begins, ends
