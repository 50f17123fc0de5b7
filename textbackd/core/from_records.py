"""From what Asterisk wrote down to finished calls.   pbx/records → here → core/missed.py      Pure: no I/O, no clock.

A call from outside is the caller's channel, whose uniqueid is the linkedid. Only that channel's own rows tell whether it was
answered: one of them is ANSWERED and names a dstchannel. Rows of other channels (Local halves, a phone's own calls) tell whom the
caller reached, and nothing else; neither the first nor the last row, nor billsec, nor an ANSWERED row without dstchannel is proof.

What records cannot show:
- calls that dialled nobody and were not answered by the PBX (cdr.conf: `unanswered = no`): blacklisted, no phone registered, busy
  without a dial, given up before it rang. They have no row at all. A call that Asterisk was killed in has none either.
- who ended it. A Dial or Queue that lasted its time-out was ended by the PBX, a shorter one by the caller; so a phone that
  declines looks like a caller who gave up, and after a long menu a caller who gave up looks like one who was not answered. Where
  `lastdata` is cut (80 characters on FreePBX) or has no time-out, the caller is taken to have given up.
- a message left: the row of VoiceMail is the same with and without.
- the number of ours that was called, once a menu has changed `dst`, unless there is FreePBX's column `did`.
- that a caller wants to be hidden, when the carrier tells the number all the same.
- a confirmation ("press 1"): a mobile that was picked up counts as one that nobody confirmed.
- whether a call that AMI or a script originated over a trunk came in over it.

Sources: recordings of Asterisk 16 and 22 and of FreePBX 16; Asterisk's cdr_csv, app_queue.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Final

from textbackd.core.call import Call, Direction, EndedBy, HandedOnBy, Moment, QueueStay, Ring, Talk
from textbackd.core.phone import without_service_code
from textbackd.core.picture import MACHINES
from textbackd.core.trunk import Trunks, trunk_of


class Disposition(StrEnum):
    """How a row says that it ended."""

    ANSWERED = "ANSWERED"
    NO_ANSWER = "NO ANSWER"
    BUSY = "BUSY"
    FAILED = "FAILED"
    CONGESTION = "CONGESTION"


@dataclass(frozen=True, slots=True, kw_only=True)
class CdrRow:
    """One row of a CDR: one channel, and one other at most, for a while. A call has as many as it rang phones, and more."""

    uniqueid: str  # of `channel`; "" where the CDR was not told to log it
    linkedid: str  # "" in a plain Master.csv
    channel: str
    dstchannel: str  # "" if nobody was dialled
    src: str
    clid: str  # '"Ann Smith" <+12015550100>'; the name may hold anything
    dst: str
    dcontext: str  # the last context, not the one where the call came in
    did: str  # FreePBX: the number of ours, "" where no inbound route matched
    lastapp: str
    lastdata: str
    started_at: datetime  # aware UTC, whole seconds
    answered_at: datetime | None
    ended_at: datetime
    lasted: timedelta  # more exact than the difference of the whole seconds
    disposition: Disposition
    sequence: int

    @property
    def is_talk(self) -> bool:
        """Return whether the channel was connected with another."""
        return self.disposition is Disposition.ANSWERED and bool(self.dstchannel) and not _is_machine(self.dstchannel)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueEvent:
    """One line of queue_log."""

    at: datetime  # aware UTC
    uniqueid: str  # of the caller's channel; "NONE" for what concerns no call
    queue: str
    agent: str
    what: str  # ENTERQUEUE, CONNECT, ABANDON, …
    details: tuple[str, ...]


MADE_UP: Final = "record "  # begins the linkedid of a call whose records have no id
LONGEST_PAUSE: Final = timedelta(seconds=30)  # between two rows of one channel, where only its name ties them together
RESTART_TAKES: Final = timedelta(seconds=10)  # from the end of all calls to the first line of the new queue_log
BLACKLIST_TAKES: Final = timedelta(seconds=2)

OUTSIDE_STRANGERS: Final = "from-sip-external*"  # FreePBX: unknown SIP senders, mostly scanners; never customers
BLACKHOLE: Final = "app-blackhole"  # FreePBX sends blacklisted callers there, and others
NO_NUMBERS: Final = frozenset({"", "s", "h", "i", "t", "o", "a"})
PHONE: Final = re.compile(r"(PJSIP|SIP|IAX2|SCCP)/\d{1,6}")  # named after an extension; DAHDI numbers its lines, too
OUTSIDE_DIGITS: Final = 7  # a caller's number with as many digits is no extension

# Applications in which a caller sits until somebody hangs up; what is still running at the end, the caller left.
LEFT_BY_CALLER: Final = frozenset({
    "voicemail", "background", "waitexten", "read", "playback", "wait", "musiconhold", "followme", "confbridge", "meetme",
    "directory", "park", "record", "ringing", "progress",
})  # fmt: skip
ENDINGS: Final = frozenset({"hangup", "busy", "congestion", "macro", "macroexit", "gosub", "return", "noop", "set", ""})
CAUSES: Final[Mapping[str, int]] = {"busy": 17, "congestion": 34}  # Q.850, for a channel that reached nobody
STATUSES: Final[Mapping[Disposition, str]] = {
    Disposition.ANSWERED: "ANSWER",
    Disposition.NO_ANSWER: "NOANSWER",
    Disposition.BUSY: "BUSY",
    Disposition.FAILED: "CHANUNAVAIL",
    Disposition.CONGESTION: "CONGESTION",
}
LEFT_QUEUE: Final = frozenset({
    "CONNECT", "EXITWITHTIMEOUT", "EXITEMPTY", "EXITWITHKEY", "COMPLETECALLER", "COMPLETEAGENT", "BLINDTRANSFER",
    "ATTENDEDTRANSFER", "TRANSFER",
})  # fmt: skip
TIMEOUT_AT: Final[Mapping[str, int]] = {"dial": 1, "queue": 4}  # which argument of the application is its time-out


def calls_from_records(
    rows: Iterable[CdrRow],
    events: Iterable[QueueEvent] = (),
    *,
    pbx: str,
    trunks: Trunks,
    known_trunks: Collection[str] = (),
    queue_alone: bool = True,
    call_backs: bool = False,
) -> list[Call]:
    """Return the calls from outside that the records tell of, in the order of their ends.

    `rows` may come in any order, `events` in that of the file. `known_trunks` are names as `trunk_of` gives them, learnt
    elsewhere: FreePBX's rows do not name the trunk's context. `queue_alone` also takes calls that only queue_log knows and that
    ended in the queue; leave it off while their rows may still come, since only those tell what was before. `call_backs` adds the
    office's calls to outside that were answered: they settle the matter of who was missed.
    """
    book = _Book.of(rows, events, trunks, known_trunks)
    records = [(record, _direction(record, book)) for record in _records(book)]
    wanted = {Direction.INBOUND, Direction.OUTBOUND} if call_backs else {Direction.INBOUND}
    calls = [_call(record, book, pbx, direction) for record, direction in records if direction in wanted]
    if queue_alone:
        calls += [_queue_call(uniqueid, pbx, book) for uniqueid in _only_in_queue_log(book)]
    return sorted(calls, key=lambda call: (_end(call), call.linkedid))


def trunks_in(rows: Iterable[CdrRow], trunks: Trunks) -> frozenset[str]:
    """Return the names of the trunks that rows give away: by their context, by a configured pattern, or by a DID."""
    return frozenset(trunk_of(row.channel) for row in rows if _is_outside(row, trunks))


def has_name(call: Call) -> bool:
    """Return whether a call has Asterisk's id; without one it has to be recognised by caller and time."""
    return not call.linkedid.startswith(MADE_UP)


