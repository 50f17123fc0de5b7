"""The inbox as people use it: the daemon with the simulated PBX and the virtual modem, and Debian's Chromium before it."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlite_utils
from playwright.async_api import Browser, Page, expect
from yarl import URL

from tests.browser import pictures
from tests.browser.chromium import DESK, PATIENCE_MS, PHONE, chromium, colleague
from tests.flow.office import Office, running, until
from tests.web.callers import JANE, TOM, Caller
from tests.web.inbox import HASHED, NOON, PASSWORD, open_inbox
from textbackd.core.segments import segments
from textbackd.demo.modem import VirtualModem
from textbackd.demo.modem_air import OnAir
from textbackd.store import accounts
from textbackd.store.accounts import Role

pytestmark = [pytest.mark.slow, pytest.mark.modem]
CALLER = "+12015550100"  # of the recorded call
SHOWN = "Ann Smith"
expect.set_options(timeout=PATIENCE_MS)


@dataclass
class Shop:
    """A running shop."""

    office: Office
    modem: VirtualModem
    on_air: list[OnAir]
    url: str


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running_browser:
        yield running_browser


@asynccontextmanager
async def a_shop(folder: Path) -> AsyncIterator[Shop]:
    """Run a daemon with a stick, in which anna and bob may log in."""
    on_air: list[OnAir] = []
    port = _free_port()
    with VirtualModem(link=folder / "modem", on_air=on_air.append) as modem:
        stick = f'stick: {{type: gsm_modem, port: "{modem.port}", rate: 60/min}}'
        async with running(folder, stick, pages=port) as office:
            office.write(_open_accounts)
            yield Shop(office, modem, on_air, f"http://127.0.0.1:{port}")


def _open_accounts(db: sqlite_utils.Database) -> None:
    for name, role in (("anna", Role.OWNER), ("bob", Role.STAFF)):
        accounts.add(db, name, role, HASHED, datetime.now(UTC))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_a_missed_call_and_a_reply_appear_in_two_browsers_and_who_answers_is_seen_by_the_other(
    tmp_path: Path, browser: Browser
) -> None:
    async with (
        a_shop(tmp_path) as shop,
        colleague(browser, shop.url) as anna,
        colleague(browser, shop.url, PHONE) as bob,
    ):
        await anna.log_in("anna", PASSWORD)
        await bob.log_in("bob", PASSWORD)
        await anna.sees("Nothing is open.")

        await shop.office.play("direct_noanswer")
        for somebody in (anna, bob):
            await somebody.sees(SHOWN, "#list")
        await until(lambda: len(shop.on_air) == 1)

        shop.modem.deliver(CALLER, "Our roof leaks. Can you come today? 🏠")
        for somebody in (anna, bob):
            await somebody.sees("Our roof leaks. Can you come today? 🏠", "#list")
        assert "New: " in await anna.page.locator("#told").inner_text()

        await bob.page.click("#list .row")
        await bob.page.fill("#text", "Yes, at 3.")
        await bob.page.click(".send")
        await bob.sees("Yes, at 3.", "#timeline")
        await until(lambda: shop.on_air[-1].body == "Yes, at 3.")

        await anna.sees("bob", "#list .owner")
        await anna.page.click("#list .row")
        await anna.sees("Yes, at 3.", "#timeline")
        await anna.sees("Delivered", "#timeline")


async def test_what_is_being_typed_stays_while_the_timeline_goes_on(tmp_path: Path, browser: Browser) -> None:
    async with a_shop(tmp_path) as shop, colleague(browser, shop.url) as anna:
        await anna.log_in("anna", PASSWORD)
        await shop.office.play("direct_noanswer")
        await anna.page.click("#list .row")
        await anna.page.fill("#text", "We can come")
        shop.modem.deliver(CALLER, "It is getting worse")
        await anna.sees("It is getting worse", "#timeline")
        await expect(anna.page.locator("#text")).to_have_value("We can come")
        await expect(anna.page.locator("#text")).to_be_focused()
        await anna.page.keyboard.type(" at 3.")
        await anna.page.keyboard.press("Control+Enter")
        await anna.sees("We can come at 3.", "#timeline")  # a window that is still loading cannot always be closed
        await until(lambda: shop.on_air[-1].body == "We can come at 3.")


async def test_a_text_that_was_refused_is_sent_again_by_nobody_and_stays_as_it_was_typed(
    tmp_path: Path, browser: Browser
) -> None:
    async with open_inbox(tmp_path) as inbox, colleague(browser, str(inbox.url)) as anna:
        await inbox.write(Caller(JANE).writes("Hello", NOON))
        await anna.log_in("anna", PASSWORD)
        await anna.page.goto(f"{inbox.url}/c/1?box=done")
        sent: list[str] = []
        anna.page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
        too_long = "a" * 1600
        await anna.page.fill("#text", too_long)
        await anna.page.click(".send")
        await anna.sees("Shorten it, or call.", ".fault")
        await inbox.desk.note(JANE, "Bob was here", "bob")
        await anna.sees("Bob was here", "#timeline")
        await expect(anna.page.locator("#text")).to_have_value(too_long)
        await expect(anna.page.locator(".tabs [aria-current]")).to_have_text("Done")
        assert [URL(one).path for one in sent] == ["/c/1/reply"]
        anna.faults.clear()  # that it was refused


async def test_all_of_it_works_without_javascript(tmp_path: Path, browser: Browser) -> None:
    async with a_shop(tmp_path) as shop, colleague(browser, shop.url, PHONE, java_script_enabled=False) as bob:
        await shop.office.play("direct_noanswer")
        await until(lambda: len(shop.on_air) == 1)
        shop.modem.deliver(CALLER, "Our roof leaks")
        await bob.log_in("bob", PASSWORD)
        await until(lambda: bool(shop.office.calls(CALLER)))
        await bob.page.click("#list .row")
        await bob.page.click("#canned summary")
        await bob.page.click("#canned a")
        await expect(bob.page.locator("#text")).to_have_value(
            "Thank you, we have your message. When is a good time to call you?"
        )
        await expect(bob.page.locator("#size")).to_have_text("1 SMS")
        await bob.page.click(".send")
        await bob.sees("Thank you, we have your message.", "#timeline")
        await until(lambda: shop.on_air[-1].body.startswith("Thank you"))
        await bob.page.click("#noting summary")
        await bob.page.fill("#note", "Wants a call at noon")
        await bob.page.click("#noting button")
        await bob.sees("Wants a call at noon", "#timeline")
        await bob.page.click(".done")
        await bob.sees("Nothing is open.", "#list")


async def test_everything_can_be_reached_by_keys(tmp_path: Path, browser: Browser) -> None:
    async with open_inbox(tmp_path) as inbox, colleague(browser, str(inbox.url)) as anna:
        for caller in (Caller(JANE, "Jane"), Caller(TOM, "Tom")):
            await inbox.write(caller.writes("Hello", NOON))
        await anna.log_in("anna", PASSWORD)
        page = anna.page
        for key in "jjk":
            await page.keyboard.press(key)
        first = await page.locator("#list .row .who bdi").first.inner_text()
        await page.keyboard.press("Enter")
        await expect(page.locator("h1")).to_have_text(first)
        await page.keyboard.press("r")
        await expect(page.locator("#text")).to_be_focused()
        await page.keyboard.type("jk/?")
        await expect(page.locator("#text")).to_have_value("jk/?")
        await page.keyboard.press("Escape")
        await page.keyboard.press("n")
        await expect(page.locator("#note")).to_be_focused()
        await page.keyboard.press("Escape")
        await page.keyboard.press("/")
        await expect(page.locator("#q")).to_be_focused()
        await page.keyboard.press("Escape")
        await page.keyboard.press("?")
        await expect(page.locator("#help")).to_be_visible()


# What a person cannot use: fields and buttons without a name, what is too small for a thumb, a page that is too wide.
FAULTS = """() => {
  const found = [];
  for (const one of document.querySelectorAll("a, button, summary, input:not([type=hidden]), select, textarea")) {
    const box = one.getBoundingClientRect();
    if (!box.width || one.closest(".skip, .why") || one.classList.contains("skip")) continue;
    const name = (one.labels?.[0]?.textContent ?? one.textContent).trim();
    if (!name) found.push(`no name: ${one.outerHTML.slice(0, 80)}`);
    if (box.height < 40 && !one.closest("p")) found.push(`${box.height} px high: ${one.outerHTML.slice(0, 80)}`);
  }
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) found.push(`${root.scrollWidth} px wide`);
  return found;
}"""


@pytest.mark.parametrize("size", [PHONE, {"width": 320, "height": 568}, DESK], ids=["phone", "small phone", "desk"])
async def test_every_page_fits_and_all_that_can_be_touched_has_a_name_and_room(
    tmp_path: Path, browser: Browser, size: dict[str, int]
) -> None:
    async with open_inbox(tmp_path) as inbox, colleague(browser, str(inbox.url), size) as anna:
        await inbox.write(Caller(JANE, "x" * 300).is_missed(NOON))
        await inbox.write(Caller(JANE).writes("y" * 10_000 + "\n" + "\u202eعربي", NOON))
        await inbox.desk.note(JANE, "z" * 4000, "bob")
        await anna.log_in("anna", PASSWORD)
        for path in ("/", "/?q=x", "/?box=callback", "/c/1", "/c/1/no-texts", "/new"):
            await anna.page.goto(f"{inbox.url}{path}")
            assert await anna.page.evaluate(FAULTS) == [], path
        await anna.page.goto(f"{inbox.url}/c/1")
        await anna.page.click("#menu summary")
        assert await anna.page.evaluate(FAULTS) == []
        assert await _is_on_screen(anna.page, "#text")


# The tabs that end to the right of what holds them, so that a mouse does not get there.
CUT = """[...document.querySelectorAll('.tabs li')]
  .filter(tab => tab.getBoundingClientRect().right > tab.parentElement.getBoundingClientRect().right).map(tab => tab.textContent)"""
# Where the cells of two rows of the table of hours begin.
PLACES = """['.hours td + td', 'thead th + th']
  .map(cells => [...document.querySelectorAll('.heat ' + cells)].map(cell => cell.getBoundingClientRect().x))"""


async def test_no_tab_is_cut_on_a_desk(tmp_path: Path, browser: Browser) -> None:
    async with open_inbox(tmp_path, phones=True) as inbox, colleague(browser, str(inbox.url)) as anna:
        await pictures.fill(inbox)
        await anna.log_in("anna", PASSWORD)
        assert await anna.page.evaluate(CUT) == []


async def test_each_hour_s_calls_stand_above_the_hour(tmp_path: Path, browser: Browser) -> None:
    async with open_inbox(tmp_path) as inbox, colleague(browser, str(inbox.url)) as anna:
        await inbox.write(Caller(JANE).is_missed(NOON))
        await anna.log_in("anna", PASSWORD)
        await anna.page.goto(f"{inbox.url}/reports?from={NOON:%Y-%m-%d}&to={NOON:%Y-%m-%d}")
        places = await anna.page.evaluate(PLACES)
        assert places[0] == places[1]
        assert len(places[0]) >= 10


async def _is_on_screen(page: Page, selector: str) -> bool:
    box, size = await page.locator(selector).bounding_box(), page.viewport_size
    return box is not None and size is not None and box["y"] + box["height"] <= size["height"]


# Each character so often that its alphabet and its room show; then lengths at the boundaries.
CHARACTERS = [chr(code) for code in (0x0A, *range(0x20, 0x7F), *range(0xA0, 0x0500), *range(0x2000, 0x2200))] + ["🏠"]
TEXTS = [
    *(character * times for character in CHARACTERS for times in (71, 81)),
    *("a" * length for length in (0, 1, 160, 161, 306, 307, 459, 460)),
    *("ő" * length for length in (70, 71, 134, 135)),
    *("a" * 152 + "€" + "a" * 152, "a" * 66 + "😀" + "a" * 66, "a" * 159 + "€", "[" * 153, "😀" * 67),
]


async def test_the_counter_counts_as_the_network_does(tmp_path: Path, browser: Browser) -> None:
    async with open_inbox(tmp_path) as inbox, colleague(browser, str(inbox.url)) as anna:
        await inbox.write(Caller(JANE).writes("Hello", NOON))
        await anna.log_in("anna", PASSWORD)
        await anna.page.goto(f"{inbox.url}/c/1")
        counted = await anna.page.evaluate("(texts) => texts.map((text) => size(text).count)", TEXTS)
        assert counted == [segments(text).count for text in TEXTS]
