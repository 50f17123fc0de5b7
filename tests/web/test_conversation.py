"""One conversation: reading it, and what each of its forms does, over a real socket."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import sqlite_utils

from tests.web.callers import JANE as NUMBER
from tests.web.callers import LANDLINE, TO_LANDLINE, Caller
from tests.web.inbox import NOON, Browser, Inbox, Page, open_inbox
from textbackd.core.conversation import Turn
from textbackd.core.decide import Action, Decision, Why
from textbackd.core.phone import E164, NotTextable
from textbackd.store import accounts, acts, asks, leads, optouts, outbox
from textbackd.store.acts import Act, ActKind
from textbackd.store.conversations import Conversation
from textbackd.store.database import writing
from textbackd.store.leads import NewLead
from textbackd.web.inbox.columns import ENTRIES
from textbackd.web.inbox.deeds import DEEDS

pytestmark = pytest.mark.slow
JANE = Caller(name="Jane Kowalski")
TALK = "/c/1"
KEY = "0123456789abcdef" * 2


def key(page: Page) -> str:
    found = re.search(r'name="key" value="([0-9a-f]{32})"', page.text)
    assert found is not None
    return found[1]


def typed(page: Page) -> str:
    found = re.search(r'<textarea id="text"[^>]*>([^<]*)</textarea>', page.text)
    assert found is not None
    return unescape(found[1])


def timeline(page: Page) -> str:
    """Return what a person reads on the right."""
    return replace(page, text=page.text.partition('id="timeline"')[2]).words


async def bodies(inbox: Inbox) -> list[str]:
    """Return what people of the shop have texted."""
    texts = await inbox.write(outbox.listing)
    return [text["text"] for text in texts if not text["text"].startswith("Sorry we missed")]


async def test_the_timeline_tells_calls_texts_and_deeds_by_days(inbox: Inbox, browser: Browser) -> None:
    yesterday = NOON - timedelta(days=1)
    await inbox.write(JANE.is_missed(yesterday))
    await inbox.write(JANE.is_texted(yesterday + timedelta(seconds=9)))
    await inbox.write(JANE.writes("Our roof leaks", NOON - timedelta(minutes=5)))
    await inbox.desk.reply(NUMBER, "We can come at 3", "bob")
    await browser.log_in()
    told = timeline(await browser.get(TALK))
    order = ["Yesterday", "Missed call", "Nobody picked up", "Sorry we missed your call", "Delivered", "Today"]
    order += ["Our roof leaks", "Bob", "We can come at 3", "Waits to be sent", "Bob took it"]
    places = [told.find(words) for words in order]
    assert -1 not in places
    assert places == sorted(places)


async def test_a_call_tells_why_there_was_no_text_in_the_words_of_explain(inbox: Inbox, browser: Browser) -> None:
    await inbox.write(JANE.is_missed(NOON, decision=Decision(Action.SKIP, Why.CAP, "number 1/12h")))
    await browser.log_in()
    told = (await browser.get(TALK)).words
    assert "Why no text?" in told
    assert "phone 101 was not picked up" in told
    assert "No text: a cap is full (`policy.caps`). (number 1/12h)" in told


async def test_a_text_tells_why_it_went_out_and_through_what(inbox: Inbox, browser: Browser) -> None:
    await inbox.write(JANE.is_missed(NOON))
    await inbox.write(JANE.is_texted(NOON + timedelta(seconds=9)))
    await browser.log_in()
    told = (await browser.get(TALK)).words
    assert "Why this text?" in told
    assert "through stick: accepted" in told
    assert "It was delivered." in told


async def test_an_answer_goes_out_and_claims_the_conversation(inbox: Inbox, browser: Browser) -> None:
    await inbox.write(JANE.writes("Our roof leaks", NOON))
    await browser.log_in()
    page = await browser.get(f"{TALK}?box=new")
    page = await browser.post(f"{TALK}/reply", text="We can\r\ncome at 3", key=key(page), list="?box=new")
    assert (page.status, page.where) == (200, TALK)
    assert await bodies(inbox) == ["We can\ncome at 3"]
    stands = await inbox.write(JANE.stands)
    assert (stands.turn, stands.assignee) == (Turn.THEIRS, "anna")
    assert "Yours" in page.words


async def test_a_form_that_is_sent_twice_sends_one_text(inbox: Inbox, browser: Browser) -> None:
    await inbox.write(JANE.writes("Our roof leaks", NOON))
    await browser.log_in()
    for _ in range(2):
        assert (await browser.post(f"{TALK}/reply", text="We can come at 3", key=KEY)).status == 200
    assert await bodies(inbox) == ["We can come at 3"]


async def test_other_words_in_a_form_that_was_sent_are_not_lost_in_silence(inbox: Inbox, browser: Browser) -> None:
    await inbox.write(JANE.writes("Our roof leaks", NOON))
    await browser.log_in()
    await browser.post(f"{TALK}/reply", text="We can come at 3", key=KEY)
    page = await browser.post(f"{TALK}/reply", text="Or at 4?", key=KEY)
    assert page.status == 422
    assert typed(page) == "Or at 4?"
    await browser.post(f"{TALK}/reply", text="Or at 4?", key=key(page))
    assert sorted(await bodies(inbox)) == ["Or at 4?", "We can come at 3"]


@pytest.mark.parametrize(
    ("text", "sent_key", "fault"),
    [
        pytest.param("   ", KEY, "The text is empty.", id="nothing"),
        pytest.param("word " * 320, KEY, "longer than 10 segments", id="more than ten segments"),
        pytest.param("Hello", "", "The form was incomplete.", id="no mark"),
        pytest.param("Hello", "../../etc/passwd", "The form was incomplete.", id="a mark of somebody else's"),
    ],
)
async def test_what_is_refused_says_so_and_keeps_what_was_typed(
    inbox: Inbox, browser: Browser, text: str, sent_key: str, fault: str
) -> None:
    await inbox.write(JANE.writes("Our roof leaks", NOON))
    await browser.log_in()
    page = await browser.post(f"{TALK}/reply", text=text, key=sent_key)
    assert page.status == 422
    assert fault in page.words
    assert typed(page) == text
    assert await bodies(inbox) == []


async def test_a_note_is_for_colleagues_only(inbox: Inbox, browser: Browser) -> None:
    await inbox.write(JANE.writes("Our roof leaks", NOON))
    await browser.log_in()
    page = await browser.post(f"{TALK}/note", note="Take the long ladder")
    assert "Anna Smith noted" in page.words
    assert "Take the long ladder" in page.words
    assert await bodies(inbox) == []


Check = Callable[[Conversation], bool]
DONE: dict[str, tuple[dict[str, Any], Check, str]] = {
    "claim": ({}, lambda stands: stands.assignee == "anna", TALK),
    "assign": ({"to": "bob"}, lambda stands: stands.assignee == "bob", TALK),
    "never": ({}, lambda stands: stands.turn is Turn.DONE, "/"),
    "put-away": ({}, lambda stands: stands.turn is Turn.DONE, "/"),
    "take-up": ({}, lambda stands: stands.turn is Turn.OURS, TALK),
    "won": ({"value": "1,250.50"}, lambda stands: (stands.outcome, stands.value) == ("won", 125_050), "/"),
    "lost": ({}, lambda stands: (stands.outcome, stands.value) == ("lost", None), "/"),
    "rename": ({"name": " Mrs\nKowalski "}, lambda stands: stands.name == "Mrs Kowalski", TALK),
    "no-texts": ({}, lambda stands: stands.no_text == "opted_out", TALK),
    "keep-texting": ({}, lambda stands: stands.turn is Turn.NEW, TALK),
    "texts-again": ({}, lambda stands: stands.no_text is None, TALK),
    "reply": ({"text": "Hello", "key": KEY}, lambda stands: stands.turn is Turn.THEIRS, TALK),
    "note": ({"note": "Look"}, lambda stands: stands.turn is Turn.NEW, TALK),
}


def test_every_form_is_tried() -> None:
    assert DONE.keys() | {"call"} == DEEDS.keys()


@pytest.mark.parametrize("deed", DONE)
async def test_each_form_does_what_it_says_and_leads_back(inbox: Inbox, browser: Browser, deed: str) -> None:
    fields, is_done, where = DONE[deed]
    await inbox.write(JANE.is_missed(NOON))
    await browser.log_in()
    page = await browser.post(f"{TALK}/{deed}", **fields)
    assert (page.status, page.where) == (200, where)
    assert is_done(await inbox.write(JANE.stands))


@pytest.mark.parametrize("deed", DONE)
async def test_no_form_is_heeded_that_another_page_sent(inbox: Inbox, browser: Browser, deed: str) -> None:
    await inbox.write(JANE.is_missed(NOON))
    before = await inbox.write(JANE.stands)
    await browser.log_in()
    page = await browser.ask("POST", f"{TALK}/{deed}", data={**DONE[deed][0], "csrf": "0" * 64})
    assert page.status == 403
    assert await inbox.write(JANE.stands) == before


async def test_a_value_that_is_no_amount_is_refused(inbox: Inbox, browser: Browser) -> None:
    await inbox.write(JANE.is_missed(NOON))
    await browser.log_in()
    page = await browser.post(f"{TALK}/won", value="a lot")
    assert page.status == 422
    assert "not an amount of money" in page.words
    assert (await inbox.write(JANE.stands)).outcome is None


async def test_it_is_asked_once_more_before_somebody_gets_no_more_texts(inbox: Inbox, browser: Browser) -> None:
    await inbox.write(JANE.is_missed(NOON))
    await browser.log_in()
    asked = await browser.get(f"{TALK}/no-texts")
    assert "No more texts to this caller?" in asked.words
    assert await inbox.write(lambda db: optouts.find(db, NUMBER)) is None
    page = await browser.post(f"{TALK}/no-texts")
    assert "They want no texts (STOP). Call instead." in page.words
    assert '<textarea id="text"' not in page.text
    refused = await browser.post(f"{TALK}/reply", text="Hello", key=KEY)
    assert refused.status == 422


async def test_who_may_mean_stop_is_asked_about_until_somebody_decides(inbox: Inbox, browser: Browser) -> None:
    await inbox.write(JANE.writes("please don't text me at work", NOON))
    await inbox.write(may_mean_stop)
    await browser.log_in()
    assert "They may want no more texts." in (await browser.get(TALK)).words
    page = await browser.post(f"{TALK}/keep-texting")
    assert "They may want no more texts." not in page.words
    assert "decided: texts are still welcome" in page.words
    assert await inbox.write(lambda db: asks.since(db, NUMBER)) is None


def may_mean_stop(db: sqlite_utils.Database) -> None:
    with writing(db):
        asks.add_within(db, NUMBER, 1, NOON)


async def test_nobody_is_given_a_conversation_who_is_not_there(inbox: Inbox, browser: Browser) -> None:
    await inbox.write(JANE.is_missed(NOON))
    await inbox.write(lambda db: accounts.disable(db, "bob", NOON))
    await browser.log_in()
    assert (await browser.post(f"{TALK}/assign", to="bob")).status == 200, "he is in the configuration, and has a phone"
    page = await browser.post(f"{TALK}/assign", to="mallory")
    assert page.status == 422
    assert "None of the staff is called that" in page.words
    assert (await inbox.write(JANE.stands)).assignee == "bob"


async def test_a_landline_is_told_before_anybody_types(inbox: Inbox, browser: Browser) -> None:
    await inbox.write(Caller(LANDLINE).is_missed(NOON, decision=TO_LANDLINE, not_textable=NotTextable.LANDLINE))
    await browser.log_in()
    page = await browser.get(TALK)
    assert "This is a landline, so a text will hardly arrive." in page.words
    assert f"tel:{LANDLINE}" in page.text


async def test_a_ready_reply_and_a_text_that_failed_can_be_put_into_the_box(inbox: Inbox, browser: Browser) -> None:
    await inbox.write(JANE.writes("Our roof leaks", NOON))
    text_id = await inbox.desk.reply(NUMBER, "We can come at 3", "anna")
    await browser.log_in()
    assert typed(await browser.get(f"{TALK}?say=0")).startswith("Thank you, we have your message.")
    assert typed(await browser.get(f"{TALK}?again={text_id}")) == "We can come at 3"
    assert typed(await browser.get(f"{TALK}?say=99&again=nothing")) == ""


async def test_a_ready_reply_without_its_link_is_left_out(inbox: Inbox, browser: Browser) -> None:
    await inbox.write(JANE.writes("Our roof leaks", NOON))
    await browser.log_in()
    assert "choose a time that suits you" not in (await browser.get(TALK)).words


async def test_a_long_timeline_is_paged_and_loses_nothing(inbox: Inbox, browser: Browser) -> None:
    count = ENTRIES + 30
    for index in range(count):
        await inbox.write(JANE.writes(f"Text number {index:03}.", NOON - timedelta(minutes=count - index)))
    await browser.log_in()
    page = await browser.get(TALK)
    older = re.search(r'href="(/c/1\?older=[^"]*)"', page.text)
    assert older is not None
    numbers = re.findall(r"number (\d{3})\.", (await browser.get(older[1])).text + page.text)
    assert sorted(set(numbers)) == [f"{index:03}" for index in range(count)]


@pytest.mark.parametrize("path", ["/c/2", "/c/0", "/c/99999999999999999999", "/c/1/nonsense", "/c/1/reply", "/c/x"])
async def test_what_is_not_there_is_told_in_a_sentence(inbox: Inbox, browser: Browser, path: str) -> None:
    await inbox.write(JANE.is_missed(NOON))
    await browser.log_in()
    page = await browser.get(path)
    assert page.status == 404
    assert "There is no such page" in page.words


HOSTILE = {
    "html": '"><script>alert(1)</script><img src=x onerror=alert(1)>',
    "template": "{{ 7 * 7 }}{% raw %}${7*7}",
    "attribute": "' onmouseover='alert(1)",
    "closes the box": "</textarea><script>alert(1)</script>",
    "formula": '=HYPERLINK("http://evil.example")',
    "turns around": "\u202eevil\u202c \u2067x\u2069",
    "null and escape": "a\x00b\x1b[2Jc",
    "10,000 letters": "x" * 10_000,
    "emoji": "👨\u200d👩\u200d👧🏽 \U0001f4a9" * 100,
    "lone surrogate's replacement": "\ufffd" * 10,
    "first line is empty": "\n\nHello",
}


class _Elements(HTMLParser):
    """Refuses what no page of ours has."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        assert tag != "img"
        assert tag != "script" or (said.get("src") or "").startswith("/static/")
        assert not [name for name in said if name.startswith("on") or name == "style"]
        for name in ("href", "src", "action", "formaction"):
            assert re.match(r"/(?!/)|tel:\+\d+$|#", said.get(name) or "/"), (tag, said)


