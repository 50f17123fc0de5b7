"""Does the API keep to its own document?  Asked by Schemathesis, with every check that it has."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.store.rows import CALLER, DAY, NOON, a_text, judged
from tests.web import schemathesis
from tests.web.inbox import open_inbox
from textbackd.core.conversation import Happening
from textbackd.core.phone import E164
from textbackd.store import conversations, journal, leads, tokens
from textbackd.store.conversations import News
from textbackd.store.database import writing
from textbackd.store.leads import NewLead
from textbackd.web.api.__main__ import DOCUMENT
from textbackd.web.api.routes import OPERATIONS
from textbackd.web.pace import Pace

pytestmark = pytest.mark.slow
SECONDS = 30
PATIENCE = 180  # a machine that has other work needs longer for the last request
UNHURRIED = Pace(10**9, timedelta(microseconds=1))
SECRET = "the secret of a program"


def filled(db: Any) -> None:
    """Put in what can be asked for: a missed call with its text, conversations, and forms without a number."""
    tokens.add(db, "bob", "schemathesis", SECRET, NOON)
    journal.record(db, judged(), a_text(), same_case_within=DAY, now=NOON)
    with writing(db):
        for last in range(10):
            number = E164(f"{CALLER[:-1]}{last}")
            conversations.happen(db, News(number=number, happening=Happening.WROTE, at=NOON, words="Yes please"))
            lead = NewLead(source="website", line="main", at=NOON, number=None, phone="?", name="Jane", words="Leak")
            leads.add_within(db, lead, None, None, None)


async def test_the_api_keeps_to_its_document(tmp_path: Path) -> None:
    schemathesis.program()  # before there is anything to wait for it
    async with open_inbox(tmp_path, pace=UNHURRIED) as inbox:
        await inbox.write(filled)
        code, said = await schemathesis.run(
            "run", Path(__file__).parents[2] / DOCUMENT, "--url", str(inbox.url),
            "--header", f"Authorization: Bearer {SECRET}", "--checks", "all", "--max-time", str(SECONDS),
            "--max-examples", "20", "--continue-on-failure", "--seed", "1", "--request-timeout", "30", "--warnings", "off",
            folder=tmp_path, seconds=PATIENCE,
        )  # fmt: skip
    assert code == 0, said[-6000:]
    assert f"Tested: {len(OPERATIONS)}" in said
