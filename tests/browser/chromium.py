"""Debian's Chromium, driven by playwright: browsers of two colleagues, each with cookies of their own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

from playwright.async_api import Browser, Page, async_playwright

from tests.debian import need

# As root there is no sandbox; the rest keeps it from looking for Google's hosts.
FLAGS: Final = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
DESK: Final = {"width": 1280, "height": 800}
PHONE: Final = {"width": 390, "height": 844}
PATIENCE_MS: Final = 20_000


@dataclass
class Colleague:
    """Somebody in front of a browser."""

    page: Page
    url: str
    faults: list[str] = field(default_factory=list)  # what the browser complained of: scripts, the content policy

    async def log_in(self, name: str, password: str) -> None:
        await self.page.goto(self.url)
        await self.page.fill("#name", name)
        await self.page.fill("#password", password)
        await self.page.click("button.main")
        await self.page.wait_for_selector("#list")

    async def sees(self, words: str, within: str = "body") -> None:
        """Wait until some words can be read."""
        await self.page.locator(within).get_by_text(words).first.wait_for(state="visible")

    async def sees_no_more(self, selector: str) -> None:
        await self.page.locator(selector).first.wait_for(state="hidden")


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Run a browser until the block ends."""
    need("chromium", "chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(FLAGS))
        try:
            yield browser
        finally:
            await _closed(browser.close())


@asynccontextmanager
async def colleague(
    browser: Browser, url: str, size: dict[str, int] = DESK, **settings: Any
) -> AsyncIterator[Colleague]:
    """Give somebody a fresh window; fail at its end if the browser complained."""
    context = await browser.new_context(viewport={"width": size["width"], "height": size["height"]}, **settings)
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    somebody = Colleague(page, url)
    page.on("pageerror", lambda error: somebody.faults.append(str(error)))
    page.on("console", lambda said: somebody.faults.append(said.text) if said.type == "error" else None)
    try:
        yield somebody
        assert somebody.faults == []
    finally:
        await _closed(context.close())


async def _closed(closing: Awaitable[None]) -> None:
    """Close a window or a browser; one that hangs while it loads a page is left to the end of the process."""
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_MS / 1000):
            await closing
