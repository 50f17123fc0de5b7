"""The database file: what is refused, what is promised to the disk, who may send from it."""

import asyncio
import os
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from pathlib import Path

import pytest
import sqlite_utils
from hypothesis import given
from hypothesis import strategies as st

from textbackd.store.database import (
    StorageError,
    Store,
    from_text,
    is_running,
    only_one,
    open_database,
    to_text,
    writing,
)
from textbackd.store.migrations import MIGRATION_NAMES, MIGRATIONS

TABLES = {"pulse", "cases", "calls", "outbox", "attempts"}


def test_an_empty_file_gets_every_table_and_a_second_opening_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "textbackd.db"
    for _ in range(2):
        database = open_database(path)
        assert set(database.table_names()) >= TABLES
        assert {migration.name for migration in MIGRATIONS.applied(database)} == set(MIGRATION_NAMES)
        database.close()


def test_the_names_of_the_migrations_are_those_that_there_are(tmp_path: Path) -> None:
    database = sqlite_utils.Database(memory=True)
    assert tuple(migration.name for migration in MIGRATIONS.pending(database)) == MIGRATION_NAMES
    database.close()


def test_nobody_else_can_read_the_database(tmp_path: Path) -> None:
    open_database(tmp_path / "textbackd.db").close()
    assert (tmp_path / "textbackd.db").stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_makes_belongs_to_whom_the_folder_belongs(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    os.chown(folder, 4321, 4322)
    with closing(open_database(folder / "textbackd.db")), closing(open_database(folder / "textbackd.db")) as database:
        database.execute("CREATE TABLE a (b)")
        os.close(only_one(folder / "other.db"))
        made = {path.name: path.stat() for path in folder.iterdir()}
    assert {(stat.st_uid, stat.st_gid, stat.st_mode & 0o077) for stat in made.values()} == {(4321, 4322, 0)}
    assert made.keys() >= {"textbackd.db", "textbackd.db-wal", "textbackd.db.opening", "other.db.lock"}


def test_what_is_committed_is_on_disk(db: sqlite_utils.Database) -> None:
    settings = {
        name: db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys")
    }
    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def _of_a_newer_version(path: Path) -> None:
    database = open_database(path)
    database.execute("INSERT INTO _sqlite_migrations VALUES (NULL, 'textbackd', 'm999_later', '2099')")
    database.close()


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        pytest.param(
            lambda path: path.write_bytes(b"no database " * 100), "Move it away, or restore", id="another file"
        ),
        pytest.param(lambda path: path.mkdir(), "Check that the folder exists", id="a folder"),
        pytest.param(_of_a_newer_version, "written by a newer textbackd", id="a newer version's"),
        pytest.param(lambda path: path.symlink_to("/dev/full/x"), "Check that the folder exists", id="no folder there"),
    ],
)
def test_what_cannot_be_a_database_is_refused_with_a_sentence(tmp_path: Path, make: object, sentence: str) -> None:
    path = tmp_path / "textbackd.db"
    make(path)  # type: ignore[operator]
    with pytest.raises(StorageError, match=sentence) as refused:
        open_database(path)
    assert str(refused.value).startswith(f"{path}: ")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    for use in (open_database, only_one):
        with pytest.raises(StorageError):
            use(tmp_path / "textbackd.db")


