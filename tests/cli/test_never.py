"""`textbackd never`: the never-list beside the configuration's, kept while the daemon runs."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlite_utils

from tests.cli.conftest import CONFIG, Shell
from tests.store.rows import CALLER, DAY, NOON, judged
from textbackd.store import never
from textbackd.store.database import open_database
from textbackd.store.journal import record

pytestmark = pytest.mark.slow
OTHER = "+13035550177"


@pytest.fixture
def db(config: Path) -> Iterator[sqlite_utils.Database]:
    with closing(open_database(config.parent / "textbackd.db")) as database:
        yield database


@pytest.fixture
def naming(config: Path, db: sqlite_utils.Database) -> Path:
    """The configuration, which names a number of its own in two places."""
    named = f'policy: {{never: ["{OTHER}"]}}\ncontacts: {{never: {{numbers: ["{OTHER}"]}}}}\n'
    config.write_text(CONFIG.format(folder=config.parent) + named)
    return config


def test_a_number_is_put_on_the_list_told_and_taken_off(shell: Shell, config: Path, db: sqlite_utils.Database) -> None:
    assert shell("never", "--config", config).out == "Nobody was put on the never-list here.\n"
    added = shell("never", "add", "(303) 555-0142", "--why", "sells adverts", "--config", config)
    assert (added.code, added.out) == (0, f"{CALLER} is on the never-list.\n")
    assert shell("never", "add", CALLER, "--config", config).out == f"{CALLER} was on the never-list already.\n"
    told = shell("never", "--config", config).out
    assert told.startswith(f"{CALLER}     since ")
    assert told.endswith(": sells adverts\n")
    assert shell("never", "remove", CALLER, "--config", config).out == f"{CALLER} is off the never-list.\n"
    assert shell("never", "remove", CALLER, "--config", config).out == f"{CALLER} was not on the never-list.\n"


def test_who_put_a_number_there_and_what_was_forgotten_is_told(
    shell: Shell, config: Path, db: sqlite_utils.Database
) -> None:
    record(db, judged(), None, same_case_within=DAY, now=NOON)
    never.add(db, CALLER, "anna", "sells \x1b[2Jadverts", NOON)
    assert shell("never", "--config", config).out == f"{CALLER}     since 02 Mar 2026 by anna: sells [2Jadverts\n"
    explained = shell("explain", CALLER, "--config", config).out
    assert explained.endswith(f"{CALLER} is on the never-list since 02 Mar 2026: sells [2Jadverts\n")
    assert shell("forget", CALLER, "--yes", "--config", config).out == (
        f"{CALLER} is forgotten. It stays on the never-list.\n"
    )
    assert shell("never", "--config", config).out == "(forgotten)      since 02 Mar 2026 by anna\n"


def test_what_the_configuration_names_is_counted_and_cannot_be_taken_off_here(shell: Shell, naming: Path) -> None:
    told = shell("never", "--config", naming).out
    assert told.endswith("The configuration names 1 more (`policy.never` or `contacts.never`).\n")
    done = shell("never", "remove", OTHER, "--config", naming)
    assert done.code == 1
    assert "The configuration names it, so its calls do not count" in done.sentence


@pytest.mark.parametrize("command", [["add", "Jane"], ["remove", "Jane"]], ids=["add", "remove"])
def test_what_is_no_number_is_wrong_usage(shell: Shell, config: Path, command: list[str]) -> None:
    done = shell("never", *command, "--config", config)
    assert done.code == 2
    assert "'Jane' is not a phone number" in done.sentence
