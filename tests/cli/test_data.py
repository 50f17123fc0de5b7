"""`export` and `forget`: what is kept about one number, and the end of it."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlite_utils

from tests.cli.conftest import Shell
from tests.core.calls import a_call
from tests.store.rows import CALLER, DAY, NOON, a_text, judged
from textbackd.core.call import Moment
from textbackd.store import optouts, outbox
from textbackd.store.database import open_database
from textbackd.store.journal import record
from textbackd.store.optouts import OptedOutBy

pytestmark = pytest.mark.slow


@pytest.fixture
def db(config: Path) -> Iterator[sqlite_utils.Database]:
    """A database in which one call was missed and waits for its text."""
    with closing(open_database(config.parent / "textbackd.db")) as database:
        call = a_call(way=(Moment(NOON, "arrived", "+13035550101"),))
        record(database, judged(call=call), a_text(gateways=["web"]), same_case_within=DAY, now=NOON)
        yield database


def test_everything_about_a_number_is_in_one_file_that_nobody_else_can_read(
    shell: Shell, config: Path, db: sqlite_utils.Database
) -> None:
    file = config.parent / "jane.json"
    done = shell("export", "(303) 555-0142", file, "--config", config)
    assert (done.code, done.out) == (0, f"{file}: 1 call, 1 text to it, 0 texts from it.\n")
    assert file.stat().st_mode & 0o077 == 0
    kept = json.loads(file.read_text())
    assert (kept["number"], kept["calls"][0]["verdict"], kept["texts"][0]["body"]) == (
        CALLER, "missed", "Sorry we missed your call",
    )  # fmt: skip
    assert kept["calls"][0]["way"] == [["2026-03-02T12:00:00.000000Z", "arrived", "+13035550101"]]


def test_a_dash_prints_it(shell: Shell, config: Path, db: sqlite_utils.Database) -> None:
    assert json.loads(shell("export", CALLER, "-", "--config", config).out)["number"] == CALLER


def test_a_file_that_is_there_is_not_written_over(shell: Shell, config: Path, db: sqlite_utils.Database) -> None:
    done = shell("export", CALLER, config, "--config", config)
    assert done.code == 1
    assert "cannot be written (File exists). Name another FILE." in done.sentence
    assert config.read_text().lstrip().startswith("business")


@pytest.mark.parametrize("command", [["export"], ["forget", "--yes"]], ids=["export", "forget"])
@pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        pytest.param("+13035550177", 1, "Nothing is kept about +13035550177.", id="a number that never called"),
        pytest.param("Jane", 2, "'Jane' is not a phone number", id="a name"),
    ],
)
def test_who_is_not_known_is_a_sentence(
    shell: Shell, config: Path, db: sqlite_utils.Database, command: list[str], number: str, code: int, said: str
) -> None:
    done = shell(*command, number, "--config", config)
    assert done.code == code
    assert said in done.sentence


def test_forgetting_asks_first_and_without_an_answer_does_nothing(
    shell: Shell, config: Path, db: sqlite_utils.Database
) -> None:
    done = shell("forget", CALLER, "--config", config)
    assert done.code == 130
    assert (
        f"Erase what is kept about {CALLER} (1 call, 1 text to it, 0 texts from it), for ever?" in done.out + done.err
    )
    assert outbox.listing(db) != []
    done = shell("forget", CALLER, "--config", config, typed="n\n")
    assert (done.code, done.sentence.splitlines()[-1]) == (1, "Nothing was erased.")
    assert outbox.listing(db) != []


def test_a_forgotten_number_is_gone_and_stays_opted_out(shell: Shell, config: Path, db: sqlite_utils.Database) -> None:
    optouts.add(db, CALLER, OptedOutBy.TEXT, "web", NOON)
    done = shell("forget", CALLER, "--yes", "--config", config)
    assert (done.code, done.out) == (0, f"{CALLER} is forgotten. It stays opted out.\n")
    assert outbox.listing(db) == []
    assert "(forgotten)" in shell("optout", "--config", config).out
    assert shell("optout", "remove", CALLER, "--config", config).out == f"{CALLER} may be texted again.\n"


def test_a_text_on_its_way_is_waited_for(shell: Shell, config: Path, db: sqlite_utils.Database) -> None:
    assert outbox.claim(db, "web", NOON) is not None
    done = shell("forget", CALLER, "--yes", "--config", config)
    assert done.code == 1
    assert "Try again in a minute." in done.sentence
