"""What the judgement of a call from records depends on, and nothing else.   report/quick_calls.py → here → core/from_records.py    Pure.

Records of ten years hold some hundred thousand calls, and hardly a thousand that differ in what matters. So a call is reduced to its
shape, and each shape is judged once, by the same code as any call (`calls_from_records`, `judge`): the rows are made again out of the
shape alone, so that a verdict cannot depend on what the shape leaves out. What it leaves out:

- names and numbers: a channel is outside, inside, Local or a machine; which of the rows tells caller and DID is part of the ruling;
- the moment: only differences count, and of those only whether they reach a limit. Every pause between two moments of the call (a
  row's start, answer, end) is cut to a little more than the highest limit that can matter, which changes no comparison with a limit
  and no order: a sum that stays below the limit has only uncut parts, and one that holds a cut part is above it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from textbackd.core.call import Call, Direction
from textbackd.core.from_records import (
    BLACKLIST_TAKES,
    TIMEOUT_AT,
    CdrRow,
    Disposition,
    QueueEvent,
    calls_from_records,
)
from textbackd.core.missed import (
    ANNOUNCEMENT_TAKES,
    CONFIRMATION_TAKES,
    MOBILE_VOICEMAIL_TALK,
    VERY_SHORT_TALK,
    Circumstances,
    Judgement,
    judge,
)
from textbackd.core.trunk import Trunks

# Seconds; a little more than the highest limits that judging knows: the shortest wait, a talk that is very short, an announcement …
LIMIT: Final = 1 + max(
    int(limit.total_seconds())
    for limit in (Circumstances().min_wait, VERY_SHORT_TALK, ANNOUNCEMENT_TAKES, CONFIRMATION_TAKES, BLACKLIST_TAKES)
)
# … and, where the caller reached somebody outside, a talk with a mobile that may be its voicemail.
LIMIT_OUTSIDE: Final = 1 + int(MOBILE_VOICEMAIL_TALK.total_seconds())
NOON: Final = datetime(2026, 1, 1, 12, tzinfo=UTC)
OUTSIDE: Final = "PJSIP/outside"
NAMES: Final = {"outside": OUTSIDE, "inside": "PJSIP/1", "local": "Local/1@x", "machine": "Bridge/1"}
FAR: Final = -1
LONG: Final = "#"  # stands for a `dst` that is a number, whichever
LONG_NUMBER: Final = 1_000_000  # what it becomes, and the row's place is added


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """What two rows have in common that are alike but for their times. Compared by identity: whoever makes them keeps one of each."""

    channel: str  # of NAMES
    to: str  # of NAMES; "" if nobody was dialled
    dst: str  # LONG, or as it was written
    dcontext: str
    has_did: bool
    has_src: bool
    app: str  # lower case
    timeout: int | None  # seconds that a Dial or Queue may last
    cause: str  # what Hangup was told
    disposition: Disposition

    limit: int = field(init=False)  # what counts of the times of a call with such a row
    last_limit: int = field(
        init=False
    )  # what counts if it is the last one: its time-out, unless somebody was connected
    unanswered: bool = field(init=False)
    stays_inside: bool = field(init=False)  # alone it is no call from outside, and reached nobody there

    def __post_init__(self) -> None:
        is_talk = self.disposition is Disposition.ANSWERED and self.to not in ("", "machine")
        limit = LIMIT_OUTSIDE if is_talk and self.to in ("outside", "local") else LIMIT
        object.__setattr__(self, "limit", limit)
        object.__setattr__(self, "last_limit", max(limit, 0 if is_talk else 1 + (self.timeout or 0)))
        object.__setattr__(self, "unanswered", self.disposition is not Disposition.ANSWERED)
        object.__setattr__(self, "stays_inside", self.channel == "inside" and not (is_talk and self.to == "outside"))


class Step(NamedTuple):
    """One row of a shape; its times are seconds since the call began, with pauses cut."""

    kind: Kind
    start: int
    answer: int | None
    end: int
    lasted: int
    owner: int = (
        0  # which of the call's uniqueids, 0 is the one that began it; FAR: a Local channel's, of no known call
    )
    channel: int = 0  # the number of its channel, and of the one it dialled: the same number, the same channel
    to: int = 0
    data: int = 0  # rows with the same number had the same `lastdata`
    sequence: int = 0  # its place among the rows of the call, where they are numbered


class Queueing(NamedTuple):
    """What queue_log adds."""

    entered: bool = False
    left: bool = False  # after that: taken out by an agent, a time-out or a key
    abandoned: bool = False  # the last word is ABANDON
    did: bool = False  # FreePBX logged the number that was called


class Shape(NamedTuple):
    """A call reduced to what its judgement depends on."""

    steps: tuple[Step, ...]
    has_root: bool = True  # the channel that began it has rows
    queueing: Queueing | None = None
    restarted: bool = False  # Asterisk restarted as it ended


@dataclass(frozen=True, slots=True, eq=False)
class Ruling:
    """What became of a caller, and where in the rows it says who and which number."""

    direction: Direction
    judgement: Judgement
    said: str  # the judgement in one word or two, "missed no_answer"
    own: tuple[int, ...]  # the rows of the caller's channel, by their place in the shape, in order
    src: int | None  # which row has `src`; None: none has, and `clid` has to do
    did: int | None  # which row has `did` or, without one, `dst`; None: none tells
    did_logged: bool  # queue_log tells it


def rulings(shape: Shape, contexts: Sequence[str], circumstances: Circumstances) -> tuple[Ruling, ...]:
    """Return what became of each caller in a call: mostly one; none if nobody called from outside and nobody outside answered."""
    rows = [_row(step, place, shape.has_root) for place, step in enumerate(shape.steps)]
    calls = calls_from_records(
        rows,
        _events(shape, rows),
        pbx="",
        trunks=Trunks(contexts),
        known_trunks={OUTSIDE},
        queue_alone=False,
        call_backs=True,
    )
    return tuple(_ruling(call, rows, judge(call, circumstances)) for call in calls)


def in_words(judgement: Judgement) -> str:
    """Return a judgement as one text, to count by."""
    return judgement.verdict.value + (f" {judgement.reason.value}" if judgement.reason else "")


def cut(moments: Iterable[int], limit: int) -> dict[int, int]:
    """Return each moment's place when no pause between two of them is longer than `limit`."""
    before, *later = sorted(set(moments))
    place, places = 0, {before: 0}
    for moment in later:
        pause = moment - before
        place += pause if pause < limit else limit
        places[moment] = place
        before = moment
    return places


