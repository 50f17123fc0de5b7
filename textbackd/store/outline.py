"""How large the database is and what kinds of rows it has: numbers, and nothing of anybody.   → cli/support

Only looks: a database of another version is neither migrated nor refused, since it may be what the question is about.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from textbackd.core.call import Moment
from textbackd.store.database import from_text, in_memory
from textbackd.store.journal import way_from_json
from textbackd.store.migrations import MIGRATION_NAMES

# What is counted by which columns. The values of all of these are words of ours; whoever shows them sees to it.
KINDS: Final = {
    "calls": ("direction", "verdict", "reason", "not_textable", "decision", "decision_reason"),
    "outbox": ("kind", "state"),
    "attempts": ("outcome",),
    "parts": ("state",),
    "inbox": ("kind",),
    "notices": ("channel", "state"),
    "conversations": ("turn",),
    "cases": ("resolution",),
    "halts": ("kind",),
    "acts": ("kind",),
}
Word = Callable[[object], str]


@contextmanager
def looking(database: Path) -> Iterator[sqlite3.Connection]:
    """Yield a connection that changes nothing. Raises sqlite3.Error."""
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=rw", uri=True, timeout=10)) as connection:
        connection.execute("PRAGMA query_only=ON")
        connection.row_factory = sqlite3.Row
        yield connection


def outline(connection: sqlite3.Connection, word: Word) -> dict[str, Any]:
    """Return the outline; each `word` that stands in it has passed that."""
    applied = {row[0] for row in connection.execute("SELECT name FROM _sqlite_migrations")}
    return {
        "schema": [name for name in MIGRATION_NAMES if name in applied],
        "unknown_steps": len(applied - set(MIGRATION_NAMES)),
        "quick_check": connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok",
        **{name: _pragma(connection, name) for name in ("page_count", "page_size", "freelist_count")},
        "rows": {table: _count(connection, table) for table in _tables()},
        "kinds": {table: _kinds(connection, table, columns, word) for table, columns in KINDS.items()},
    }


def _tables() -> list[str]:
    with closing(in_memory()) as ours:
        return [name for name in ours.table_names() if not name.startswith(("_", "sqlite_"))]


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _count(connection: sqlite3.Connection, table: str) -> int | None:
    try:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608  # one of ours
    except sqlite3.OperationalError:
        return None


def _kinds(connection: sqlite3.Connection, table: str, columns: tuple[str, ...], word: Word) -> list[list[Any]]:
    named = ", ".join(columns)
    try:
        rows = connection.execute(f"SELECT {named}, count(*) FROM {table} GROUP BY {named}")  # noqa: S608  # constants
        return [[*map(word, row[:-1]), row[-1]] for row in map(tuple, rows)]
    except sqlite3.OperationalError:
        return []


# ---- calls


def calls(connection: sqlite3.Connection, word: Word, now: datetime, limit: int) -> list[dict[str, Any]]:
    """Return the shapes of the last calls, the newest first: what became of them, and when it was by a clock that starts at each."""
    rows = connection.execute("SELECT * FROM calls ORDER BY ended_at DESC LIMIT ?", [limit]).fetchall()
    callers: dict[str, int] = {}
    return [_shape(row, word, now, callers) for row in rows]


def _shape(row: sqlite3.Row, word: Word, now: datetime, callers: dict[str, int]) -> dict[str, Any]:
    began, ended = from_text(row["started_at"]), from_text(row["ended_at"]) or now
    caller = callers.setdefault(row["caller"], len(callers) + 1) if row["caller"] else None
    return {
        "caller": caller,
        **{column: word(row[column]) for column in KINDS["calls"]},
        "minutes_ago": round((now - ended).total_seconds() / 60),
        "lasted_s": round((ended - began).total_seconds(), 1) if began else None,
        "talked_s": row["talked_s"] if isinstance(row["talked_s"], int | float) else None,
        "way": _steps(row["way"], began or ended, word),
    }


def _steps(way: str, began: datetime, word: Word) -> list[list[Any]]:
    try:
        moments = way_from_json(way)
    except (ValueError, TypeError, json.JSONDecodeError):
        return []
    return [[_seconds(moment, began), word(moment.what)] for moment in moments]


def _seconds(moment: Moment, began: datetime) -> float | None:
    return round((moment.at - began).total_seconds(), 1) if moment.at else None
