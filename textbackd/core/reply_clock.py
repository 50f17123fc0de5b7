"""How long has a caller waited for a person, and what follows?   store/conversations.py → here → flow/staff/escalation.py      Pure.

A caller's wait counts in the opening hours of their line only: who wrote at 16:55 and is answered at 8:05 has waited ten minutes. A
matter that is urgent has no hours. Each step of a line's chain is taken once for each wait.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from textbackd.core.timetable import Opening, Timetable

NOTHING: Final = timedelta(0)
LOOKED_BACK: Final = timedelta(days=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is done when a caller has waited for so long."""

    after: timedelta  # of waiting within the opening hours
    do: Literal["tell", "ring", "page"]
    whom: tuple[
        str, ...
    ] = ()  # tell: keys of staff, empty for whom the line tells; ring: a desk phone; page: nobody here

    @property
    def key(self) -> str:
        """Return what the step is known by once it is taken, "900 tell anna"; another chain after a restart does not change it."""
        return " ".join((f"{self.after.total_seconds():.0f}", self.do, *self.whom))


PAGE: Final = Step(after=NOTHING, do="page")  # of an urgent matter, while the line is closed


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A caller who waits for a person."""

    since: datetime
    is_urgent: bool


def waited(waiting: Waiting, now: datetime, times: Timetable) -> timedelta:
    """Return how long somebody has waited, closed hours left out."""
    if waiting.is_urgent:
        return now - waiting.since
    return sum((end - start for start, end in times.open_between(waiting.since, now)), NOTHING)


def due_steps(
    waiting: Waiting, now: datetime, times: Timetable, chain: Sequence[Step], done: Collection[str]
) -> list[Step]:
    """Return the steps that are to be taken now, in the order of the chain; `done` has the keys of those that were.

    Nothing is done while the line is closed, unless the matter is urgent. What became due before the line closed is done when it opens.
    """
    is_closed = times.state(now) is not Opening.OPEN
    if is_closed and not waiting.is_urgent:
        return []
    left = [step for step in chain if step.key not in done]
    span = waited(waiting, now, times) if left else NOTHING
    paged = [PAGE] if waiting.is_urgent and is_closed and PAGE.key not in done else []
    return paged + [step for step in left if step.after <= span]


def begun_by(span: timedelta, now: datetime, times: Timetable) -> datetime | None:
    """Return when, at the latest, somebody began to wait who has waited for `span` by now.

    None if the line was not open for so long in the last two months.
    """
    left = span
    for start, end in reversed(list(times.open_between(now - LOOKED_BACK, now))):
        if end - start >= left:
            return end - left
        left -= end - start
    return None
