"""What was said and done, as the page shows it: by days, in words.   store/timeline.py, core/way.py → here → templates/inbox/"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from types import MappingProxyType
from typing import Any, Final

from textbackd.core.call import Direction
from textbackd.core.way import REASONS, STATES, decided, judged, tell
from textbackd.store.acts import ActKind
from textbackd.store.database import from_text
from textbackd.store.journal import way_from_json
from textbackd.store.states import State, TextOf
from textbackd.store.timeline import Entry, What
from textbackd.web import escalated
from textbackd.web.inbox import words
from textbackd.web.inbox.rows import Eyes

CALLS: Final[Mapping[str, str]] = MappingProxyType({
    "answered": "Call answered",
    "missed": "Missed call",
    "lost_after_answer": "Call lost after an answer",
    "uncertain": "Call, perhaps missed",
    "ignored": "Call that does not count",
})  # fmt: skip
DELIVERY: Final[Mapping[State, tuple[str, str]]] = MappingProxyType({
    State.QUEUED: ("Waits to be sent", "plain"),
    State.SUBMITTING: ("Is being sent", "plain"),
    State.ACCEPTED: ("Sent", "plain"),
    State.DELIVERED: ("Delivered", "good"),
    State.UNDELIVERED: ("Not delivered", "bad"),
    State.FAILED: ("Not sent: it was refused", "bad"),
    State.EXPIRED: ("Not sent: nothing could send it in time", "bad"),
    State.CANCELLED: ("Cancelled", "plain"),
    State.SUPPRESSED: ("Not sent: textbackd only observes", "plain"),
    State.UNKNOWN: ("May or may not have gone out", "bad"),
})  # fmt: skip
WRITERS: Final[Mapping[str, str]] = MappingProxyType({
    TextOf.MISSED: "Automatic answer",
    TextOf.MANUAL: "Your shop",
    TextOf.OPTED_OUT: "Automatic: confirms STOP",
    TextOf.OPTED_IN: "Automatic: confirms START",
    TextOf.HELP: "Automatic: answers HELP",
    TextOf.STAFF: "To a colleague",
})  # fmt: skip
TAKEN_FOR: Final[Mapping[str, str]] = MappingProxyType({
    "stop": "Taken as: no more texts",
    "start": "Taken as: texts are welcome again",
    "yes": "Taken as: texts are welcome again",
    "help": "Taken as a call for help, and answered",
    "ask": "May mean: no more texts. Please decide.",
})  # fmt: skip
# States after which a person may want to write the same again.
_NOT_THERE: Final = frozenset({State.FAILED, State.UNDELIVERED, State.EXPIRED, State.UNKNOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One entry."""

    id: str
    kind: str  # call, theirs, ours, form, note, act
    at: str
    iso: str
    head: str = ""  # who, or what it was; untrusted where it is a name
    body: str = ""  # untrusted
    state: str = ""
    mood: str = "plain"  # good, bad, plain
    why: tuple[str, ...] = ()
    question: str = ""  # that `why` answers; "": what became of it
    again: str = ""  # id of a text that a person may want to write again


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The entries of one day."""

    title: str
    iso: str
    entries: tuple[Said, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """What the entries of one conversation are told with."""

    eyes: Eyes
    calls: Mapping[int, Mapping[str, Any]]  # by id, for the texts that answer them
    attempts: Mapping[str, list[Mapping[str, Any]]]  # by the text's id


def days(entries: Iterable[Entry], attempts: Mapping[str, list[Mapping[str, Any]]], eyes: Eyes) -> tuple[Day, ...]:
    """Return entries, the oldest first, by the shop's days."""
    listed = list(entries)
    calls = {entry.row["id"]: entry.row for entry in listed if entry.what is What.CALL}
    background = Background(eyes=eyes, calls=calls, attempts=attempts)
    today = eyes.local(eyes.now).date()
    return tuple(
        _day(at, [_SHOWN[entry.what](entry, background) for entry in group], today)
        for at, group in groupby(listed, key=lambda entry: eyes.local(entry.at).date())
    )


def _day(at: date, entries: list[Said], today: date) -> Day:
    return Day(title=words.day(at, today), iso=at.isoformat(), entries=tuple(entries))


def _said(entry: Entry, background: Background, mark: str, **shown: Any) -> Said:
    local = background.eyes.local(entry.at)
    return Said(id=f"{mark}-{entry.row['id']}", at=words.clock(local), iso=local.isoformat(), **shown)


def _call(entry: Entry, background: Background) -> Said:
    row = entry.row
    is_ours = row["direction"] == Direction.OUTBOUND
    # Of a call that was answered, nobody asks why there was no text.
    asked = (
        "" if is_ours or row["verdict"] == "answered" else f"Why {'this' if row['decision'] == 'text' else 'no'} text?"
    )
    return _said(
        entry,
        background,
        "call",
        kind="call",
        head=_called(row) if is_ours else CALLS[row["verdict"]],
        body="" if is_ours else _reason(row),
        mood="bad" if not is_ours and row["verdict"] in ("missed", "lost_after_answer") else "plain",
        why=_way(row, background.eyes) if asked else (),
        question=asked,
    )


