"""`backup` and `restore` at the terminal: what they say, and what they refuse."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlite_utils

from tests.cli.conftest import Shell
from tests.store.rows import DAY, NOON, a_text, judged
from textbackd.store import accounts, tokens
from textbackd.store.accounts import Role
from textbackd.store.database import only_one, open_database
from textbackd.store.journal import record

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def db(config: Path) -> Iterator[sqlite_utils.Database]:
    """A database in which one call was missed and waits for its text."""
    with closing(open_database(config.parent / "textbackd.db")) as database:
        record(database, judged(), a_text(gateways=["web"]), same_case_within=DAY, now=NOON)
        yield database


def test_a_backup_says_what_is_in_it(shell: Shell, config: Path) -> None:
    file = config.parent / "copy.db"
    done = shell("backup", file, "--config", config)
    lines = done.out.splitlines()
    assert (done.code, done.err) == (0, "")
    assert (lines[0].startswith(f"{file}: "), lines[0].endswith(" MB, checked.")) == (True, True)
    assert lines[2:] == [
        "  1 call, 1 text, 1 conversation, 0 opt-outs.",
        "  The last call ended 02 Mar 2026 05:00.",
    ]


def test_in_a_folder_the_newest_are_kept_and_other_files_are_left_alone(shell: Shell, config: Path) -> None:
    folder = config.parent / "backups"
    folder.mkdir()
    old = [f"textbackd-2025010{day}T000000Z.db" for day in range(1, 5)]
    for name in [*old, "textbackd-of-my-own.db", "photo.jpg"]:
        (folder / name).touch()
    done = shell("backup", folder, "--keep", "2", "--config", config)
    assert (done.code, done.out.splitlines()[-1]) == (0, "Deleted: 3 older.")
    left = sorted(path.name for path in folder.iterdir())
    assert [name for name in left if name in old] == [old[-1]]
    assert len(left) == 4


def test_in_a_folder_what_was_left_of_broken_backups_goes_after_a_day(shell: Shell, config: Path) -> None:
    folder = config.parent / "backups"
    folder.mkdir()
    old = [f".textbackd-20250101T000000Z.db.part{end}" for end in ("", "-journal")]
    kept = [".textbackd-20250102T000000Z.db.part", ".textbackd-of-my-own.part"]  # one may be under way
    for name in [*old, *kept]:
        (folder / name).touch()
    for name in [*old, kept[1]]:
        os.utime(folder / name, (0, 0))
    shell("backup", folder, "--keep", "2", "--config", config)
    assert sorted(path.name for path in folder.iterdir())[:-1] == kept


def test_keep_without_a_folder_is_wrong_usage(shell: Shell, config: Path) -> None:
    done = shell("backup", config.parent / "copy.db", "--keep", "2", "--config", config)
    assert (done.code, "--keep is for a FOLDER" in done.sentence) == (2, True)


def test_a_restore_tells_what_it_closed_and_what_to_do(shell: Shell, config: Path) -> None:
    file = config.parent / "copy.db"
    shell("backup", file, "--config", config)
    done = shell("restore", file, "--yes", "--config", config)
    assert (done.code, done.err) == (0, "")
    assert [line for line in done.out.splitlines() if len(line) > 80 and "/" not in line] == []
    assert "Closed: 1 text and 0 notices that waited. None of them goes out." in done.out
    assert done.out.splitlines()[-1] == "Everybody logs in anew. Now: systemctl start textbackd"
    with closing(open_database(config.parent / "textbackd.db")) as db:
        assert db.execute("SELECT state FROM outbox").fetchone() == ("cancelled",)
    said = shell("explain", "+13035550142", "--config", config).out
    assert "a backup was restored" in " ".join(said.split())


def test_a_restore_says_who_may_log_in_and_which_programs_may_not(
    shell: Shell, config: Path, db: sqlite_utils.Database
) -> None:
    accounts.add(db, "anna", Role.OWNER, "hashed", NOON)
    tokens.add(db, "anna", "crm", "secret", NOON)
    shell("backup", config.parent / "copy.db", "--config", config)
    assert "  May log in: anna." in shell("restore", config.parent / "copy.db", "--yes", "--config", config).out
    (config.parent / "textbackd.db").write_bytes(b"ruined" * 4000)
    told = shell("restore", config.parent / "copy.db", "--yes", "--config", config).out
    assert "  May log in: anna.\n  If somebody was shut out since the backup: textbackd staff disable NAME" in told
    assert "  1 API token revoked" in told


def test_a_restore_says_what_is_paused(shell: Shell, config: Path) -> None:
    shell("line", "pause", "--why", "holiday", "--config", config)
    shell("backup", config.parent / "copy.db", "--config", config)
    told = shell("restore", config.parent / "copy.db", "--yes", "--config", config).out
    assert [line[-9:] for line in told.splitlines() if line.startswith("  Every line is paused since ")] == [
        " holiday."
    ]


def test_it_asks_first(shell: Shell, config: Path) -> None:
    file = config.parent / "copy.db"
    shell("backup", file, "--config", config)
    done = shell("restore", file, "--config", config, typed="n\n")
    assert (done.code, done.err[-1:]) == (130, "\n")
    assert list(config.parent.glob("*before*")) == []


@pytest.mark.parametrize("runs", [True, False], ids=["while the daemon runs", "of a file that is none"])
def test_what_cannot_be_restored_is_one_sentence(shell: Shell, config: Path, runs: bool) -> None:
    file = config if not runs else config.parent / "copy.db"
    shell("backup", config.parent / "copy.db", "--config", config)
    lock = only_one(config.parent / "textbackd.db") if runs else None
    done = shell("restore", file, "--yes", "--config", config)
    assert (done.code, len(done.sentence.splitlines())) == (1, 1)
    assert ("systemctl stop textbackd" in done.sentence) is (lock is not None)
