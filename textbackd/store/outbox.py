"""The durable list of texts to send, and every attempt at one.

    queued ─▶ submitting ─▶ accepted
      ▲           ├─▶ queued      proved not sent: the next gateway, or this one later
      └───────────┤
                  ├─▶ failed      the number will never take it
                  └─▶ unknown     it may be on its way: never sent again by itself
    queued ─▶ expired | cancelled;   suppressed: decided, but `mode: observe` sends nothing

`submitting` is committed, with `synchronous=FULL`, before the first byte goes to a gateway. So whatever is found in `submitting`
when the daemon starts was cut off in the act, and becomes `unknown`. SQL about texts lives here.
"""

import json
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import sqlite_utils

from textbackd.core.phone import E164
from textbackd.store.database import from_text, to_text, writing


class State(StrEnum):
    """Where a text is."""

    QUEUED = "queued"  # waits for its moment
    SUBMITTING = "submitting"  # being handed to a gateway at this moment
    ACCEPTED = "accepted"  # the gateway has it
    FAILED = "failed"  # the number will never take it
    EXPIRED = "expired"  # its time was over before any gateway took it
    CANCELLED = "cancelled"  # no longer wanted
    SUPPRESSED = "suppressed"  # decided, not sent on purpose
    UNKNOWN = "unknown"  # it may or may not have gone out


class TextOf(StrEnum):
    """Who wrote a text."""

    MISSED = "missed"  # the automatic answer to a missed call
    MANUAL = "manual"  # a person


@dataclass(frozen=True, slots=True, kw_only=True)
class NewText:
    """A text to be put into the outbox."""

    kind: TextOf
    recipient: E164
    sender: E164 | None
    body: str
    gateways: Sequence[str]  # names, in the order in which they are tried; not empty
    due_at: datetime
    expires_at: datetime
    hung_up_at: datetime | None
    segments: int
    state: State = State.QUEUED  # or SUPPRESSED


@dataclass(frozen=True, slots=True, kw_only=True)
class DueText:
    """A text that may go out now, claimed for one gateway."""

    id: str
    recipient: E164
    sender: E164 | None
    body: str
    gateway: str
    gateways: tuple[str, ...]
    attempt: int  # this one's number, from 1
    attempt_id: int
    expires_at: datetime
    hung_up_at: datetime | None
    segments: int


def add(db: sqlite_utils.Database, text: NewText, *, case_id: int | None, call_id: int | None, now: datetime) -> str:
    """Put a text into the outbox, inside the caller's transaction. Raises sqlite3.IntegrityError for a case's second one."""
    text_id = uuid.uuid4().hex
    db.execute(
        "INSERT INTO outbox (id, case_id, call_id, kind, recipient, sender, body, state, gateways, gateway, due_at, expires_at,"
        " hung_up_at, created_at, segments) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            text_id, case_id, call_id, text.kind.value, text.recipient, text.sender, text.body, text.state.value,
            json.dumps(list(text.gateways)), text.gateways[0], to_text(text.due_at), to_text(text.expires_at),
            to_text(text.hung_up_at), to_text(now), text.segments,
        ],
    )  # fmt: skip
    return text_id


def has_text(db: sqlite_utils.Database, case_id: int) -> bool:
    """Return whether a case has had its automatic text, or has it on the way."""
    query = "SELECT 1 FROM outbox WHERE case_id = ? AND kind = 'missed' AND state NOT IN ('expired', 'cancelled', 'suppressed')"
    return db.execute(query, [case_id]).fetchone() is not None


def cancel_of_case(db: sqlite_utils.Database, case_id: int, why: str) -> None:
    """Cancel a case's automatic text if it has not gone out, inside the caller's transaction."""
    db.execute(
        "UPDATE outbox SET state = 'cancelled', explanation = ? WHERE case_id = ? AND kind = 'missed' AND state = 'queued'",
        [why, case_id],
    )


def add_manual(db: sqlite_utils.Database, text: NewText, *, now: datetime) -> str:
    """Put a text that a person wrote into the outbox."""
    with writing(db):
        return add(db, text, case_id=None, call_id=None, now=now)


