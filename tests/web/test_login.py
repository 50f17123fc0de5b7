"""Logging in, over a real socket: who gets in, who does not, and what a stranger learns."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.web.inbox import PASSWORD, Browser, Inbox, open_inbox

pytestmark = pytest.mark.slow


@pytest.fixture
async def inbox(tmp_path: Path) -> AsyncIterator[Inbox]:
    async with open_inbox(tmp_path) as running:
        yield running


@pytest.fixture
async def browser(inbox: Inbox) -> AsyncIterator[Browser]:
    async with inbox.browser() as fresh:
        yield fresh


@pytest.mark.parametrize("name", ["anna", "Anna", " anna "])
async def test_name_and_password_let_somebody_in(browser: Browser, name: str) -> None:
    page = await browser.log_in(name)
    assert "Anna Smith" in page.words
    assert browser.cookie("textbackd-login") is None


@pytest.mark.parametrize(
    ("name", "password"),
    [
        pytest.param("anna", "three plain wordz", id="a wrong password"),
        pytest.param("nobody", PASSWORD, id="a wrong name"),
        pytest.param("", "", id="nothing"),
        pytest.param("anna", "x" * 10_000, id="10,000 characters"),
        pytest.param("\x00'--<script>", "\ud800 \u202e", id="what nobody types"),
    ],
)
async def test_whatever_is_wrong_is_told_in_the_same_words(browser: Browser, name: str, password: str) -> None:
    page = await browser.log_in(name, password.encode("utf-8", "replace").decode())
    assert page.status == 401
    assert "That name and password do not belong together." in page.words
    assert "<script>" not in page.text
    assert browser.cookie("textbackd") is None
