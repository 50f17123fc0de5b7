"""What pages and programs get while the disk takes no writes: everything that can be read, and a sentence for the rest."""

import logging
from collections.abc import AsyncIterator

import pytest

from tests.web.callers import Caller
from tests.web.inbox import NOON, Browser, Inbox
from textbackd.store import acts, sessions, tokens

pytestmark = pytest.mark.slow
JANE = Caller(name="Jane Kowalski")
NOTED = "who uses the inbox cannot be noted; reading goes on"
TOKEN = {"Authorization": "Bearer the secret"}


def said(caplog: pytest.LogCaptureFixture, sentence: str) -> int:
    return sum(record.getMessage() == sentence for record in caplog.records)


async def takes_writes(inbox: Inbox, yes: bool) -> None:
    await inbox.write(lambda db: db.execute(f"PRAGMA query_only = {'OFF' if yes else 'ON'}"))


@pytest.fixture
async def reader(inbox: Inbox, browser: Browser, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Browser]:
    """Return a browser that logged in before the disk took no more writes, long enough ago to be noted as seen again."""
    await inbox.write(JANE.writes("The roof leaks", NOON))
    await inbox.write(lambda db: tokens.add(db, "bob", "crm", "the secret", NOON))
    await browser.log_in()
    await takes_writes(inbox, False)
    inbox.hands.pass_by(minutes=10)
    with caplog.at_level(logging.WARNING):
        yield browser


@pytest.mark.parametrize("path", ["/", "/c/1", "/account", "/reports", "/accounts"])
async def test_what_is_there_can_be_read(reader: Browser, path: str) -> None:
    page = await reader.get(path)
    assert (page.status, page.where) == (200, path)


async def test_a_program_can_read_and_is_told_of_what_it_cannot_do(reader: Browser) -> None:
    listed = await reader.ask("GET", "/api/v1/conversations/1/timeline", headers=TOKEN)
    assert listed.status == 200
    assert "The roof leaks" in listed.text
    done = await reader.ask("POST", "/api/v1/conversations/1/take-up", headers=TOKEN)
    assert (done.status, done.headers["Retry-After"]) == (503, "5")


@pytest.mark.parametrize("path", ["/c/1/note", "/login", "/logout"])
async def test_what_cannot_be_written_is_told_in_a_sentence(
    inbox: Inbox, reader: Browser, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    await reader.get("/c/1")
    if path == "/login":
        reader.session.cookie_jar.clear()
        await reader.get("/login")
    page = await reader.post(path, note="x", name="anna", password="three plain words")
    assert (page.status, page.headers["Retry-After"]) == (503, "5")
    assert "cannot be written just now" in page.words
    assert not any(record.exc_info for record in caplog.records)


async def test_that_readers_are_not_noted_is_logged_once_until_they_are_again(
    inbox: Inbox, reader: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    for path in ("/", "/c/1", "/"):
        await reader.get(path)
    assert said(caplog, NOTED) == 1
    await takes_writes(inbox, True)
    await reader.get("/c/1")
    (seen,) = await inbox.write(lambda db: sessions.listing(db, inbox.hands.now, "anna"))
    assert seen.last_seen_at == inbox.hands.now
    assert next(act["kind"] for act in await inbox.write(acts.listing)) == "read"
    await takes_writes(inbox, False)
    inbox.hands.pass_by(minutes=10)
    await reader.get("/")
    assert said(caplog, NOTED) == 2
