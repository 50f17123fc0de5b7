"""Every call with its verdict and decision, and the case and text that follow from it: written in one transaction.

SQL about calls and cases lives here. A call is known by (pbx, linkedid); recording it again changes nothing, so a replayed event
stream, a catch-up and a crash in between cannot text anybody twice.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import sqlite_utils

from textbackd.core.call import Call, Moment
from textbackd.core.conversation import CLOCKS_APART, Happening, of_missed_call, why_no_text
from textbackd.core.decide import Action, Caller, Decision, Why
from textbackd.core.missed import Judgement, Reason, Verdict
from textbackd.core.phone import E164, NotTextable
from textbackd.store import asks, conversations, optouts
from textbackd.store.conversations import News
from textbackd.store.database import from_text, to_text, writing
from textbackd.store.outbox import NewText, add, cancel_automatic, has_text


class Resolution(StrEnum):
    """How a case ended without us."""

    CALLED_AGAIN = "called_again"  # the caller tried again and got through
    CALLED_BACK = "called_back"  # somebody of the office reached the caller
    BOOKED = "booked"  # the caller made an appointment by themselves


RESOLVED: Final = {
    Resolution.CALLED_AGAIN: "the caller called again and was answered",
    Resolution.CALLED_BACK: "somebody called the caller back",
    Resolution.BOOKED: "the caller made an appointment",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedCall:
    """A finished call and everything that was concluded from it."""

    call: Call
    caller: E164 | None
    did: E164 | None
    line: str | None
    judgement: Judgement
    not_textable: NotTextable | None
    decision: Decision
    ended_at: datetime  # aware UTC; the clock's where the PBX told no time
    settles: tuple[E164, Resolution] | None = None  # whose open cases it closes, and how


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What recording a call did."""

    call_id: int
    new: bool  # False: the call was known already, and nothing was written; a call that is explained at last counts as new
    case_id: int | None
    text_id: str | None
    misses: int = 0  # of the case, this call's included; 0: it is none of this call's


def record(
    db: sqlite_utils.Database, judged: JudgedCall, text: NewText | None, *, same_case_within: timedelta, now: datetime
) -> Recorded:
    """Write a call, its case and its text, or nothing if the call is known.

    A known call of which too little was seen is corrected once, by a judgement that knows more.
    """
    with writing(db):
        known = next(db.query("SELECT * FROM calls WHERE pbx = ? AND linkedid = ?", _key(judged.call)), None)
        if known is not None and not _explains(judged, known):
            return Recorded(call_id=known["id"], new=False, case_id=known["case_id"], text_id=None)
        if known is not None and known["not_textable"] == NotTextable.WITHHELD:
            judged, text = _kept_withheld(judged), None
        case_id, misses = _case_for(db, judged, same_case_within)
        if text is not None and case_id is not None and has_text(db, case_id):
            judged, text = replace(judged, decision=Decision(Action.SKIP, Why.COOLDOWN, "the case has its text")), None
        call_id = _insert_call(db, judged, case_id, now) if known is None else _correct_call(db, known, judged, case_id)
        text_id = None if text is None else add(db, text, case_id=case_id, call_id=call_id, now=now)
        _tell_conversation(db, judged, misses)
        if judged.settles is not None:
            number, resolution = judged.settles
            resolve_within(db, number, resolution, judged.ended_at)
        return Recorded(call_id=call_id, new=True, case_id=case_id, text_id=text_id, misses=misses)


def _tell_conversation(db: sqlite_utils.Database, judged: JudgedCall, misses: int) -> None:
    """Let a missed call begin a conversation, or bring it back, inside the caller's transaction."""
    if judged.judgement.verdict is not Verdict.MISSED or judged.caller is None:
        return
    happening = of_missed_call(judged.decision, misses)
    if happening is None or _talked_after(db, judged.caller, judged.ended_at):
        return
    news = News(
        number=judged.caller,
        happening=happening,
        at=judged.ended_at,
        line=judged.line,
        did=judged.did,
        name=_told_name(judged.call),
        unread=True,
    )
    conversations.happen(db, news)
    if (why := why_no_text(judged.decision)) is not None:
        conversations.cannot_be_texted(db, judged.caller, why)


