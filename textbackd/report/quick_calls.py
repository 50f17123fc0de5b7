"""What became of the caller, for a hundred thousand calls a second.   report/window.py → here → report/stream.py      Pure.

It says of every call what `calls_from_records` and `judge` say, and a test holds it to that; it exists because they take 60 µs and 2 kB
a row, and ten years of a shop are a million rows. What it does instead:

- Rows stay texts (`pbx/records/texts.py`).
- A call is reduced to its shape (`core/shape.py`), and each shape is judged once, by the code that judges any call.
- A call of one row, which is every other, has a shape so plain that it needs no rows at all.
- What does not fit goes the careful way: a time in the hour in which the clocks change, a damaged row.

The lines of `_single` and `_alone` are run a million times: they repeat themselves where a function would cost more than it says.
"""

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from operator import itemgetter
from typing import Final, NamedTuple, cast

from textbackd.core.call import Call
from textbackd.core.from_records import (
    LEFT_QUEUE,
    RESTART_TAKES,
    Disposition,
    QueueEvent,
    calls_from_records,
    has_name,
    is_dialled,
    is_long,
    number_in,
    timeout_in,
)
from textbackd.core.leak import OUTBOUND, Heard
from textbackd.core.missed import Circumstances, judge
from textbackd.core.picture import MACHINES
from textbackd.core.shape import FAR, LONG, Kind, Queueing, Ruling, Shape, Step, cut, in_words, rulings
from textbackd.core.trunk import Trunks, trunk_of
from textbackd.pbx.records.cdr import DISPOSITIONS
from textbackd.pbx.records.texts import (
    ANSWER_AT,
    BILLSEC,
    CHANNEL,
    CLID,
    CNUM,
    DCONTEXT,
    DID,
    DISPOSITION,
    DST,
    DSTCHANNEL,
    DURATION,
    END_AT,
    LASTAPP,
    LASTDATA,
    LINKEDID,
    SEQUENCE,
    SRC,
    START_AT,
    UNIQUEID,
    Texts,
    row_of,
)  # fmt: skip
from textbackd.report.clock import SECONDS, Hours
from textbackd.report.window import LOCAL, Group, split

MOST_KNOWN: Final = 20_000  # shapes, and kinds of rows, that are remembered at once
ASKED: Final = Circumstances()  # without a configuration nobody says which numbers do not count
RESTART: Final = int(RESTART_TAKES.total_seconds())
_new: Final = tuple.__new__  # half the time of `Finished(…)`
NOTHING: Final[Sequence[QueueEvent]] = ()
Times = tuple[int, int | None, int, int]  # of a row: began, was answered, ended, in seconds since 1970; lasted
Rulings = tuple[Ruling, ...]
Fact = tuple[Kind, int, int | None, int, int, str]  # of a row: its kind, the same times, its `lastdata`
Fields = tuple[Kind, int, int | None, int, int, int, int, int, int, int]  # of a `Step`, which takes longer to make


class Finished(NamedTuple):
    """One call that is over: what core/leak.py hears of it, and what it was made of."""

    ended: int  # seconds since 1970
    name: str  # its linkedid; the channel's name where the records have none
    began: int
    said: str  # the judgement in words, "missed no_answer"
    number: str  # of the caller, as the carrier sent it; of whom the office called, where `said` is OUTBOUND
    line: str  # the number of ours that was called; "" where nothing tells
    group: Group  # its rows
    events: Sequence[QueueEvent] = NOTHING  # of queue_log


heard = cast("Callable[[Finished], Heard]", itemgetter(2, 3, 4, 5))  # what core/leak.py hears of a call


class DamagedRowError(ValueError):
    """A row whose disposition or channel is none."""


@dataclass(slots=True)
class Office:
    """What is known of the PBX whose calls are judged, and what was learnt on the way."""

    trunks: Trunks
    names: Collection[str]  # of trunks, as `trunk_of` gives them
    zone: tzinfo  # of the times in its rows
    hours: Hours = field(init=False)
    kinds: dict[tuple[object, ...], Kind] = field(default_factory=dict)
    outside: dict[tuple[str, str], bool] = field(default_factory=dict)
    plain: dict[tuple[object, ...], Rulings] = field(default_factory=dict)
    shapes: dict[tuple[object, ...], Rulings] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.hours = Hours(self.zone)


