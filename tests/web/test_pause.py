"""/pause, as an owner uses it without JavaScript."""

import pytest

from tests.web.inbox import Browser, Inbox
from textbackd.store import halts
from textbackd.store.halts import HaltKind

pytestmark = pytest.mark.slow


async def test_an_owner_pauses_a_line_for_a_while_and_it_texts_again_by_itself(inbox: Inbox, browser: Browser) -> None:
    await browser.log_in()
    await browser.get("/pause")
    page = await browser.post("/pause", line="main", span="4h")
    assert page.where == "/pause"
    assert "Paused: nobody is texted." in page.words
    assert "Paused by Anna Smith since Mon 2 Mar 2026, 05:00, until Mon 2 Mar 2026, 09:00" in page.words
    (halt,) = await inbox.write(lambda db: halts.active(db, inbox.hands.now))
    assert (halt.line, halt.kind, halt.why) == ("main", HaltKind.PAUSE, "by Anna Smith")
    inbox.hands.pass_by(hours=4)
    assert await inbox.write(lambda db: halts.active(db, inbox.hands.now)) == []
    assert "no texts" not in (await browser.get("/pause")).words


async def test_all_lines_are_paused_until_somebody_resumes_and_the_audit_says_who_did(
    inbox: Inbox, browser: Browser
) -> None:
    await browser.log_in()
    await browser.get("/pause")
    page = await browser.post("/pause", line="", span="open")
    assert "until somebody resumes" in page.words
    inbox.hands.pass_by(days=30)
    async with inbox.browser() as later:
        await later.log_in()
        assert "All lines" in (await later.get("/pause")).words
        assert "Texts go out again." in (await later.post("/pause/resume", line="")).words
        audit = (await later.get("/audit")).words
    assert await inbox.write(lambda db: halts.active(db, inbox.hands.now)) == []
    assert "paused the texts of all lines until somebody resumes" in audit
    assert "resumed the texts of all lines" in audit


async def test_the_brake_is_told_and_released_here(inbox: Inbox, browser: Browser) -> None:
    now, why = inbox.hands.now, "3 calls came from numbers in a row"
    await inbox.write(lambda db: halts.halt(db, HaltKind.BRAKE, line=None, until=None, why=why, now=now))
    await browser.log_in()
    assert why in (await browser.get("/pause")).words
    assert "brake" not in (await browser.post("/pause/resume")).words
    assert await inbox.write(lambda db: halts.active(db, now)) == []


@pytest.mark.parametrize(
    "form", [{"line": "attic", "span": "1h"}, {"line": "main", "span": "for ever"}, {"line": "main", "span": ""}]
)
async def test_what_the_form_does_not_offer_is_refused(inbox: Inbox, browser: Browser, form: dict[str, str]) -> None:
    await browser.log_in()
    await browser.get("/pause")
    page = await browser.post("/pause", line=form["line"], span=form["span"])
    known = await inbox.write(lambda db: halts.active(db, inbox.hands.now))
    assert (page.status, known) == (422, [])


@pytest.mark.parametrize(
    ("kind", "line", "said"),
    [
        (HaltKind.PAUSE, None, "Texting is paused by Ben: nobody is texted back."),
        (HaltKind.PAUSE, "main", "Texting is paused for main: who is missed there is not texted back."),
        (HaltKind.BRAKE, None, "The brake has stopped all automatic texts: nobody is texted back."),
    ],
)
async def test_whoever_looks_at_the_inbox_sees_that_nobody_is_texted(
    inbox: Inbox, browser: Browser, kind: HaltKind, line: str | None, said: str
) -> None:
    await browser.log_in("bob")
    assert "texted back" not in (await browser.get("/")).words
    now = inbox.hands.now
    await inbox.write(lambda db: halts.halt(db, kind, line=line, until=None, why="by Ben", now=now))
    page = await browser.get("/")
    assert said in page.words
    assert "/pause" not in page.text
    async with inbox.browser() as owner:
        await owner.log_in()
        assert 'href="/pause">Resume' in (await owner.get("/")).text


async def test_only_owners_pause(inbox: Inbox, browser: Browser) -> None:
    await browser.log_in("bob")
    await browser.get("/account")
    assert (await browser.get("/pause")).status == 403
    assert (await browser.post("/pause", line="main", span="1h")).status == 403
    assert (await browser.post("/pause/resume", line="main")).status == 403
    assert await inbox.write(lambda db: halts.active(db, inbox.hands.now)) == []
