"""`staff`: who may log in, said beside the running daemon."""

import os
import pty
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlite_utils

from tests.cli.conftest import Shell
from textbackd.store import accounts, bearer, sessions, tokens
from textbackd.store.database import open_database
from textbackd.web.access.passwords import Passwords

pytestmark = pytest.mark.slow

WITHIN = 60  # seconds; the machine may be busy
PASSWORD = " three plain words "


@pytest.fixture
def db(config: Path) -> Iterator[sqlite_utils.Database]:
    with closing(open_database(config.parent / "textbackd.db")) as database:
        yield database


@pytest.fixture
def anna(shell: Shell, config: Path) -> str:
    """Let anna log in."""
    done = shell(
        "staff", "add", "anna", "--role", "owner", "--password-stdin", "--config", config, typed=PASSWORD + "\n"
    )
    assert (done.code, done.out) == (0, "anna may log in, as owner.\n")
    return "anna"


def log_in(db: sqlite_utils.Database, staff: str, now: datetime) -> None:
    account = accounts.find(db, staff)
    assert account is not None
    assert sessions.start(db, account, "x", "Firefox on Linux", now)


async def test_the_first_account_is_made_at_the_terminal(
    shell: Shell, config: Path, anna: str, db: sqlite_utils.Database
) -> None:
    account = accounts.find(db, anna)
    assert account is not None
    assert account.role is accounts.Role.OWNER
    assert await Passwords().is_right(account.password, PASSWORD)
    assert shell("staff", "--config", config).out == "anna             owner            0 sessions\n"


def test_without_accounts_the_list_says_how_to_make_one(shell: Shell, config: Path, db: sqlite_utils.Database) -> None:
    done = shell("staff", "list", "--config", config)
    assert done.out == "Nobody can log in yet: textbackd staff add NAME --role owner\n"


@pytest.mark.parametrize(
    ("args", "typed", "code", "said"),
    [
        pytest.param(["add", "bob", "--password-stdin"], "short\n", 1, "at least 10 characters", id="a short password"),
        pytest.param(["add", "bob", "--password-stdin"], "", 1, "at least 10 characters", id="no password"),
        pytest.param(["add", "a\nb", "--password-stdin"], PASSWORD, 2, "is no name. Use letters", id="a bad name"),
        pytest.param(
            ["add", "An na!", "--password-stdin"], PASSWORD, 2, "'An na!' is no name.", id="a name with a blank"
        ),
        pytest.param(["add", "bob"], "typed\n", 1, "Use --password-stdin.", id="no terminal"),
        pytest.param(["add", "bob", "--role", "boss"], PASSWORD, 2, "boss", id="a bad role"),
        pytest.param(
            ["add", "ANNA", "--password-stdin"], PASSWORD, 1, "staff password anna\n", id="a name that is taken"
        ),
        pytest.param(
            ["password", "bob", "--password-stdin"], PASSWORD, 1, "bob has no account", id="nobody's password"
        ),
        pytest.param(["disable", "bob"], "", 1, "bob has no account", id="nobody to disable"),
        pytest.param(["sessions", "bob"], "", 1, "bob has no account", id="nobody's sessions"),
        pytest.param(["token", "add", "bob", "--for", "crm"], "", 1, "bob has no account", id="nobody's token"),
        pytest.param(["token", "revoke", "7"], "", 1, "There is no token 7", id="no such token"),
    ],
)
def test_what_cannot_be_done_is_told(
    shell: Shell, config: Path, anna: str, args: list[str], typed: str, code: int, said: str
) -> None:
    done = shell("staff", *args, "--config", config, typed=typed)
    assert done.code == code
    assert said in done.sentence


async def test_a_new_password_ends_every_session(
    shell: Shell, config: Path, anna: str, db: sqlite_utils.Database
) -> None:
    log_in(db, anna, datetime.now(UTC))
    assert "Firefox on Linux         last seen " in shell("staff", "sessions", "anna", "--config", config).out
    done = shell("staff", "password", "Anna", "--password-stdin", "--config", config, typed="a newer password")
    assert done.out == "anna has a new password.\n"
    assert shell("staff", "sessions", "anna", "--config", config).out == "anna is not logged in anywhere.\n"