def _is_outside(row: CdrRow, trunks: Trunks) -> bool:
    if row.channel.startswith("Local/"):
        return False
    # A phone that dials one of the office's own numbers may get a DID, too.
    return trunks.has(row.channel, row.dcontext) or (bool(row.did) and not PHONE.fullmatch(trunk_of(row.channel)))


@dataclass(frozen=True, slots=True)
class _Book:
    """All records, and how to find one's way in them."""

    rows: Sequence[CdrRow]
    by_channel: Mapping[str, Sequence[CdrRow]]
    events: Mapping[str, Sequence[QueueEvent]]
    restarts: Sequence[datetime]
    trunks: Trunks
    names: frozenset[str]

    @staticmethod
    def of(
        rows: Iterable[CdrRow], events: Iterable[QueueEvent], trunks: Trunks, known_trunks: Collection[str]
    ) -> "_Book":
        kept, logged = list(rows), list(events)
        by_channel, by_uniqueid = defaultdict(list), defaultdict(list)
        for row in kept:
            by_channel[row.channel].append(row)
        for event in logged:
            by_uniqueid[event.uniqueid].append(event)
        restarts = [event.at for event in logged if event.what == "QUEUESTART"]
        return _Book(kept, by_channel, by_uniqueid, restarts, trunks, trunks_in(kept, trunks) | set(known_trunks))

    def outside(self, channel: str, context: str = "") -> bool:
        if channel.startswith("Local/") or fnmatchcase(context, OUTSIDE_STRANGERS):
            return False
        return trunk_of(channel) in self.names or self.trunks.has(channel, context)


