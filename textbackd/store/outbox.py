"""The durable list of texts to send, and every attempt at one.

    queued ─▶ submitting ─▶ accepted ─▶ delivered | undelivered     (store/reports.py)
      ▲           ├─▶ queued      proved not sent: the next gateway, or this one later
      └───────────┤
                  ├─▶ failed      the number will never take it
                  └─▶ unknown     it may be on its way: never sent again by itself, but what is heard later settles it
    queued ─▶ expired | cancelled;   suppressed: decided, but `mode: observe` sends nothing
    a person may queue again what is unknown, failed, undelivered or expired

`submitting` is committed, with `synchronous=FULL`, before the first byte goes to a gateway. So whatever is found in `submitting`
when the daemon starts was cut off in the act, and becomes `unknown`. SQL about texts lives here.
"""

import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlite_utils

from textbackd.core.conversation import Happening
from textbackd.core.phone import E164
from textbackd.store import conversations, news, optouts, reports
from textbackd.store.conversations import News
from textbackd.store.database import from_text, to_text, writing
from textbackd.store.optouts import OptedOutBy
from textbackd.store.states import State, TextOf


@dataclass(frozen=True, slots=True, kw_only=True)
class NewText:
    """A text to be put into the outbox."""

    kind: TextOf
    recipient: E164
    did: E164 | None  # the number of ours that was called, which some gateways send from
    body: str
    gateways: Sequence[str]  # names, in the order in which they are tried; not empty
    due_at: datetime
    expires_at: datetime
    hung_up_at: datetime | None
    segments: int
    cost: int = 0  # as estimated, in millionths of the currency that the shop counts in
    held: bool = False  # its time is the end of a night
    staff: str | None = None  # key of whom of the staff wrote it; None: textbackd, or the terminal
    state: State = State.QUEUED  # or SUPPRESSED


@dataclass(frozen=True, slots=True, kw_only=True)
class DueText:
    """A text that may go out now, claimed for one gateway."""

    id: str
    recipient: E164
    did: E164 | None
    body: str
    gateway: str
    gateways: tuple[str, ...]
    attempt: int  # this one's number, from 1
    attempt_id: int
    expires_at: datetime
    hung_up_at: datetime | None
    segments: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsettled:
    """A text whose fate is unknown, for whoever may know more."""

    id: str
    recipient: E164
    did: E164 | None
    body: str
    submitted_at: datetime
    expires_at: datetime


# What is not handed over any more has not gone out, but for one that may lie with a gateway already.
_NOT_SENT: Final = "CASE WHEN only_account IS NULL THEN '{}' ELSE 'unknown' END"
_LINE: Final = (
    "coalesce((SELECT line FROM calls WHERE id = outbox.call_id), (SELECT line FROM leads WHERE text_id = outbox.id))"
)
# Takes the moment.
_IS_HALTED: Final = (
    "EXISTS (SELECT 1 FROM halts WHERE ended_at IS NULL AND (until IS NULL OR until > ?)"  # noqa: S608
    f" AND (line IS NULL OR line = {_LINE}))"
)


def add(
    db: sqlite_utils.Database,
    text: NewText,
    *,
    case_id: int | None,
    call_id: int | None,
    now: datetime,
    text_id: str | None = None,
) -> str:
    """Put a text into the outbox, inside the caller's transaction; return its id. Raises sqlite3.IntegrityError for a case's second one.

    `text_id`: one that the sender chose, so that what is sent twice by mistake is one text; None makes one.
    """
    text_id = text_id or uuid.uuid4().hex
    db.execute(
        "INSERT INTO outbox (id, case_id, call_id, kind, recipient, did, body, state, gateways, gateway, due_at, expires_at,"
        " hung_up_at, created_at, segments, cost, held, staff) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            text_id, case_id, call_id, text.kind.value, text.recipient, text.did, text.body, text.state.value,
            json.dumps(list(text.gateways)), text.gateways[0], to_text(text.due_at), to_text(text.expires_at),
            to_text(text.hung_up_at), to_text(now), text.segments, text.cost, text.held, text.staff,
        ],
    )  # fmt: skip
    return text_id


