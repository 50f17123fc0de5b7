"""The leak as one page: to look at, to send, to print.   report/measure.py → here, templates/leak.html → `textbackd leak --html`   Pure.

Everything is in the file: its style and its charts, which are SVG made of the figures here. It needs no script and no network.
"""

from pathlib import Path
from typing import Final

import jinja2

from textbackd.core.leak import WEEKDAYS, Worth
from textbackd.core.way import REASONS
from textbackd.report import charts, words
from textbackd.report.measure import Answer

TEMPLATES: Final = Path(__file__).parent / "templates"
MOST_LINES: Final = 20


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
    hours = charts.hours(leak)
    return environment.get_template("leak.html").render(
        leak=leak,
        words=words,
        columns=charts.columns(leak, hours),
        cells=charts.cells(leak, hours),
        hours=hours,
        weekdays=[words.WEEKDAYS[day] for day in WEEKDAYS],
        reasons=charts.shares(
            [(REASONS[reason], count) for reason, count in leak.missed_by_reason.items()], leak.total.missed
        ),
        fates=charts.fates(leak),
        lines=list(leak.by_line.items())[:MOST_LINES] if len(leak.by_line) > 1 else [],
        more_lines=max(len(leak.by_line) - MOST_LINES, 0),
        worth=worth,
        no_figure=words.no_figure(leak, worth),
        amounts=list(words.reckoning(worth)) if worth else [],
        assumptions=list(words.assumptions(answer)),
        height=charts.HEIGHT,
        hour_width=charts.HOUR_WIDTH,
        column=charts.COLUMN,
    )
