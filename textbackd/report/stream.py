"""Finished calls in the order of their ends, out of rows that stream by.   window, quick_calls → here → core/leak.py      Pure.

The rows may come in the order of their ends (files) or starts (databases), a few minutes out of order (cdr.conf: `batch`). A call
comes out when it is over and none that ended before it can come any more; over several trunks a little later, for the provider may
have delivered it twice (core/merge.py). A call that had no new row for longer than `WINDOW` may come late or in two parts.
"""

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, pairwise
from operator import itemgetter
from typing import Final, NamedTuple

from textbackd.core.call import Call
from textbackd.core.from_records import QueueEvent, calls_from_records
from textbackd.core.leak import OUTBOUND
from textbackd.core.merge import WITHIN, merged
from textbackd.core.trunk import Trunks, trunk_of
from textbackd.pbx.records.texts import CHANNEL, UNIQUEID, Block, Texts, row_of
from textbackd.report.quick_calls import NOTHING, Finished, Office, QuickCalls, finished, name_of
from textbackd.report.window import Group, Window

WINDOW: Final = 4 * 3600  # seconds; longer than a talk in any shop, and what is held is a few thousand rows at most
LATE: Final = 600  # seconds that a row may come out of order: Asterisk writes batches every 300 by default
SAME_ENOUGH: Final = 7  # last characters of a caller's number, by which twins are looked for
TWINS: Final = int(WITHIN.total_seconds())
LOOKS_AHEAD: Final = 8  # lines of queue_log; fewer in a row were written while the clock was set wrong
END: Final = 1 << 40  # seconds since 1970; after all calls
ENDED: Final = itemgetter(0, 1)  # of a Finished: when, and its name

Joined = tuple[Finished, Sequence[Finished]]  # a call, and what it was made of


class Span(NamedTuple):
    """The time that rows cover, in seconds since 1970."""

    first: int  # when the first of them began
    last: int  # when the last one ended

    @property
    def is_empty(self) -> bool:
        """Return whether there was no row that could be read."""
        return self.first > self.last

    def with_row(self, began: int, ended: int) -> "Span":
        """Return the time that holds another row, too."""
        return Span(min(self.first, began), max(self.last, ended))


NO_TIME: Final = Span(END, -END)


class Stream:
    """Makes calls of rows."""

    def __init__(self, office: Office, events: Iterable[QueueEvent] = NOTHING) -> None:
        self._zone = office.zone
        self._window = Window(office.zone)
        self._quick = QuickCalls(office, self._window.far_rows)
        self._queues = _Queues(events)
        self._waits = LATE + (WINDOW if len(office.names) > 1 else 0)
        self._turned = 0  # what time the rows had reached when the window was turned
        self._safe = 0  # what ended before that had its last row before that
        self._held: list[Finished] = []
        self._unreadable = 0
        self.span = NO_TIME

    @property
    def skipped(self) -> int:
        """Return how many rows were left out because they are damaged."""
        return self._unreadable + self._quick.skipped

    @property
    def damaged(self) -> int:
        """Return how many of them were found only when they were judged."""
        return self._quick.skipped

    @property
    def held(self) -> int:
        """Return how many rows and calls are held."""
        return self._window.held + len(self._held)

    def calls(self, blocks: Iterable[Block]) -> Iterator[Sequence[Finished]]:
        """Yield the calls from outside, and the office's calls to outside that were answered, some at a time."""
        for block in blocks:
            self._unreadable += block.skipped
            self._window.add(block.rows)
            now = self._time(block.rows)
            if abs(now - self._turned) >= WINDOW:
                self._turn(now, queue_alone=self._turned - LATE)
                yield self._due(self._safe)
                self._safe, self._turned = now - self._waits, now
        self._turn(END, queue_alone=0)  # what is old …
        self._turn(END, queue_alone=END)  # … and what is young
        yield self._due(END)

    def _time(self, rows: Sequence[Texts]) -> int:
        """Return what time the rows have reached, and note what they cover."""
        edges = [row for texts in (*rows[:1], *rows[-1:]) if (row := row_of(texts, self._zone))]
        for row in edges:
            self.span = self.span.with_row(int(row.started_at.timestamp()), int(row.ended_at.timestamp()))
        return int(edges[-1].started_at.timestamp()) if edges else self._turned

    def _turn(self, now: int, *, queue_alone: int) -> None:
        """Judge the calls that are over, also those that only queue_log knows and that ended before `queue_alone`."""
        self._queues.read(now + LATE)
        over = self._window.turn()
        self._held += self._quick.all(over) if self._queues.is_silent else self._with_events(over)
        alone = self._queues.alone(queue_alone)
        if self._window.has_names:
            self._held += [call for call in (finished(one, []) for one in alone) if self._is_covered(call)]

    def _is_covered(self, call: Finished) -> bool:
        """Return whether a call that only queue_log knows lies in the time of the rows. The latest may not be written yet."""
        return self.span.is_empty or self.span.first - LATE <= call.began <= call.ended <= self.span.last + LATE

    def _with_events(self, groups: Iterable[Group]) -> Iterator[Finished]:
        for group in groups:
            events = self._queues.of(group)
            calls = self._quick.calls(group, events, self._queues.restarts)
            yield from (call._replace(events=events) for call in calls)

    def _due(self, until: int) -> Sequence[Finished]:
        """Return the calls that ended before that, in order, and keep the others."""
        if self._waits == LATE:  # there is one trunk, so no twins
            self._held.sort(key=ENDED)
            place = bisect_left(self._held, until, key=itemgetter(0))
            due, self._held = self._held[:place], self._held[place:]
            return due
        joined = sorted(self._joined(self._held), key=_order)
        self._held = [part for call, parts in joined if call.ended >= until for part in parts]
        return [call for call, _ in joined if call.ended < until]

    # ---- one call over two trunks

    def _joined(self, calls: Sequence[Finished]) -> list[Joined]:
        by_caller: dict[str, list[Finished]] = defaultdict(list)
        for call in calls:
            may_have_twins = call.said != OUTBOUND and call.group
            by_caller[call.number[-SAME_ENOUGH:] if may_have_twins else ""].append(call)
        alone = [(call, (call,)) for call in by_caller.pop("", ())]
        return [*alone, *(joined for of_caller in by_caller.values() for joined in self._with_twins(of_caller))]

    def _with_twins(self, calls: Sequence[Finished]) -> Sequence[Joined]:
        if not _may_be_twins(calls):
            return [(call, (call,)) for call in calls]
        slow = [
            (call, one)
            for one in calls
            for call in self._quick.slow(one.group, one.events)
            if name_of(call) == one.name
        ]
        by_linkedid = {call.linkedid: one for call, one in slow}
        return [_joined(call, by_linkedid) for call in merged(sorted((call for call, _ in slow), key=_end))]


