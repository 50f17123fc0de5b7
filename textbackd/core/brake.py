"""When must all automatic texting stop until a person has looked?  Pure.   store (what was called and sent) → here → flow/guard.py

Two signs tell an attack or a broken gateway from a busy day: calls from numbers in a row, as dialled by whoever earns from texts
to a range of numbers, and texts of which too few arrive.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from textbackd.core.limits import Share
from textbackd.core.phone import E164


@dataclass(frozen=True, slots=True, kw_only=True)
class Fates:
    """What became of the last automatic texts of which the end is known."""

    delivered: int
    known: int  # delivered, undelivered or refused


def run_through(number: E164, others: Iterable[E164]) -> int:
    """Return how many of the numbers follow each other without a gap, `number` among them: …41, …42, …43 are three."""
    there = {int(other[1:]) for other in others if len(other) == len(number)}
    here = int(number[1:])
    below = above = here
    while below - 1 in there:
        below -= 1
    while above + 1 in there:
        above += 1
    return above - below + 1


def too_few_arrive(fates: Fates, share: Share) -> bool:
    """Return whether fewer than `share.percent` of the last `share.of` texts arrived; fewer texts than that say nothing yet."""
    return fates.known >= share.of and fates.delivered * 100 < share.percent * fates.known