class QuickCalls:
    """Judges groups of rows."""

    def __init__(self, office: Office, far_rows: Callable[[str], Sequence[Texts]]) -> None:
        self._trunks, self._names, self._zone, self._far_rows = office.trunks, office.names, office.zone, far_rows
        self._hours, self._kinds, self._outside = office.hours, office.kinds, office.outside
        self._plain, self._shapes = office.plain, office.shapes
        self.skipped = 0  # rows that are damaged

    def all(self, groups: Iterable[Group]) -> list[Finished]:
        """Return the calls in many groups that no queue_log tells of."""
        found: list[Finished] = []
        for group in groups:
            try:
                found += self._single(group) if len(group) == 1 else self._alone(group)
            except (KeyError, ValueError):
                found += self._careful(group, NOTHING, ())
        return found

    def calls(
        self, group: Group, events: Sequence[QueueEvent] = NOTHING, restarts: Sequence[int] = ()
    ) -> Sequence[Finished]:
        """Return the calls in a group: mostly one; none if nobody called from outside and nobody outside answered."""
        try:
            if events or restarts:
                return self._several(group, events, restarts)
            return self._single(group) if len(group) == 1 else self._alone(group)
        except (KeyError, ValueError):
            return self._careful(group, events, restarts)

    # ---- the plain way: rows of one channel that has to do with no Local channel

    def _single(self, group: Group) -> Sequence[Finished]:
        (
            uniqueid, linkedid, channel, to, src, _, dst, context, did, app, data,
            start, answer, end, duration, billsec, disposition, _, cnum,
        ) = row = group[0]  # fmt: skip
        if (linkedid and linkedid != uniqueid) or to.startswith(LOCAL) or channel.startswith(LOCAL):
            return self._several(group, NOTHING, ())
        kind = self._kinds.get((
            channel.rpartition("-")[0] or channel, to.rpartition("-")[0] or to,
            dst, context, app, data, disposition, not did, not (src or cnum),
        )) or self._kind(row)  # fmt: skip
        if kind.stays_inside:
            return ()
        hours = self._hours
        began = hours[start[:13]] + SECONDS[start[13:]]
        ended = hours[end[:13]] + SECONDS[end[13:]] if end else began + int(duration or 0)
        if answer:
            up: int | None = hours[answer[:13]] + SECONDS[answer[13:]]
        else:
            up = None if kind.unanswered and billsec == "0" else _up(kind, billsec, ended)
        lasted = int(duration or ended - began)
        rang, talked = (None, ended - began) if up is None else (up - began, ended - up)
        if talked < 0 or lasted < 0 or (rang is not None and rang < 0):
            return self._several(group, NOTHING, ())
        limit = kind.last_limit
        key = (
            kind, None if rang is None else rang if rang < limit else limit, talked if talked < limit else limit,
            lasted if lasted < limit else limit,
        )  # fmt: skip
        found = self._plain.get(key)
        if found is None:
            found = self._learn(self._plain, key, _plain_shape(*key))
        if not found:
            return ()
        ruling = found[0]
        if ruling.src is None or ruling.did is None or ruling.said == OUTBOUND:
            return [self._finished(ruling, ended, began, group)]
        return [
            _new(Finished, (ended, uniqueid or channel, began, ruling.said, src or cnum, did or dst, group, NOTHING))
        ]

    def _alone(self, group: Group) -> Sequence[Finished]:
        """The same for several rows."""
        first, kinds, hours = group[0], self._kinds, self._hours
        name = first[UNIQUEID]
        if not name or (first[LINKEDID] and first[LINKEDID] != name) or first[SEQUENCE]:
            return self._several(group, NOTHING, ())
        facts: list[Fact] = []
        moments: list[int] = []
        limit, order, own, stem, began_at, start_at = 0, (0, 0), "", "", 0, ""
        for row in group:
            (
                uniqueid, _, channel, to, src, _, dst, context, did, app, data,
                start, answer, end, duration, billsec, disposition, _, cnum,
            ) = row  # fmt: skip
            if uniqueid != name or to.startswith(LOCAL) or channel.startswith(LOCAL):
                return self._several(group, NOTHING, ())
            # Mostly the same channel, and often the same start, as the row before.
            if channel != own:
                own, stem = channel, channel.rpartition("-")[0] or channel
            if start != start_at:
                start_at, began_at = start, hours[start[:13]] + SECONDS[start[13:]]
            began = began_at
            kind = kinds.get((
                stem, to.rpartition("-")[0] or to, dst, context, app, data, disposition, not did, not (src or cnum),
            )) or self._kind(row)  # fmt: skip
            ended = hours[end[:13]] + SECONDS[end[13:]] if end else began + int(duration or 0)
            if answer:
                up: int | None = hours[answer[:13]] + SECONDS[answer[13:]]
            else:
                up = None if kind.unanswered and billsec == "0" else _up(kind, billsec, ended)
            lasted = int(duration or ended - began)
            if lasted < 0:
                raise DamagedRowError("the clock was set back")
            facts.append((kind, began, up, ended, lasted, data))
            moments += (began, ended, began if up is None else up)
            if (began, ended) >= order:
                order, last = (began, ended), kind
            limit = max(limit, kind.limit)
        limit = max(limit, last.last_limit)
        return self._judged(group, facts, cut(moments, limit), limit)

    def _judged(self, group: Group, facts: Sequence[Fact], places: Mapping[int, int], limit: int) -> Sequence[Finished]:
        whole = group[0][LASTDATA]
        key = tuple([
            (
                kind, places[began], None if up is None else places[up], places[ended],
                lasted if lasted < limit else limit, 0 if data == whole else data,
            )
            for kind, began, up, ended, lasted, data in facts
        ])  # fmt: skip
        found = self._shapes.get(key)
        if found is None:
            found = self._learn(self._shapes, key, _alone_shape(key))
        if not found:
            return ()
        ruling = found[0]
        ends = max([facts[place][3] for place in ruling.own])
        return [self._finished(ruling, ends, facts[ruling.own[0]][1], group)]

    def _finished(self, ruling: Ruling, ended: int, began: int, group: Group, logged: str = "") -> Finished:
        first = group[ruling.own[0]]
        caller = number_in(first[CLID]) if ruling.src is None else group[ruling.src][SRC] or group[ruling.src][CNUM]
        did = "" if ruling.did is None else group[ruling.did][DID] or group[ruling.did][DST]
        line = did or (logged if ruling.did_logged else "")
        name = first[UNIQUEID] or first[CHANNEL]
        if ruling.said == OUTBOUND:
            return Finished(ended, name, began, OUTBOUND, line, "", group)
        return Finished(ended, name, began, ruling.said, caller, line, group)

    # ---- several rows

    def _several(self, group: Group, events: Sequence[QueueEvent], restarts: Sequence[int]) -> Sequence[Finished]:
        if (
            not group[0][LINKEDID]
            and not group[0][UNIQUEID]
            and len(group) > 1
            and len(parts := split(group, self._zone)) > 1
        ):
            return [call for part in parts for call in self.calls(part, events, restarts)]
        rows = [*group, *self._far(group)]
        kinds = [self._kind(row) for row in rows]
        times = [self._times(row, kind) for row, kind in zip(rows, kinds, strict=True)]
        ended = max(time[2] for time in times[: len(group)])
        restarted = _is_restart(ended, restarts)
        owners, has_root = _owners(group)
        if restarted and len(set(owners)) > 1:
            raise DamagedRowError("who was there as Asterisk restarted has to be looked at one by one")
        steps = _steps(rows, kinds, times, [*owners, *[FAR] * (len(rows) - len(group))])
        key = (steps, has_root, _queueing(events), restarted)
        found = self._shapes.get(key)
        if found is None:
            shape = Shape(tuple(Step(*step) for step in steps), has_root, _queueing(events), restarted)
            found = self._learn(self._shapes, key, shape)
        logged = next((event.details[0] for event in events if event.what == "DID" and event.details), "")
        return [self._placed(ruling, times, group, logged) for ruling in found]

    def _placed(self, ruling: Ruling, times: Sequence[Times], group: Group, logged: str) -> Finished:
        ended = max(times[place][2] for place in ruling.own)
        return self._finished(ruling, ended, times[ruling.own[0]][0], group, logged)

    def _far(self, group: Group) -> Sequence[Texts]:
        """Return the rows of the Local channels that lead to whom the caller reached, where no linkedid ties them to the call."""
        if group[0][LINKEDID]:
            return ()
        found: list[Texts] = []
        reached = [row[DSTCHANNEL] for row in group]
        while reached:
            channel = reached.pop()
            if channel.startswith(LOCAL):
                beyond = self._far_rows(channel.removesuffix(";1") + ";2")
                new = [row for row in beyond if row not in found]
                found += new
                reached += [row[DSTCHANNEL] for row in new]
        return found

    def _times(self, row: Texts, kind: Kind) -> Times:
        """Return when a row began, was answered and ended, and how long it lasted."""
        start, answer, end = row[START_AT], row[ANSWER_AT], row[END_AT]
        began = self._hours[start[:13]] + SECONDS[start[13:]]
        ended = self._hours[end[:13]] + SECONDS[end[13:]] if end else began + int(row[DURATION] or 0)
        up = self._hours[answer[:13]] + SECONDS[answer[13:]] if answer else _up(kind, row[BILLSEC], ended)
        return began, up, ended, int(row[DURATION] or ended - began)

    def _learn(self, known: dict[tuple[object, ...], Rulings], key: tuple[object, ...], shape: Shape) -> Rulings:
        if len(known) >= MOST_KNOWN:
            known.clear()
        found = known[key] = rulings(shape, self._trunks.contexts, ASKED)
        return found

    # ---- what a row is, but for its times

    def _kind(self, row: Texts) -> Kind:
        """Return the one kind of all rows that are alike. Raises DamagedRowError."""
        channel, to, context, dst, data = row[CHANNEL], row[DSTCHANNEL], row[DCONTEXT], row[DST], row[LASTDATA]
        stem, to_stem = channel.rpartition("-")[0] or channel, to.rpartition("-")[0] or to
        if not self._is_outside(channel, stem, context):
            # The office dials thousands of numbers; whom it dials is nobody's matter.
            dst, data = LONG if is_dialled(dst) else dst, ""
        named = row[SRC] or row[CNUM]
        key = (stem, to_stem, dst, context, row[LASTAPP], data, row[DISPOSITION], not row[DID], not named)
        kind = self._kinds.get(key)
        return self._new_kind(key, row, dst, data) if kind is None else kind

    def _new_kind(self, key: tuple[object, ...], row: Texts, dst: str, data: str) -> Kind:
        disposition = DISPOSITIONS.get(row[DISPOSITION].upper().replace(" ", ""))
        if disposition is None or not row[CHANNEL]:
            raise DamagedRowError("a row names its channel and says how it ended")
        app = row[LASTAPP].lower()
        timeout = timeout_in(app, data)
        if len(self._kinds) >= MOST_KNOWN:
            self._kinds.clear()
            self._plain.clear()
            self._shapes.clear()
        kind = self._kinds[key] = Kind(
            channel=self._side(row[CHANNEL], row[DCONTEXT]),
            to=self._side(row[DSTCHANNEL], "") if row[DSTCHANNEL] else "",
            dst=LONG if is_long(dst) else dst,
            dcontext=row[DCONTEXT],
            has_did=bool(row[DID]),
            has_src=bool(row[SRC] or row[CNUM]),
            app=app,
            timeout=None if timeout is None else int(timeout.total_seconds()),
            cause=data if app == "hangup" and data.isascii() and data.isdigit() else "",
            disposition=disposition,
        )
        return kind

    def _side(self, channel: str, context: str) -> str:
        if channel.startswith(LOCAL):
            return "local"
        if channel.startswith(MACHINES):
            return "machine"
        return "outside" if self._is_outside(channel, trunk_of(channel), context) else "inside"

    def _is_outside(self, channel: str, stem: str, context: str) -> bool:
        known = self._outside.get((stem, context))
        if known is None:
            if len(self._outside) >= MOST_KNOWN:
                self._outside.clear()
            known = self._outside[stem, context] = stem in self._names or self._trunks.has(channel, context)
        return known

    # ---- the careful way

    def _careful(self, group: Group, events: Sequence[QueueEvent], restarts: Sequence[int]) -> Sequence[Finished]:
        read = [(row_of(row, self._zone), row) for row in group]
        self.skipped += sum(row is None for row, _ in read)
        group = [texts for row, texts in read if row is not None]
        return [finished(call, group) for call in self.slow(group, events, restarts)]

    def slow(self, group: Group, events: Sequence[QueueEvent] = NOTHING, restarts: Sequence[int] = ()) -> list[Call]:
        """Return the calls in a group as anybody else finds them."""
        rows = [row for texts in (*group, *self._far(group)) if (row := row_of(texts, self._zone))] if group else []
        again = [
            QueueEvent(
                at=datetime.fromtimestamp(at, UTC), uniqueid="NONE", queue="", agent="", what="QUEUESTART", details=()
            )
            for at in restarts
        ]
        return calls_from_records(
            rows,
            [*events, *again],
            pbx="",
            trunks=self._trunks,
            known_trunks=self._names,
            queue_alone=True,
            call_backs=True,
        )


