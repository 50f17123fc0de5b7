"""The database: one SQLite file, opened safely, brought up to date, and kept to one thread.

Pragmas, each for a reason (sqlite.org/pragma.html, sqlite.org/wal.html):
- `journal_mode=WAL`: `explain` and the pages read while the daemon writes. If the file system cannot do it, we do not start.
- `synchronous=FULL`: in WAL mode only FULL makes a commit survive a power cut, and a text may go out only after its intent has.
- `busy_timeout`: a command line and the daemon may write at the same moment.
- `journal_size_limit`: the log is cut back after a large piece of work; else it stays as large as it ever was.
"""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

import sqlite_utils

from textbackd.errors import TextbackdError
from textbackd.store import number_key
from textbackd.store.ballast import Ballast
from textbackd.store.migrations import MIGRATION_NAMES, MIGRATIONS

T = TypeVar("T")
BUSY_TIMEOUT_MS: Final = 5000
LOG_LIMIT: Final = 4 * 1024 * 1024  # bytes; SQLite writes it back to the database at about as many (1000 pages)


class StorageError(TextbackdError):
    """The database cannot be used; says why and what to do."""


def open_database(path: Path, *, create: bool = True) -> sqlite_utils.Database:
    """Return the database at `path`, migrated. Raises StorageError with one sentence for whatever is wrong with it."""
    if not create and not path.exists():
        raise StorageError(
            f"{path}: there is no database yet. It is made when `textbackd run` starts for the first time."
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _one_at_a_time(path):
            _make(path)
            connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT_MS / 1000)
            try:
                path.chmod(0o600)
                return _prepared(connection, path)
            except BaseException:
                connection.close()
                raise
    except (OSError, sqlite3.Error) as error:
        raise unusable(path, error) from error