def test_sessions_are_ended_everywhere(shell: Shell, config: Path, anna: str, db: sqlite_utils.Database) -> None:
    now = datetime.now(UTC)
    log_in(db, anna, now)
    assert shell("staff", "sessions", "anna", "--end", "--config", config).out.endswith("\nEnded.\n")
    assert sessions.listing(db, now) == []


def test_the_last_one_who_is_disabled_is_missed(
    shell: Shell, config: Path, anna: str, db: sqlite_utils.Database
) -> None:
    done = shell("staff", "disable", "anna", "--config", config)
    assert done.out == "anna cannot log in any more.\n"
    assert done.err == "Nobody can log in now: textbackd staff add NAME --role owner\n"
    assert "disabled" in shell("staff", "list", "--config", config).out
    assert "anna is disabled" in shell("staff", "password", "anna", "--config", config).sentence
    again = shell("staff", "add", "anna", "--password-stdin", "--config", config, typed=PASSWORD)
    assert again.out == "anna may log in, as staff.\n"


def test_a_token_is_shown_once_and_alone_on_stdout(
    shell: Shell, config: Path, anna: str, db: sqlite_utils.Database
) -> None:
    done = shell("staff", "token", "add", "anna", "--for", "our CRM", "--config", config)
    found = tokens.find(db, done.out.strip())
    assert found is not None
    assert (found.staff, found.name, len(done.out.strip())) == ("anna", "our CRM", len(bearer.new()))
    listed = shell("staff", "token", "list", "--config", config).out
    assert "our CRM" in listed
    assert done.out.strip() not in listed
    assert shell("staff", "token", "revoke", "1", "--config", config).out == "Token 1 is revoked.\n"
    assert tokens.find(db, done.out.strip()) is None
    assert shell("staff", "token", "list", "--config", config).out == "There are no tokens.\n"


def test_the_password_is_asked_for_twice_unless_it_is_too_short_and_not_shown(
    config: Path, db: sqlite_utils.Database
) -> None:
    with at_a_terminal("staff", "add", "anna", "--config", str(config)) as (process, ours):
        shown = _until(ours, b"Password (at least 10 characters): ")
        os.write(ours, b"three\n")
        # What is typed before the next prompt is thrown away (getpass, TCSAFLUSH).
        shown += _until(ours, b"a good one.\r\nPassword (at least 10 characters): ")
        os.write(ours, b"three plain words\n")
        shown += _until(ours, b"Once more: ")
        os.write(ours, b"three plain words\n")
        shown += _until(ours, b"as staff.")
        assert process.wait(WITHIN) == 0
    assert b"three" not in shown
    assert accounts.anybody(db)


def test_an_account_that_came_while_the_password_was_typed_keeps_its_own(
    config: Path, db: sqlite_utils.Database
) -> None:
    with at_a_terminal("staff", "add", "anna", "--config", str(config)) as (process, ours):
        _until(ours, b"characters): ")
        accounts.add(db, "anna", accounts.Role.OWNER, "the hash of hers", datetime.now(UTC))
        os.write(ours, b"three plain words\n")
        _until(ours, b"Once more: ")
        os.write(ours, b"three plain words\n")
        _until(ours, b"has an account already")
        assert process.wait(WITHIN) == 1
    found = accounts.find(db, "anna")
    assert found is not None
    assert (found.role, found.password) == (accounts.Role.OWNER, "the hash of hers")


@contextmanager
def at_a_terminal(*words: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run `textbackd` with a terminal of its own until the block ends; yield it and our side of the terminal."""
    ours, theirs = pty.openpty()
    command = [str(Path(sys.executable).with_name("textbackd")), *words]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True) as process:
        os.close(theirs)
        try:
            yield process, ours
        finally:
            process.kill()
            os.close(ours)


def _until(terminal: int, wanted: bytes) -> bytes:
    shown = b""
    while wanted not in shown:
        assert select.select([terminal], [], [], WITHIN)[0], f"{wanted!r} was not said after {shown!r}"
        shown += os.read(terminal, 1024)
    return shown
