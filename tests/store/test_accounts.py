"""Accounts, sessions, tokens and refusals, as they stand in the tables."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import sqlite_utils

from tests.store.rows import NOON, after
from textbackd.store import accounts, acts, refusals, sessions, tokens
from textbackd.store.accounts import Role
from textbackd.store.database import to_text, writing
from textbackd.store.refusals import FORGOTTEN_AFTER, MOST_KEPT


@pytest.fixture(autouse=True)
def anna(db: sqlite_utils.Database) -> None:
    accounts.add(db, "anna", Role.OWNER, "hash", NOON)


def log_in(db: sqlite_utils.Database, staff: str, secret: str, now: datetime) -> None:
    account = accounts.find(db, staff)
    assert account is not None
    assert sessions.start(db, account, secret, "Firefox", now)


def test_an_account_that_there_is_is_not_made_again(db: sqlite_utils.Database) -> None:
    assert not accounts.add(db, "ANNA", Role.STAFF, "another", NOON)
    found = accounts.find(db, "anna")
    assert found is not None
    assert (found.role, found.password) == (Role.OWNER, "hash")


def test_an_account_that_is_deleted_or_disabled_has_no_way_in(db: sqlite_utils.Database) -> None:
    accounts.add(db, "bob", Role.STAFF, "hash", NOON)
    for staff in ("anna", "bob"):
        log_in(db, staff, f"{staff}'s", NOON)
        tokens.add(db, staff, "crm", f"{staff}'s token", NOON)
        accounts.invite(db, staff, Role.STAFF, f"{staff}'s link", NOON)
    accounts.disable(db, "anna", NOON)
    db.execute("DELETE FROM accounts WHERE staff = 'bob'")
    for staff in ("anna", "bob"):
        assert sessions.find(db, f"{staff}'s", NOON) is None
        assert tokens.find(db, f"{staff}'s token") is None
        assert accounts.invited(db, f"{staff}'s link", NOON) is None
    assert db.execute("SELECT count(*) FROM sessions").fetchone() == (0,)


def test_a_session_lives_only_while_its_account_may_log_in(db: sqlite_utils.Database) -> None:
    log_in(db, "anna", "x", NOON)
    db.execute("UPDATE accounts SET disabled_at = '2026'")
    assert sessions.find(db, "x", NOON) is None


def test_when_a_session_was_last_seen_is_to_be_noted_every_few_minutes_only(db: sqlite_utils.Database) -> None:
    log_in(db, "anna", "x", NOON)
    noted = []
    for minutes in (4, 5, 9, 10):
        found = sessions.find(db, "x", after(minutes=minutes))
        assert found is not None
        if sessions.is_to_note(found, after(minutes=minutes)):
            sessions.seen(db, found, after(minutes=minutes))
            noted.append(minutes)
    assert noted == [5, 10]
    assert sessions.listing(db, after(minutes=10))[0].last_seen_at == after(minutes=10)


@pytest.mark.parametrize(
    "meanwhile",
    [
        pytest.param(lambda db: accounts.set_password(db, "anna", "new", NOON), id="the password was changed"),
        pytest.param(lambda db: accounts.disable(db, "anna", NOON), id="the account was disabled"),
        pytest.param(lambda db: db.execute("DELETE FROM accounts"), id="the account is gone"),
    ],
)
def test_a_password_that_was_proved_before_opens_nothing_after(
    db: sqlite_utils.Database, meanwhile: Callable[[sqlite_utils.Database], object]
) -> None:
    log_in(db, "anna", "earlier", NOON)
    proved = accounts.find(db, "anna")
    assert proved is not None
    meanwhile(db)
    assert not sessions.start(db, proved, "x", "Firefox", NOON)
    assert not accounts.set_password(db, "anna", "mine", NOON, proved="hash")
    assert sessions.listing(db, NOON) == []
    assert [account.password for account in accounts.listing(db)] != ["mine"]


def test_sessions_that_are_too_old_go_with_the_next_login(db: sqlite_utils.Database) -> None:
    log_in(db, "anna", "x", NOON)
    log_in(db, "anna", "y", NOON + sessions.IDLE_FOR)
    assert db.execute("SELECT count(*) FROM sessions").fetchone() == (1,)


def test_a_password_that_was_changed_meanwhile_is_not_put_back(db: sqlite_utils.Database) -> None:
    accounts.set_password(db, "anna", "new", NOON)
    accounts.strengthen(db, "anna", "hash", "the old one, stronger")
    found = accounts.find(db, "anna")
    assert found is not None
    assert found.password == "new"


def test_an_invitation_is_used_by_one(db: sqlite_utils.Database) -> None:
    accounts.invite(db, "anna", Role.STAFF, "link", NOON)
    assert accounts.accept(db, "link", "first", NOON) == "anna"
    assert accounts.accept(db, "link", "second", NOON) is None
    assert [act["kind"] for act in acts.listing(db)] == ["password_changed", "invited", "account_made"]


# ---- refusals


@pytest.mark.parametrize(
    ("attempts", "pause"),
    [(0, 0), (4, 0), (5, 2), (6, 4), (13, 512), (14, 900), (10_000, 900)],
)
def test_the_pause_doubles_to_a_quarter_of_an_hour(attempts: int, pause: int) -> None:
    assert refusals.pause_after(attempts, free=5) == timedelta(seconds=pause)


def test_an_attempt_counts_before_it_is_known_how_it_ends(db: sqlite_utils.Database) -> None:
    whos = (refusals.account("anna"), refusals.address("192.0.2.1"))
    begun = [refusals.attempt(db, whos, NOON) for _ in range(10)]
    assert begun == [None] * 5 + [after(seconds=2)] * 5


def test_a_clock_that_is_set_back_locks_nobody_out(db: sqlite_utils.Database) -> None:
    whos = (refusals.account("anna"),)
    for _ in range(5):
        refusals.attempt(db, whos, after(days=365))
    assert refusals.attempt(db, whos, NOON) is None


def test_refusals_are_forgotten_after_a_day(db: sqlite_utils.Database) -> None:
    whos = (refusals.account("anna"),)
    for _ in range(5):
        refusals.attempt(db, whos, NOON)
    later = NOON + FORGOTTEN_AFTER
    assert [refusals.attempt(db, whos, later) for _ in range(5)] == [None] * 5


def test_many_names_do_not_fill_the_disk(db: sqlite_utils.Database) -> None:
    rows = [(str(n), 1, to_text(NOON)) for n in range(MOST_KEPT + 5)]
    with writing(db):
        db.conn.executemany("INSERT INTO refusals (who, count, last_at) VALUES (?, ?, ?)", rows)
    refusals.attempt(db, (refusals.account("anna"),), after(seconds=1))
    assert db.execute("SELECT count(*) FROM refusals").fetchone() == (MOST_KEPT + 1,)