def _talked_after(db: sqlite_utils.Database, caller: E164, ended_at: datetime) -> bool:
    """Return whether a person and the caller have talked since, where a missed call is found late in the PBX's records."""
    talked_at = _last_talk(db, caller)
    return talked_at is not None and talked_at > ended_at


def _told_name(call: Call) -> str:
    """Return the caller's name, unless the PBX only repeats the number."""
    name = " ".join(call.caller_name.split())[:100]
    return "" if name == call.caller_presented or name.lower() in ("", "<unknown>", "unknown", "anonymous") else name


def is_unexplained(verdict: str, reason: str | None) -> bool:
    """Return whether a recorded call was judged from too little, so that the PBX's records may tell more."""
    return verdict == Verdict.UNCERTAIN and reason in (Reason.NOT_SEEN, Reason.PBX_RESTARTED)


def _explains(judged: JudgedCall, known: dict[str, Any]) -> bool:
    reason = judged.judgement.reason
    return is_unexplained(known["verdict"], known["reason"]) and not is_unexplained(judged.judgement.verdict, reason)


def _kept_withheld(judged: JudgedCall) -> JudgedCall:
    """Return a call with its number withheld: events tell that the caller wants to be hidden, records do not."""
    decision = judged.decision
    if decision.action is Action.TEXT:
        decision = Decision(Action.SKIP, Why.NOT_TEXTABLE, NotTextable.WITHHELD.value)
    return replace(judged, caller=None, not_textable=NotTextable.WITHHELD, decision=decision)


def _key(call: Call) -> list[str]:
    return [call.pbx, call.linkedid]


def _case_for(db: sqlite_utils.Database, judged: JudgedCall, within: timedelta) -> tuple[int | None, int]:
    """Return the case of a missed call, and its misses: the caller's open one, or a new one after a while without a miss."""
    if judged.judgement.verdict is not Verdict.MISSED or judged.caller is None:
        return None, 0
    at = to_text(judged.ended_at)
    open_case = db.execute(
        "SELECT id FROM cases WHERE caller = ? AND resolved_at IS NULL AND opened_at > ? ORDER BY id DESC LIMIT 1",
        [judged.caller, to_text(judged.ended_at - within)],
    ).fetchone()
    if open_case is not None:
        more = "UPDATE cases SET misses = misses + 1, last_miss_at = max(last_miss_at, ?) WHERE id = ? RETURNING misses"
        return int(open_case[0]), int(db.execute(more, [at, open_case[0]]).fetchone()[0])
    values = [judged.caller, judged.line, at, at]
    row = db.execute(
        "INSERT INTO cases (caller, line, opened_at, last_miss_at) VALUES (?, ?, ?, ?) RETURNING id", values
    )
    return int(row.fetchone()[0]), 1


def _insert_call(db: sqlite_utils.Database, judged: JudgedCall, case_id: int | None, now: datetime) -> int:
    row = _row(judged, case_id) | {"recorded_at": to_text(now)}
    marks = ", ".join("?" for _ in row)
    inserted = db.execute(f"INSERT INTO calls ({', '.join(row)}) VALUES ({marks}) RETURNING id", list(row.values()))  # noqa: S608
    return int(inserted.fetchone()[0])


def _correct_call(db: sqlite_utils.Database, known: dict[str, Any], judged: JudgedCall, case_id: int | None) -> int:
    """Write the better judgement over the uncertain one, which stays in the detail; so do both ways of the call."""
    row = _row(judged, case_id)
    row["decision_detail"] = "; ".join(filter(None, (row["decision_detail"], f"uncertain ({known['reason']}) before")))
    row["way"] = json.dumps(json.loads(known["way"]) + json.loads(row["way"]))
    # What the events told of the numbers is as the carrier sent it; a record may name the trunk's or a menu's.
    seen = ("caller", "caller_presented", "caller_name", "did", "did_presented", "started_at")
    row |= {name: known[name] for name in seen if known[name]}
    changes = ", ".join(f"{name} = ?" for name in row)
    db.execute(f"UPDATE calls SET {changes} WHERE id = ?", [*row.values(), known["id"]])  # noqa: S608
    return int(known["id"])