def unusable(path: Path, error: Exception) -> StorageError:
    """Return what to say of a database that failed."""
    return StorageError(f"{path}: cannot be used as database ({error}). {advice(error)}")


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    """Let one process at a time switch to WAL and migrate: neither waits for the busy time-out."""
    opening = path.with_name(f"{path.name}.opening")
    _make(opening)
    handle = os.open(opening, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _make(path: Path) -> None:
    """Make an empty file if there is none. Root's belongs to the owner of its folder: what root does before the first start, such as
    `staff add`, does not lock the daemon out.
    """
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return
    if os.geteuid() == 0:
        folder = path.parent.stat()
        os.chown(path, folder.st_uid, folder.st_gid)


def _prepared(connection: sqlite3.Connection, path: Path) -> sqlite_utils.Database:
    mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
    if mode != "wal":
        raise StorageError(
            f"{path}: the file system allows no write-ahead log. Put `storage` on a local disk, not on NFS."
        )
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    connection.execute(f"PRAGMA journal_size_limit={LOG_LIMIT}")
    database = sqlite_utils.Database(connection)
    _refuse_newer(database, path)
    if MIGRATIONS.pending(database):
        MIGRATIONS.apply(database)
    number_key.install(connection)
    return database


def _refuse_newer(database: sqlite_utils.Database, path: Path) -> None:
    applied = {migration.name for migration in MIGRATIONS.applied(database)}
    if applied - set(MIGRATION_NAMES):
        raise StorageError(
            f"{path}: was written by a newer textbackd. Install that version again, or restore a backup."
        )


def in_memory() -> sqlite_utils.Database:
    """Return a database that is gone with the process: for what is tried and not done."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    database = sqlite_utils.Database(connection)
    MIGRATIONS.apply(database)
    number_key.install(connection)
    return database


def advice(error: Exception) -> str:
    """Return what to do about an error of the database or of its files."""
    text = str(error)
    if "not a database" in text or "malformed" in text:
        return "Move it away, or restore a backup."
    if "disk I/O error" in text:
        return "The disk is full or fails: look at `df` and `dmesg`."
    if "disk is full" in text or getattr(error, "errno", None) == 28:
        return "Free some space on the disk."
    return "Check that the folder exists and belongs to the user that runs textbackd."


@contextmanager
def writing(database: sqlite_utils.Database) -> Iterator[sqlite_utils.Database]:
    """One transaction that is the only writer from its start, so that what it read is still true when it commits."""
    database.conn.execute("BEGIN IMMEDIATE")
    try:
        yield database
        database.conn.execute("COMMIT")
    except BaseException:
        if database.conn.in_transaction:
            database.conn.execute("ROLLBACK")
        raise


def only_one(path: Path) -> int:
    """Hold the right to send from this database until the process ends. Raises StorageError if another process has it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = path.with_name(f"{path.name}.lock")
        _make(lock)
        handle = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise StorageError(f"{path}: cannot be used as database ({error.strerror}). {advice(error)}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise StorageError(f"{path}: another textbackd is running with this database. Stop it first.") from error
    return handle


def is_running(path: Path) -> bool:
    """Return whether a daemon sends from this database."""
    lock = path.with_name(path.name + ".lock")
    if not lock.exists():
        return False
    try:
        os.close(only_one(path))
    except StorageError:
        return True
    return False


def _for_reading(path: Path) -> sqlite_utils.Database:
    """Return a connection to an open database that cannot change it."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT_MS / 1000)
    connection.execute("PRAGMA query_only=ON")
    number_key.install(connection)
    return sqlite_utils.Database(connection)


class Store:
    """The database for asyncio: every piece of work runs in one thread, in order. What people look at is read in another."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ballast = Ballast(path)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._database: sqlite_utils.Database | None = None
        self._reading = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store-reading")
        self._reader: sqlite_utils.Database | None = None
        self._is_tight = False

    async def open(self) -> None:
        """Open and migrate. Raises StorageError."""
        self._database = await self._in_thread(lambda: open_database(self._path))
        self._reader = await self._in_thread(lambda: _for_reading(self._path), self._reading)
        self._is_tight = not await self._in_thread(self._ballast.hold)

    async def run(self, work: Callable[[sqlite_utils.Database], T]) -> T:
        """Return what `work` returns; what it wrote inside `writing` is on disk by then. Raises sqlite3.Error.

        Where the disk is full the ballast is given up for it, once.
        """
        database = self._database
        if database is None:
            raise StorageError(f"{self._path}: the database is closed.")
        try:
            return await self._in_thread(lambda: work(database))
        except sqlite3.OperationalError as error:
            if not _is_full(error) or not await self._in_thread(self._ballast.give_up):
                raise
        self._is_tight = True
        return await self._in_thread(lambda: work(database))

    async def read(self, work: Callable[[sqlite_utils.Database], T]) -> T:
        """Return what `work` reads, of what is committed by now. However long it takes, no call waits for it."""
        reader = self._reader
        if reader is None:
            raise StorageError(f"{self._path}: the database is closed.")
        return await self._in_thread(lambda: work(reader), self._reading)

    @property
    def is_tight(self) -> bool:
        """Return whether the disk was full a moment ago: nothing that can wait may be begun."""
        return self._is_tight

    async def look_for_space(self) -> None:
        """Lay the ballast in again if there is space for it."""
        self._is_tight = not await self._in_thread(self._ballast.hold)

    async def is_writable(self) -> bool:
        """Return whether a commit reaches the disk now."""
        try:
            await self.run(_touch)
        except (sqlite3.Error, StorageError):
            return False
        return True

    async def close(self) -> None:
        """Close; work that was handed over before is finished first."""
        reader, self._reader = self._reader, None
        if reader is not None:
            await self._in_thread(reader.close, self._reading)
        database, self._database = self._database, None
        if database is not None:
            await self._in_thread(database.close)
        self._reading.shutdown()
        self._thread.shutdown()

    async def _in_thread(self, work: Callable[[], T], thread: ThreadPoolExecutor | None = None) -> T:
        return await asyncio.get_running_loop().run_in_executor(thread or self._thread, work)


def code_of(error: sqlite3.Error) -> int:
    """Return SQLite's primary result code, whichever extended code it came with (sqlite.org/rescode.html)."""
    return error.sqlite_errorcode & 0xFF


def _is_full(error: sqlite3.OperationalError) -> bool:
    return code_of(error) == sqlite3.SQLITE_FULL


def _touch(database: sqlite_utils.Database) -> None:
    with writing(database):
        database.execute("INSERT OR REPLACE INTO pulse (id, at) VALUES (1, ?)", [to_text(datetime.now(UTC))])


def to_text(moment: datetime | None) -> str | None:
    """Return a moment as it is stored: UTC, fixed width, so that text order is time order. Raises ValueError if it is naive."""
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise ValueError("a stored moment must say its zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_text(text: str | None) -> datetime | None:
    """Return a stored moment as aware UTC."""
    return moment_of(text) if text else None


def moment_of(text: str) -> datetime:
    """Return the moment of a column that is never empty."""
    return datetime.fromisoformat(text)
