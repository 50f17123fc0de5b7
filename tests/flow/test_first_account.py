"""What the log says of an inbox that nobody can open."""

import logging
from pathlib import Path

import pytest

from tests.flow.office import running
from tests.store.rows import NOON
from textbackd.store import accounts
from textbackd.store.accounts import Role

pytestmark = pytest.mark.slow

GATEWAY = 'web: {type: http, url: "http://127.0.0.1:9/"}'
SENTENCE = "Nobody can log in yet: textbackd staff add NAME --role owner"


async def test_the_log_says_once_how_the_first_account_is_made(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with running(tmp_path, GATEWAY) as office:
        assert caplog.messages.count(SENTENCE) == 1
        office.write(lambda db: accounts.add(db, "anna", Role.OWNER, "hash", NOON))
    caplog.clear()
    async with running(tmp_path, GATEWAY):
        assert SENTENCE not in caplog.messages
