"""Numbers whose owners may have asked for no texts, until a person has read what they wrote. SQL about them lives here.

Meanwhile nothing goes to them by itself (core/decide.py, `asked_to_stop`); what people write goes out.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlite_utils

from textbackd.core.phone import E164
from textbackd.store.database import from_text, to_text

PERHAPS: Final = "the caller may want no texts; a person has to read what they wrote"


@dataclass(frozen=True, slots=True)
class Ask:
    """One number that a person has to decide about."""

    number: E164
    since: datetime
    body: str  # what its owner wrote; "" where that is no longer kept


def add_within(db: sqlite_utils.Database, number: E164, inbox_id: int, now: datetime) -> bool:
    """Pause what goes to a number by itself, inside the caller's transaction; return whether it was not paused."""
    new = db.execute(
        "INSERT OR IGNORE INTO asks (number, since, inbox_id) VALUES (?, ?, ?) RETURNING number",
        [number, to_text(now), inbox_id],
    ).fetchall()
    db.execute(
        "UPDATE outbox SET state = 'cancelled', explanation = ? WHERE recipient = ? AND state = 'queued'"
        " AND kind = 'missed'",
        [PERHAPS, number],
    )
    return bool(new)


def end_within(db: sqlite_utils.Database, number: E164) -> bool:
    """Take a number off, inside the caller's transaction; return whether it was there."""
    return bool(db.execute("DELETE FROM asks WHERE number = ? RETURNING number", [number]).fetchall())


def since(db: sqlite_utils.Database, number: E164) -> datetime | None:
    """Return since when a number waits for a person; None: it does not."""
    row = db.execute("SELECT since FROM asks WHERE number = ?", [number]).fetchone()
    return from_text(row[0]) if row else None


def numbers(db: sqlite_utils.Database) -> frozenset[E164]:
    """Return all numbers that wait for a person."""
    return frozenset(E164(row[0]) for row in db.execute("SELECT number FROM asks"))


def listing(db: sqlite_utils.Database) -> list[Ask]:
    """Return all, the newest last."""
    rows = db.execute(
        "SELECT asks.number, asks.since, coalesce(inbox.body, '') FROM asks LEFT JOIN inbox ON inbox.id = asks.inbox_id"
        " ORDER BY asks.since"
    )
    return [Ask(E164(row[0]), at, row[2]) for row in rows if (at := from_text(row[1])) is not None]
