"""What became of each case, from the first missed call to the job.   store/figures.py → here → report/funnel.py, report/waits.py      Pure.

What follows belongs to the case that was opened last before it, until the same caller's next case.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeVar

from textbackd.store.figures import AutomaticText, Case, Mark, Word

BOOKED: Final = "booked"
T = TypeVar("T", Word, Mark)


@dataclass(slots=True)
class Matter:
    """One case, and what came after it."""

    case: Case
    text: AutomaticText | None = None  # that a gateway took
    replied: bool = False
    spoken_at: datetime | None = None  # the first word of a person, written or on the phone
    booked: bool = False
    outcome: Mark | None = None  # the last time that somebody marked it won or lost

    @property
    def is_won(self) -> bool:
        """Return whether it was marked as won, and not as lost afterwards."""
        return self.outcome is not None and self.outcome.kind == "won"

    @property
    def took(self) -> timedelta | None:
        """Return how long it took until a person spoke or wrote; None: nobody has."""
        return None if self.spoken_at is None else self.spoken_at - self.case.opened_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """What was said and noted, in any order but for the marks."""

    texts: Sequence[AutomaticText] = ()
    theirs: Sequence[Word] = ()
    ours: Sequence[Word] = ()  # written, or begun to be said on the phone
    marks: Sequence[Mark] = ()  # the oldest first


@dataclass(slots=True)
class _Callers:
    """Finds the case that something belongs to."""

    openings: dict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    matters: dict[str, list[Matter]] = field(default_factory=lambda: defaultdict(list))

    def add(self, matter: Matter) -> None:
        self.openings[matter.case.caller].append(matter.case.opened_at)
        self.matters[matter.case.caller].append(matter)

    def of(self, events: Iterable[T]) -> Iterable[tuple[Matter, T]]:
        """Yield each event that belongs to a case, with it."""
        for event in events:
            place = bisect_right(self.openings[event.number], event.at) if event.number in self.openings else 0
            if place:
                yield self.matters[event.number][place - 1], event


def matters(cases: Sequence[Case], events: Events) -> list[Matter]:
    """Return what became of cases, which come with the oldest first."""
    found = [Matter(case) for case in cases]
    by_id, callers = {matter.case.id: matter for matter in found}, _Callers()
    for matter in found:
        callers.add(matter)
    for text in events.texts:
        if text.case_id in by_id:
            by_id[text.case_id].text = text
    for matter, _ in callers.of(events.theirs):
        matter.replied = True
    for matter, word in callers.of(events.ours):
        matter.spoken_at = min(word.at, matter.spoken_at or word.at)
    for matter, mark in callers.of(events.marks):
        _marked(matter, mark)
    return found


def standing(
    marks: Iterable[Mark], openings: Mapping[str, Sequence[datetime]], since: datetime, until: datetime
) -> list[Mark]:
    """Return how the matters ended that were marked first in a period: by the last mark of each, won or lost, whenever it was made.

    `marks` and the `openings` of a caller's cases come with the oldest first.
    """
    of_matter: dict[tuple[str, int], list[Mark]] = defaultdict(list)
    for mark in marks:
        if mark.kind != BOOKED:
            of_matter[mark.number, bisect_right(openings.get(mark.number, ()), mark.at)].append(mark)
    return [some[-1] for some in of_matter.values() if since <= some[0].at < until]


def _marked(matter: Matter, mark: Mark) -> None:
    if mark.kind == BOOKED:
        matter.booked = True
    else:
        matter.outcome = mark