def finished(call: Call, group: Group) -> Finished:
    """Return a call that was found the careful way as one that was found quickly."""
    said = in_words(judge(call, ASKED))
    began, ended = cast("datetime", call.started_at), cast("datetime", call.ended_at)
    number, line = call.caller_presented, call.did_presented
    if said == OUTBOUND:
        number, line = line, ""
    return Finished(int(ended.timestamp()), name_of(call), int(began.timestamp()), said, number, line, group)


def name_of(call: Call) -> str:
    """Return what a call is called here: its linkedid, or its channel where the records have none."""
    return call.linkedid if has_name(call) else call.channel


def _plain_shape(kind: Kind, rang: int | None, talked: int, lasted: int) -> Shape:
    if rang is None:
        return Shape((Step(kind, 0, None, talked, lasted),))
    return Shape((Step(kind, 0, rang, rang + talked, lasted),))


def _alone_shape(key: Sequence[tuple[Kind, int, int | None, int, int, object]]) -> Shape:
    datas: dict[object, int] = {0: 0}
    return Shape(tuple(
        Step(kind, began, up, ended, lasted, data=datas.setdefault(data, len(datas)))
        for kind, began, up, ended, lasted, data in key
    ))  # fmt: skip


def _up(kind: Kind, billsec: str, ended: int) -> int | None:
    """Return when a row was answered that does not say; one that was up already has billable seconds, whatever became of it."""
    billed = int(billsec or 0)
    if billed < 0:
        raise DamagedRowError("the clock was set back")
    return ended - billed if billed or kind.disposition is Disposition.ANSWERED else None


