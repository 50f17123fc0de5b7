"""How long callers waited for a person, and who answered them.   store/figures.py → here → report/running.py      Pure."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from textbackd.store.figures import Mark, Word


@dataclass(frozen=True, slots=True)
class Wait:
    """A caller wrote, and nobody had answered yet."""

    number: str
    since: datetime  # the first text without answer
    ended: datetime | None  # the first word of a person; None: there was none
    staff: str | None  # who wrote it; None: it was said on the phone

    @property
    def lasted(self) -> timedelta | None:
        """Return how long it was; None: it goes on."""
        return None if self.ended is None else self.ended - self.since


@dataclass(frozen=True, slots=True)
class Person:
    """What one of the staff did."""

    key: str
    answered: int  # waits that a text of theirs ended
    conversations: int  # callers whom they wrote to in those
    median: timedelta | None  # of these waits
    won: int
    value: int | None  # hundredths of the shop's currency; None: not told of any


@dataclass(slots=True)
class _Work:
    waits: list[Wait] = field(default_factory=list)
    won: list[Mark] = field(default_factory=list)


def waits(theirs: Iterable[Word], answers: Iterable[Word]) -> list[Wait]:
    """Return every wait, by caller. What a person says when nobody waits begins and ends nothing."""
    said: dict[str, list[tuple[datetime, bool, Word]]] = defaultdict(list)
    for word in theirs:
        said[word.number].append((word.at, False, word))
    for word in answers:
        if word.number in said:
            said[word.number].append((word.at, True, word))
    return [wait for number, words in said.items() for wait in _of_caller(number, sorted(words, key=_when))]


def _when(entry: tuple[datetime, bool, Word]) -> tuple[datetime, bool]:
    return entry[:2]


def _of_caller(number: str, words: Sequence[tuple[datetime, bool, Word]]) -> Iterator[Wait]:
    since: datetime | None = None
    for at, is_answer, word in words:
        if not is_answer:
            since = since or at
        elif since is not None:
            yield Wait(number, since, at, word.staff)
            since = None
    if since is not None:
        yield Wait(number, since, None, None)


def people(ended: Iterable[Wait], marks: Iterable[Mark]) -> list[Person]:
    """Return who answered and who won, those who answered most first."""
    work: dict[str, _Work] = defaultdict(_Work)
    for wait in ended:
        if wait.staff is not None:
            work[wait.staff].waits.append(wait)
    for mark in marks:
        if mark.kind == "won" and mark.staff is not None:
            work[mark.staff].won.append(mark)
    found = [_person(key, done) for key, done in work.items()]
    return sorted(found, key=lambda person: (-person.answered, -person.won, person.key))


def _person(key: str, work: _Work) -> Person:
    spans = [wait.lasted.total_seconds() for wait in work.waits if wait.lasted is not None]
    values = [mark.value for mark in work.won if mark.value is not None]
    return Person(
        key=key,
        answered=len(spans),
        conversations=len({wait.number for wait in work.waits}),
        median=span_of(percentile(spans, 50)),
        won=len(work.won),
        value=sum(values) if values else None,
    )


def percentile(values: Sequence[float], percent: int) -> float | None:
    """Return the value that so many percent do not exceed (nearest rank); None of nothing. The median is one that occurred."""
    if not values:
        return None
    return sorted(values)[max(math.ceil(percent * len(values) / 100), 1) - 1]


def span_of(seconds: float | None) -> timedelta | None:
    """Return seconds as a span."""
    return None if seconds is None else timedelta(seconds=seconds)