def assert_inert(page: Page) -> None:
    """Fail if anything of the page is not ours."""
    _Elements().feed(page.text)
    assert "49" not in page.words.split()


@pytest.mark.parametrize("words", HOSTILE.values(), ids=list(HOSTILE))
async def test_whatever_a_caller_or_a_colleague_writes_stays_inert(inbox: Inbox, browser: Browser, words: str) -> None:
    caller = Caller(name=words)
    await inbox.write(caller.is_missed(NOON))
    await inbox.write(caller.writes(words, NOON))
    await inbox.desk.note(NUMBER, words[:4000], "bob")
    await browser.log_in()
    for path in ("/", TALK, f"{TALK}?fragment=1", f"{TALK}/no-texts", "/?q=x"):
        page = await browser.get(path)
        assert page.status == 200
        assert_inert(page)
    refused = await browser.post(f"{TALK}/reply", text=words, key="")
    assert refused.status == 422
    assert typed(refused).strip("\n") == words.replace("\x00", "\ufffd").strip("\n") or "\x00" in words
    assert_inert(refused)


async def test_an_untrusted_name_is_shown_isolated_and_without_marks(inbox: Inbox, browser: Browser) -> None:
    await inbox.write(Caller(name="\u202eenaJ").is_missed(NOON))
    page = await browser.log_in()
    assert '<bdi dir="auto">enaJ</bdi>' in page.text
    assert "\u202e" not in (await browser.get(TALK)).text.replace('value="\u202eenaJ"', "")


