"""Do people answer less often than before?   store/figures.py → here → the page, the terminal      Pure.

Whoever trusts the text may let the phone ring. So the share of calls that a person took in the last four whole weeks is held against
the four before, and against the first four that were recorded. A few calls say nothing: each week needs fifty.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from textbackd.store.figures import Rate

WEEKS: Final = 4
LEAST_CALLS: Final = 50  # in each of the weeks
POINTS: Final = 5.0  # of a hundred; less is chance more often than not


@dataclass(frozen=True, slots=True)
class Week:
    """A whole week, Monday to Sunday."""

    monday: date
    rate: Rate


@dataclass(frozen=True, slots=True)
class Fall:
    """The share of calls that people took has fallen."""

    now: Rate  # of the last four weeks
    before: Rate
    since: date  # the first Monday of what it is held against
    is_first: bool  # that is the first weeks that were recorded


def fall(recent: Sequence[Week], first: Sequence[Week]) -> Fall | None:
    """Return how it fell, the deeper fall of the two; None if it did not, or too few calls tell. `recent` are eight weeks."""
    now, before = recent[-WEEKS:], recent[:-WEEKS]
    is_apart = bool(first) and bool(now) and first[-1].monday < now[0].monday
    told = [(before, False), *([(first, True)] if is_apart else [])]
    falls = [
        Fall(_sum(now), _sum(weeks), weeks[0].monday, is_first)
        for weeks, is_first in told
        if _tells(now) and _tells(weeks) and share(_sum(weeks)) - share(_sum(now)) > POINTS
    ]
    return max(falls, key=lambda one: share(one.before), default=None)


def share(rate: Rate) -> float:
    """Return the share of calls that a person took, in percent."""
    return 100 * rate.answered / rate.calls if rate.calls else 0.0


def _tells(weeks: Sequence[Week]) -> bool:
    return len(weeks) == WEEKS and all(week.rate.calls >= LEAST_CALLS for week in weeks)


def _sum(weeks: Sequence[Week]) -> Rate:
    return Rate(sum(week.rate.calls for week in weeks), sum(week.rate.answered for week in weeks))
