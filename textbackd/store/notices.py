"""What staff and other programs are told, and what became of it.   flow/staff/handoff.py → here → flow/staff/notices_out.py

    queued ─▶ sent      the other side has it
       │ ▲─┘            not now: tried again after a pause that grows
       └────▶ failed    never will, or not within a day

A notice that was being sent when the daemon stopped is sent again: for staff twice is better than never. One to a mobile is a text
of the outbox, which never goes out twice, and `sent` as soon as it lies there. SQL about notices lives here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import sqlite_utils

from textbackd.core.phone import E164
from textbackd.store.database import moment_of, to_text, writing


class Way(StrEnum):
    """How somebody is told."""

    MOBILE = "mobile"  # a text
    EMAIL = "email"
    SERVICE = "service"  # one of those that apprise knows
    SIP = "sip"  # a message to a desk phone
    HOOK = "hook"  # a request to another program


ANSWER: Final = "answer"  # the matter of what is said to one of the staff about what they wrote


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNotice:
    """Something to tell."""

    number: E164 | None  # of the caller whom it is about; None: it is about none
    matter: str  # what happened
    staff: str | None  # whom; None: a program
    way: Way
    target: str = ""  # which of several
    payload: Mapping[str, Any]  # what; JSON
    expires_at: datetime
    text_id: str | None = None  # it lies in the outbox already


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something to tell that is due."""

    id: int
    at: datetime
    number: E164 | None
    matter: str
    staff: str | None
    way: Way
    target: str
    payload: Mapping[str, Any]
    attempts: int  # so far
    expires_at: datetime


def add_within(db: sqlite_utils.Database, notice: NewNotice, now: datetime) -> None:
    """Write down what is to be told, inside the caller's transaction."""
    db.execute(
        "INSERT INTO notices (at, number, matter, staff, channel, target, payload, state, due_at, expires_at, text_id)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            to_text(now), notice.number, notice.matter, notice.staff, notice.way.value, notice.target,
            json.dumps(notice.payload), "sent" if notice.text_id else "queued", to_text(now),
            to_text(notice.expires_at), notice.text_id,
        ],
    )  # fmt: skip


def due(db: sqlite_utils.Database, way: Way, now: datetime) -> Notice | None:
    """Return the notice that has been due for longest."""
    query = "SELECT * FROM notices WHERE channel = ? AND state = 'queued' AND due_at <= ? ORDER BY due_at, id LIMIT 1"
    return next(map(_notice, db.query(query, [way.value, to_text(now)])), None)


def next_moment(db: sqlite_utils.Database, way: Way) -> datetime | None:
    """Return when the next notice is due."""
    row = db.execute("SELECT min(due_at) FROM notices WHERE channel = ? AND state = 'queued'", [way.value]).fetchone()
    return moment_of(row[0]) if row[0] else None


def sent(db: sqlite_utils.Database, notice_id: int) -> None:
    """Note that it got there."""
    _ended(db, notice_id, "sent", "")


def failed(db: sqlite_utils.Database, notice_id: int, why: str) -> None:
    """Note that it never will."""
    _ended(db, notice_id, "failed", why)


def _ended(db: sqlite_utils.Database, notice_id: int, state: str, why: str) -> None:
    with writing(db):
        query = "UPDATE notices SET state = ?, detail = ?, attempts = attempts + 1 WHERE id = ?"
        db.execute(query, [state, why, notice_id])


def later(db: sqlite_utils.Database, notice_id: int, why: str, due_at: datetime) -> None:
    """Note that it did not get there, and when to try again."""
    with writing(db):
        query = "UPDATE notices SET due_at = ?, detail = ?, attempts = attempts + 1 WHERE id = ?"
        db.execute(query, [to_text(due_at), why, notice_id])


# ---- who was told of whom


def was_told(db: sqlite_utils.Database, staff: str, number: E164, since: datetime) -> bool:
    """Return whether one of the staff was told of a caller since then, in whatever way."""
    query = "SELECT 1 FROM notices WHERE staff = ? AND number = ? AND at > ?"
    return db.execute(query, [staff, number, to_text(since)]).fetchone() is not None


def told_last(db: sqlite_utils.Database, staff: str, since: datetime, limit: int = 2) -> list[tuple[E164, datetime]]:
    """Return of which callers one of the staff was told last where they can answer, and when; the newest first.

    A text counts from when a gateway took it: of one that still waits, nobody knows.
    """
    rows = db.execute(
        "SELECT notices.number, max(coalesce(outbox.accepted_at, outbox.submitted_at, notices.at)) AS told_at FROM notices"
        " LEFT JOIN outbox ON outbox.id = notices.text_id WHERE notices.staff = ? AND notices.at > ?"
        " AND channel IN ('mobile', 'sip') AND notices.number IS NOT NULL AND matter <> 'answer'"
        " AND coalesce(outbox.state, notices.state) IN ('sent', 'accepted', 'delivered', 'unknown')"
        " GROUP BY notices.number ORDER BY told_at DESC, max(notices.id) DESC LIMIT ?",
        [staff, to_text(since), limit],
    )
    return [(E164(row[0]), moment_of(row[1])) for row in rows]


def last_of(db: sqlite_utils.Database, number: E164, matter: str) -> datetime | None:
    """Return when anybody of the staff was last told of this about a caller."""
    query = "SELECT max(at) FROM notices WHERE number = ? AND matter = ? AND staff IS NOT NULL"
    row = db.execute(query, [number, matter]).fetchone()
    return moment_of(row[0]) if row[0] else None


def texts_about(db: sqlite_utils.Database, staff: str, number: E164 | None, since: datetime) -> int:
    """Return how many texts one of the staff has had since then, about one caller or all."""
    row = db.execute(
        "SELECT count(*) FROM notices WHERE staff = :staff AND channel = 'mobile' AND at > :since"
        " AND (:number IS NULL OR number = :number)",
        {"staff": staff, "number": number, "since": to_text(since)},
    ).fetchone()
    return int(row[0])


def counts(db: sqlite_utils.Database) -> dict[tuple[str, str], int]:
    """Return the number of notices by (channel, state)."""
    return {
        (row[0], row[1]): row[2] for row in db.execute("SELECT channel, state, count(*) FROM notices GROUP BY 1, 2")
    }


def _notice(row: dict[str, Any]) -> Notice:
    return Notice(
        id=row["id"],
        at=moment_of(row["at"]),
        number=E164(row["number"]) if row["number"] else None,
        matter=row["matter"],
        staff=row["staff"],
        way=Way(row["channel"]),
        target=row["target"],
        payload=json.loads(row["payload"]),
        attempts=row["attempts"],
        expires_at=moment_of(row["expires_at"]),
    )