# ---- /new


async def test_a_number_that_is_not_in_the_list_can_be_texted(inbox: Inbox, browser: Browser) -> None:
    await browser.log_in()
    form = await browser.get("/new")
    page = await browser.post("/new", number="303 555 0177", text="Your slates have come", key=key(form))
    assert page.where == TALK
    assert "Your slates have come" in page.words
    new = await inbox.write(Caller(E164("+13035550177")).stands)
    assert (new.turn, new.assignee) == (Turn.THEIRS, "anna")


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        ("", "This is not a whole phone number."),
        ("555 0177", "This is not a whole phone number."),
        ("<script>", "This is not a whole phone number."),
        ("911", "This is not a whole phone number."),
        ("+1 900 555 0177", "This number cannot be texted."),
    ],
)
async def test_what_is_no_number_is_refused_and_the_words_are_kept(
    inbox: Inbox, browser: Browser, number: str, fault: str
) -> None:
    await browser.log_in()
    page = await browser.post("/new", number=number, text="Your slates have come", key=KEY)
    assert page.status == 422
    assert fault in page.words
    assert typed(page) == "Your slates have come"
    assert await bodies(inbox) == []


async def test_everything_that_was_done_is_on_record(inbox: Inbox, browser: Browser) -> None:
    await inbox.write(JANE.is_missed(NOON))
    await browser.log_in()
    for deed, (fields, _, _) in DONE.items():
        await browser.post(f"{TALK}/{deed}", **fields)
    kinds = {act["kind"] for act in await inbox.write(lambda db: acts.listing(db, number=NUMBER))}
    expected = {
        "claimed",
        "assigned",
        "put_away",
        "taken_up",
        "won",
        "lost",
        "renamed",
        "opted_out",
        "opted_in",
        "kept_texting",
        "never",
    }
    assert expected | {"replied", "note", "read"} <= kinds