def _is_restart(ended: int, restarts: Sequence[int]) -> bool:
    place = bisect_left(restarts, ended)
    return place < len(restarts) and restarts[place] - ended <= RESTART


def _owners(group: Group) -> tuple[list[int], bool]:
    """Return the number of each row's uniqueid, and whether one of them began the call; that is 0, then."""
    name = group[0][LINKEDID] or group[0][UNIQUEID]
    uniqueids = [row[UNIQUEID] for row in group]
    if name and "" in uniqueids:
        raise DamagedRowError("a row without a uniqueid among others is looked at by itself")
    numbers = {name: 0} if name in uniqueids else {}
    return [numbers.setdefault(uniqueid, len(numbers)) for uniqueid in uniqueids], name in uniqueids


def _steps(
    rows: Sequence[Texts], kinds: Sequence[Kind], times: Sequence[Times], owners: Sequence[int]
) -> tuple[Fields, ...]:
    """Return the fields of each `Step` of a shape."""
    sequences = _sequences(rows)
    limit = _limit(kinds, times, owners, sequences)
    places = cut([at for began, up, ended, _ in times for at in (began, ended, began if up is None else up)], limit)
    names: dict[str, int] = {}
    datas: dict[str, int] = {}
    alone = not any(owners)  # nobody else's rows, so which channel it was says nothing
    steps = []
    for row, kind, (began, up, ended, lasted), owner, sequence in zip(
        rows, kinds, times, owners, sequences, strict=True
    ):
        steps.append((
            kind, places[began], None if up is None else places[up], places[ended], min(lasted, limit), owner,
            0 if alone else _number(row[CHANNEL], names), 0 if alone else _number(row[DSTCHANNEL], names),
            datas.setdefault(row[LASTDATA], len(datas)), sequence,
        ))  # fmt: skip
    return tuple(steps)


