"""A backup is whole, private, and made without holding the daemon up; what is no backup is told from one."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
import sqlite_utils

from tests.store.disk import leave, small_disk
from tests.store.rows import DAY, NOON, a_text, after, judged
from textbackd.store import backup, journal
from textbackd.store.database import StorageError, open_database, writing
from textbackd.store.migrations import MIGRATION_NAMES


@pytest.fixture
def database(tmp_path: Path, db: sqlite_utils.Database) -> Path:
    """A database in use, with one missed call and its text."""
    journal.record(db, judged(), a_text(), same_case_within=DAY, now=NOON)
    return tmp_path / "textbackd.db"


def test_a_backup_is_one_private_file_that_says_what_is_in_it(tmp_path: Path, database: Path) -> None:
    copy = tmp_path / "copy.db"
    held = backup.take(database, copy, after(hours=1))
    assert (held.calls, held.texts, held.conversations, held.optouts) == (1, 1, 1, 0)
    assert (held.made_at, held.last_call_at, held.schema) == (after(hours=1), NOON, MIGRATION_NAMES[-1])
    assert copy.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir() if "copy" in path.name) == ["copy.db"]
    assert copy.read_bytes()[18:20] == b"\x01\x01"  # no write-ahead log belongs to it (sqlite.org/fileformat2.html)


def test_it_holds_what_is_in_the_write_ahead_log_only(tmp_path: Path, database: Path) -> None:
    assert (tmp_path / "textbackd.db-wal").stat().st_size > 0
    assert backup.take(database, tmp_path / "copy.db", NOON).calls == 1


def test_the_database_itself_is_not_changed(tmp_path: Path, database: Path, db: sqlite_utils.Database) -> None:
    before = list(db.query("SELECT name FROM meta"))
    backup.take(database, tmp_path / "copy.db", NOON)
    assert list(db.query("SELECT name FROM meta")) == before


@pytest.mark.parametrize(
    ("prepare", "target", "said"),
    [
        pytest.param(lambda path: path.write_bytes(b"mine"), "copy.db", "is there already. Name another FILE.", id="taken"),
        pytest.param(lambda path: None, "nowhere/copy.db", "cannot be written", id="no such folder"),
    ],
)  # fmt: skip
def test_what_cannot_be_written_is_said_and_leaves_nothing(
    tmp_path: Path, database: Path, prepare: object, target: str, said: str
) -> None:
    assert callable(prepare)
    prepare(tmp_path / "copy.db")
    there = sorted(tmp_path.iterdir())
    with pytest.raises(StorageError, match=said):
        backup.take(database, tmp_path / target, NOON)
    assert sorted(tmp_path.iterdir()) == there


def test_a_full_disk_leaves_nothing_of_the_backup(tmp_path: Path, database: Path) -> None:
    """Some of these fail when the pages are copied, some when the log is opened beside them, and the last do not fail."""
    size = backup.take(database, tmp_path / "whole.db", NOON).size
    with small_disk(tmp_path / "disk", 2 * size) as disk:
        for free in range(0, size + 80_000, 8192):
            leave(free, disk)
            with suppress(StorageError):
                backup.take(database, disk / "copy.db", NOON)
            assert {path.name for path in disk.iterdir()} <= {"filling", "copy.db"}
            (disk / "filling").unlink()
            (disk / "copy.db").unlink(missing_ok=True)


def test_what_an_earlier_backup_left_does_not_get_into_the_next(tmp_path: Path, database: Path) -> None:
    for end in ("", "-journal", "-wal", "-shm"):
        (tmp_path / f".copy.db.part{end}").write_bytes(b"of another copy")
    assert backup.take(database, tmp_path / "copy.db", NOON).calls == 1
    assert [path.name for path in tmp_path.iterdir() if "copy" in path.name] == ["copy.db"]


def test_a_damaged_database_makes_no_backup(tmp_path: Path, migrated: bytes) -> None:
    bad = bytearray(migrated)
    for page in range(8, len(bad) // 4096, 2):
        bad[page * 4096 : page * 4096 + 64] = b"\xee" * 64
    (tmp_path / "bad.db").write_bytes(bytes(bad))
    with pytest.raises(StorageError, match=r"damaged|malformed"):
        backup.take(tmp_path / "bad.db", tmp_path / "copy.db", NOON)
    assert not (tmp_path / "copy.db").exists()


def test_there_has_to_be_a_database(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="there is no database yet"):
        backup.take(tmp_path / "none.db", tmp_path / "copy.db", NOON)


@contextmanager
def written_all_the_time(database: Path) -> Iterator[list[float]]:
    """Write as the daemon does until the block ends; yield the seconds that each commit took."""
    took: list[float] = []
    stop = threading.Event()

    def work() -> None:
        with closing(open_database(database)) as db:
            while not stop.is_set():
                began = time.monotonic()
                with writing(db):
                    db.execute("INSERT OR REPLACE INTO pulse (id, at) VALUES (1, ?)", [str(began)])
                took.append(time.monotonic() - began)
                time.sleep(0.002)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield took
    finally:
        stop.set()
        thread.join()


def test_it_comes_to_an_end_while_the_daemon_writes_and_holds_no_commit_up(tmp_path: Path, database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:  # many steps, with commits in between
        connection.execute("CREATE TABLE much (what BLOB)")
        connection.executemany("INSERT INTO much VALUES (?)", [[bytes(4000)]] * 15_000)
        connection.commit()
    with written_all_the_time(database) as took:
        while not took:
            time.sleep(0.01)
        before = len(took)
        backup.take(database, tmp_path / "copy.db", NOON)
        during = took[before:]
    assert len(during) > 5
    # A held lock would make a commit wait for all of the copying; a busy machine does not.
    assert max(during) < 4
