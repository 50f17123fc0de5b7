"""The leak as one page: to look at, to send, to print.   report/measure.py → here, templates/leak.html → `textbackd leak --html`   Pure.

Everything is in the file: its style and its charts, which are SVG made of the figures here. It needs no script and no network.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import jinja2

from textbackd.core.leak import WEEKDAYS, Leak, Part, Worth
from textbackd.core.way import REASONS
from textbackd.report import words
from textbackd.report.measure import Answer

TEMPLATES: Final = Path(__file__).parent / "templates"
HOUR_WIDTH: Final = 30  # of a column and the gap beside it; all lengths are units of the drawing
COLUMN: Final = 22
HEIGHT: Final = 160  # of the highest column
SHADES: Final = 5  # of the heat map; shade 0 is none
MOST_LINES: Final = 20
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


def page(answer: Answer, worth: Worth | None) -> str:
    """Return the page."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    leak = answer.leak
    hours = _hours(leak)
    return environment.get_template("leak.html").render(
        leak=leak,
        words=words,
        columns=_columns(leak, hours),
        cells=_cells(leak, hours),
        hours=hours,
        weekdays=[words.WEEKDAYS[day] for day in WEEKDAYS],
        reasons=_shares(
            [(REASONS[reason], count) for reason, count in leak.missed_by_reason.items()], leak.total.missed
        ),
        fates=_fates(leak),
        lines=list(leak.by_line.items())[:MOST_LINES] if len(leak.by_line) > 1 else [],
        more_lines=max(len(leak.by_line) - MOST_LINES, 0),
        worth=worth,
        amounts=list(words.reckoning(worth)) if worth else [],
        assumptions=list(words.assumptions(answer)),
        height=HEIGHT,
        hour_width=HOUR_WIDTH,
        column=COLUMN,
    )


def _hours(leak: Leak) -> Sequence[int]:
    busy = [hour for hour, part in leak.by_hour.items() if part.calls]
    return range(min([*busy, FIRST_HOUR]), max([*busy, LAST_HOUR]) + 1)


def _columns(leak: Leak, hours: Sequence[int]) -> list[Column]:
    most = max(part.calls for part in leak.by_hour.values()) or 1
    return [
        Column(
            label=f"{hour}",
            x=place * HOUR_WIDTH,
            height=round(HEIGHT * leak.by_hour[hour].calls / most, 1),
            missed_height=round(HEIGHT * leak.by_hour[hour].missed / most, 1),
            part=leak.by_hour[hour],
        )
        for place, hour in enumerate(hours)
    ]


def _cells(leak: Leak, hours: Sequence[int]) -> list[Cell]:
    most = max((part.missed for part in leak.grid.values()), default=0) or 1
    return [_cell(leak, day, hour, place, most) for day in range(len(WEEKDAYS)) for place, hour in enumerate(hours)]


def _cell(leak: Leak, day: int, hour: int, place: int, most: int) -> Cell:
    part = leak.grid.get((day, hour), Part())
    return Cell(
        x=place * HOUR_WIDTH,
        y=day * HOUR_WIDTH,
        shade=-(-SHADES * part.missed // most),  # rounded up: one missed call is not none
        missed=part.missed,
        title=f"{words.WEEKDAYS[WEEKDAYS[day]]} {hour}:00: {part.missed} of {part.calls} missed",
    )


def _shares(counts: Sequence[tuple[str, int]], whole: int) -> list[Share]:
    most = max((count for _, count in counts), default=0) or 1
    return [Share(label, count, round(100 * count / most, 1), words.share(count, whole)) for label, count in counts]


def _fates(leak: Leak) -> list[Share]:
    """Return what became of the callers who were missed; the bars are parts of one whole."""
    counts = (
        ("called again and got through", leak.answered_later),
        ("were called back", leak.called_back),
        ("were never reached", leak.never_reached),
    )
    whole = leak.callers or 1
    return [Share(label, count, round(100 * count / whole, 2), words.share(count, whole)) for label, count in counts]