def _joined(call: Call, by_linkedid: dict[str, Finished]) -> Joined:
    parts = [by_linkedid[name] for name in dict.fromkeys((call.linkedid, *call.merged))]
    return (finished(call, parts[0].group), parts) if call.merged else (parts[0], parts)


def _may_be_twins(calls: Sequence[Finished]) -> bool:
    if len(calls) < 2 or len(set(map(_trunk, calls))) < 2:
        return False
    in_order = sorted(calls, key=lambda call: call.began)
    return any(after.began - before.ended <= TWINS for before, after in pairwise(in_order))


def _trunk(call: Finished) -> str:
    own = (row for row in call.group if (row[UNIQUEID] or row[CHANNEL]) == call.name)
    return trunk_of(next(own, call.group[0])[CHANNEL])


def _order(joined: Joined) -> tuple[int, str]:
    return joined[0].ended, joined[0].name


def _end(call: Call) -> tuple[float, str]:
    return call.ended_at.timestamp() if call.ended_at else 0.0, call.linkedid


class _Queues:
    """What queue_log says, read as far as the rows have come."""

    def __init__(self, events: Iterable[QueueEvent]) -> None:
        self._events = iter(events)
        self._ahead = deque(islice(self._events, LOOKS_AHEAD))
        self._by_uniqueid: dict[str, list[QueueEvent]] = {}
        self.restarts: list[int] = []

    def read(self, until: int) -> None:
        """Take note of what happened before that. One line that is far ahead of the others holds nothing up."""
        while any(event.at.timestamp() < until for event in self._ahead):
            self._take(self._ahead.popleft())
            self._ahead.extend(islice(self._events, 1))

    def _take(self, event: QueueEvent) -> None:
        if event.what == "QUEUESTART":
            self.restarts.append(int(event.at.timestamp()))
        elif event.uniqueid != "NONE":
            self._by_uniqueid.setdefault(event.uniqueid, []).append(event)

    @property
    def is_silent(self) -> bool:
        return not self._by_uniqueid and not self.restarts

    def of(self, group: Group) -> Sequence[QueueEvent]:
        """Return what concerns a call, and forget it."""
        names = dict.fromkeys(row[UNIQUEID] for row in group)
        found = [event for name in names for event in self._by_uniqueid.pop(name, ())]
        return sorted(found, key=lambda event: event.at)

    def alone(self, before: int) -> list[Call]:
        """Return the calls that only queue_log knows, which ended before that; forget what can concern no call any more."""
        ends = {name: (events[-1].at.timestamp(), events[-1].what) for name, events in self._by_uniqueid.items()}
        # Who gave up has hung up, and the row was written at once; after any other end it may come hours later.
        names = [name for name, (at, what) in ends.items() if at < before - (0 if what == "ABANDON" else 2 * WINDOW)]
        events = [event for name in names for event in self._by_uniqueid.pop(name)]
        self.restarts = [at for at in self.restarts if at >= before - 2 * WINDOW] if before < END else self.restarts
        return calls_from_records((), events, pbx="", trunks=Trunks()) if events else []