# ---- calling back


async def test_only_who_has_a_desk_phone_can_have_it_rung(tmp_path: Path) -> None:
    async with open_inbox(tmp_path, phones=True) as inbox, inbox.browser() as anna, inbox.browser() as bob:
        await inbox.write(JANE.is_missed(NOON))
        await anna.log_in("anna")
        assert f'action="{TALK}/call"' in (await anna.get(TALK)).text
        await bob.log_in("bob")
        assert f"{TALK}/call" not in (await bob.get(TALK)).text
        page = await bob.post(f"{TALK}/call")
        assert page.status == 422
        assert "No desk phone is known for bob" in page.words


@pytest.mark.parametrize(
    ("detail", "said"),
    [
        pytest.param("nobody", "Nobody could be told: no staff have a mobile, e-mail or other way.", id="nobody"),
        pytest.param("bob", "Bob was told.", id="one"),
        pytest.param("anna, bob", "Anna Smith and Bob were told.", id="two"),
        pytest.param("PJSIP/anna: nobody came", "PJSIP/anna rang: nobody came.", id="a desk phone"),
        pytest.param("+13125550124", "+13125550124 was told.", id="a mobile on call"),
    ],
)
async def test_what_was_done_about_who_waits_is_a_sentence_after_its_time(
    inbox: Inbox, browser: Browser, detail: str, said: str
) -> None:
    await inbox.write(JANE.is_missed(NOON))
    act = Act(at=NOON, kind=ActKind.ESCALATED, staff=None, number=NUMBER, detail=detail)
    await inbox.write(lambda db: acts.add_within(db, act))
    await browser.log_in()
    assert re.search(rf"\d\d:\d\d · The caller still waits\. {re.escape(said)}", timeline(await browser.get(TALK)))