def has_text(db: sqlite_utils.Database, case_id: int) -> bool:
    """Return whether a case has had its automatic text, or has it on the way."""
    query = "SELECT 1 FROM outbox WHERE case_id = ? AND kind = 'missed' AND state NOT IN ('expired', 'cancelled', 'suppressed')"
    return db.execute(query, [case_id]).fetchone() is not None


def cancel_automatic(db: sqlite_utils.Database, number: E164, why: str, before: datetime) -> None:
    """Cancel, inside the caller's transaction, the automatic texts to a number that have not gone out and answer what was before then."""
    db.execute(
        f"UPDATE outbox SET state = {_NOT_SENT.format('cancelled')}, explanation = ? WHERE recipient = ? AND kind = 'missed'"  # noqa: S608
        " AND state = 'queued'"
        " AND coalesce(hung_up_at, created_at) <= ?",
        [why, number, to_text(before)],
    )


def add_manual(db: sqlite_utils.Database, text: NewText, *, now: datetime) -> str:
    """Put a text that a person wrote at the terminal into the outbox: in a conversation that is there it is an answer."""
    with writing(db):
        if conversations.find(db, text.recipient) is not None:
            answer = News(number=text.recipient, happening=Happening.ANSWERED, at=now, words=text.body)
            conversations.happen(db, answer)
        return add(db, text, case_id=None, call_id=None, now=now)


def claim(
    db: sqlite_utils.Database,
    gateway: str,
    now: datetime,
    on_the_phone: Collection[E164] = (),
    account: str = "",
) -> DueText | None:
    """Take the next due text of a gateway and write down, durably, that it is being handed over. None: nothing is due.

    `account` is what the gateway's name stands for now; a text that may lie with another is not handed to this one. Automatic
    texts to numbers that are `on_the_phone` with us just now wait: that call may settle the matter. While the brake is on, or
    their line is paused, automatic ones wait, too. Who has opted out since the text was queued, or may have, or was put on the
    never-list, is not texted: those lists are asked again here, in the transaction that lets the text go. Only the confirmation
    of STOP goes to somebody who wants no texts.
    """
    with writing(db):
        row = db.execute(
            "SELECT id, recipient, did, body, gateways, attempts, expires_at, hung_up_at, segments FROM outbox"  # noqa: S608
            " WHERE state = 'queued' AND gateway = ? AND due_at <= ? AND expires_at > ?"
            " AND (only_account IS NULL OR only_account = ?)"
            " AND NOT (kind = 'missed' AND recipient IN (SELECT value FROM json_each(?)))"
            f" AND NOT (kind = 'missed' AND {_IS_HALTED})"
            " AND NOT (kind = 'missed' AND recipient IN (SELECT number FROM asks))"
            " AND NOT (kind = 'missed' AND EXISTS (SELECT 1 FROM never WHERE number IN (recipient, hashed(recipient))))"
            " AND (kind = 'opted_out' OR NOT EXISTS"
            " (SELECT 1 FROM optouts WHERE number IN (recipient, hashed(recipient)))) ORDER BY due_at LIMIT 1",
            [gateway, to_text(now), to_text(now), account, json.dumps(list(on_the_phone)), to_text(now)],
        ).fetchone()
        if row is None:
            return None
        db.execute(
            "UPDATE outbox SET state = 'submitting', attempts = attempts + 1, submitted_at = ? WHERE id = ?",
            [to_text(now), row[0]],
        )
        attempt = db.execute(
            "INSERT INTO attempts (outbox_id, gateway, account, started_at) VALUES (?, ?, ?, ?) RETURNING id",
            [row[0], gateway, account, to_text(now)],
        ).fetchone()
    return DueText(
        id=row[0],
        recipient=row[1],
        did=row[2],
        body=row[3],
        gateway=gateway,
        gateways=tuple(json.loads(row[4])),
        attempt=row[5] + 1,
        attempt_id=attempt[0],
        expires_at=_moment(row[6]),
        hung_up_at=from_text(row[7]),
        segments=row[8],
    )


def _moment(text: str) -> datetime:
    moment = from_text(text)
    assert moment is not None  # noqa: S101  # the column is NOT NULL
    return moment


