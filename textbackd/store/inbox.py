"""What came in: texts, and calls to a gateway's own number. SQL about them lives here."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlite_utils

from textbackd.core.phone import E164
from textbackd.store.database import to_text, writing


class Came(StrEnum):
    """What came in."""

    TEXT = "text"
    CALL = "call"  # somebody rang the number of a SIM, which nobody answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One thing that came in."""

    gateway: str
    reference: str  # the gateway's id
    kind: Came
    sender: str  # as the network told it; "" when withheld
    number: E164 | None  # None: a name, a short code, withheld
    recipient: str | None
    body: str
    media: int
    received_at: datetime  # aware UTC


def add(db: sqlite_utils.Database, came: Incoming, now: datetime) -> bool:
    """Write down what came in; return False, and write nothing, if it is known."""
    with writing(db):
        return add_within(db, came, now) is not None


def add_within(db: sqlite_utils.Database, came: Incoming, now: datetime) -> int | None:
    """Do the same inside the caller's transaction; return its id, None if it is known."""
    new = db.execute(
        "INSERT OR IGNORE INTO inbox (gateway, reference, kind, sender, number, recipient, body, media, received_at, stored_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        [
            came.gateway, came.reference, came.kind.value, came.sender, came.number, came.recipient, came.body,
            came.media, to_text(came.received_at), to_text(now),
        ],
    ).fetchall()  # fmt: skip
    return int(new[0][0]) if new else None


def note_keyword(db: sqlite_utils.Database, inbox_id: int, keyword: str) -> None:
    """Note, inside the caller's transaction, what a text was taken for."""
    db.execute("UPDATE inbox SET keyword = ? WHERE id = ?", [keyword, inbox_id])


def is_known(db: sqlite_utils.Database, gateway: str, reference: str) -> bool:
    """Return whether something that came in is written down already."""
    query = "SELECT 1 FROM inbox WHERE gateway = ? AND reference = ?"
    return db.execute(query, [gateway, reference]).fetchone() is not None


def times_said(db: sqlite_utils.Database, sender: str, body: str, since: datetime) -> int:
    """Return how often somebody, as the network told them, has sent these very words since then."""
    query = "SELECT count(*) FROM inbox WHERE sender = ? AND body = ? AND stored_at > ?"
    return int(db.execute(query, [sender, body, to_text(since)]).fetchone()[0])


def note_about(db: sqlite_utils.Database, inbox_id: int, caller: E164) -> None:
    """Note, inside the caller's transaction, which caller a text of our staff is about."""
    db.execute("UPDATE inbox SET about = ? WHERE id = ?", [caller, inbox_id])


def repeats_itself(db: sqlite_utils.Database, number: E164, since: datetime, *, times: int, within: timedelta) -> bool:
    """Return whether a number has, after `since`, sent one text so many times within so long a time, as machines do."""
    row = db.execute(
        "SELECT 1 FROM (SELECT stored_at, lag(stored_at, ?) OVER (PARTITION BY body ORDER BY stored_at) AS first"
        " FROM inbox WHERE number = ? AND kind = 'text' AND stored_at > ?) WHERE stored_at > ?"
        " AND (julianday(stored_at) - julianday(first)) * 86400 <= ? LIMIT 1",
        [times - 1, number, to_text(since - within), to_text(since), within.total_seconds()],
    ).fetchone()
    return row is not None


def of_number(db: sqlite_utils.Database, number: E164, limit: int = 20) -> list[dict[str, Any]]:
    """Return what came from a number, the newest first."""
    return list(db.query("SELECT * FROM inbox WHERE number = ? ORDER BY received_at DESC LIMIT ?", [number, limit]))


def counts(db: sqlite_utils.Database) -> dict[tuple[str, str], int]:
    """Return how many of each kind came in, by (gateway, kind)."""
    return {(row[0], row[1]): row[2] for row in db.execute("SELECT gateway, kind, count(*) FROM inbox GROUP BY 1, 2")}
