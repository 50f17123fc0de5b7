"""From missed to won, step by step.   report/matters.py → here → the page, the terminal, JSON      Pure; what it means: docs/REPORTS.md

A step counts the matters that took it and all steps before it, so it never grows. Many go another way (somebody calls back before the
caller has written), so each step also tells how many took it at all. What nobody could tell (no gateway reports deliveries, no
calendar tells appointments) is unknown, not nought, and is passed over.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from textbackd.report.matters import Matter

REPORTED: Final = frozenset({"delivered", "undelivered"})


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the way."""

    name: str
    count: int | None  # took it and all before it; None: nobody can tell
    altogether: int | None  # took it, whatever came before
    of: int  # the step before that is known


_STEPS: Final[Mapping[str, Callable[[Matter], bool]]] = MappingProxyType({
    "textable": lambda matter: matter.case.is_textable,
    "texted": lambda matter: matter.text is not None,
    "delivered": lambda matter: matter.text is not None and matter.text.state == "delivered",
    "replied": lambda matter: matter.replied,
    "handled": lambda matter: matter.spoken_at is not None,
    "booked": lambda matter: matter.booked,
    "won": lambda matter: matter.is_won,
})  # fmt: skip


def funnel(matters: Sequence[Matter], withheld: int) -> list[Step]:
    """Return the steps; `withheld` missed calls told no number, and are a matter each."""
    whole = len(matters) + withheld
    steps, left, before = [Step("missed", whole, whole, whole)], list(matters), whole
    unknown = _unknown(matters)
    for name, takes in _STEPS.items():
        if name in unknown:
            steps.append(Step(name, None, None, before))
            continue
        left = [matter for matter in left if takes(matter)]
        steps.append(Step(name, len(left), sum(map(takes, matters)), before))
        before = len(left)
    return steps


def _unknown(matters: Sequence[Matter]) -> set[str]:
    is_reported = any(matter.text is not None and matter.text.state in REPORTED for matter in matters)
    is_booked = any(matter.booked for matter in matters)
    return {name for name, is_known in (("delivered", is_reported), ("booked", is_booked)) if not is_known}
