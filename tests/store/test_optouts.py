"""Who wants no texts, who may want none, and numbers that are recognised after they were forgotten."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlite_utils

from tests.store.rows import CALLER, NOON, a_text, after
from textbackd.store import journal, optouts, outbox
from textbackd.store.database import open_database, writing
from textbackd.store.number_key import hashed
from textbackd.store.optouts import OptedOutBy, OptOut
from textbackd.store.states import State, TextOf


def forgotten(db: sqlite_utils.Database) -> None:
    """Opt the caller out and keep of the number only its hash."""
    optouts.add(db, CALLER, OptedOutBy.TEXT, "stick", NOON)
    db.execute("UPDATE optouts SET number = hashed(number)")


def test_a_forgotten_number_is_still_opted_out(db: sqlite_utils.Database) -> None:
    forgotten(db)
    assert optouts.find(db, CALLER) == OptOut(None, NOON, OptedOutBy.TEXT, "stick")
    assert journal.history(db, CALLER, now=NOON, observing=False).opted_out_at == NOON
    assert [one.number for one in optouts.listing(db)] == [None]
    with writing(db):
        outbox.add(db, a_text(), case_id=None, call_id=None, now=NOON)
    assert outbox.claim(db, "stick", NOON) is None
    assert not optouts.add(db, CALLER, OptedOutBy.PERSON, "again", after(days=1)), "it is out already"
    assert len(optouts.listing(db)) == 1


def test_a_forgotten_number_can_opt_in_again(db: sqlite_utils.Database) -> None:
    forgotten(db)
    assert optouts.remove(db, CALLER)
    assert optouts.find(db, CALLER) is None


def test_the_hash_of_a_number_is_not_the_same_in_another_database(db: sqlite_utils.Database, tmp_path: Path) -> None:
    with closing(open_database(tmp_path / "other.db")) as other:
        assert hashed(other, CALLER) != hashed(db, CALLER)
    with closing(open_database(tmp_path / "other.db")) as again:
        assert hashed(again, CALLER) == hashed(again, CALLER)
    assert CALLER[1:] not in hashed(db, CALLER)


def test_the_key_outlives_the_process(tmp_path: Path) -> None:
    hashes = []
    for _ in range(2):
        with closing(open_database(tmp_path / "new.db")) as database:
            hashes.append(hashed(database, CALLER))
    assert hashes[0] == hashes[1]


@pytest.mark.parametrize("kind", [kind for kind in TextOf if kind is not TextOf.OPTED_OUT])
def test_only_the_confirmation_of_stop_goes_to_a_number_that_wants_no_texts(
    db: sqlite_utils.Database, kind: TextOf
) -> None:
    optouts.add(db, CALLER, OptedOutBy.TEXT, "stick", NOON)
    with writing(db):
        outbox.add(db, a_text(kind=kind), case_id=None, call_id=None, now=NOON)
        outbox.add(db, a_text(kind=TextOf.OPTED_OUT, body="You won't"), case_id=None, call_id=None, now=NOON)
    claimed = [outbox.claim(db, "stick", NOON) for _ in range(2)]
    assert [one and one.body for one in claimed] == ["You won't", None]


def test_opting_in_again_cancels_the_confirmation_that_has_not_gone_out(db: sqlite_utils.Database) -> None:
    optouts.add(db, CALLER, OptedOutBy.TEXT, "stick", NOON)
    with writing(db):
        outbox.add(db, a_text(kind=TextOf.OPTED_OUT), case_id=None, call_id=None, now=NOON)
    optouts.remove(db, CALLER)
    assert [row["state"] for row in outbox.listing(db)] == [State.CANCELLED]


def test_a_database_of_an_earlier_version_gets_its_key_and_keeps_its_opt_outs(tmp_path: Path) -> None:
    path = tmp_path / "textbackd.db"
    with closing(open_database(path)) as db:
        optouts.add(db, CALLER, OptedOutBy.GATEWAY, "web", NOON)
    with closing(sqlite3.connect(path)) as raw:  # as m003 left it
        raw.executescript(
            "DROP TABLE asks; DROP TABLE meta; DROP INDEX outbox_by_kind;"
            "DELETE FROM _sqlite_migrations WHERE name = 'm004_wishes'"
        )
    with closing(open_database(path)) as db:
        assert optouts.find(db, CALLER) is not None
        assert hashed(db, CALLER).startswith("hmac:")
