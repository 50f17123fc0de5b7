"""Forms that were filled in on the shop's web pages. SQL about them lives here.

What comes with a number is also an act in a conversation; what comes without one is kept here until a person has read it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlite_utils

from textbackd.core.phone import E164
from textbackd.store.database import from_text, to_text, writing


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLead:
    """A form as it came in."""

    source: str  # which form
    line: str
    at: datetime
    number: E164 | None  # None: what was typed is no number, or one of ours
    phone: str  # as it was typed; untrusted, as everything below
    name: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """A form that was filled in, and what was done about it."""

    id: int
    source: str
    line: str
    at: datetime
    number: E164 | None
    phone: str
    name: str
    words: str
    decision_reason: str | None  # whether it was texted, as of a call; None: the form texts nobody
    decision_detail: str | None
    text_id: str | None
    read_at: datetime | None
    read_by: str | None


def is_repeated(db: sqlite_utils.Database, lead: NewLead, since: datetime) -> bool:
    """Return whether the same form came with the same words after `since`: somebody pressed the button twice."""
    row = db.execute(
        "SELECT 1 FROM leads WHERE at > ? AND source = ? AND phone = ? AND name = ? AND words = ?",
        [to_text(since), lead.source, lead.phone, lead.name, lead.words],
    ).fetchone()
    return row is not None


def add_within(
    db: sqlite_utils.Database, lead: NewLead, reason: str | None, detail: str | None, text_id: str | None
) -> int:
    """Write down a form and what was decided on it, inside the caller's transaction; return its id."""
    row = db.execute(
        "INSERT INTO leads (source, line, at, number, phone, name, words, decision_reason, decision_detail, text_id)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        [
            lead.source, lead.line, to_text(lead.at), lead.number, lead.phone, lead.name, lead.words, reason, detail,
            text_id,
        ],
    ).fetchone()  # fmt: skip
    return int(row[0])


def count_to_read(db: sqlite_utils.Database) -> int:
    """Return how many without a number nobody has read."""
    query = "SELECT count(*) FROM leads WHERE number IS NULL AND read_at IS NULL"
    return int(db.execute(query).fetchone()[0])


def to_read(db: sqlite_utils.Database, limit: int = 100) -> list[Lead]:
    """Return those without a number that nobody has read, the newest first."""
    query = "SELECT * FROM leads WHERE number IS NULL AND read_at IS NULL ORDER BY id DESC LIMIT ?"
    return [_lead(row) for row in db.query(query, [limit])]


def read(db: sqlite_utils.Database, lead_id: int, staff: str | None, now: datetime) -> bool:
    """Note that somebody has read one without a number; False if there is none of that id. `staff`: None from the terminal."""
    with writing(db):
        done = db.execute(
            "UPDATE leads SET read_at = coalesce(read_at, ?), read_by = coalesce(read_by, ?) WHERE id = ?"
            " AND number IS NULL RETURNING id",
            [to_text(now), staff, lead_id],
        ).fetchall()
    return bool(done)


def _lead(row: dict[str, Any]) -> Lead:
    return Lead(**{**row, "at": from_text(row["at"]), "read_at": from_text(row["read_at"])})