@dataclass(frozen=True, slots=True)
class _Record:
    """The rows of one channel, in order, and those of the other channels of the call."""

    name: str
    is_root: bool  # it is the one that began the call
    own: Sequence[CdrRow]
    kin: Sequence[CdrRow]
    events: Sequence[QueueEvent]

    @property
    def last(self) -> CdrRow:
        return self.own[-1]

    @property
    def ended_at(self) -> datetime:
        return max(row.ended_at for row in self.own)

    @property
    def up_row(self) -> CdrRow | None:
        return next((row for row in self.own if row.answered_at is not None), None)


# ---- which rows are one call


def _records(book: _Book) -> Iterable[_Record]:
    for name, rows in _groups(book.rows).items():
        by_uniqueid = defaultdict(list)
        for row in rows:
            by_uniqueid[row.uniqueid].append(row)
        for uniqueid, own in by_uniqueid.items():
            yield _Record(
                name=uniqueid or name,
                is_root=uniqueid in ("", name),
                own=sorted(own, key=_order),
                kin=[row for row in rows if row.uniqueid != uniqueid],
                events=_events_of(book, {row.uniqueid for row in rows}),
            )


def _groups(rows: Iterable[CdrRow]) -> dict[str, list[CdrRow]]:
    groups = defaultdict(list)
    nameless = defaultdict(list)
    for row in rows:
        if key := row.linkedid or row.uniqueid:
            groups[key].append(row)
        else:
            nameless[row.channel].append(row)
    for of_channel in nameless.values():
        for chain in chains(of_channel):
            groups[f"{MADE_UP}{chain[0].channel} {chain[0].started_at.isoformat()}"] = chain
    return groups


def chains(rows: Iterable[CdrRow]) -> Iterable[list[CdrRow]]:
    """Split rows of one channel name where Asterisk must have been restarted: then names begin anew."""
    chain: list[CdrRow] = []
    for row in sorted(rows, key=_order):
        if chain and row.started_at - max(r.ended_at for r in chain) > LONGEST_PAUSE:
            yield chain
            chain = []
        chain.append(row)
    if chain:
        yield chain


def _direction(record: _Record, book: _Book) -> Direction | None:
    """Return where a channel's call came from; None for what is no call of its own, or stayed inside."""
    if record.own[0].channel.startswith("Local/"):
        return None
    if any(book.outside(row.channel, row.dcontext) for row in record.own):
        return Direction.INBOUND if _is_caller(record) else None
    reached = [_far_end(row, book)[0] for row in record.own if row.is_talk]
    return Direction.OUTBOUND if record.is_root and any(book.outside(channel) for channel in reached) else None


def _is_caller(record: _Record) -> bool:
    if any(fnmatchcase(row.dcontext, OUTSIDE_STRANGERS) for row in record.own):
        return False
    # A caller who was bridged with an older channel (an agent who logged in before) gets that one's linkedid. So does a leg
    # that was dialled out and transferred; its channel stands as dstchannel somewhere.
    dialled = any(row.dstchannel == record.own[0].channel for row in record.kin)
    return record.is_root or (not dialled and any(row.is_talk for row in record.own))


def _events_of(book: _Book, uniqueids: Collection[str]) -> list[QueueEvent]:
    events = [event for uniqueid in uniqueids if uniqueid for event in book.events.get(uniqueid, ())]
    return sorted(events, key=lambda event: event.at)


# ---- the facts of one call