def claim(
    db: sqlite_utils.Database, gateway: str, now: datetime, on_the_phone: Collection[E164] = ()
) -> DueText | None:
    """Take the next due text of a gateway and write down, durably, that it is being handed over. None: nothing is due.

    Automatic texts to numbers that are `on_the_phone` with us just now wait: that call may settle the matter.
    """
    with writing(db):
        row = db.execute(
            "SELECT id, recipient, sender, body, gateways, attempts, expires_at, hung_up_at, segments FROM outbox"
            " WHERE state = 'queued' AND gateway = ? AND due_at <= ? AND expires_at > ?"
            " AND NOT (kind = 'missed' AND recipient IN (SELECT value FROM json_each(?))) ORDER BY due_at LIMIT 1",
            [gateway, to_text(now), to_text(now), json.dumps(list(on_the_phone))],
        ).fetchone()
        if row is None:
            return None
        db.execute(
            "UPDATE outbox SET state = 'submitting', attempts = attempts + 1, submitted_at = ? WHERE id = ?",
            [to_text(now), row[0]],
        )
        attempt = db.execute(
            "INSERT INTO attempts (outbox_id, gateway, started_at) VALUES (?, ?, ?) RETURNING id",
            [row[0], gateway, to_text(now)],
        ).fetchone()
    return DueText(
        id=row[0],
        recipient=row[1],
        sender=row[2],
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


def accepted(db: sqlite_utils.Database, text: DueText, reference: str | None, now: datetime) -> None:
    """Write down that the gateway has the text."""
    with writing(db):
        _end_attempt(db, text, "accepted", None, None, now)
        db.execute(
            "UPDATE outbox SET state = 'accepted', accepted_at = ?, reference = ?, explanation = NULL WHERE id = ?",
            [to_text(now), reference, text.id],
        )


def ended(
    db: sqlite_utils.Database,
    text: DueText,
    state: State,
    *,
    outcome: str,
    code: str | None,
    explanation: str,
    now: datetime,
) -> None:
    """Write down that the text will not be tried again by itself: failed or unknown."""
    with writing(db):
        _end_attempt(db, text, outcome, code, explanation, now)
        db.execute("UPDATE outbox SET state = ?, explanation = ? WHERE id = ?", [state.value, explanation, text.id])


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
        _end_attempt(db, text, outcome, code, explanation, now)
        db.execute(
            "UPDATE outbox SET gateway = ?, due_at = ?, explanation = ?, state = CASE WHEN case_id IN"
            " (SELECT id FROM cases WHERE resolved_at IS NOT NULL) THEN 'cancelled' ELSE 'queued' END WHERE id = ?",
            [gateway, to_text(due_at), explanation, text.id],
        )


def _end_attempt(
    db: sqlite_utils.Database, text: DueText, outcome: str, code: str | None, explanation: str | None, now: datetime
) -> None:
    db.execute(
        "UPDATE attempts SET ended_at = ?, outcome = ?, code = ?, explanation = ? WHERE id = ?",
        [to_text(now), outcome, code, explanation, text.attempt_id],
    )


CUT_OFF: Final = "textbackd was stopped while it handed this text over, so it may or may not have gone out. It is not sent again by itself."


def mark_cut_off(db: sqlite_utils.Database) -> list[str]:
    """Make every text that was being handed over when the last process ended `unknown`; return their ids."""
    with writing(db):
        rows = db.execute(
            "UPDATE outbox SET state = 'unknown', explanation = ? WHERE state = 'submitting' RETURNING id", [CUT_OFF]
        ).fetchall()
    return [row[0] for row in rows]


def expire(db: sqlite_utils.Database, now: datetime) -> list[str]:
    """End the texts whose time is over; return their ids."""
    with writing(db):
        rows = db.execute(
            "UPDATE outbox SET state = 'expired', explanation = coalesce(explanation, 'no gateway took it in time')"
            " WHERE state = 'queued' AND expires_at <= ? RETURNING id",
            [to_text(now)],
        ).fetchall()
    return [row[0] for row in rows]


def next_moment(db: sqlite_utils.Database, gateway: str) -> datetime | None:
    """Return when the next text of a gateway is due, or its time over."""
    row = db.execute("SELECT min(due_at) FROM outbox WHERE state = 'queued' AND gateway = ?", [gateway]).fetchone()
    return from_text(row[0])


def adopt_orphans(db: sqlite_utils.Database, gateways: Sequence[str]) -> int:
    """Hand queued texts of gateways that the configuration has no longer to the first it has; return how many."""
    with writing(db):
        marks = ", ".join("?" for _ in gateways)
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


def of_call(db: sqlite_utils.Database, call_id: int) -> dict[str, Any] | None:
    """Return the text that answers a call."""
    return next(iter(db.query("SELECT * FROM outbox WHERE call_id = ?", [call_id])), None)


def of_case(db: sqlite_utils.Database, case_id: int) -> dict[str, Any] | None:
    """Return the automatic text of a case."""
    return next(iter(db.query("SELECT * FROM outbox WHERE case_id = ? AND kind = 'missed'", [case_id])), None)


def counts(db: sqlite_utils.Database) -> dict[str, int]:
    """Return the number of texts by state."""
    return {row[0]: row[1] for row in db.execute("SELECT state, count(*) FROM outbox GROUP BY 1")}


def seconds_to_accepted(db: sqlite_utils.Database, since: datetime) -> list[float]:
    """Return, for each automatic text accepted since then, the seconds from the caller's hang-up to the gateway's word."""
    rows = db.execute(
        "SELECT (julianday(accepted_at) - julianday(hung_up_at)) * 86400 FROM outbox"
        " WHERE accepted_at >= ? AND hung_up_at IS NOT NULL",
        [to_text(since)],
    )
    return [float(row[0]) for row in rows]