def _row(judged: JudgedCall, case_id: int | None) -> dict[str, Any]:
    call, reason = judged.call, judged.judgement.reason
    return {
        "pbx": call.pbx,
        "linkedid": call.linkedid,
        "direction": call.direction.value,
        "caller": judged.caller,
        "caller_presented": call.caller_presented,
        "caller_name": call.caller_name,
        "did": judged.did,
        "did_presented": call.did_presented,
        "line": judged.line,
        "verdict": judged.judgement.verdict.value,
        "reason": reason.value if reason else None,
        "not_textable": judged.not_textable.value if judged.not_textable else None,
        "started_at": to_text(call.started_at),
        "ended_at": to_text(judged.ended_at),
        "talked_s": call.talked.total_seconds() if call.talked is not None else None,
        "decision": judged.decision.action.value,
        "decision_reason": judged.decision.why.value,
        "decision_detail": judged.decision.detail,
        "case_id": case_id,
        "way": _way_to_json(call.way),
    }


def _way_to_json(way: Iterable[Moment]) -> str:
    return json.dumps([[to_text(moment.at), moment.what, moment.who] for moment in way])


def way_from_json(text: str) -> tuple[Moment, ...]:
    """Return the steps of a stored call."""
    return tuple(Moment(from_text(at), what, who) for at, what, who in json.loads(text))


def history(db: sqlite_utils.Database, caller: E164, *, now: datetime, observing: bool) -> Caller:
    """Return what the decision needs to know of a caller.

    A text that only observing suppressed counts as sent while observing goes on, so that the record is what would have happened. One
    that waits counts as if it went now, since nobody knows when it will.
    """
    never_sent = ("expired", "cancelled", "" if observing else "suppressed")
    text = db.execute(
        "SELECT max(CASE WHEN state IN ('queued', 'submitting') THEN max(due_at, ?) ELSE coalesce(submitted_at, due_at) END)"
        " FROM outbox WHERE recipient = ? AND kind = 'missed' AND state NOT IN (?, ?, ?)",
        [to_text(now), caller, *never_sent],
    ).fetchone()
    optout = optouts.find(db, caller)
    return Caller(
        conversation_at=_conversation(db, caller),
        last_text_at=from_text(max(filter(None, (text[0], _perhaps_texted(db, caller))), default=None)),
        last_talk_at=_last_talk(db, caller),
        opted_out_at=optout.since if optout else None,
        asked_to_stop_at=asks.since(db, caller),
        unreachable=optouts.why_unreachable(db, caller, now),
    )


def _perhaps_texted(db: sqlite_utils.Database, caller: E164) -> str | None:
    """Return when a caller may have been texted in the time that a restored backup knows nothing of."""
    query = (
        "SELECT max(at) FROM (SELECT max(ended_at) AS at FROM calls WHERE caller = :number AND decision_reason = 'restored'"
        " UNION ALL SELECT max(at) FROM leads WHERE number = :number AND decision_reason = 'restored')"
    )
    found: str | None = db.execute(query, {"number": caller}).fetchone()[0]
    return found


def _last_talk(db: sqlite_utils.Database, caller: E164) -> datetime | None:
    row = db.execute(
        "SELECT max(ended_at) FROM calls WHERE (caller = :number AND verdict = 'answered')"
        " OR (did = :number AND direction = 'outbound' AND talked_s > 0)",
        {"number": caller},
    ).fetchone()
    return from_text(row[0])


def _conversation(db: sqlite_utils.Database, caller: E164) -> datetime | None:
    """Return when a person last wrote to a caller, or the caller to a person: STOP and its kin are words to us."""
    row = db.execute(
        "SELECT max(at) FROM ("
        "SELECT max(coalesce(submitted_at, created_at)) AS at FROM outbox WHERE recipient = :number AND kind = 'manual'"
        " AND state NOT IN ('failed', 'expired', 'cancelled')"
        " UNION ALL SELECT max(stored_at) FROM inbox WHERE number = :number AND kind = 'text'"
        " AND coalesce(keyword, 'ask') = 'ask')",
        {"number": caller},
    ).fetchone()
    return from_text(row[0])


