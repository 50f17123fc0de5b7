"""The list of conversations, over a real socket."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from tests.web.callers import LANDLINE, TO_LANDLINE, TOM, Caller
from tests.web.inbox import NOON, Browser, Inbox, Page, open_inbox
from textbackd.core.phone import E164, NotTextable
from textbackd.store import acts
from textbackd.web.inbox.columns import PAGE

pytestmark = pytest.mark.slow
JANE = Caller(name="Jane Kowalski")


def names(page: Page) -> list[str]:
    """Return whose conversations a page lists, in their order."""
    return re.findall(r'<span class="who"><bdi dir="auto">([^<]*)</bdi>', page.text)


async def test_somebody_who_waits_is_shown_with_their_words_and_their_wait(inbox: Inbox, browser: Browser) -> None:
    await inbox.write(JANE.is_missed(NOON - timedelta(minutes=20)))
    await inbox.write(JANE.writes("Our roof leaks", NOON - timedelta(minutes=12)))
    page = await browser.log_in()
    assert names(page) == ["Jane Kowalski"]
    assert "Our roof leaks" in page.words
    assert "waits 12 min" in page.words
    assert "2 unread" in page.words


@pytest.mark.parametrize(
    ("within", "is_marked"),
    [
        pytest.param("20m", False, id="a line that answers in twenty minutes"),
        pytest.param("10m", True, id="a line that answers in ten"),
        pytest.param("off", False, id="a line without a clock"),
    ],
)
async def test_a_wait_is_marked_when_it_is_longer_than_the_line_promises(
    tmp_path: Path, within: str, is_marked: bool
) -> None:
    async with open_inbox(tmp_path, line=f"reply: {{within: {within}}}") as inbox, inbox.browser() as browser:
        await inbox.write(JANE.writes("Our roof leaks", NOON - timedelta(minutes=12)))
        page = await browser.log_in()
        assert ('class="waits late"' in page.text) is is_marked


async def test_a_caller_without_a_name_is_shown_by_their_number_as_people_write_it(
    inbox: Inbox, browser: Browser
) -> None:
    await inbox.write(Caller().is_missed(NOON))
    await inbox.write(Caller(E164("+442079460123")).is_missed(NOON))
    page = await browser.log_in()
    assert sorted(names(page)) == ["(303) 555-0142", "+44 20 7946 0123"]


async def test_two_callers_of_one_name_are_told_apart_by_their_numbers(inbox: Inbox, browser: Browser) -> None:
    await inbox.write(Caller(name="Ann Smith").is_missed(NOON))
    await inbox.write(Caller(LANDLINE, name="Tom").is_missed(NOON))
    await browser.log_in()
    assert "555-01" not in (await browser.get("/")).words
    await inbox.write(Caller(TOM, name="ann smith").is_missed(NOON))
    page = (await browser.get("/")).words
    assert "(303) 555-0142" in page
    assert "(303) 555-0143" in page
    assert "(303) 555-0144" not in page


async def test_each_tab_shows_its_own_and_counts_them(inbox: Inbox, browser: Browser) -> None:
    tom, townhall = Caller(TOM, "Tom"), Caller(LANDLINE, "Town Hall")
    await inbox.write(JANE.writes("Hello?", NOON))
    await inbox.write(tom.is_missed(NOON))
    await inbox.write(townhall.is_missed(NOON, decision=TO_LANDLINE, not_textable=NotTextable.LANDLINE))
    answered = Caller(E164("+13035550150"), "Lucy")
    await inbox.write(answered.writes("Hi", NOON))
    await inbox.desk.reply(answered.number, "Hi Lucy", "bob")
    away = Caller(E164("+13035550151"), "Pete")
    await inbox.write(away.is_missed(NOON))
    await inbox.desk.put_away(away.number, "bob")
    page = await browser.log_in()
    for tab in ("Open 4", "New 1", "Our turn 2", "To call 1", "Their turn 1"):
        assert tab in page.words
    shown = {
        box: sorted(names(await browser.get(f"/?box={box}")))
        for box in ("open", "new", "waiting_for_us", "callback", "waiting_for_them", "done")
    }
    assert shown == {
        "open": ["Jane Kowalski", "Lucy", "Tom", "Town Hall"],
        "new": ["Tom"],
        "waiting_for_us": ["Jane Kowalski", "Town Hall"],
        "callback": ["Town Hall"],
        "waiting_for_them": ["Lucy"],
        "done": ["Pete"],
    }


async def test_who_cannot_be_texted_can_be_called_from_the_list(inbox: Inbox, browser: Browser) -> None:
    townhall = Caller(LANDLINE, "Town Hall")
    await inbox.write(townhall.is_missed(NOON, decision=TO_LANDLINE, not_textable=NotTextable.LANDLINE))
    await browser.log_in()
    page = await browser.get("/?box=callback")
    assert f'href="tel:{LANDLINE}"' in page.text
    assert "Landline" in page.words


async def test_mine_shows_what_belongs_to_me_and_counts_only_that(inbox: Inbox, browser: Browser) -> None:
    await inbox.write(JANE.writes("Hello?", NOON))
    await inbox.write(Caller(TOM, "Tom").writes("Hello?", NOON))
    await inbox.desk.assign(TOM, "anna", "bob")
    await browser.log_in()
    page = await browser.get("/?mine=1")
    assert names(page) == ["Tom"]
    assert "Open 1" in page.words


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("kowal", ["Jane Kowalski"]),
        ("(303) 555-0143", ["Tom"]),
        ("GUTTER", ["Tom"]),
        ("ladder", ["Jane Kowalski"]),
        ("100%", ["Jane Kowalski"]),
        ("_", []),
        ("'; DROP TABLE conversations; --", []),
        ("<script>alert(1)</script>", []),
    ],
)
async def test_search_finds_names_numbers_words_and_notes_also_of_what_is_done(
    inbox: Inbox, browser: Browser, wanted: str, found: list[str]
) -> None:
    await inbox.write(JANE.writes("I am 100% sure", NOON))
    await inbox.desk.note(JANE.number, "Take the long ladder", "bob")
    await inbox.write(Caller(TOM, "Tom").writes("The gutter drips", NOON))
    await inbox.desk.put_away(TOM, "bob")
    await browser.log_in()
    async with browser.session.get("/", params={"q": wanted}) as answer:
        text = await answer.text()
    assert re.findall(r'<span class="who"><bdi dir="auto">([^<]*)</bdi>', text) == found
    assert "<script>alert" not in text


async def test_paging_shows_every_conversation_once(inbox: Inbox, browser: Browser) -> None:
    callers = [Caller(E164(f"+1303555{1000 + index}"), f"Caller {index:03}") for index in range(2 * PAGE + 5)]
    for index, caller in enumerate(callers):
        await inbox.write(caller.writes("Hello", NOON - timedelta(minutes=index // 7)))  # some at the same moment
    page, seen = await browser.log_in(), []
    while True:
        seen += names(page)
        older = re.search(r'href="(/\?before=[^"]*)" rel="next"', page.text)
        if older is None:
            break
        page = await browser.get(older[1].replace("&amp;", "&"))
    assert sorted(seen) == [caller.name for caller in callers]


async def test_what_has_been_read_is_no_longer_marked_and_who_read_it_is_on_record(
    inbox: Inbox, browser: Browser
) -> None:
    await inbox.write(JANE.writes("Hello?", NOON))
    assert "1 unread" in (await browser.log_in("bob")).words
    await browser.get("/c/1")
    assert "unread" not in (await browser.get("/")).words
    await browser.get("/c/1")
    read = [act["staff"] for act in await inbox.write(acts.listing) if act["kind"] == "read"]
    assert read == ["bob"]


@pytest.mark.parametrize(
    "query",
    [
        "box=nonsense",
        "before=yesterday_1",
        "before=_",
        "before=2026-03-02T12:00:00.000000Z_99999999999999999999",
        "line=nobody",
        "mine=yes&q=%00",
        "q=%ff%fe",
        "q=" + "x" * 5000,
        "older=now",
    ],
)
async def test_whatever_stands_in_an_address_a_page_comes_back(browser: Browser, query: str) -> None:
    await browser.log_in()
    assert (await browser.get(f"/?{query}")).status == 200


async def test_an_empty_inbox_says_so(browser: Browser) -> None:
    assert "Nothing is open." in (await browser.log_in()).words


async def test_a_fragment_is_the_page_without_its_frame(inbox: Inbox, browser: Browser) -> None:
    await inbox.write(JANE.writes("Hello?", NOON))
    await browser.log_in()
    fragment = await browser.get("/?fragment=1")
    assert names(fragment) == ["Jane Kowalski"]
    assert "<html" not in fragment.text


async def test_a_phone_can_put_the_inbox_on_its_first_screen(browser: Browser) -> None:
    await browser.log_in()
    async with browser.session.get("/manifest.webmanifest") as answer:
        told = await answer.json(content_type="application/manifest+json")
    assert told["display"] == "standalone"
    for icon in told["icons"]:
        async with browser.session.get(icon["src"]) as answer:
            assert (answer.status, answer.content_type) == (200, icon["type"])