def accepted(db: sqlite_utils.Database, text: DueText, reference: str | None, now: datetime) -> State:
    """Write down that the gateway has the text; return its state, which a report that was quicker may have taken further."""
    with writing(db):
        end_attempt(db, text, "accepted", None, None, now)
        news.texted(db, text.id, now)
        return reports.take(db, text.id, text.gateway, reference, now)


def ended(
    db: sqlite_utils.Database,
    text: DueText,
    state: State,
    *,
    outcome: str,
    code: str | None,
    explanation: str,
    now: datetime,
    opted_out: bool = False,
) -> State:
    """Write down that the text will not be tried again by itself: failed or unknown. Return its state.

    Of an unknown one a report may have come meanwhile, which then says more. `opted_out`: the number told the gateway STOP, which
    becomes ours in the same transaction.
    """
    with writing(db):
        end_attempt(db, text, outcome, code, explanation, now)
        if opted_out:
            optouts.add_within(db, text.recipient, OptedOutBy.GATEWAY, text.gateway, now)
        if state is State.UNKNOWN and reports.was_heard_of(db, text.id):
            return reports.take(db, text.id, text.gateway, None, now)
        db.execute("UPDATE outbox SET state = ?, explanation = ? WHERE id = ?", [state.value, explanation, text.id])
        if state is State.FAILED:
            kind = db.execute("SELECT kind FROM outbox WHERE id = ?", [text.id]).fetchone()[0]
            conversations.not_reached(db, text.recipient, TextOf(kind), state, now)
        return state


def put_back(
    db: sqlite_utils.Database,
    text: DueText,
    *,
    gateway: str,
    due_at: datetime,
    outcome: str,
    code: str | None,
    explanation: str,
    now: datetime,
) -> None:
    """Queue the text again, for `gateway`, after an attempt that proved that nothing had gone out.

    If its case was settled in the meantime it is no longer wanted, and cancelled instead.
    """
    with writing(db):
        end_attempt(db, text, outcome, code, explanation, now)
        db.execute(
            "UPDATE outbox SET gateway = ?, due_at = ?, explanation = ?, state = CASE WHEN case_id IN"  # noqa: S608
            f" (SELECT id FROM cases WHERE resolved_at IS NOT NULL) THEN {_NOT_SENT.format('cancelled')} ELSE 'queued' END"
            " WHERE id = ?",
            [gateway, to_text(due_at), explanation, text.id],
        )


def end_attempt(
    db: sqlite_utils.Database, text: DueText, outcome: str, code: str | None, explanation: str | None, now: datetime
) -> None:
    db.execute(
        "UPDATE attempts SET ended_at = ?, outcome = ?, code = ?, explanation = ? WHERE id = ?",
        [to_text(now), outcome, code, explanation, text.attempt_id],
    )


CUT_OFF: Final = "textbackd was stopped while it handed this text over, so it may or may not have gone out. It is not sent again by itself."


def mark_cut_off(db: sqlite_utils.Database) -> set[str]:
    """Make every text that was being handed over when the last process ended `unknown`; return the gateways that had one."""
    with writing(db):
        rows = db.execute(
            "UPDATE outbox SET state = 'unknown', explanation = ? WHERE state = 'submitting' RETURNING gateway",
            [CUT_OFF],
        ).fetchall()
    return {row[0] for row in rows}


def expire(db: sqlite_utils.Database, now: datetime) -> list[str]:
    """End the texts whose time is over; return their ids."""
    with writing(db):
        rows = db.execute(
            f"UPDATE outbox SET state = {_NOT_SENT.format('expired')},"  # noqa: S608
            " explanation = coalesce(explanation, 'no gateway took it in time')"
            " WHERE state = 'queued' AND expires_at <= ? RETURNING id, recipient, kind, state",
            [to_text(now)],
        ).fetchall()
        over = [row for row in rows if row[3] == State.EXPIRED]
        for _, recipient, kind, _ in over:
            conversations.not_reached(db, recipient, TextOf(kind), State.EXPIRED, now)
    return [row[0] for row in over]


