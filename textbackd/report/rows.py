"""Calls and conversations as rows of a spreadsheet, a thousand at a time.   store/figures.py → here → web/reports.py, cli/report.py"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

import sqlite_utils

from textbackd.report import cells
from textbackd.store import figures
from textbackd.store.figures import Asked, CallRow, ConversationRow

AT_ONCE: Final = 1_000  # rows; whoever else wants to read waits for no more
BEFORE_ALL: Final = -1  # an id
Place = tuple[datetime, int]  # of a row: its moment and id


class Sheet(StrEnum):
    """What can be had as rows. The values stand in addresses."""

    CALLS = "calls"
    CONVERSATIONS = "conversations"


COLUMNS: Final[Mapping[Sheet, Sequence[str]]] = MappingProxyType({
    Sheet.CALLS: (
        "ended", "line", "our number", "caller", "name", "verdict", "reason", "decision", "why", "text",
    ),
    Sheet.CONVERSATIONS: (
        "last", "line", "number", "name", "turn", "assignee", "opened", "answered", "booked", "outcome", "value",
    ),
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Piece:
    """Some rows as CSV, and where to go on."""

    text: str
    last: Place | None  # None: these were the last ones


def head(sheet: Sheet) -> str:
    """Return the beginning of a file."""
    return cells.BYTE_ORDER_MARK + cells.lines([COLUMNS[sheet]])


def piece(db: sqlite_utils.Database, sheet: Sheet, asked: Asked, zone: ZoneInfo, after: Place) -> Piece:
    """Return the next rows; `after` is where the piece before ended, (since, BEFORE_ALL) for the first."""
    return _PIECES[sheet](db, asked, zone, after)


def pieces(db: sqlite_utils.Database, sheet: Sheet, asked: Asked, zone: ZoneInfo) -> Iterator[str]:
    """Yield a whole file."""
    yield head(sheet)
    after: Place | None = (asked.since, BEFORE_ALL)
    while after is not None:
        found = piece(db, sheet, asked, zone, after)
        yield found.text
        after = found.last


def _calls(db: sqlite_utils.Database, asked: Asked, zone: ZoneInfo, after: Place) -> Piece:
    rows = figures.call_rows(db, asked, after, AT_ONCE)
    last = (rows[-1].ended_at, rows[-1].id) if len(rows) == AT_ONCE else None
    return Piece(cells.lines(_call(row, zone) for row in rows), last)


def _call(row: CallRow, zone: ZoneInfo) -> Iterable[object]:
    return (
        _local(row.ended_at, zone), row.line, row.did, row.caller, row.name, row.verdict, row.reason, row.decision, row.why,
        row.text,
    )  # fmt: skip


def _conversations(db: sqlite_utils.Database, asked: Asked, zone: ZoneInfo, after: Place) -> Piece:
    rows = figures.conversation_rows(db, asked, after, AT_ONCE)
    last = (rows[-1].last_at, rows[-1].id) if len(rows) == AT_ONCE else None
    return Piece(cells.lines(_conversation(row, zone) for row in rows), last)


def _conversation(row: ConversationRow, zone: ZoneInfo) -> Iterable[object]:
    value = None if row.value is None else f"{row.value // 100}.{row.value % 100:02}"
    moments = (_local(moment, zone) for moment in (row.opened_at, row.answered_at, row.booked_at))
    return (
        _local(row.last_at, zone), row.line, row.number, row.name, row.turn, row.assignee, *moments, row.outcome, value,
    )  # fmt: skip


_PIECES: Final[Mapping[Sheet, Callable[[sqlite_utils.Database, Asked, ZoneInfo, Place], Piece]]] = MappingProxyType({
    Sheet.CALLS: _calls,
    Sheet.CONVERSATIONS: _conversations,
})  # fmt: skip


def _local(moment: datetime | None, zone: ZoneInfo) -> str:
    """Return a moment by the shop's clock, as spreadsheets read it."""
    return "" if moment is None else f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"