def _limit(kinds: Sequence[Kind], times: Sequence[Times], owners: Sequence[int], sequences: Sequence[int]) -> int:
    if any(owners):
        return max(kind.last_limit for kind in kinds)
    last = max(range(len(kinds)), key=lambda place: (times[place][0], times[place][2], sequences[place], place))
    return max(kinds[last].last_limit, *(kind.limit for kind in kinds))


def _sequences(rows: Sequence[Texts]) -> Sequence[int]:
    """Return each row's place in the order of their numbers; all the same where they have none."""
    if not rows[0][SEQUENCE]:
        return [0] * len(rows)
    numbers = [int(row[SEQUENCE] or 0) for row in rows]
    ranks = {number: rank for rank, number in enumerate(sorted(set(numbers)))}
    return [ranks[number] for number in numbers]


def _number(channel: str, names: dict[str, int]) -> int:
    """Return a number that stands for a channel; the halves of a Local channel get neighbours (core/shape.py)."""
    if not channel.startswith(LOCAL):
        return names.setdefault(channel, len(names))
    half = {";1": 0, ";2": 1}[channel[-2:]]
    return 2 * names.setdefault(channel[:-2], len(names)) + half


def _queueing(events: Sequence[QueueEvent]) -> Queueing | None:
    if not events:
        return None
    entered = [event.at for event in events if event.what == "ENTERQUEUE"]
    return Queueing(
        entered=bool(entered),
        left=bool(entered) and any(event.what in LEFT_QUEUE for event in events if event.at >= entered[-1]),
        abandoned=events[-1].what == "ABANDON",
        did=any(event.what == "DID" and event.details and event.details[0] for event in events),
    )