def pass_on(db: sqlite_utils.Database, gateway: str, closed: Collection[str]) -> int:
    """Hand the waiting texts of a gateway that cannot be used now to their next one that can; return how many."""
    with writing(db):
        rows = db.execute(
            "SELECT id, gateways FROM outbox WHERE state = 'queued' AND gateway = ?", [gateway]
        ).fetchall()
        moves = [(next_in(json.loads(row[1]), gateway, closed), row[0]) for row in rows]
        for other, text_id in moves:
            if other is not None:
                db.execute("UPDATE outbox SET gateway = ? WHERE id = ?", [other, text_id])
    return sum(other is not None for other, _ in moves)


def next_in(order: Sequence[str], gateway: str, closed: Collection[str]) -> str | None:
    """Return the next gateway after one, in a text's own order, that is not closed; None if there is no other."""
    place = order.index(gateway) if gateway in order else -1
    rotated = [*order[place + 1 :], *order[: max(place, 0)]]
    return next((other for other in rotated if other not in closed and other != gateway), None)


def try_again(db: sqlite_utils.Database, text_id: str, now: datetime, expires_at: datetime) -> bool:
    """Queue a text anew because a person wants it; return False for one that is on its way, delivered or not wanted."""
    with writing(db):
        done = db.execute(
            "UPDATE outbox SET state = 'queued', due_at = ?, expires_at = ?, explanation = 'sent again by a person',"
            " only_account = NULL WHERE id = ?"
            " AND state IN ('unknown', 'failed', 'undelivered', 'expired') RETURNING id",
            [to_text(now), to_text(expires_at), text_id],
        ).fetchall()
        if done:
            db.execute("DELETE FROM parts WHERE outbox_id = ?", [text_id])
    return bool(done)


def cancel_waiting_within(db: sqlite_utils.Database, line: str | None, why: str) -> int:
    """Cancel the automatic texts that wait, of one line or of all, because a person has paused texting; return how many.

    Inside the caller's transaction.
    """
    done = db.execute(
        f"UPDATE outbox SET state = {_NOT_SENT.format('cancelled')}, explanation = ? WHERE state = 'queued'"  # noqa: S608
        f" AND kind = 'missed' AND (? IS NULL OR {_LINE} = ?) RETURNING id",
        [why, line, line],
    ).fetchall()
    return len(done)


def suppress_waiting(db: sqlite_utils.Database, gateway: str) -> int:
    """Let go of what waits for a gateway, since nothing may be sent any more; return how many."""
    with writing(db):
        done = db.execute(
            f"UPDATE outbox SET state = {_NOT_SENT.format('suppressed')}, explanation = 'mode: observe' WHERE state = 'queued'"  # noqa: S608
            " AND gateway = ? RETURNING id",
            [gateway],
        ).fetchall()
    return len(done)


def unknown_at(db: sqlite_utils.Database, gateway: str, since: datetime, account: str = "") -> list[Unsettled]:
    """Return the texts handed to a gateway after `since` whose fate is unknown, the oldest first.

    Of those only what this `account` has had: another one that has got the gateway's name knows nothing of them.
    """
    rows = db.query(
        "SELECT id, recipient, did, body, submitted_at, expires_at FROM outbox WHERE state = 'unknown' AND gateway = ?"
        " AND submitted_at > ? AND (SELECT account FROM attempts WHERE outbox_id = outbox.id ORDER BY id DESC LIMIT 1) = ?"
        " ORDER BY submitted_at",
        [gateway, to_text(since), account],
    )
    return [
        Unsettled(
            id=row["id"],
            recipient=row["recipient"],
            did=row["did"],
            body=row["body"],
            submitted_at=_moment(row["submitted_at"]),
            expires_at=_moment(row["expires_at"]),
        )
        for row in rows
    ]


def count_unknown(db: sqlite_utils.Database, since: datetime, until: datetime) -> int:
    """Return how many texts that were handed over within this time may or may not have gone out."""
    query = "SELECT count(*) FROM outbox WHERE state = 'unknown' AND submitted_at > ? AND submitted_at <= ?"
    return int(db.execute(query, [to_text(since), to_text(until)]).fetchone()[0])


def count_texted(db: sqlite_utils.Database, since: datetime) -> int:
    """Return how many automatic answers a gateway has taken after a moment."""
    query = "SELECT count(*) FROM outbox WHERE accepted_at >= ? AND kind = 'missed'"
    return int(db.execute(query, [to_text(since)]).fetchone()[0])


