"""Which days a report is about, by the shop's clock.   the pages, cli/report.py → here → report/running.py      Pure.

A day lasts from midnight to midnight in the shop's zone: 23 or 25 hours when the clocks change.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final, Self
from zoneinfo import ZoneInfo

DAY: Final = timedelta(days=1)
WEEK: Final = timedelta(days=7)
LONGEST: Final = 3_660  # days: ten years
FIRST_YEAR, LAST_YEAR = 2000, 2200  # so that no reckoning leaves the calendar


class Span(StrEnum):
    """A stretch that has a name. The values stand in addresses."""

    TODAY = "today"
    WEEK = "week"  # since Monday
    MONTH = "month"  # since the first


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Whole days, both ends counted."""

    first: date
    last: date
    zone: ZoneInfo
    span: Span | None = None  # None: chosen by its days

    @property
    def since(self) -> datetime:
        """Return when it begins."""
        return _midnight(self.first, self.zone)

    @property
    def until(self) -> datetime:
        """Return when it is over; that moment is not counted itself."""
        return _midnight(self.last + DAY, self.zone)

    @property
    def days(self) -> int:
        """Return how many days it has."""
        return (self.last - self.first).days + 1

    def before(self) -> Self:
        """Return the days before: the whole month before one that begins on a first, else as many days."""
        last = self.first - DAY
        is_month = self.first.day == 1 and (self.last + DAY).day == 1
        whole = is_month or self.span is Span.MONTH
        week = last - WEEK + DAY if self.span is Span.WEEK else last - timedelta(days=self.days - 1)
        return type(self)(first=last.replace(day=1) if whole else week, last=last, zone=self.zone)

    def words(self) -> str:
        """Return it as a person writes it."""
        first, last = (f"{day:%a} {day.day} {day:%b %Y}" for day in (self.first, self.last))
        return first if first == last else f"{first} to {last}"


def named(span: Span, today: date, zone: ZoneInfo) -> Period:
    """Return the stretch of that name up to and with today."""
    first = {Span.TODAY: today, Span.WEEK: today - DAY * today.weekday(), Span.MONTH: today.replace(day=1)}[span]
    return Period(first=first, last=today, zone=zone, span=span)


def chosen(first: str, last: str, today: date, zone: ZoneInfo) -> Period:
    """Return the days from one to another, each written as 2026-03-01; an empty one is `today`, or the other.

    Raises ValueError with a sentence for what is no day, and for days in the wrong order.
    """
    begins = _day(first or last) if first or last else today
    ends = _day(last) if last else today if first else begins
    if ends < begins:
        raise ValueError(f"{begins} comes after {ends}. Write the earlier day first.")
    if (ends - begins).days >= LONGEST:
        raise ValueError("That is more than ten years. Choose fewer days.")
    return Period(first=begins, last=ends, zone=zone)


def weeks_before(until: datetime, zone: ZoneInfo, count: int) -> Iterator[tuple[datetime, datetime]]:
    """Yield the last whole weeks, Monday to Sunday, that were over by then, the oldest first."""
    day = until.astimezone(zone).date()
    monday = day - DAY * day.weekday()
    for number in range(count, 0, -1):
        yield _midnight(monday - WEEK * number, zone), _midnight(monday - WEEK * (number - 1), zone)


def weeks_after(since: datetime, zone: ZoneInfo, count: int) -> Iterator[tuple[datetime, datetime]]:
    """Yield the first whole weeks that began then or later, the oldest first."""
    day = since.astimezone(zone).date()
    monday = day + DAY * (-day.weekday() % 7)
    if _midnight(monday, zone) < since:
        monday += WEEK
    for number in range(count):
        yield _midnight(monday + WEEK * number, zone), _midnight(monday + WEEK * (number + 1), zone)


def _day(written: str) -> date:
    try:
        day = date.fromisoformat(written.strip())
    except ValueError:
        raise ValueError(f"{written.strip()[:20]!r} is not a day. Write it like 2026-03-01.") from None
    return within(day)


def within(day: date) -> date:
    """Return a day that can be reckoned with. Raises ValueError with a sentence for one before 2000 or in a far future."""
    if not FIRST_YEAR <= day.year < LAST_YEAR:
        raise ValueError(f"{day} is not a day of this report. Write a year from {FIRST_YEAR} on.")
    return day


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