def _call(record: _Record, book: _Book, pbx: str, direction: Direction) -> Call:
    talks = _talks(record, book)
    up = record.up_row
    first, last = record.own[0], record.last
    ended_by = _ended_by(record, book)
    return Call(
        pbx=pbx,
        linkedid=record.name,
        channel=first.channel,
        direction=direction,
        caller_presented=_caller(record),
        caller_name=_name(first.clid),
        did_presented=_did(record, book, direction),
        withheld=False,
        started_at=first.started_at,
        ended_at=record.ended_at,
        start_seen=True,
        gap=False,
        ended_by=ended_by,
        up=up is not None,
        up_for=record.ended_at - up.answered_at if up and up.answered_at else None,
        up_in=_up_in(record),
        ended_in=last.dcontext,
        ended_at_extension=last.dst,
        cause=_cause(record),
        talks=tuple(talks),
        unseen_company=False,
        handed_on=_handed_on(record),
        rings=tuple(_rings(record)),
        ringing_at_end=_is_ringing(last) and _app(last) != "queue",
        queue=_queue_stay(record),
        message_left=False,
        fax=False,
        application=next((row.lastapp for row in reversed(record.own) if _app(row) not in ENDINGS), last.lastapp),
        way=_way(record, talks, ended_by),
    )


def _caller(record: _Record) -> str:
    return next((row.src for row in record.own if row.src), "") or number_in(record.own[0].clid)


def number_in(clid: str) -> str:
    """Return the number in `"name" <number>`; "" if there is none."""
    found = re.search(r"<([^<>]*)>\s*$", clid)
    return found.group(1) if found else ""


def _name(clid: str) -> str:
    return clid.rpartition("<")[0].strip().strip('"') if "<" in clid else ""


def _did(record: _Record, book: _Book, direction: Direction) -> str:
    told = [row.did for row in record.own]
    told += [event.details[0] for event in record.events if event.what == "DID" and event.details]
    is_number = is_dialled if direction is Direction.OUTBOUND else is_long
    told += [row.dst for row in record.own if _is_in_trunk(row, book.trunks) or is_number(row.dst)]
    return next((did for did in told if did), "")


def _is_in_trunk(row: CdrRow, trunks: Trunks) -> bool:
    """Return whether `dst` is still the number that came in: a menu, a ring group or a transfer puts its own there."""
    return row.dst not in NO_NUMBERS and trunks.has("", row.dcontext)


def is_long(dst: str) -> bool:
    """Return whether it can be a number that came in, wherever it stands."""
    digits = dst.lstrip("+")
    return len(digits) > 4 and digits.isascii() and digits.isdigit()


def is_dialled(dst: str) -> bool:
    """Return whether it can be a number that the office called, with a service code (*67) before it or without."""
    return is_long(without_service_code(dst))


def _up_in(record: _Record) -> str | None:
    up = record.up_row
    if up is None:
        return None
    # FreePBX answers a blacklisted caller in app-blacklist-check and sends them on at once; the row names only the end. Others
    # who end there have heard an announcement or a menu before, or were not answered.
    if len(record.own) == 1 and up.dcontext == BLACKHOLE and up.lasted <= BLACKLIST_TAKES:
        return "app-blacklist-check"
    return up.dcontext


def _cause(record: _Record) -> int:
    """Return the cause that the dialplan gave, `Busy()` or `Hangup(21)`; 0 where it gave none."""
    last = record.last
    if _app(last) == "hangup" and last.lastdata.isascii() and last.lastdata.isdigit():
        return int(last.lastdata)
    return CAUSES.get(_app(last), 0)


def _talks(record: _Record, book: _Book) -> list[Talk]:
    talks = []
    for row in record.own:
        if row.is_talk:
            channel, answered_at = _far_end(row, book)
            start = max(filter(None, (row.answered_at, answered_at)), default=row.started_at)
            talk = Talk(
                channel=channel,
                outside=book.outside(channel) or (channel.startswith("Local/") and _only_outside(record, book)),
                picked_up_for=None,
                started_at=min(start, row.ended_at),
                ended_at=row.ended_at,
            )
            talks.append(talk)
    return talks


