"""A backup becomes the database: checked, brought up to date, kept from doing what is old, and only then put in its place.

store/backup.py, store/restoring.py → here → cli/backup.py.   Everything is done to a copy beside the database; what was there is kept
under another name. Until the one rename that exchanges them nothing has changed, and after it everything has.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import sqlite_utils

from textbackd.config import Settings
from textbackd.core.reply_clock import PAGE, Step, Waiting, waited
from textbackd.store import accounts, backup, conversations, halts, restoring
from textbackd.store.backup import Content
from textbackd.store.conversations import Wait
from textbackd.store.database import StorageError, advice, code_of, is_running, moment_of, only_one, open_database
from textbackd.store.halts import Halt
from textbackd.store.restoring import Settled

# What we keep beside a database.
LOCKS: Final = (".lock", ".opening")


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restore did."""

    content: Content  # of the backup
    settled: Settled
    kept: Path | None  # where the database is now that was there; None: there was none
    carried: bool  # what protects callers, and who was shut out, came over from it
    revoked: int  # tokens, since it could not be read
    let_in: tuple[str, ...]  # who may log in, the first account first
    halts: list[Halt]  # what stops texting now, the oldest first


def restore(file: Path, settings: Settings, now: datetime) -> Restored:
    """Put a backup in the place of the database. Raises StorageError, and has changed nothing then."""
    database = settings.storage
    if not file.is_file():
        raise StorageError(f"{file}: there is no such file.")
    with _alone(database), _candidate(database) as candidate:
        content = _checked(file, candidate)
        with _opened(candidate) as db:
            carried = database.exists() and restoring.carry_over(db, database, now)
            revoked = 0 if carried else restoring.revoke_all(db, now)
            settled = restoring.settle(db, now)
            restoring.close_steps(db, _overdue(db, settings, now), now)
            let_in, stopped = accounts.let_in(db), halts.active(db, now)
        kept = _keep(database, now) if database.exists() else None
        _put_in_place(candidate, database)
    return Restored(
        content=content, settled=settled, kept=kept, carried=carried, revoked=revoked, let_in=let_in, halts=stopped
    )


@contextmanager
def _alone(database: Path) -> Iterator[None]:
    """Keep the daemon from starting. Raises StorageError if it runs."""
    if is_running(database):
        raise StorageError(f"{database}: textbackd is running with it. Stop it first: systemctl stop textbackd")
    lock = only_one(database)
    try:
        yield
    finally:
        os.close(lock)


@contextmanager
def _candidate(database: Path) -> Iterator[Path]:
    """Yield the path of a copy to work on; it, and what was made beside it, is gone in the end."""
    path = database.with_name(f".{database.name}.restoring")
    try:
        yield path
    except (OSError, sqlite3.Error) as error:
        said = f"{database}: the backup cannot be put there ({error}). Nothing was changed. {advice(error)}"
        raise StorageError(said) from error
    finally:
        backup.clear(path)
        for end in LOCKS:
            path.with_name(path.name + end).unlink(missing_ok=True)


def _checked(file: Path, candidate: Path) -> Content:
    """Copy a backup and make sure that it is one. Raises StorageError."""
    try:
        backup.copy_to(file, candidate)
    except sqlite3.DatabaseError as error:
        if code_of(error) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
            raise  # the disk's, and no word about the backup
        raise StorageError(f"{file}: cannot be read as a backup ({error}). Name another FILE.") from error
    with closing(sqlite3.connect(candidate, isolation_level=None)) as connection:
        backup.refuse_foreign(connection, file)
        backup.refuse_newer(connection, file)
        backup.refuse_damaged(connection, file)
        return backup.content(connection, file)


@contextmanager
def _opened(candidate: Path) -> Iterator[sqlite_utils.Database]:
    """Open the copy, migrated; in the end it is one whole file."""
    with closing(open_database(candidate)) as db:
        yield db
        backup.refuse_damaged(db.conn, candidate)
        db.conn.execute("PRAGMA journal_mode=DELETE")


# ---- who waits


def _overdue(db: sqlite_utils.Database, settings: Settings, now: datetime) -> dict[int, list[Step]]:
    """Return the steps that the reply clock would take of those who waited already, by conversation."""
    return {wait.id: _overdue_of(wait, settings, now) for wait in conversations.waits(db)}


def _overdue_of(wait: Wait, settings: Settings, now: datetime) -> list[Step]:
    line = settings.line_named(wait.line)
    waiting = Waiting(since=moment_of(wait.since), is_urgent=wait.urgent)
    span = waited(waiting, now, settings.timetable(line))
    return [*((PAGE,) if wait.urgent else ()), *(step for step in line.reply.chain() if step.after <= span)]


# ---- files


def _keep(database: Path, now: datetime) -> Path:
    """Keep the database that is there under another name as well; what SQLite has beside it goes along."""
    kept = database.with_name(f"{database.name}.before-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}")
    with suppress(sqlite3.Error), closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for end in backup.BESIDE:  # there only if it is damaged
        with suppress(FileNotFoundError):
            database.with_name(database.name + end).rename(kept.with_name(kept.name + end))
    try:
        os.link(database, kept)
    except OSError:  # a file system without hard links
        shutil.copy2(database, kept)
    return kept


def _put_in_place(candidate: Path, database: Path) -> None:
    """Exchange the files in one step; they belong to whom the folder belongs to, also if root restores."""
    folder = database.parent.stat()
    if os.geteuid() == 0:
        for path in (candidate, *(database.with_name(database.name + end) for end in LOCKS)):
            if path.exists():
                os.chown(path, folder.st_uid, folder.st_gid)
    candidate.replace(database)
    backup.sync_folder(database.parent)
