"""What became of a step of the reply clock, in words.   flow/staff/escalation.py → here → inbox/timeline.py, access/audit.py      Pure."""

from collections.abc import Callable
from typing import Final

NOBODY: Final = "nobody"


def outcome(detail: str, name_of: Callable[[str], str]) -> str:
    """Return "Anna and Ben were told", or what a phone that was rung came to; `detail` is as it is kept."""
    if detail == NOBODY:
        return "nobody could be told: no staff have a mobile, e-mail or other way"
    phone, _, came_of_it = detail.partition(": ")
    if came_of_it:
        return f"{phone} rang: {came_of_it}"
    *others, last = map(name_of, detail.split(", "))
    return f"{', '.join(others)} and {last} were told" if others else f"{last} was told"
