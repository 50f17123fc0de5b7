"""Everything that was said and done between the shop and one caller, in the order in which it was.   calls, outbox, inbox, acts → here"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

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


_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
WRITTEN: Final = "^[0-9]{1,16}-[0-9]-[0-9a-z]{1,32}$"  # of a place: microseconds since 1970, the source, the id there


class Place(NamedTuple):
    """Where an entry stands. Moments alone would not do: a call and the text that answers it often have the same."""

    at: datetime
    source: int  # of `_SOURCES`
    id: str  # in the source's table

    @classmethod
    def read(cls, written: str) -> "Place | None":
        """Return the place that was written; None for anything else."""
        if re.fullmatch(WRITTEN, written) is None:
            return None
        moment, source, row_id = written.split("-")
        return cls(_EPOCH + int(moment) * _MICROSECOND, int(source), row_id)

    def written(self) -> str:
        """Return it as it stands in addresses."""
        return f"{(self.at - _EPOCH) // _MICROSECOND}-{self.source}-{self.id}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was said or done."""

    at: datetime
    what: What
    source: int  # of `_SOURCES`
    row: dict[str, Any]  # as it stands in its table; whatever a caller said in it is untrusted

    @property
    def place(self) -> Place:
        """Return where the page of what was before it ends."""
        return Place(self.at, self.source, str(self.row["id"]))


# What an entry is, the column with its moment, where it stands, and of whom. Each is a range of an index.
_SOURCES: Final = (
    (What.CALL, "ended_at", "calls", "caller = :number"),
    (What.CALL, "ended_at", "calls", "did = :number AND direction = 'outbound'"),
    (What.OURS, "created_at", "outbox", "recipient = :number"),
    (What.THEIRS, "received_at", "inbox", "number = :number"),
    (What.ACT, "at", "acts", "number = :number AND kind NOT IN ('read', 'replied')"),
)
_NO_END: Final = {"at": "9", "source": 0, "id": ""}  # later than any moment, as text


def timeline(db: sqlite_utils.Database, number: E164, *, before: Place | None = None, limit: int = 200) -> list[Entry]:
    """Return the last entries of a conversation before a place, the oldest first."""
    end = {"at": to_text(before.at), "source": before.source, "id": before.id} if before else _NO_END
    values = {"number": number, "limit": limit, **end}
    entries = [
        Entry(at, What.RANG if what is What.THEIRS and row["kind"] == "call" else what, source, row)
        for source, (what, moment, table, whose) in enumerate(_SOURCES)
        for row in db.query(
            f"SELECT * FROM {table} WHERE {whose} AND ({moment}, {source}, id) < (:at, :source, :id)"  # noqa: S608
            f" ORDER BY {moment} DESC, id DESC LIMIT :limit",
            values,
        )
        if (at := from_text(row[moment])) is not None
    ]
    return sorted(entries, key=lambda entry: (entry.at, entry.source, entry.row["id"]))[-limit:]
