"""A copy of the database in one file, made while the daemon works, and what is in it.   cli/backup.py → here

SQLite's online backup (sqlite.org/backup.html) copies from one snapshot: in WAL mode the daemon goes on writing meanwhile, and what it
writes is not in the copy. Without that snapshot every write would start the copy anew. It goes in small steps with a breath in
between, so that a slow card has time for the daemon's commits. The copy is one file without a log beside it, checked before
it gets its name.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import sqlite_utils

from textbackd.store.database import StorageError, from_text, to_text, unusable
from textbackd.store.migrations import MIGRATION_NAMES, MIGRATIONS

PAGES: Final = 256  # in one step, 1 MiB
BREATH: Final = 0.005  # seconds
# What SQLite keeps beside a database. With another database than its own it must never meet.
BESIDE: Final = ("-journal", "-wal", "-shm")
_MADE_AT: Final = "backed_up_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a copy holds."""

    made_at: datetime | None  # None: it was not made by `textbackd backup`
    schema: str  # the last step of store/migrations.py that it has
    calls: int
    texts: int
    conversations: int
    optouts: int
    last_call_at: datetime | None
    size: int  # bytes


def take(database: Path, copy: Path, now: datetime) -> Content:
    """Copy a database that may be in use to a new file; return what is in it. Raises StorageError."""
    if not database.exists():
        raise StorageError(f"{database}: there is no database yet. It is made when `textbackd run` starts first.")
    try:
        with _beside(copy) as part:
            copy_to(database, part)
            return _sealed(part, now)
    except (OSError, sqlite3.Error) as error:
        raise StorageError(f"{copy}: the backup cannot be written ({error}). Name another FILE.") from error


@contextmanager
def _beside(copy: Path) -> Iterator[Path]:
    """Yield a file that gets its name when all is well, and is gone when not. What is there is not written over."""
    part = copy.with_name(f".{copy.name}.part")
    if copy.exists():
        raise StorageError(f"{copy}: is there already. Name another FILE.")
    try:
        yield part
        part.rename(copy)
        sync_folder(copy.parent)
    finally:
        clear(part)


def clear(database: Path) -> None:
    """Delete a database of ours, if it is there, and what SQLite has beside it."""
    for end in ("", *BESIDE):
        database.with_name(database.name + end).unlink(missing_ok=True)


def copy_to(database: Path, copy: Path) -> None:
    """Copy the database as it is at one moment to a file that only we can read, written over. Raises sqlite3.Error, OSError."""
    clear(copy)  # a journal that was left of an earlier copy would be played back into this one
    os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)) as source:
        source.execute("PRAGMA query_only=ON")
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_schema")  # the snapshot begins with the first look
        with closing(sqlite3.connect(copy, isolation_level=None)) as target:
            source.backup(target, pages=PAGES, sleep=BREATH)
            target.execute("PRAGMA journal_mode=DELETE")


def _sealed(part: Path, now: datetime) -> Content:
    """Note in a copy when it was made, and check it."""
    with closing(sqlite3.connect(part, isolation_level=None)) as connection:
        refuse_foreign(connection, part)
        if "m004_wishes" in _applied(connection):
            made = [_MADE_AT, to_text(now)]
            connection.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", made)
        refuse_damaged(connection, part)
        return content(connection, part)


def refuse_damaged(connection: sqlite3.Connection, path: Path) -> None:
    """Raise StorageError if a database does not hold together."""
    said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if said != "ok":
        raise StorageError(f"{path}: the database is damaged ({said}). `textbackd restore` puts a backup in its place.")


def refuse_foreign(connection: sqlite3.Connection, path: Path) -> None:
    """Raise StorageError if a file is no database of textbackd's."""
    try:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    except sqlite3.DatabaseError as error:
        raise unusable(path, error) from error
    if not {"calls", "outbox", "_sqlite_migrations"} <= tables:
        raise StorageError(f"{path}: is no database of textbackd. Name a file that `textbackd backup` has made.")


def refuse_newer(connection: sqlite3.Connection, path: Path) -> None:
    """Raise StorageError if a newer program wrote it, which may mean things by it that this one does not know."""
    if newer := _applied(connection) - set(MIGRATION_NAMES):
        named = ", ".join(sorted(newer))
        raise StorageError(f"{path}: was made by a newer textbackd ({named}). Install that version, and restore then.")


def _applied(connection: sqlite3.Connection) -> set[str]:
    return {migration.name for migration in MIGRATIONS.applied(sqlite_utils.Database(connection))}


def content(connection: sqlite3.Connection, path: Path) -> Content:
    """Return what a database holds."""

    def one(query: str) -> str:
        row = connection.execute(query).fetchone()
        return str(row[0]) if row and row[0] is not None else ""

    names = [name for name in MIGRATION_NAMES if name in _applied(connection)]
    return Content(
        made_at=from_text(one(f"SELECT value FROM meta WHERE name = '{_MADE_AT}'"))  # noqa: S608  # a constant
        if "m004_wishes" in names
        else None,
        schema=names[-1] if names else "",
        calls=int(one("SELECT count(*) FROM calls")),
        texts=int(one("SELECT count(*) FROM outbox")),
        conversations=int(one("SELECT count(*) FROM conversations")) if "m008_conversations" in names else 0,
        optouts=int(one("SELECT count(*) FROM optouts")) if "m003_reports_inbox_optouts" in names else 0,
        last_call_at=from_text(one("SELECT max(ended_at) FROM calls")),
        size=path.stat().st_size,
    )


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk; fsync(2) of a file does not do that."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