def _far_end(row: CdrRow, book: _Book) -> tuple[str, datetime | None]:
    """Return the channel at the other end of the Local channels, however deep, and when it answered."""
    channel, answered_at, seen = row.dstchannel, row.answered_at, set[str]()
    while channel.startswith("Local/") and channel not in seen:
        seen.add(channel)
        other = channel.removesuffix(";1") + ";2"
        beyond = next((r for r in book.by_channel.get(other, ()) if r.is_talk), None)
        if beyond is None:
            break
        channel, answered_at = beyond.dstchannel, beyond.answered_at
    return channel, answered_at


def _only_outside(record: _Record, book: _Book) -> bool:
    """Return whether nobody inside picked up, where the Local channels' names do not lead to anybody."""
    picked_up = [row.dstchannel for row in record.kin if row.is_talk and not row.dstchannel.startswith("Local/")]
    return bool(picked_up) and all(book.outside(channel) for channel in picked_up)


def _handed_on(record: _Record) -> HandedOnBy | None:
    """Return how the last person let go of the caller, if somebody was tried or waited for after that and did not come."""
    talks = [row for row in record.own if row.is_talk]
    if not talks:
        return None
    last = max(talks, key=_order)
    # Phones that rang together with the one that answered begin before it ends.
    later = [row for row in record.own if row.started_at >= last.ended_at and row.started_at > last.started_at]
    if any(_app(row) == "park" for row in later):
        return HandedOnBy.PARKING
    tried = any(row.dstchannel or _app(row) in ("voicemail", "queue") for row in later)
    return HandedOnBy.TRANSFER if tried else None


def _rings(record: _Record) -> Iterable[Ring]:
    for row in (*record.own, *record.kin):
        if row.dstchannel and not _is_machine(row.dstchannel):
            yield Ring(
                channel=row.dstchannel,
                status=STATUSES[row.disposition],
                by_caller=row.channel == record.own[0].channel,
                forwarded=False,
            )


def _is_ringing(row: CdrRow) -> bool:
    return bool(row.dstchannel) and row.disposition is Disposition.NO_ANSWER


def _queue_stay(record: _Record) -> QueueStay | None:
    entered = [event for event in record.events if event.what == "ENTERQUEUE"]
    if entered:
        left = [event.what in LEFT_QUEUE for event in record.events if event.at >= entered[-1].at]
        return QueueStay(queue=entered[-1].queue, left_before_end=any(left))
    waits = [row for row in record.own if _app(row) == "queue"]
    if not waits:
        return None
    return QueueStay(queue=_arguments(waits[-1])[0], left_before_end=waits[-1] is not record.last)


def _ended_by(record: _Record, book: _Book) -> EndedBy:
    ended_at, last = record.ended_at, record.last
    if any(timedelta(0) <= restart - ended_at <= RESTART_TAKES for restart in book.restarts):
        return EndedBy.PBX
    if record.events and record.events[-1].what == "ABANDON":
        return EndedBy.CALLER
    if _app(last) in TIMEOUT_AT and last.disposition in (Disposition.NO_ANSWER, Disposition.ANSWERED):
        return EndedBy.PBX if _timed_out(record) else EndedBy.CALLER
    return EndedBy.CALLER if _app(last) in LEFT_BY_CALLER else EndedBy.PBX


def _timed_out(record: _Record) -> bool:
    last = record.last
    timeout = _timeout(last)
    same = [row for row in record.own if (row.lastapp, row.lastdata) == (last.lastapp, last.lastdata)]
    if last.is_talk or timeout is None:
        return False
    if len({row.ended_at for row in same}) == 1:
        return max(row.lasted for row in same) >= timeout
    # One after the other: a forward, or a queue that rings again. The time-out is for all of them together.
    return max(row.ended_at for row in same) - same[0].started_at >= timeout


def _timeout(row: CdrRow) -> timedelta | None:
    return timeout_in(_app(row), row.lastdata)


def timeout_in(app: str, lastdata: str) -> timedelta | None:
    """Return how long a Dial or Queue (`app`, lower case) may last, in whole seconds; None for no limit and for what is neither."""
    if app not in TIMEOUT_AT:
        return None
    arguments, place = re.split(r"[,|]", lastdata), TIMEOUT_AT[app]
    given = arguments[place] if len(arguments) > place else ""
    seconds = re.fullmatch(r"(\d{1,6})(\.\d+)?(\^.*)?", given.strip())
    return timedelta(seconds=int(seconds.group(1))) if seconds else None