def last_failure(db: sqlite_utils.Database, gateway: str) -> str:
    """Return what the gateway said when it last took no text; "": it took the last one."""
    query = (
        "SELECT outcome, explanation FROM attempts WHERE gateway = ? AND ended_at IS NOT NULL ORDER BY id DESC LIMIT 1"
    )
    row = db.execute(query, [gateway]).fetchone()
    return "" if row is None or row[0] == "accepted" else str(row[1] or "")


def repeat(db: sqlite_utils.Database, text_id: str, gateway: str, now: datetime, account: str = "") -> bool:
    """Queue an unknown text again for the one gateway that knows it by its id: there it cannot go out twice, elsewhere it could."""
    with writing(db):
        done = db.execute(
            "UPDATE outbox SET state = 'queued', due_at = ?, gateways = ?, only_account = ? WHERE id = ? AND state = 'unknown'"
            " AND gateway = ? RETURNING id",
            [to_text(now), json.dumps([gateway]), account, text_id, gateway],
        ).fetchall()
    return bool(done)


def shift(db: sqlite_utils.Database, by: timedelta, since: datetime | None) -> int:
    """Move the due times and deadlines of waiting texts, because the clock was set; return of how many.

    `since`: only of texts queued after that. How old those are that waited through a start of the machine, no clock can tell.
    What is held over a night goes in the morning, whatever the clock said when that was decided.
    """
    with writing(db):
        query = "SELECT id, due_at, expires_at FROM outbox WHERE state = 'queued' AND held = 0 AND created_at >= ?"
        rows = db.execute(query, [to_text(since) or ""]).fetchall()
        for text_id, due_at, expires_at in rows:
            moved = [to_text(_moment(due_at) + by), to_text(_moment(expires_at) + by)]
            db.execute("UPDATE outbox SET due_at = ?, expires_at = ? WHERE id = ?", [*moved, text_id])
    return len(rows)


def next_moment(db: sqlite_utils.Database, gateway: str) -> datetime | None:
    """Return when the next text of a gateway is due, or its time over."""
    row = db.execute("SELECT min(due_at) FROM outbox WHERE state = 'queued' AND gateway = ?", [gateway]).fetchone()
    return from_text(row[0])


def adopt_orphans(db: sqlite_utils.Database, gateways: Sequence[str]) -> int:
    """Hand queued texts of gateways that the configuration has no longer to the first it has; return how many.

    One that may lie with the gateway that is gone is unknown again.
    """
    with writing(db):
        marks = ", ".join("?" for _ in gateways)
        db.execute(
            f"UPDATE outbox SET state = 'unknown' WHERE state = 'queued' AND only_account IS NOT NULL AND gateway NOT IN ({marks})",  # noqa: S608
            [*gateways],
        )
        done = db.execute(
            f"UPDATE outbox SET gateway = ?, gateways = ? WHERE state = 'queued' AND gateway NOT IN ({marks}) RETURNING id",  # noqa: S608
            [gateways[0], json.dumps(list(gateways)), *gateways],
        ).fetchall()
    return len(done)


def listing(db: sqlite_utils.Database, limit: int = 1000) -> list[dict[str, Any]]:
    """Return the newest texts, oldest first, with the fields of `outbox --json`."""
    rows = db.query(
        'SELECT id, case_id AS "case", recipient AS "to", body AS text, state, gateway, attempts, created_at, submitted_at,'
        " accepted_at, reference, explanation FROM outbox ORDER BY created_at DESC, rowid DESC LIMIT ?",
        [limit],
    )
    return list(rows)[::-1]


def find(db: sqlite_utils.Database, text_id: str) -> dict[str, Any] | None:
    """Return one text."""
    return next(iter(db.query("SELECT * FROM outbox WHERE id = ?", [text_id])), None)


