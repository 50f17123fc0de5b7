"""`textbackd leads` shows what nobody has read, and whatever was typed moves no cursor."""

from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.store.rows import CALLER, NOON
from textbackd.core.phone import E164
from textbackd.store import leads
from textbackd.store.database import open_database, writing
from textbackd.store.leads import NewLead

pytestmark = pytest.mark.slow


def kept(config: Path, number: E164 | None, words: str) -> None:
    lead = NewLead(
        source="website", line="main", at=NOON, number=number, phone="call \x1b[2Jme", name="Jane", words=words
    )
    with closing(open_database(config.parent / "textbackd.db")) as db, writing(db):
        leads.add_within(db, lead, None, None, None)


def test_forms_without_a_number_are_shown_until_they_are_read(shell: Shell, config: Path) -> None:
    kept(config, None, "The roof leaks\nemail: j@example.com")
    kept(config, CALLER, "with a number")
    done = shell("leads", "--config", config)
    assert (done.code, done.out) == (
        0,
        "    1  02 Mar 2026 05:00  website  Jane\n    phone: call [2Jme\n    The roof leaks\n    email: j@example.com\n",
    )
    assert shell("leads", "read", "1", "--config", config).out == "The form 1 is read.\n"
    assert shell("leads", "--config", config).out == "No form without a number waits to be read.\n"


@pytest.mark.parametrize(
    "which", ["2", "99", "x", "0", "9" * 30], ids=["one with a number", "none", "word", "zero", "huge"]
)
def test_what_is_not_on_the_list_cannot_be_read(shell: Shell, config: Path, which: str) -> None:
    kept(config, None, "x")
    kept(config, CALLER, "y")
    done = shell("leads", "read", which, "--config", config)
    assert done.code == 2
    assert done.sentence
