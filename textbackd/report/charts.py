"""Counts as shapes: columns, cells of a heat map, bars.   core/leak.py → here → report/page.py, web/reports.py      Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from textbackd.core.leak import WEEKDAYS, Leak, Part
from textbackd.report import words

HOUR_WIDTH: Final = 30  # of a column and the gap beside it; all lengths are units of the drawing
COLUMN: Final = 22
HEIGHT: Final = 160  # of the highest column
SHADES: Final = 5  # of the heat map; shade 0 is none
FIRST_HOUR, LAST_HOUR = 8, 17  # are always shown, so that a quiet day does not look like a full one


@dataclass(frozen=True, slots=True)
class Column:
    """An hour's calls."""

    label: str
    x: int
    height: float  # of all calls
    missed_height: float
    part: Part


@dataclass(frozen=True, slots=True)
class Cell:
    """An hour of a weekday."""

    x: int
    y: int
    shade: int
    missed: int
    title: str


@dataclass(frozen=True, slots=True)
class Share:
    """A bar beside others."""

    label: str
    count: int
    percent: float  # of the longest
    share: str  # of all


def hours(leak: Leak) -> Sequence[int]:
    """Return the hours that are shown: those with calls, and a working day."""
    busy = [hour for hour, part in leak.by_hour.items() if part.calls]
    return range(min([*busy, FIRST_HOUR]), max([*busy, LAST_HOUR]) + 1)


def columns(leak: Leak, shown: Sequence[int]) -> list[Column]:
    """Return a column for each hour."""
    most = max(part.calls for part in leak.by_hour.values()) or 1
    return [
        Column(
            label=f"{hour}",
            x=place * HOUR_WIDTH,
            height=round(HEIGHT * leak.by_hour[hour].calls / most, 1),
            missed_height=round(HEIGHT * leak.by_hour[hour].missed / most, 1),
            part=leak.by_hour[hour],
        )
        for place, hour in enumerate(shown)
    ]


def cells(leak: Leak, shown: Sequence[int]) -> list[Cell]:
    """Return a cell for each hour of each weekday, Monday first."""
    most = max((part.missed for part in leak.grid.values()), default=0) or 1
    return [_cell(leak, day, hour, place, most) for day in range(len(WEEKDAYS)) for place, hour in enumerate(shown)]


def _cell(leak: Leak, day: int, hour: int, place: int, most: int) -> Cell:
    part = leak.grid.get((day, hour), Part())
    return Cell(
        x=place * HOUR_WIDTH,
        y=day * HOUR_WIDTH,
        shade=-(-SHADES * part.missed // most),  # rounded up: one missed call is not none
        missed=part.missed,
        title=f"{words.WEEKDAYS[WEEKDAYS[day]]} {hour}:00: {part.missed} of {part.calls} missed",
    )


def shares(counts: Sequence[tuple[str, int]], whole: int) -> list[Share]:
    """Return bars, the longest of them full."""
    most = max((count for _, count in counts), default=0) or 1
    return [
        Share(label, count, round(100 * count / most, 1), words.share(count, whole) if count else "")
        for label, count in counts
    ]


def fates(leak: Leak) -> list[Share]:
    """Return what became of the callers who were missed; the bars are parts of one whole."""
    counts = (
        ("called again and got through", leak.answered_later),
        ("were called back", leak.called_back),
        ("were never reached", leak.never_reached),
    )
    whole = leak.callers or 1
    return [
        Share(label, count, round(100 * count / whole, 2), words.share(count, whole) if count else "")
        for label, count in counts
    ]
