"""A running inbox of one test, and a browser that has seen nothing yet."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.web.inbox import Browser, Inbox, open_inbox


@pytest.fixture
async def inbox(tmp_path: Path) -> AsyncIterator[Inbox]:
    async with open_inbox(tmp_path) as running:
        yield running


@pytest.fixture
async def browser(inbox: Inbox) -> AsyncIterator[Browser]:
    async with inbox.browser() as fresh:
        yield fresh
