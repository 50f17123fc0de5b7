"""A full disk: what is under way can be written down, nothing is begun, and it goes on by itself."""

import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import sqlite_utils

from tests.store.rows import NOON, a_text, after
from textbackd.store import ballast, outbox
from textbackd.store.ballast import ROOM, SIZE, Ballast
from textbackd.store.database import Store

DISK = ROOM + 4 * 1024 * 1024  # bytes


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, small enough to be filled."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "none", str(folder)], check=False)
    if mounted.returncode != 0:
        pytest.skip("a disk can be mounted by root only")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Take all the space that there is."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"\0" * 4096)
    return filler


async def test_the_result_of_a_text_under_way_is_written_down_on_a_full_disk_and_no_other_is_begun(disk: Path) -> None:
    store = Store(disk / "textbackd.db")
    await store.open()
    for _ in range(2):
        await store.run(lambda db: outbox.add_manual(db, a_text(), now=NOON))
    text = await store.run(lambda db: outbox.claim(db, "stick", NOON))
    assert text is not None
    filler = fill(disk)
    assert not store.is_tight
    await store.run(lambda db: _many(db, 40))  # until the write-ahead log has to grow
    await store.run(lambda db: outbox.accepted(db, text, "12", after(seconds=1)))
    assert store.is_tight
    await store.look_for_space()
    assert store.is_tight, "there is no space yet"
    filler.unlink()
    await store.look_for_space()
    assert not store.is_tight
    assert (await store.run(lambda db: outbox.find(db, text.id)) or {})["state"] == "accepted"
    await store.close()


def _many(db: sqlite_utils.Database, count: int) -> None:
    for number in range(count):
        outbox.add_manual(db, a_text(body="x" * 4000, at=after(hours=number)), now=NOON)


async def test_without_ballast_a_full_disk_is_an_error_that_loses_nothing(disk: Path) -> None:
    store = Store(disk / "textbackd.db")
    await store.open()
    Ballast(disk / "textbackd.db").give_up()
    filler = fill(disk)
    with pytest.raises(sqlite3.OperationalError, match="full"):
        await store.run(lambda db: _many(db, 2000))
    filler.unlink()
    await store.run(lambda db: _many(db, 10))
    await store.close()


def test_it_is_laid_in_once_and_given_up_once(tmp_path: Path) -> None:
    held = Ballast(tmp_path / "textbackd.db")
    assert not held.is_there
    assert held.hold()
    assert held.hold()
    (file,) = tmp_path.iterdir()
    assert file.stat().st_blocks * 512 >= SIZE, "a sparse file frees nothing"
    assert file.stat().st_mode & 0o077 == 0
    assert held.give_up()
    assert not held.give_up()


def test_it_is_not_laid_in_where_little_is_left(disk: Path) -> None:
    (disk / "much").write_bytes(b"\0" * (DISK - ballast.SIZE))
    assert not Ballast(disk / "textbackd.db").hold()
