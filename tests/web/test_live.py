"""What open pages are told of, over a real socket."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.flow.office import until
from tests.web.callers import TOM, Caller
from tests.web.inbox import NOON, Browser, Inbox, open_inbox
from textbackd.store import sessions
from textbackd.web.inbox.live import LIVE, MOST_PAGES, Live, Page, beside

pytestmark = pytest.mark.slow
JANE = Caller(name="Jane Kowalski")
PATIENCE = 20.0  # seconds; what is waited for comes at once


@asynccontextmanager
async def listening(browser: Browser) -> AsyncIterator[aiohttp.ClientResponse]:
    async with browser.session.get("/live") as answer:
        assert answer.status == 200
        assert answer.content_type == "text/event-stream"
        async with asyncio.timeout(PATIENCE):
            assert await answer.content.readline() == b"retry: 3000\n"
            assert await answer.content.readline() == b"\n"
        yield answer


async def heard(answer: aiohttp.ClientResponse) -> dict[str, object]:
    async with asyncio.timeout(PATIENCE):
        line = await answer.content.readline()
        await answer.content.readline()
    found: dict[str, object] = json.loads(line.removeprefix(b"data: "))
    return found


async def rest(answer: aiohttp.ClientResponse) -> bytes:
    async with asyncio.timeout(PATIENCE):
        return await answer.content.read()


async def test_two_pages_hear_of_a_change_and_nothing_of_what_was_said(inbox: Inbox, browser: Browser) -> None:
    await inbox.write(JANE.writes("A secret", NOON))
    await browser.log_in()
    async with inbox.browser() as other:
        await other.log_in("bob")
        async with listening(browser) as mine, listening(other) as theirs:
            await inbox.desk.reply(JANE.number, "We come", "bob")
            for answer in (mine, theirs):
                event = await heard(answer)
                assert event["id"] == 1
                assert event["counts"] == {
                    "open": 1,
                    "new": 0,
                    "waiting_for_us": 0,
                    "waiting_for_them": 1,
                    "callback": 0,
                }


async def test_a_page_that_was_slow_hears_of_each_conversation_once(inbox: Inbox, browser: Browser) -> None:
    await inbox.write(JANE.writes("Hello", NOON))
    await inbox.write(Caller(TOM).writes("Hello", NOON))
    await browser.log_in()
    async with listening(browser) as answer:
        for _ in range(5):
            inbox.desk.bell.ring(JANE.number)
        inbox.desk.bell.ring(TOM)
        assert [(await heard(answer))["id"] for _ in range(2)] == [1, 2]


async def test_nothing_is_told_after_the_session_has_ended(inbox: Inbox, browser: Browser) -> None:
    await inbox.write(JANE.writes("Hello", NOON))
    await browser.log_in()
    async with listening(browser) as answer:
        await inbox.write(lambda db: sessions.end_all(db, "anna", NOON, by="anna"))
        inbox.desk.bell.ring(JANE.number)
        assert await rest(answer) == b""


async def test_a_read_that_fails_makes_no_page_deaf(
    inbox: Inbox, browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    await inbox.write(JANE.writes("Hello", NOON))
    await browser.log_in()
    async with listening(browser) as answer:
        await inbox.write(lambda db: db.execute("ALTER TABLE conversations RENAME TO elsewhere"))
        inbox.desk.bell.ring(JANE.number)
        await until(lambda: "open pages could not be told" in caplog.text)
        await inbox.write(lambda db: db.execute("ALTER TABLE elsewhere RENAME TO conversations"))
        inbox.desk.bell.ring(JANE.number)
        assert (await heard(answer))["id"] == 1


async def test_a_page_whose_session_cannot_be_looked_up_ends_in_order(inbox: Inbox, browser: Browser) -> None:
    await browser.log_in()
    async with listening(browser) as answer:
        await inbox.write(lambda db: db.execute("ALTER TABLE sessions RENAME TO elsewhere"))
        inbox.desk.bell.ring(None)
        assert await rest(answer) == b""


class Broken(Live):
    """Ends with a fault of ours."""

    async def run(self) -> None:
        raise RuntimeError


async def test_a_fault_of_ours_is_logged_at_the_stop_and_does_not_break_it(
    inbox: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    app = web.Application()
    app[LIVE] = Broken(inbox.store, inbox.desk.bell)
    async for _ in beside(app):
        await asyncio.sleep(0)
    assert [record.getMessage() for record in caplog.records] == ["open pages were told nothing: a fault of ours"]


async def test_a_stranger_is_told_nothing(inbox: Inbox, browser: Browser) -> None:
    assert (await browser.ask("GET", "/live")).status == 303


async def test_no_more_pages_are_held_than_can_be(inbox: Inbox, browser: Browser) -> None:
    await browser.log_in()
    connector = aiohttp.TCPConnector(limit=0)
    cookies = browser.session.cookie_jar
    async with (
        aiohttp.ClientSession(inbox.url, cookie_jar=cookies, connector=connector) as many,
        AsyncExitStack() as stack,
    ):
        for _ in range(MOST_PAGES):
            await stack.enter_async_context(listening(Browser(many)))
        async with many.get("/live") as refused:
            assert (refused.status, refused.headers["Retry-After"]) == (503, "60")


async def test_a_page_that_nothing_happens_to_is_kept_from_being_taken_for_dead() -> None:
    assert await Page(timedelta(milliseconds=5)).news() == ": still here\n\n"


async def test_an_open_page_does_not_keep_the_daemon_from_stopping(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        async with open_inbox(tmp_path) as inbox:
            browser = await stack.enter_async_context(inbox.browser())
            await browser.log_in()
            answer = await stack.enter_async_context(listening(browser))
        assert await rest(answer) == b""  # ended in order, not cut off
