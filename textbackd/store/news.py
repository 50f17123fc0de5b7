"""What happened and has not been handed on yet: written with what happened, taken away with what follows from it.

`conversations.happen` and `outbox.accepted` write here, inside their transactions; flow/staff/handoff.py turns each piece into notices, in
one transaction with its removal. So nothing is forgotten by a crash in between, and nothing is handed on twice. SQL about news lives here.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlite_utils

from textbackd.core.conversation import Happening, Turn
from textbackd.core.phone import E164
from textbackd.store.database import moment_of, to_text

TEXTED: Final = "texted"  # a gateway took a text to a caller
# What is news even if nobody's turn changes by it.
ALWAYS: Final = frozenset({Happening.MISSED, Happening.WANTS_CALL, Happening.WROTE, Happening.LEAD, Happening.ANSWERED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that happened."""

    id: int
    at: datetime
    number: E164
    what: str  # a Happening, or TEXTED
    staff: str | None  # who did it
    words: str  # untrusted
    text_id: str | None


def happened(
    db: sqlite_utils.Database,
    happening: Happening,
    turns: tuple[Turn | None, Turn],
    *,
    number: E164,
    at: datetime,
    staff: str | None,
    words: str,
) -> None:
    """Note, inside the caller's transaction, what happened in a conversation; `turns` before and after it."""
    if happening in ALWAYS or turns[0] is not turns[1]:
        db.execute(
            "INSERT INTO news (at, number, what, staff, words) VALUES (?, ?, ?, ?, ?)",
            [to_text(at), number, happening.value, staff, words],
        )


def texted(db: sqlite_utils.Database, text_id: str, now: datetime) -> None:
    """Note, inside the caller's transaction, that a gateway took a text, unless it was one to our own staff."""
    db.execute(
        "INSERT INTO news (at, number, what, staff, words, text_id)"
        " SELECT ?, recipient, ?, staff, body, id FROM outbox WHERE id = ? AND kind <> 'staff'",
        [to_text(now), TEXTED, text_id],
    )


def waiting(db: sqlite_utils.Database, limit: int = 100) -> list[Item]:
    """Return what has not been handed on yet, the oldest first."""
    return [_item(row) for row in db.query("SELECT * FROM news ORDER BY id LIMIT ?", [limit])]


def take_away(db: sqlite_utils.Database, item_id: int) -> bool:
    """Remove one, inside the transaction that writes what follows from it; return False if it is gone already."""
    return bool(db.execute("DELETE FROM news WHERE id = ? RETURNING id", [item_id]).fetchall())


def _item(row: dict[str, Any]) -> Item:
    return Item(**{**row, "at": moment_of(row["at"])})