def misses_of(db: sqlite_utils.Database, case_id: int | None) -> int:
    """Return how often the caller of an open case was missed; 0 for none, or one that is settled."""
    row = db.execute("SELECT misses FROM cases WHERE id = ? AND resolved_at IS NULL", [case_id]).fetchone()
    return int(row[0]) if row else 0


def count_missed_again(db: sqlite_utils.Database, times: int) -> int:
    """Return the cases in which a caller was missed so many times or more."""
    return int(db.execute("SELECT count(*) FROM cases WHERE misses >= ?", [times]).fetchone()[0])


def resolve(db: sqlite_utils.Database, caller: E164, resolution: Resolution, at: datetime) -> int:
    """Close the cases that a caller had at a moment, and cancel their texts that have not gone out; return how many cases."""
    with writing(db):
        return resolve_within(db, caller, resolution, at)


def resolve_within(db: sqlite_utils.Database, caller: E164, resolution: Resolution, at: datetime) -> int:
    """Do the same inside the caller's transaction. What came after that moment is another matter."""
    latest = at + CLOCKS_APART
    closed = db.execute(
        "UPDATE cases SET resolved_at = ?, resolution = ? WHERE caller = ? AND resolved_at IS NULL AND last_miss_at <= ?"
        " RETURNING id",
        [to_text(at), resolution.value, caller, to_text(latest)],
    ).fetchall()
    # The answer to a form has no case, and is not wanted any more either.
    cancel_automatic(db, caller, RESOLVED[resolution], latest)
    happening = Happening.BOOKED if resolution is Resolution.BOOKED else Happening.TALKED
    conversations.happen(db, News(number=caller, happening=happening, at=at))
    return len(closed)


def find_calls(db: sqlite_utils.Database, wanted: str, number: E164 | None, limit: int = 20) -> list[dict[str, Any]]:
    """Return the calls that `explain` is asked about, newest first: by linkedid, by caller, or by what the carrier presented."""
    rows = db.query(
        "SELECT * FROM calls WHERE linkedid = :wanted OR caller = :number OR caller_presented = :wanted"
        " ORDER BY ended_at DESC LIMIT :limit",
        {"wanted": wanted, "number": number, "limit": limit},
    )
    return list(rows)


def counts(db: sqlite_utils.Database) -> list[tuple[str, str, str, str, int]]:
    """Return (verdict, reason, decision, decision_reason, number of calls)."""
    query = "SELECT verdict, coalesce(reason, ''), decision, decision_reason, count(*) FROM calls GROUP BY 1, 2, 3, 4"
    return [(row[0], row[1], row[2], row[3], row[4]) for row in db.execute(query)]


def count_missed(db: sqlite_utils.Database, since: datetime) -> int:
    """Return how many calls that ended after a moment were missed."""
    query = "SELECT count(*) FROM calls WHERE ended_at >= ? AND verdict = 'missed'"
    return int(db.execute(query, [to_text(since)]).fetchone()[0])


def last_inbound(db: sqlite_utils.Database, line: str | None = None) -> datetime | None:
    """Return when the last call from outside ended, on one line if it is given; None: there was none yet."""
    query = "SELECT ended_at FROM calls WHERE direction = 'inbound' AND (?1 IS NULL OR line = ?1) ORDER BY ended_at DESC LIMIT 1"
    row = db.execute(query, [line]).fetchone()
    return from_text(row[0]) if row else None


def was_called(db: sqlite_utils.Database, number: E164) -> bool:
    """Return whether a number is one of ours that a call from outside has shown."""
    query = "SELECT 1 FROM calls WHERE did = ? AND direction = 'inbound' LIMIT 1"
    return db.execute(query, [number]).fetchone() is not None


def seen_dids(db: sqlite_utils.Database) -> list[E164]:
    """Return every number of ours that a call from outside has shown."""
    return [
        E164(row[0])
        for row in db.execute("SELECT DISTINCT did FROM calls WHERE direction = 'inbound' AND did IS NOT NULL")
    ]
