"""Everything that was said and done between the shop and one caller, in the order in which it was.   calls, outbox, inbox, acts → here"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import sqlite_utils

from textbackd.core.phone import E164
from textbackd.store.database import from_text, to_text


class What(StrEnum):
    """What an entry of a timeline is."""

    CALL = "call"  # a call from them, or of ours to them: a row of `calls`
    OURS = "ours"  # a text to them: a row of `outbox`
    THEIRS = "theirs"  # a text of theirs: a row of `inbox`
    RANG = "rang"  # they rang the number of a gateway: a row of `inbox`
    ACT = "act"  # something that one of us did: a row of `acts`


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was said or done."""

    at: datetime
    what: What
    row: dict[str, Any]  # as it stands in its table; whatever a caller said in it is untrusted


# What an entry is, the column with its moment, where it stands, and of whom. Each is a range of an index.
_SOURCES: Final = (
    (What.CALL, "ended_at", "calls", "caller = :number"),
    (What.CALL, "ended_at", "calls", "did = :number AND direction = 'outbound'"),
    (What.OURS, "created_at", "outbox", "recipient = :number"),
    (What.THEIRS, "received_at", "inbox", "number = :number"),
    (What.ACT, "at", "acts", "number = :number AND kind NOT IN ('read', 'replied')"),
)
_FOR_EVER: Final = "9"  # later than any moment, as text


def timeline(
    db: sqlite_utils.Database, number: E164, *, before: datetime | None = None, limit: int = 200
) -> list[Entry]:
    """Return the last entries of a conversation before a moment, the oldest first."""
    values = {"number": number, "before": to_text(before) or _FOR_EVER, "limit": limit}
    entries = [
        Entry(at, What.RANG if what is What.THEIRS and row["kind"] == "call" else what, row)
        for what, moment, table, whose in _SOURCES
        for row in db.query(
            f"SELECT * FROM {table} WHERE {whose} AND {moment} < :before ORDER BY {moment} DESC LIMIT :limit",  # noqa: S608
            values,
        )
        if (at := from_text(row[moment])) is not None
    ]
    return sorted(entries, key=lambda entry: entry.at)[-limit:]
