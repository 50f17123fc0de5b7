"""Appointments that callers made by themselves, as their calendar tells. SQL about them lives here.

A calendar's messages may come twice; each counts once.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlite_utils

from textbackd.core.phone import E164
from textbackd.store.database import from_text, to_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """An appointment as it stands."""

    source: str  # which calendar
    booking: str  # the calendar's id of it
    number: E164 | None  # None: none was told that can be read
    name: str  # untrusted
    starts_at: datetime | None  # None: not told
    cancelled: bool
    changed_at: datetime


def is_new_within(db: sqlite_utils.Database, source: str, event: str, now: datetime) -> bool:
    """Note a calendar's message inside the caller's transaction; return whether it was never seen."""
    query = "INSERT OR IGNORE INTO booking_events (source, event, at) VALUES (?, ?, ?) RETURNING event"
    return bool(db.execute(query, [source, event, to_text(now)]).fetchall())


def put_within(db: sqlite_utils.Database, booking: Booking) -> None:
    """Write down how an appointment stands, inside the caller's transaction. What is told no more is kept as it was."""
    db.execute(
        "INSERT INTO bookings (source, booking, number, name, starts_at, cancelled, changed_at) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (source, booking) DO UPDATE SET number = coalesce(excluded.number, number),"
        " name = CASE WHEN excluded.name = '' THEN name ELSE excluded.name END,"
        " starts_at = coalesce(excluded.starts_at, starts_at), cancelled = excluded.cancelled,"
        " changed_at = excluded.changed_at",
        [
            booking.source, booking.booking, booking.number, booking.name, to_text(booking.starts_at),
            booking.cancelled, to_text(booking.changed_at),
        ],
    )  # fmt: skip


def find(db: sqlite_utils.Database, source: str, booking: str) -> Booking | None:
    """Return an appointment by its calendar's id."""
    row = next(db.query("SELECT * FROM bookings WHERE source = ? AND booking = ?", [source, booking]), None)
    return _booking(row) if row else None


def next_of(db: sqlite_utils.Database, number: E164, now: datetime) -> Booking | None:
    """Return a caller's next appointment that takes place, else the last one that did; None if there is none."""
    rows = db.query(
        "SELECT * FROM bookings WHERE number = :number AND NOT cancelled AND starts_at IS NOT NULL"
        " ORDER BY starts_at < :now, CASE WHEN starts_at < :now THEN '' ELSE starts_at END, starts_at DESC LIMIT 1",
        {"number": number, "now": to_text(now)},
    )
    return next((_booking(row) for row in rows), None)


def _booking(row: dict[str, Any]) -> Booking:
    moments = {name: from_text(row[name]) for name in ("starts_at", "changed_at")}
    return Booking(**{**{key: row[key] for key in row if key != "id"}, **moments, "cancelled": bool(row["cancelled"])})