def test_who_only_reads_makes_no_database(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no database yet"):
        open_database(tmp_path / "textbackd.db", create=False)
    assert list(tmp_path.iterdir()) == []


def test_a_new_file_may_be_opened_by_many_at_once(tmp_path: Path) -> None:
    for round_ in range(5):
        path = tmp_path / f"{round_}.db"
        with ThreadPoolExecutor(8) as threads:
            opened = [threads.submit(lambda p: open_database(p).close(), path) for _ in range(8)]
        assert [opening.exception() for opening in opened] == [None] * 8


# ---- transactions


def test_a_transaction_that_fails_leaves_nothing(db: sqlite_utils.Database) -> None:
    with pytest.raises(ZeroDivisionError), writing(db):
        db.execute("INSERT INTO pulse (id, at) VALUES (1, 'now')")
        raise ZeroDivisionError
    assert db.execute("SELECT count(*) FROM pulse").fetchone() == (0,)
    with writing(db):
        db.execute("INSERT INTO pulse (id, at) VALUES (1, 'now')")


def test_who_writes_is_alone_from_the_start(db: sqlite_utils.Database, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "textbackd.db", timeout=0)
    with writing(db), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    other.close()


# ---- who may send


def test_only_one_process_may_send_from_a_database(tmp_path: Path) -> None:
    path = tmp_path / "not yet" / "textbackd.db"
    assert not is_running(path)
    handle = only_one(path)
    assert is_running(path)
    with pytest.raises(StorageError, match="another textbackd is running"):
        only_one(path)
    os.close(handle)
    assert not is_running(path)


ANOTHER = """
import sys, pathlib
from textbackd.store.database import StorageError, only_one
try:
    only_one(pathlib.Path(sys.argv[1]))
except StorageError as error:
    print(error)
"""


def test_the_right_to_send_holds_between_processes_and_ends_with_one(tmp_path: Path) -> None:
    path = tmp_path / "textbackd.db"
    handle = only_one(path)
    said = subprocess.run([sys.executable, "-c", ANOTHER, str(path)], capture_output=True, text=True, check=True).stdout
    os.close(handle)
    assert "another textbackd is running" in said


# ---- the store of asyncio


async def test_work_is_done_in_the_order_in_which_it_came(tmp_path: Path) -> None:
    store = Store(tmp_path / "textbackd.db")
    await store.open()
    await store.run(lambda db: db.execute("CREATE TABLE done (n)"))
    works = [f"INSERT INTO done VALUES ({n})" for n in range(50)]  # noqa: S608
    await asyncio.gather(*(store.run(partial(sqlite_utils.Database.execute, sql=work)) for work in works))
    done = await store.run(lambda db: [row[0] for row in db.execute("SELECT n FROM done ORDER BY rowid")])
    await store.close()
    assert done == list(range(50))


async def test_a_closed_store_says_so_and_is_not_writable(tmp_path: Path) -> None:
    store = Store(tmp_path / "textbackd.db")
    await store.open()
    assert await store.is_writable()
    await store.close()
    assert not await store.is_writable()
    with pytest.raises(StorageError, match="closed"):
        await store.run(lambda db: db.table_names())


async def test_a_store_whose_connection_broke_is_not_writable(tmp_path: Path) -> None:
    store = Store(tmp_path / "textbackd.db")
    await store.open()
    await store.run(lambda db: db.conn.close())
    assert not await store.is_writable()
    await store.close()


# ---- moments as text


MOMENTS = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001  # hypothesis wants the bounds naive and adds the zone
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-7)), timezone(timedelta(hours=5, minutes=45))]),
)


@given(MOMENTS, MOMENTS)
def test_stored_moments_come_back_and_sort_as_text(one: datetime, other: datetime) -> None:
    first, second = to_text(one), to_text(other)
    assert (from_text(first), first is not None and len(first)) == (one, 27)
    assert (str(first) < str(second)) == (one < other)


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        to_text(datetime(2026, 3, 2, 12, 0))  # noqa: DTZ001
    assert (to_text(None), from_text(None), from_text("")) == (None, None, None)


async def test_what_is_read_beside_the_work_is_what_was_committed_and_changes_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "textbackd.db")
    await store.open()
    await store.run(lambda db: db.execute("UPDATE meta SET value = 'x' WHERE name = 'number_key'"))
    assert await store.read(lambda db: db.execute("SELECT value FROM meta").fetchone()) == ("x",)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await store.read(lambda db: db.execute("DELETE FROM meta"))
    await store.close()
    with pytest.raises(StorageError):
        await store.read(lambda db: None)


async def test_no_work_waits_for_what_is_read(tmp_path: Path) -> None:
    store, go_on = Store(tmp_path / "textbackd.db"), threading.Event()
    await store.open()
    reading = asyncio.create_task(store.read(lambda _: go_on.wait(20)))
    await store.run(lambda db: db.execute("SELECT 1"))  # would wait until the reading is over
    go_on.set()
    assert await reading
    await store.close()
