"""What the reports look like at a terminal: 80 columns, and colours that rich leaves out where the output is piped.

report/terminal.py, report/running_terminal.py → here → `textbackd leak`, `textbackd report`
"""

import textwrap
from collections.abc import Iterable, Iterator
from typing import IO, Final

from rich.console import Console
from rich.text import Text

WIDTH: Final = 80
MISSED, ANSWERED, DIM, HEAD = "red", "green", "dim", "bold"


def show(lines: Iterable[Text], out: IO[str]) -> None:
    """Write the lines of a report."""
    console = Console(file=out, width=WIDTH, highlight=False, soft_wrap=True)
    for line in lines:
        line.rstrip()
        console.print(line)


def wrapped(sentence: str, before: str = "  ", style: str = "") -> Iterator[Text]:
    """Yield a sentence in as many lines as it takes; the others begin under the end of `before`."""
    after = " " * len(before)
    for line in textwrap.wrap(sentence, WIDTH, initial_indent=before, subsequent_indent=after, break_on_hyphens=False):
        yield Text(line, style)


def row(title: str, value: int, note: str = "", style: str = "") -> Text:
    """Return a count with its title before it."""
    return Text.assemble(f"{title:<26}", (f"{value:>12,}", style), f"  {note}")


def item(value: int, sentence: str, style: str = "", *, deeper: bool = False) -> Text:
    """Return a count that is a part of the one above, with its words after it."""
    return Text.assemble(" " * (6 if deeper else 2), (f"{value:>9,}", style), f"  {sentence}")