def _row(step: Step, place: int, has_root: bool) -> CdrRow:
    kind = step.kind
    return CdrRow(
        uniqueid=_uniqueid(step.owner, has_root),
        linkedid="far.1" if step.owner == FAR else "call.0",
        channel=_channel(kind.channel, step.channel),
        dstchannel=_channel(kind.to, step.to) if kind.to else "",
        src=str(place) if kind.has_src else "",
        clid="",
        dst=str(LONG_NUMBER + place) if kind.dst == LONG else kind.dst,
        dcontext=kind.dcontext,
        did=f"did{place}" if kind.has_did else "",
        lastapp=kind.app,
        lastdata=_data(kind, step.data),
        started_at=_moment(step.start),
        answered_at=None if step.answer is None else _moment(step.answer),
        ended_at=_moment(step.end),
        lasted=timedelta(seconds=step.lasted),
        disposition=kind.disposition,
        sequence=step.sequence,
    )


def _uniqueid(owner: int, has_root: bool) -> str:
    return "far.1" if owner == FAR else f"call.{owner if has_root else owner + 1}"


def _channel(kind: str, number: int) -> str:
    # The two halves of a Local channel have neighbouring numbers, the first an even one.
    return f"{NAMES[kind]}-{number // 2};{number % 2 + 1}" if kind == "local" else f"{NAMES[kind]}-{number}"


def _data(kind: Kind, number: int) -> str:
    if kind.timeout is None:
        return kind.cause or str(number) + "x"
    return ",".join([str(number), *[""] * (TIMEOUT_AT[kind.app] - 1), str(kind.timeout)])


def _moment(seconds: int) -> datetime:
    return NOON + timedelta(seconds=seconds)


def _events(shape: Shape, rows: Sequence[CdrRow]) -> list[QueueEvent]:
    ended_at = max(row.ended_at for row in rows)
    told = shape.queueing or Queueing()
    words = [("DID", told.did), ("ENTERQUEUE", told.entered), ("CONNECT", told.left), ("ABANDON", told.abandoned)]
    events = [_event(what, rows[0].uniqueid, NOON) for what, is_told in words if is_told]
    return [*events, _event("QUEUESTART", "NONE", ended_at)] if shape.restarted else events


def _event(what: str, uniqueid: str, at: datetime) -> QueueEvent:
    return QueueEvent(
        at=at, uniqueid=uniqueid, queue="q", agent="NONE", what=what, details=("logged",) * (what == "DID")
    )


def _ruling(call: Call, rows: Sequence[CdrRow], judgement: Judgement) -> Ruling:
    own = [place for place, row in enumerate(rows) if row.uniqueid == call.linkedid]
    told = call.did_presented
    return Ruling(
        direction=call.direction,
        judgement=judgement,
        said=in_words(judgement),
        own=tuple(sorted(own, key=lambda place: (rows[place].started_at, rows[place].ended_at, rows[place].sequence))),
        src=int(call.caller_presented) if call.caller_presented else None,
        did=next((place for place in own if told and told in (rows[place].did, rows[place].dst)), None),
        did_logged=told == "logged",
    )