def attempts_of(db: sqlite_utils.Database, text_ids: Sequence[str]) -> dict[str, list[Mapping[str, Any]]]:
    """Return the attempts to hand over each of some texts, the first one first."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    query = "SELECT * FROM attempts WHERE outbox_id IN (SELECT value FROM json_each(?)) ORDER BY id"
    for row in db.query(query, [json.dumps(list(text_ids))]):
        found.setdefault(row["outbox_id"], []).append(row)
    return found


def starting_with(db: sqlite_utils.Database, start: str) -> list[dict[str, Any]]:
    """Return the texts whose ids start so, two at most."""
    return list(db.query("SELECT * FROM outbox WHERE substr(id, 1, ?) = ? LIMIT 2", [len(start), start]))


def of_call(db: sqlite_utils.Database, call_id: int) -> dict[str, Any] | None:
    """Return the text that answers a call."""
    return next(iter(db.query("SELECT * FROM outbox WHERE call_id = ?", [call_id])), None)


def of_case(db: sqlite_utils.Database, case_id: int) -> dict[str, Any] | None:
    """Return the automatic text of a case."""
    return next(iter(db.query("SELECT * FROM outbox WHERE case_id = ? AND kind = 'missed'", [case_id])), None)


def staff_texts_since(db: sqlite_utils.Database, since: datetime, mobile: E164, containing: str = "") -> int:
    """Return how many texts one of the staff was sent since then; only those that contain something, if it is given."""
    query = "SELECT count(*) FROM outbox WHERE kind = 'staff' AND recipient = ? AND created_at > ? AND instr(body, ?)"
    return int(db.execute(query, [mobile, to_text(since), containing]).fetchone()[0])


def answers_since(db: sqlite_utils.Database, since: datetime, number: E164 | None = None) -> list[TextOf]:
    """Return what keywords were answered with since then, of one number or all, and not cancelled before it went out."""
    rows = db.execute(
        "SELECT kind FROM outbox WHERE kind IN ('opted_out', 'opted_in', 'help') AND created_at > :since"
        " AND (:number IS NULL OR recipient = :number) AND state NOT IN ('expired', 'cancelled')",
        {"since": to_text(since), "number": number},
    )
    return [TextOf(row[0]) for row in rows]


def counts(db: sqlite_utils.Database) -> dict[str, int]:
    """Return the number of texts by state."""
    return {row[0]: row[1] for row in db.execute("SELECT state, count(*) FROM outbox GROUP BY 1")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """Texts that are alike, added up."""

    state: State
    held: bool
    texts: int
    segments: int
    cost: int  # millionths


def sums(db: sqlite_utils.Database) -> list[Sum]:
    """Return the texts by state, and whether they were held over a night, with what they come to."""
    rows = db.execute("SELECT state, held, count(*), sum(segments), sum(cost) FROM outbox GROUP BY state, held")
    return [Sum(state=State(row[0]), held=bool(row[1]), texts=row[2], segments=row[3], cost=row[4]) for row in rows]


def spent_by_line(db: sqlite_utils.Database) -> dict[str, tuple[int, int]]:
    """Return (segments, millionths of the currency) of the texts that gateways took or may have, by line; "": of none."""
    rows = db.execute(
        "SELECT coalesce(calls.line, conversations.line, ''), sum(segments), sum(cost) FROM outbox"
        " LEFT JOIN calls ON calls.id = outbox.call_id LEFT JOIN conversations ON conversations.number = outbox.recipient"
        " WHERE outbox.state IN ('accepted', 'delivered', 'undelivered', 'unknown') GROUP BY 1"
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def count_recipients(db: sqlite_utils.Database) -> int:
    """Return how many numbers were texted."""
    query = "SELECT count(DISTINCT recipient) FROM outbox WHERE state IN ('accepted', 'delivered')"
    return int(db.execute(query).fetchone()[0])


def seconds_to_accepted(db: sqlite_utils.Database, since: datetime, until: datetime) -> list[float]:
    """Return, for each automatic text accepted after `since`, the seconds from the caller's hang-up to the gateway's word."""
    rows = db.execute(
        "SELECT (julianday(accepted_at) - julianday(hung_up_at)) * 86400 FROM outbox"
        " WHERE accepted_at > ? AND accepted_at <= ? AND hung_up_at IS NOT NULL",
        [to_text(since), to_text(until)],
    )
    return [float(row[0]) for row in rows]
