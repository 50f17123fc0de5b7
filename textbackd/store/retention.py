"""What is no longer kept: one number's traces, because somebody asks for it, or what is too old.   here → `forget`, flow/upkeep.py

A call of a forgotten number stays as an event without number, name and way, so that counts stay true and the same call, found
once more in the PBX's records, is not texted again. Opt-outs and the never-list outlive everything, as keyed hashes
(store/number_key.py). Everything else goes, and what is deleted is overwritten (sqlite.org/pragma.html#pragma_secure_delete).
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlite_utils

from textbackd.core.phone import E164
from textbackd.store.database import to_text, writing

SAME_DIGITS: Final = 9  # how networks write a number differs in front of its last digits
# In this order, since each step points at the next. `:digits` are the number's last ones.
_FORGET: Final = (
    # Who may have asked for no texts is not asked any more: that counts as having asked.
    "INSERT OR IGNORE INTO optouts (number, since, by, detail) SELECT number, since, 'text', '' FROM asks WHERE number = :number",
    "DELETE FROM asks WHERE number = :number",
    "DELETE FROM attempts WHERE outbox_id IN (SELECT id FROM outbox WHERE recipient = :number)",
    "DELETE FROM parts WHERE outbox_id IN (SELECT id FROM outbox WHERE recipient = :number)"
    " OR (outbox_id IS NULL AND substr(recipient, -9) = :digits)",
    "DELETE FROM outbox WHERE recipient = :number",
    "DELETE FROM inbox WHERE number = :number OR about = :number",
    # What our staff were told, on their mobiles too.
    "DELETE FROM attempts WHERE outbox_id IN (SELECT text_id FROM notices WHERE number = :number)",
    "DELETE FROM parts WHERE outbox_id IN (SELECT text_id FROM notices WHERE number = :number)",
    "DELETE FROM outbox WHERE id IN (SELECT text_id FROM notices WHERE number = :number)",
    "DELETE FROM attempts WHERE outbox_id IN (SELECT id FROM outbox WHERE kind = 'staff' AND instr(body, :number))",
    "DELETE FROM parts WHERE outbox_id IN (SELECT id FROM outbox WHERE kind = 'staff' AND instr(body, :number))",
    "DELETE FROM outbox WHERE kind = 'staff' AND instr(body, :number)",
    "DELETE FROM notices WHERE number = :number OR (number IS NULL AND instr(payload, :number))",
    "DELETE FROM news WHERE number = :number",
    "UPDATE calls SET case_id = NULL WHERE case_id IN (SELECT id FROM cases WHERE caller = :number)",
    "UPDATE calls SET did = NULL, did_presented = '', way = '[]' WHERE did = :number AND direction = 'outbound'",
    "UPDATE calls SET caller = NULL, caller_presented = '', caller_name = '', way = '[]' WHERE caller = :number",
    "DELETE FROM cases WHERE caller = :number",
    "DELETE FROM conversations WHERE number = :number",
    "UPDATE acts SET number = NULL, detail = '' WHERE number = :number",
    "DELETE FROM leads WHERE number = :number",
    "DELETE FROM bookings WHERE number = :number",
    "DELETE FROM unreachable WHERE number = :number",
    "UPDATE halts SET why = replace(why, :number, 'a forgotten number') WHERE instr(why, :number)",
    "UPDATE optouts SET number = hashed(number), detail = '' WHERE number = :number",
    "UPDATE never SET number = hashed(number), detail = '' WHERE number = :number",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How long things are kept; None: for ever."""

    texts: timedelta | None  # texts, attempts at them, reports of them, and what came in
    calls: timedelta | None  # calls and cases


def forget(db: sqlite_utils.Database, number: E164) -> bool:
    """Erase what is kept about a number, in one transaction. Return False, and erase nothing, while a text to it is handed over."""
    values = {"number": number, "digits": number[-SAME_DIGITS:]}
    with _erasing(db):
        busy = (
            "SELECT 1 FROM outbox WHERE state = 'submitting'"
            " AND (recipient = :number OR id IN (SELECT text_id FROM notices WHERE number = :number))"
        )
        if db.execute(busy, values).fetchone() is not None:
            return False
        for step in _FORGET:
            db.conn.execute(step, {name: value for name, value in values.items() if f":{name}" in step})
    return True