def _arguments(row: CdrRow) -> list[str]:
    return re.split(r"[,|]", row.lastdata)


def _way(record: _Record, talks: Sequence[Talk], ended_by: EndedBy) -> tuple[Moment, ...]:
    steps = [Moment(record.own[0].started_at, "arrived", _first_number(record))]
    for row in record.own:
        if row.dstchannel and not row.is_talk:
            steps += [
                Moment(row.started_at, "rang", row.dstchannel),
                Moment(row.ended_at, f"dial_{STATUSES[row.disposition].lower()}", row.dstchannel),
            ]
    for talk in talks:
        steps += [Moment(talk.started_at, "talked", talk.channel), Moment(talk.ended_at, "talk_ended", talk.channel)]
    steps += [Moment(record.ended_at, f"ended_by_{ended_by.value}"), Moment(record.ended_at, "found_in_records")]
    return tuple(sorted(steps, key=lambda step: step.at or record.ended_at))


def _first_number(record: _Record) -> str:
    return next((row.did or row.dst for row in record.own if row.did or row.dst not in NO_NUMBERS), "")


# ---- calls that only queue_log knows


def _only_in_queue_log(book: _Book) -> Iterable[str]:
    """Yield the callers that have no row and gave up in a queue; after any other end they may have reached somebody elsewhere."""
    known = {row.uniqueid for row in book.rows}
    for uniqueid, events in book.events.items():
        gave_up = events[-1].what == "ABANDON" and not any(event.what == "CONNECT" for event in events)
        if gave_up and uniqueid not in known and _entered_from_outside(events):
            yield uniqueid


def _entered_from_outside(events: Sequence[QueueEvent]) -> bool:
    """Return whether a DID was logged (FreePBX), or the caller's number is too long for an extension."""
    caller, did = _queue_numbers(events)
    return bool(did) or sum(character.isdigit() for character in caller) >= OUTSIDE_DIGITS


def _queue_numbers(events: Sequence[QueueEvent]) -> tuple[str, str]:
    callers = [event.details[1] for event in events if event.what == "ENTERQUEUE" and len(event.details) > 1]
    dids = [event.details[0] for event in events if event.what == "DID" and event.details]
    return next(iter(callers), ""), next(iter(dids), "")


def _queue_call(uniqueid: str, pbx: str, book: _Book) -> Call:
    events = book.events[uniqueid]
    caller, did = _queue_numbers(events)
    started_at, ended_at = min(born(uniqueid) or events[0].at, events[0].at), events[-1].at
    return Call(
        pbx=pbx,
        linkedid=uniqueid,
        channel="",
        direction=Direction.INBOUND,
        caller_presented=caller,
        caller_name="",
        did_presented=did,
        withheld=False,
        started_at=started_at,
        ended_at=ended_at,
        start_seen=True,
        gap=False,
        ended_by=EndedBy.CALLER,
        up=False,
        up_for=None,
        up_in=None,
        ended_in="",
        ended_at_extension="",
        cause=0,
        talks=(),
        unseen_company=False,
        handed_on=None,
        rings=(),
        ringing_at_end=False,
        queue=QueueStay(queue=events[-1].queue, left_before_end=False),
        message_left=False,
        fax=False,
        application="Queue",
        way=(
            Moment(events[0].at, "queue_joined", events[-1].queue),
            Moment(ended_at, "ended_by_caller"),
            Moment(ended_at, "found_in_records"),
        ),
    )


def born(uniqueid: str) -> datetime | None:
    """Return when a channel was made: a uniqueid is `[systemname-]seconds.number`."""
    found = re.fullmatch(r"(?:.*-)?(\d{9,10})\.\d+", uniqueid)
    return datetime.fromtimestamp(int(found.group(1)), UTC) if found else None


def _app(row: CdrRow) -> str:
    return row.lastapp.lower()


def _is_machine(channel: str) -> bool:
    return channel.startswith(MACHINES)


def _order(row: CdrRow) -> tuple[datetime, datetime, int]:
    return row.started_at, row.ended_at, row.sequence


def _end(call: Call) -> datetime:
    assert call.ended_at is not None  # noqa: S101  # every call from records has its end
    return call.ended_at
