"""Tells the pages that are open what changed, as server-sent events (WHATWG HTML, 9.2).   flow/bell.py → here → static/inbox.js

An event says which conversation changed and how many there are, nothing of what was said: the page fetches that with its own session.
One task asks the store once for each ring, however many pages are open. A page that is slow hears of each conversation once.
"""

import asyncio
import json
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from http import HTTPStatus
from typing import Final

import sqlite_utils
from aiohttp import web

from textbackd.core.phone import E164
from textbackd.flow.bell import Bell
from textbackd.store import conversations, sessions
from textbackd.store.database import StorageError, Store
from textbackd.web.access.auth import staff_of
from textbackd.web.shop import SHOP

log = logging.getLogger(__name__)

HEARTBEAT: Final = timedelta(seconds=20)  # shorter than proxies wait on a silent connection
MOST_PAGES: Final = 200
HEADERS: Final = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would keep the events back
}


class Page:
    """One open page."""

    def __init__(self, heartbeat: timedelta = HEARTBEAT) -> None:
        self._heartbeat = heartbeat
        self._news: dict[int | None, str] = {}  # by conversation, in the order of their last change
        self._woken = asyncio.Event()
        self.is_over = False

    def hear(self, conversation: int | None, event: str) -> None:
        """Note an event, in place of an earlier one about the same conversation."""
        self._news.pop(conversation, None)
        self._news[conversation] = event
        self._woken.set()

    def end(self) -> None:
        """Let the page's connection end."""
        self.is_over = True
        self._woken.set()

    async def news(self) -> str:
        """Return what to send next: events, or a comment if there were none for a while."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._heartbeat.total_seconds()):
                await self._woken.wait()
        self._woken.clear()
        news, self._news = self._news, {}
        return "".join(f"data: {event}\n\n" for event in news.values()) or ": still here\n\n"


class Live:
    """All open pages."""

    def __init__(self, store: Store, bell: Bell) -> None:
        self._store, self._bell = store, bell
        self._pages: set[Page] = set()

    async def run(self) -> None:
        """Hand on what the bell rings for, until cancelled."""
        with self._bell.listening() as listener:
            async for number in listener.rings():
                if self._pages:
                    await self._tell(number)

    async def _tell(self, number: E164 | None) -> None:
        try:
            conversation, event = await self._store.read(lambda db: _event(db, number))
        except (sqlite3.Error, StorageError) as error:
            log.warning("open pages could not be told of a change; they hear of the next", extra={"error": str(error)})
            return
        for page in self._pages:
            page.hear(conversation, event)

    def open(self) -> Page | None:
        """Return a page that hears from now on; None if there are too many."""
        if len(self._pages) >= MOST_PAGES:
            return None
        page = Page()
        self._pages.add(page)
        return page

    def close(self, page: Page) -> None:
        """Forget a page."""
        self._pages.discard(page)

    def end_all(self) -> None:
        """End every connection: the daemon stops."""
        for page in self._pages:
            page.end()


LIVE: Final = web.AppKey("live", Live)


def _event(db: sqlite_utils.Database, number: E164 | None) -> tuple[int | None, str]:
    found = conversations.find(db, number) if number is not None else None
    conversation = found.id if found else None
    counts = {box.value: count for box, count in conversations.counts(db).items()}
    return conversation, json.dumps({"id": conversation, "counts": counts})


async def live(request: web.Request) -> web.StreamResponse:
    """Send events for as long as the page is open and its session lasts."""
    hub = request.app[LIVE]
    page = hub.open()
    if page is None:
        return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE, headers={"Retry-After": "60"})
    try:
        response = web.StreamResponse(headers=HEADERS)
        await response.prepare(request)
        await response.write(b"retry: 3000\n\n")
        while True:
            news = await page.news()
            if page.is_over or not await _may_stay(request):
                break
            await response.write(news.encode())
    except (
        ConnectionError,
        sqlite3.Error,
    ):  # the page was closed, or nobody knows whose it is: an open one comes again
        return response
    finally:
        hub.close(page)
    return response


async def _may_stay(request: web.Request) -> bool:
    shop, session = request.app[SHOP], staff_of(request).session
    return session is not None and await shop.store.read(lambda db: sessions.is_alive(db, session, shop.clock()))


async def beside(app: web.Application) -> AsyncIterator[None]:
    """Run the hub beside the application, and end what is open when it stops."""
    hub = app[LIVE]
    task = asyncio.create_task(hub.run())
    yield
    task.cancel()
    (ended,) = await asyncio.gather(task, return_exceptions=True)
    if isinstance(ended, Exception):
        log.error("open pages were told nothing: a fault of ours", exc_info=ended)


async def end(app: web.Application) -> None:
    """End all connections, so that a stop does not wait for pages that are open."""
    app[LIVE].end_all()
