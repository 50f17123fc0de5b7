"""When is a line open, and when is the night?  Pure.   config → here → core/decide.py, core/compose.py

Hours are wall-clock times: the clock on the shop's wall decides, so a day with a change of the clocks has an hour less
or more, and an hour that the wall shows twice is judged the same both times. Moments are aware; naive ones raise
ValueError.
"""

from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY: Final = timedelta(days=1)
SEARCH: Final = timedelta(days=370)  # a line that does not open within a year of holidays never opens
NO_DATES: Final[frozenset[date]] = frozenset()


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """One stretch of opening on one weekday, from `opens` up to but not including `closes`."""

    opens: timedelta  # after the midnight that starts the day
    closes: timedelta  # after the same midnight; more than 24 h where the stretch ends on the next day

    def __post_init__(self) -> None:
        if not (timedelta(0) <= self.opens < DAY and self.opens < self.closes <= self.opens + DAY):
            raise ValueError(
                f"{self.opens} to {self.closes} is not a stretch of at most 24 hours that starts on its day"
            )

    def __str__(self) -> str:
        """Return it as written in the configuration, "22:00-02:00"."""
        closes = self.closes if self.closes <= DAY else self.closes - DAY
        return f"{_clock(self.opens)}-{_clock(closes)}"


ALL_DAY: Final = Interval(timedelta(0), DAY)


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """The weekly hours of a line: for every weekday, Monday first, its stretches."""

    week: tuple[tuple[Interval, ...], ...]

    def __post_init__(self) -> None:
        if len(self.week) != len(DAYS):
            raise ValueError(f"a week has {len(DAYS)} days, not {len(self.week)}")

    def is_open(self, at: datetime, tz: tzinfo, holidays: Container[date] = NO_DATES) -> bool:
        """Return whether the line is open at `at`, an aware moment; `tz` is the zone of the business.

        On the dates in `holidays` no stretch begins; one that began the evening before still runs to its end.
        """
        local = _local(at, tz)
        wall = _wall(local)
        today, yesterday = local.date(), local.date() - DAY
        return self._covers(today, wall, holidays) or self._covers(yesterday, wall + DAY, holidays)

    def next_open(self, at: datetime, tz: tzinfo, holidays: Container[date] = NO_DATES) -> datetime | None:
        """Return `at` if the line is open then, else the first moment after it (aware UTC) at which it is.

        None if it does not open within the next 370 days.
        """
        if self.is_open(at, tz, holidays):
            return at
        first = _local(at, tz).date()
        for number in range(SEARCH.days):
            openings = sorted(set(self._openings(first + number * DAY, tz)))
            found = next((moment for moment in openings if moment > at and self.is_open(moment, tz, holidays)), None)
            if found is not None:
                return found
        return None

    def _covers(self, day: date, wall: timedelta, holidays: Container[date]) -> bool:
        if day in holidays:
            return False
        return any(stretch.opens <= wall < stretch.closes for stretch in self.week[day.weekday()])

    def turns(self, day: date, tz: tzinfo) -> Iterator[datetime]:
        """Yield the moments (aware UTC) at which the line may open or close in the stretches of `day`; in no order."""
        yield from self._openings(day, tz)
        midnight = datetime.combine(day, time(), tz)
        for stretch in self.week[day.weekday()]:
            for fold in (0, 1):
                yield (midnight + stretch.closes).replace(fold=fold).astimezone(UTC)

    def _openings(self, day: date, tz: tzinfo) -> Iterator[datetime]:
        """Yield the moments of `day` at which the line may open: where a stretch starts and where the clocks change."""
        midnight = datetime.combine(day, time(), tz)
        for stretch in self.week[day.weekday()]:
            for fold in (0, 1):  # a time that the wall shows twice is two moments
                yield (midnight + stretch.opens).replace(fold=fold).astimezone(UTC)
        yield from _change_of_clocks(midnight.astimezone(UTC), (midnight + DAY).astimezone(UTC), tz)


ALWAYS_OPEN: Final = OpeningHours(week=((ALL_DAY,),) * len(DAYS))
NEVER_OPEN: Final = OpeningHours(week=((),) * len(DAYS))


@dataclass(frozen=True, slots=True)
class QuietHours:
    """The night in which nothing late is texted: the same wall-clock times on every day."""

    start: time
    end: time  # earlier than `start` where the night passes midnight, as it usually does

    def covers(self, at: datetime, tz: tzinfo) -> bool:
        """Return whether `at`, an aware moment, lies in the night of `tz`, the zone of the caller."""
        wall = _local(at, tz).time()
        if self.start <= self.end:
            return self.start <= wall < self.end
        return wall >= self.start or wall < self.end

    def end_after(self, at: datetime, tz: tzinfo) -> datetime:
        """Return `at` if it is not in the night of `tz`, else the moment (aware UTC) at which that night ends."""
        if not self.covers(at, tz):
            return at
        return self._as_opening_hours().next_open(at, tz) or at

    def __str__(self) -> str:
        """Return it as written in the configuration, "21:00-08:00"."""
        return f"{self.start:%H:%M}-{self.end:%H:%M}"

    def _as_opening_hours(self) -> OpeningHours:
        opens, closes = _since_midnight(self.end), _since_midnight(self.start)
        day = Interval(opens, closes if closes > opens else closes + DAY)
        return OpeningHours(week=((day,),) * len(DAYS))


def _local(at: datetime, tz: tzinfo) -> datetime:
    if at.tzinfo is None:
        raise ValueError(f"{at} is naive; moments are aware UTC")
    return at.astimezone(tz)


def _wall(local: datetime) -> timedelta:
    return _since_midnight(local.time())


def _since_midnight(wall: time) -> timedelta:
    return timedelta(hours=wall.hour, minutes=wall.minute, seconds=wall.second, microseconds=wall.microsecond)


def _change_of_clocks(start: datetime, end: datetime, tz: tzinfo) -> Iterator[datetime]:
    """Yield the moment between `start` and `end` (both UTC) at which the offset of `tz` changes, if it does."""
    before = start.astimezone(tz).utcoffset()
    if end.astimezone(tz).utcoffset() == before:
        return
    while end - start > timedelta(seconds=1):
        middle = start + (end - start) // 2
        start, end = (middle, end) if middle.astimezone(tz).utcoffset() == before else (start, middle)
    # Zones change on a full second; halving leaves less than one before it.
    yield end.replace(microsecond=0)


def _clock(after_midnight: timedelta) -> str:
    minutes = int(after_midnight.total_seconds()) // 60
    return f"{minutes // 60:02}:{minutes % 60:02}"
