"""What this configuration would have done with the calls in a PBX's records.   pbx/records → here → cli/simulate.py"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

import sqlite_utils

from textbackd.config import Settings
from textbackd.core.call import Call, Direction
from textbackd.core.from_records import calls_from_records
from textbackd.core.merge import merged
from textbackd.core.missed import Verdict
from textbackd.core.trunk import Trunks
from textbackd.flow.conclude import Office
from textbackd.flow.rehearsal import Phones, Rehearsal
from textbackd.pbx.records import read_cdr, read_queue_log, usual_queue_log
from textbackd.store import halts, journal, outbox
from textbackd.store.outbox import Sum
from textbackd.store.states import State

T = TypeVar("T")
Progress = Callable[[str, int], None]  # what is counted, and how many there are so far

TELL_EVERY: Final = 1000
FROM_INSIDE: Final = frozenset({"internal", "outbound"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What would have happened. Calls are those from outside."""

    first: datetime | None  # the end of the first call; None: there was none
    last: datetime | None
    verdicts: Mapping[str, int]
    missed: Mapping[str, int]  # by reason
    decided: Mapping[str, int]  # missed calls by the rule that decided
    texts: Sequence[Sum]
    callers: int  # who got a text
    brakes: int
    rows_skipped: int  # records that could not be read

    @property
    def calls(self) -> int:
        """Return the number of calls from outside, without those that do not count (docs/LEAK.md)."""
        return sum(number for verdict, number in self.verdicts.items() if verdict != Verdict.IGNORED)

    def count(self, state: State, *, held: bool | None = None) -> int:
        """Return the texts that ended in a state, all or those that were held over a night or not."""
        return sum(text.texts for text in self.texts if text.state is state and held in (None, text.held))

    @property
    def segments(self) -> int:
        """Return the segments of what would have gone out."""
        return sum(text.segments for text in self.texts if text.state is State.ACCEPTED)

    @property
    def cost(self) -> int:
        """Return what would have gone out comes to, in millionths."""
        return sum(text.cost for text in self.texts if text.state is State.ACCEPTED)


def simulate(settings: Settings, source: str, *, pbx: str, since: datetime, progress: Progress) -> Outcome:
    """Return what would have become of the calls in `source` since then (aware). Raises TextbackdError if it cannot be read."""
    section, zone = settings.pbx[pbx], settings.business.timezone
    rows = read_cdr(source, since=since, tz=zone)
    queue_log = usual_queue_log(source)
    calls = merged(
        calls_from_records(
            _counted(rows, "records", progress),
            read_queue_log(queue_log, since=since) if queue_log else (),
            pbx=pbx,
            trunks=Trunks(section.trunks.contexts, section.trunks.channels),
            call_backs=True,
        )
    )
    return _outcome(settings, sorted(calls, key=_end), rows.skipped, progress)


def _outcome(settings: Settings, calls: Sequence[Call], skipped: int, progress: Progress) -> Outcome:
    rehearsal = Rehearsal(settings, limited=True, phones=Phones(calls, Office(settings)))
    for call in _counted(calls, "calls", progress):
        rehearsal.take(call)
    rehearsal.finish()
    ends = [call.ended_at for call in calls if call.direction is Direction.INBOUND and call.ended_at is not None]
    verdicts, missed, decided = _counts(rehearsal.db)
    return Outcome(
        first=min(ends, default=None),
        last=max(ends, default=None),
        verdicts=verdicts,
        missed=missed,
        decided=decided,
        texts=outbox.sums(rehearsal.db),
        callers=outbox.count_recipients(rehearsal.db),
        brakes=halts.count_brakes(rehearsal.db),
        rows_skipped=skipped,
    )


def _counts(db: sqlite_utils.Database) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Return the calls by verdict, the missed ones by reason, and by the rule that decided."""
    verdicts, missed, decided = Counter[str](), Counter[str](), Counter[str]()
    for verdict, reason, _, why, number in journal.counts(db):
        if reason in FROM_INSIDE:
            continue
        verdicts[verdict] += number
        if verdict == "missed":
            missed[reason] += number
            decided[why] += number
    return verdicts, missed, decided


def _counted(items: Iterable[T], what: str, progress: Progress) -> Iterator[T]:
    for number, item in enumerate(items, 1):
        if number % TELL_EVERY == 0:
            progress(what, number)
        yield item


def _end(call: Call) -> tuple[datetime, str]:
    assert call.ended_at is not None  # noqa: S101  # a record always tells when it ended
    return call.ended_at, call.linkedid