def compact(db: sqlite_utils.Database) -> bool:
    """Write the file anew without what was deleted; return False if it is in use or the disk too full, so that it has to wait."""
    try:
        db.conn.execute("VACUUM")
        db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.OperationalError:
        return False
    return True


# What is too old, in the order in which it points at each other. A call or case stays as long as a text does that it led to.
_OLD_TEXTS: Final = (
    "DELETE FROM attempts WHERE outbox_id IN"
    " (SELECT id FROM outbox WHERE created_at < :before AND state NOT IN ('queued', 'submitting'))",
    "DELETE FROM parts WHERE outbox_id IN"
    " (SELECT id FROM outbox WHERE created_at < :before AND state NOT IN ('queued', 'submitting'))",
    "DELETE FROM parts WHERE outbox_id IS NULL AND at < :before",
    "DELETE FROM outbox WHERE created_at < :before AND state NOT IN ('queued', 'submitting')",
    "UPDATE asks SET inbox_id = NULL WHERE inbox_id IN (SELECT id FROM inbox WHERE stored_at < :before)",
    "DELETE FROM inbox WHERE stored_at < :before",
    # Words that stand elsewhere, too.
    "DELETE FROM notices WHERE at < :before",
    "DELETE FROM news WHERE at < :before",
    "DELETE FROM acts WHERE at < :before AND kind IN ('note', 'lead')",
    "DELETE FROM leads WHERE at < :before",
    "UPDATE conversations SET last_words = '' WHERE last_at < :before AND last_words <> ''",
)
_OLD_CALLS: Final = (
    "DELETE FROM calls WHERE ended_at < :before AND NOT EXISTS (SELECT 1 FROM outbox WHERE call_id = calls.id)",
    "DELETE FROM cases WHERE last_miss_at < :before AND NOT EXISTS (SELECT 1 FROM calls WHERE case_id = cases.id)"
    " AND NOT EXISTS (SELECT 1 FROM outbox WHERE case_id = cases.id)",
    "DELETE FROM conversations WHERE last_at < :before"
    " AND NOT EXISTS (SELECT 1 FROM outbox WHERE recipient = conversations.number)"
    " AND NOT EXISTS (SELECT 1 FROM inbox WHERE number = conversations.number)",
    "DELETE FROM acts WHERE at < :before AND kind NOT IN ('note', 'lead')",
    "DELETE FROM bookings WHERE max(changed_at, coalesce(starts_at, changed_at)) < :before",
    "DELETE FROM booking_events WHERE at < :before",
    "DELETE FROM unreachable WHERE since < :before",
    "DELETE FROM halts WHERE coalesce(ended_at, until) < :before",
    # Whose last trace is gone is known by its hash only.
    "UPDATE optouts SET number = hashed(number), detail = '' WHERE since < :before AND number LIKE '+%'"
    " AND NOT EXISTS (SELECT 1 FROM calls WHERE caller = optouts.number OR did = optouts.number)"
    " AND NOT EXISTS (SELECT 1 FROM outbox WHERE recipient = optouts.number)"
    " AND NOT EXISTS (SELECT 1 FROM inbox WHERE number = optouts.number)",
)


def let_go(db: sqlite_utils.Database, kept: Kept, now: datetime) -> int:
    """Delete what is older than it is kept, in one transaction; return how many rows that changed."""
    steps = [(step, now - kept.texts) for step in _OLD_TEXTS if kept.texts is not None]
    steps += [(step, now - kept.calls) for step in _OLD_CALLS if kept.calls is not None]
    with _erasing(db):
        return sum(db.conn.execute(step, {"before": to_text(before)}).rowcount for step, before in steps)


@contextmanager
def _erasing(db: sqlite_utils.Database) -> Iterator[Any]:
    """A transaction in which what is deleted is overwritten with zeros."""
    db.conn.execute("PRAGMA secure_delete = ON")
    try:
        with writing(db):
            yield db
    finally:
        db.conn.execute("PRAGMA secure_delete = OFF")
