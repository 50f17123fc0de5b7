"""Which steps were taken while a caller waited, and what was told once until it is over. SQL about that lives here.

A step that stands here is never taken again for the same wait, whatever happens in between: it is written down in the transaction
that writes who is told. The steps of a wait go when it is over.
"""

from collections import Counter
from collections.abc import Mapping, Set
from datetime import datetime

import sqlite_utils

from textbackd.core.reply_clock import Step
from textbackd.store.conversations import Conversation
from textbackd.store.database import from_text, moment_of, to_text


def taken(db: sqlite_utils.Database) -> Mapping[int, Set[str]]:
    """Return the keys of the steps that were taken in the waits that go on, by the conversation's id."""
    found: dict[int, set[str]] = {}
    for conversation_id, step in db.execute(
        "SELECT conversation_id, step FROM steps JOIN conversations ON id = conversation_id"
        " AND conversations.waiting_since = steps.waiting_since"
    ):
        found.setdefault(conversation_id, set()).add(step)
    return found


def take(db: sqlite_utils.Database, conversation: Conversation, step: Step, now: datetime) -> bool:
    """Note, inside the caller's transaction, that a step is taken; return False if it was before."""
    values = [conversation.id, to_text(conversation.waiting_since), step.key, to_text(now)]
    query = "INSERT OR IGNORE INTO steps (conversation_id, waiting_since, step, at) VALUES (?, ?, ?, ?) RETURNING 1"
    return bool(db.execute(query, values).fetchall())


def note_outcome(db: sqlite_utils.Database, conversation: Conversation, step: Step, outcome: str) -> None:
    """Note, inside the caller's transaction, what became of a phone that was rung."""
    values = [outcome, conversation.id, to_text(conversation.waiting_since), step.key]
    query = "UPDATE steps SET outcome = ? WHERE conversation_id = ? AND waiting_since = ? AND step = ?"
    db.execute(query, values)


def outcomes(db: sqlite_utils.Database, conversation: Conversation) -> list[tuple[str, str]]:
    """Return (step, outcome) of the phones that were rung in a wait, the first first."""
    rows = db.execute(
        "SELECT step, outcome FROM steps WHERE conversation_id = ? AND waiting_since = ? AND outcome IS NOT NULL ORDER BY at",
        [conversation.id, to_text(conversation.waiting_since)],
    )
    return [(row[0], row[1]) for row in rows]


def counts(db: sqlite_utils.Database) -> Mapping[str, int]:
    """Return how often each kind of step (tell, ring, page) was taken in the waits that go on."""
    kinds = (step.split(" ")[1] for keys in taken(db).values() for step in keys)
    return Counter(kinds)


def forget_ended(db: sqlite_utils.Database) -> None:
    """Let go, inside the caller's transaction, of the steps of waits that are over."""
    db.execute(
        "DELETE FROM steps WHERE NOT EXISTS (SELECT 1 FROM conversations WHERE id = conversation_id"
        " AND conversations.waiting_since = steps.waiting_since)"
    )


# ---- told once


def told_at(db: sqlite_utils.Database, what: str) -> datetime | None:
    """Return when something was told that is told once until it is over; None: it is not on."""
    row = db.execute("SELECT at FROM told WHERE what = ?", [what]).fetchone()
    return from_text(row[0]) if row else None


def told(db: sqlite_utils.Database, prefix: str) -> Mapping[str, datetime]:
    """Return what is on of that which begins so, and when it was told."""
    rows = db.execute("SELECT what, at FROM told WHERE substr(what, 1, ?) = ?", [len(prefix), prefix])
    return {row[0]: moment_of(row[1]) for row in rows}


def tell_once(db: sqlite_utils.Database, what: str, now: datetime) -> None:
    """Note, inside the caller's transaction, that it is told."""
    db.execute("INSERT OR REPLACE INTO told (what, at) VALUES (?, ?)", [what, to_text(now)])


def is_over(db: sqlite_utils.Database, what: str) -> None:
    """Note, inside the caller's transaction, that it is over, so that the next time is told."""
    db.execute("DELETE FROM told WHERE what = ?", [what])