# ---- what came by a form


async def test_a_form_without_a_number_is_read_and_done_with(inbox: Inbox, browser: Browser) -> None:
    words = "<script>alert(1)</script> Write to jane@example.com"
    lead = NewLead(source="website", line="main", at=NOON, number=None, phone="=1+1", name="\u202eenaJ", words=words)
    await inbox.write(lambda db: leads.add_within(db, lead, None, None, None))
    assert "1 form without a number" in (await browser.log_in()).words
    page = await browser.get("/forms")
    assert "Write to jane@example.com" in page.words
    assert_inert(page)
    assert "There are none." in (await browser.post("/forms/1/read")).words
    assert (await browser.post("/forms/99999999999999999999/read")).status == 404
    assert "without a number" not in (await browser.get("/")).words


async def test_what_was_filled_in_stands_in_the_timeline_as_the_callers_words(inbox: Inbox, browser: Browser) -> None:
    await inbox.write(JANE.is_missed(NOON))
    act = Act(at=NOON, kind=ActKind.LEAD, staff=None, number=NUMBER, detail="Our <b>roof</b> leaks\nform: website")
    await inbox.write(lambda db: acts.add_within(db, act))
    await browser.log_in()
    page = await browser.get(TALK)
    assert "Filled in a form Our <b>roof</b> leaks" in timeline(page)
    assert "<b>" not in page.text