def _called(row: Mapping[str, Any]) -> str:
    return f"You called, and talked for {words.length(row['talked_s'])}" if row["talked_s"] else "You called"


def _reason(row: Mapping[str, Any]) -> str:
    line = f"on {words.plain(row['line'])}" if row["line"] else ""
    talked = f"talked for {words.length(row['talked_s'])}" if row["talked_s"] else ""
    reason = REASONS.get(row["reason"], "") if row["reason"] and row["verdict"] != "answered" else ""
    no_text = ""
    if row["decision"] != "text" and row["verdict"] == "missed":
        no_text = words.without_keys(decided(row["decision_reason"], "", row["not_textable"]))
    return ". ".join(
        part[0].upper() + part[1:] for part in (", ".join(filter(None, (reason, talked, line))), no_text) if part
    )


def _way(row: Mapping[str, Any], eyes: Eyes) -> tuple[str, ...]:
    """Return the way of a call and what was decided, as `explain` tells it."""
    steps = (
        f"{eyes.local(step.at):%H:%M:%S}  {tell(step)}" if step.at else tell(step) for step in way_from_json(row["way"])
    )
    decision = decided(row["decision_reason"], row["decision_detail"], row["not_textable"])
    return (*steps, judged(row["verdict"], row["reason"]), decision)


def _ours(entry: Entry, background: Background) -> Said:
    row = entry.row
    state = State(row["state"])
    shown, mood = DELIVERY[state]
    return _said(
        entry,
        background,
        "text",
        kind="ours",
        head=words.plain(background.eyes.name_of(row["staff"])) if row["staff"] else WRITERS.get(row["kind"], ""),
        body=row["body"],
        state=shown,
        mood=mood,
        why=tuple(_proof(row, background)),
        question="Why this text?" if row["kind"] == TextOf.MISSED else "",
        again=row["id"] if state in _NOT_THERE and row["kind"] != TextOf.STAFF else "",
    )


def _proof(row: Mapping[str, Any], background: Background) -> Iterable[str]:
    """Yield which call a text answers and by which rule, and each time that it was handed to a gateway."""
    eyes, call = background.eyes, background.calls.get(row["call_id"])
    if call is not None:
        yield f"It answers the call of {_clock(call['ended_at'], eyes)}."
        yield judged(call["verdict"], call["reason"])
        yield decided(call["decision_reason"], call["decision_detail"], call["not_textable"])
    for attempt in background.attempts.get(row["id"], ()):
        outcome = (attempt["outcome"] or "never heard of again").replace("_", " ")
        yield f"{_clock(attempt['started_at'], eyes)}  through {attempt['gateway']}: {outcome}"
    yield f"It {STATES[row['state']]}." + (f" {row['explanation']}" if row["explanation"] else "")


def _clock(stored: str, eyes: Eyes) -> str:
    at = from_text(stored)
    return f"{eyes.local(at):%H:%M:%S}" if at else ""


def _theirs(entry: Entry, background: Background) -> Said:
    row = entry.row
    pictures = row["media"]
    seen = f"With {pictures} picture{'s' if pictures != 1 else ''}, which textbackd does not keep" if pictures else ""
    taken = TAKEN_FOR.get(row["keyword"] or "", "")
    state = ". ".join(filter(None, (seen, taken)))
    return _said(entry, background, "in", kind="theirs", body=row["body"], state=state)


def _rang(entry: Entry, background: Background) -> Said:
    head, body = "Rang the texting number", "Nobody answers there: best call back"
    return _said(entry, background, "in", kind="call", head=head, body=body, mood="bad")


def _act(entry: Entry, background: Background) -> Said:
    row, eyes = entry.row, background.eyes
    who = words.plain(eyes.name_of(row["staff"])) if row["staff"] else "textbackd"
    if row["kind"] == ActKind.NOTE:
        return _said(entry, background, "act", kind="note", head=who, body=row["detail"])
    if row["kind"] == ActKind.LEAD:
        return _said(entry, background, "act", kind="form", head="Filled in a form", body=row["detail"])
    head = "" if row["kind"] == ActKind.ESCALATED else who
    return _said(entry, background, "act", kind="act", head=head, body=words.did(row["kind"], _detail(row, eyes)))


def _detail(row: Mapping[str, Any], eyes: Eyes) -> str:
    kind, detail = row["kind"], row["detail"]
    if kind == ActKind.ASSIGNED:
        return words.plain(eyes.name_of(detail)) if detail else "everybody"
    if kind == ActKind.WON:
        return f": {words.money(int(detail))}" if detail.isdigit() else ""
    if kind == ActKind.ESCALATED:
        said = words.plain(escalated.outcome(detail, eyes.name_of))
        return said[:1].upper() + said[1:]
    at = _moment(detail) if kind == ActKind.BOOKED else None
    return f"{eyes.local(at):%a %d %b, %H:%M}" if at else detail


def _moment(stored: str) -> datetime | None:
    try:
        return from_text(stored)
    except ValueError:
        return None


_SHOWN: Final[Mapping[What, Callable[[Entry, Background], Said]]] = MappingProxyType({
    What.CALL: _call,
    What.OURS: _ours,
    What.THEIRS: _theirs,
    What.RANG: _rang,
    What.ACT: _act,
})  # fmt: skip
