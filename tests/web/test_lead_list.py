"""/leads, as people use it: what could not become a conversation is seen, and nothing in it does anything."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.store.rows import CALLER, NOON
from tests.web.doors import SECRET
from tests.web.inbox import Browser, Inbox, open_inbox
from textbackd.store import leads
from textbackd.store.database import writing
from textbackd.store.leads import NewLead

pytestmark = pytest.mark.slow
HOSTILE = "<script>alert(1)</script>\u202e=cmd"


@pytest.fixture
async def inbox(tmp_path: Path) -> AsyncIterator[Inbox]:
    async with open_inbox(tmp_path, f"leads: {{website: {{secret: {SECRET}}}}}") as running:
        yield running


USUAL = NewLead(source="website", line="main", at=NOON, number=None, phone="?", name="Jane", words="Leak")


async def kept(inbox: Inbox, **changes: Any) -> None:
    lead = replace(USUAL, **changes)

    def work(db: Any) -> None:
        with writing(db):
            leads.add_within(db, lead, None, None, None)

    await inbox.write(work)


async def test_a_form_without_a_number_is_shown_until_somebody_has_read_it(inbox: Inbox, browser: Browser) -> None:
    await kept(inbox, words="My roof leaks\nemail: j@example.com")
    await kept(inbox, number=CALLER, words="has one")
    await browser.log_in("bob")
    page = await browser.get("/leads")
    assert "Jane Mon 2 Mar 2026, 05:00 · website · number: ? My roof leaks email: j@example.com" in page.words
    assert "has one" not in page.words
    assert "No form without a number waits to be read." in (await browser.post("/leads/1/read")).words
    assert [(row["read_by"], row["id"]) for row in await inbox.write(lambda db: list(db["leads"].rows))] == [
        ("bob", 1), (None, 2)
    ]  # fmt: skip


async def test_it_stands_in_the_menu_of_a_shop_that_has_forms(inbox: Inbox, browser: Browser) -> None:
    await browser.log_in()
    assert 'href="/leads"' in (await browser.get("/account")).text


async def test_a_shop_without_forms_does_not_see_it_in_the_menu(tmp_path: Path) -> None:
    async with open_inbox(tmp_path / "other") as plain, plain.browser() as browser:
        await browser.log_in()
        assert 'href="/leads"' not in (await browser.get("/account")).text


async def test_whatever_was_typed_does_nothing(inbox: Inbox, browser: Browser) -> None:
    await kept(inbox, name=HOSTILE, phone=HOSTILE, words=f"{HOSTILE}\n{HOSTILE}")
    await browser.log_in()
    page = await browser.get("/leads")
    assert "<script>alert" not in page.text
    assert page.text.count("&lt;script&gt;alert(1)") == 5


async def test_one_with_a_number_or_none_at_all_cannot_be_read_away(inbox: Inbox, browser: Browser) -> None:
    await kept(inbox, number=CALLER)
    await browser.log_in()
    await browser.get("/leads")
    for which in ("1", "2", "x", "0"):
        assert (await browser.post(f"/leads/{which}/read")).status == 404
