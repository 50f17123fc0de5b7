"""/account, /accounts, /invitation and /audit, as people use them."""

import re

import pytest
import sqlite_utils

from tests.web.inbox import NOON, PASSWORD, Browser, Inbox
from textbackd.core.phone import E164
from textbackd.store import accounts, acts
from textbackd.store.acts import Act, ActKind
from textbackd.store.database import writing
from textbackd.web.access.audit import ROWS, WORDS

pytestmark = pytest.mark.slow

NEW = "four quite new words"
HOSTILE = "<img src=x onerror=alert(1)>\u202e"


def link_in(text: str) -> str:
    found = re.search(r'class="secret">http://[^/]*(/invitation/[^<]*)<', text)
    assert found is not None
    return found[1]


# ---- /account


async def test_one_of_my_sessions_is_ended_from_another(inbox: Inbox, browser: Browser) -> None:
    phone = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Mobile Safari/537.36"
    async with inbox.browser({"User-Agent": phone}) as other:
        await other.log_in()
        await browser.log_in()
        page = await browser.get("/account")
        assert "Chrome on Android" in page.words
        (wanted,) = re.findall(r'action="(/account/sessions/\d+/end)"', page.text)
        assert "That session has ended." in (await browser.post(wanted)).words
        assert (await other.ask("GET", "/account")).status == 303
        assert (await browser.post(wanted)).status == 404


async def test_all_others_of_my_sessions_are_ended_and_nobody_elses(inbox: Inbox, browser: Browser) -> None:
    async with inbox.browser() as mine, inbox.browser() as bobs:
        await mine.log_in()
        await bobs.log_in("bob")
        await browser.log_in()
        await browser.post("/account/sessions/end-others")
        assert (await mine.ask("GET", "/account")).status == 303
        assert (await bobs.ask("GET", "/account")).status == 200
        assert (await browser.ask("GET", "/account")).status == 200


async def test_nobody_ends_the_session_of_somebody_else_by_its_number(inbox: Inbox, browser: Browser) -> None:
    async with inbox.browser() as annas:
        await annas.log_in()
        await browser.log_in("bob")
        for number in range(1, 4):
            await browser.post(f"/account/sessions/{number}/end")
        assert (await annas.ask("GET", "/account")).status == 200


async def test_a_new_password_ends_my_other_sessions(inbox: Inbox, browser: Browser) -> None:
    async with inbox.browser() as other:
        await other.log_in()
        await browser.log_in()
        page = await browser.post("/account/password", present=PASSWORD, new=NEW, again=NEW)
        assert "Your password is changed" in page.words
        assert (await other.ask("GET", "/account")).status == 303
        assert (await other.log_in()).status == 401
        assert (await other.log_in(password=NEW)).status == 200


@pytest.mark.parametrize(
    ("present", "new", "again", "said"),
    [
        ("wrong", NEW, NEW, "That is not your present password."),
        (PASSWORD, "short", "short", "at least 10 characters"),
        (PASSWORD, NEW, NEW + "x", "not typed the same twice"),
    ],
)
async def test_a_password_that_cannot_be_taken_is_told(
    browser: Browser, present: str, new: str, again: str, said: str
) -> None:
    await browser.log_in()
    page = await browser.post("/account/password", present=present, new=new, again=again)
    assert page.status == 422
    assert said in page.words


async def test_who_finds_a_browser_open_may_not_guess_the_password(browser: Browser) -> None:
    await browser.log_in()
    for _ in range(5):
        await browser.post("/account/password", present="wrong", new=NEW, again=NEW)
    page = await browser.post("/account/password", present=PASSWORD, new=NEW, again=NEW)
    assert "Too many tries." in page.words


# ---- /accounts and /invitation


async def test_somebody_new_chooses_a_password_by_a_link_that_works_once(inbox: Inbox, browser: Browser) -> None:
    await browser.log_in()
    await browser.get("/accounts")
    link = link_in((await browser.post("/accounts/invite", staff="eve", role="staff")).text)
    async with inbox.browser() as eves:
        assert "Welcome, eve" in (await eves.get(link)).words
        assert (await eves.post(link, password="short")).status == 422
        page = await eves.post(link, password=NEW)
        assert "Your password is set." in page.words
        assert (await eves.get(link)).status == 404
        assert (await eves.post(link, password="another long one")).status == 404
        assert (await eves.log_in("eve", NEW)).where == "/"


async def test_a_link_is_good_for_a_day_and_a_later_one_takes_its_place(inbox: Inbox, browser: Browser) -> None:
    await browser.log_in()
    await browser.get("/accounts")
    first = link_in((await browser.post("/accounts/invite", staff="eve", role="owner")).text)
    second = link_in((await browser.post("/accounts/invite", staff="EVE", role="owner")).text)
    async with inbox.browser() as eves:
        assert (await eves.get(first)).status == 404
        assert (await eves.get(second)).status == 200
        inbox.hands.pass_by(hours=24)
        assert (await eves.get(second)).status == 404


async def test_a_link_for_somebody_who_has_forgotten_ends_their_sessions_when_it_is_used(
    inbox: Inbox, browser: Browser
) -> None:
    async with inbox.browser() as bobs, inbox.browser() as fresh:
        await bobs.log_in("bob")
        await browser.log_in()
        await browser.get("/accounts")
        link = link_in((await browser.post("/accounts/invite", staff="bob", role="owner")).text)
        assert (await bobs.ask("GET", "/account")).status == 200
        await fresh.get(link)
        await fresh.post(link, password=NEW)
        assert (await bobs.ask("GET", "/account")).status == 303
    (bob,) = [account for account in await inbox.write(accounts.listing) if account.staff == "bob"]
    assert bob.role == "staff", "a link gives nobody another role"


async def test_the_form_of_a_link_is_not_sent_by_another_site(inbox: Inbox, browser: Browser) -> None:
    await inbox.write(lambda db: accounts.invite(db, "eve", accounts.Role.STAFF, "x", inbox.hands.now))
    assert (await browser.ask("POST", "/invitation/x", data={"password": NEW})).status == 403
    assert (await browser.get("/invitation/x")).status == 200


async def test_whoever_is_disabled_is_out_at_once_until_let_in_again(inbox: Inbox, browser: Browser) -> None:
    async with inbox.browser() as bobs:
        await bobs.log_in("bob")
        await browser.log_in()
        await browser.get("/accounts")
        await browser.post("/accounts/disable", staff="bob")
        assert (await bobs.ask("GET", "/account")).status == 303
        assert (await bobs.log_in("bob")).status == 401
        link = link_in((await browser.post("/accounts/invite", staff="bob", role="staff")).text)
        assert (await bobs.log_in("bob")).status == 401, "the old password is gone"
        await bobs.get(link)
        await bobs.post(link, password=NEW)
        assert (await bobs.log_in("bob", NEW)).status == 200


async def test_an_owner_ends_the_sessions_of_others_and_cannot_lock_themselves_out(
    inbox: Inbox, browser: Browser
) -> None:
    async with inbox.browser() as bobs:
        await bobs.log_in("bob")
        await browser.log_in()
        await browser.post("/accounts/end-sessions", staff="bob")
        assert (await bobs.ask("GET", "/account")).status == 303
    assert (await browser.post("/accounts/disable", staff="anna")).status == 422
    await browser.post("/accounts/end-sessions", staff="anna")
    assert (await browser.ask("GET", "/accounts")).status == 200


@pytest.mark.parametrize("name", ["", " ", "x" * 61, "a\nb", "\u202e", "\x00"])
async def test_a_name_that_nobody_can_have_is_refused(browser: Browser, name: str) -> None:
    await browser.log_in()
    assert (await browser.post("/accounts/invite", staff=name, role="staff")).status == 422


async def test_a_hostile_name_stays_a_name(inbox: Inbox, browser: Browser) -> None:
    name = HOSTILE.removesuffix("\u202e")
    await inbox.write(lambda db: accounts.invite(db, name, accounts.Role.STAFF, "x", inbox.hands.now))
    await browser.log_in()
    for path in ("/accounts", "/audit", "/invitation/x"):
        page = await browser.get(path)
        assert "<img" not in page.text
        assert name in page.words


# ---- /audit


async def test_what_happens_to_accounts_is_told_with_who_did_it(inbox: Inbox, browser: Browser) -> None:
    await browser.log_in("bob", "wrong")
    await browser.log_in("bob")
    await browser.post("/logout")
    await browser.log_in()
    await browser.post("/accounts/invite", staff="eve", role="staff")
    await browser.post("/accounts/disable", staff="eve")
    words = (await browser.get("/audit")).words
    told = [
        "Anna Smith disabled the account of eve",
        "Anna Smith made a link to choose a password for eve",
        "Anna Smith made an account for eve",
        "Anna Smith logged in:",
        "Bob logged out",
        "Bob logged in:",
        "Bob was refused at the login, from 127.0.0.1",
        "Somebody at the terminal made an account for bob",
    ]
    places = [words.find(sentence) for sentence in told]
    assert -1 not in places
    assert places == sorted(places)
    assert "Anna Smith" not in (await browser.get("/audit?staff=bob")).words.partition("Number")[2]


async def test_the_audit_shows_a_page_at_a_time_and_one_number_if_asked(inbox: Inbox, browser: Browser) -> None:
    numbers = [E164(f"+1303555{n:04}") for n in range(ROWS + 10)]

    def write(db: sqlite_utils.Database) -> None:
        with writing(db):
            for number in numbers:
                note = Act(at=inbox.hands.now, kind=ActKind.NOTE, staff="bob", number=number, detail=HOSTILE * 100)
                acts.add_within(db, note)

    await inbox.write(write)
    await browser.log_in()
    first = await browser.get("/audit?staff=bob")
    assert numbers[-1] in first.words
    assert numbers[0] not in first.words
    assert "<img" not in first.text
    older = re.search(r'rel="next" href="([^"]*)"', first.text)
    assert older is not None
    second = await browser.get(older[1].replace("&amp;", "&"))
    assert numbers[0] in second.words
    assert numbers[-1] not in second.words
    one = await browser.get("/audit?number=(303)+555-0007")
    assert re.findall(r"\+1303555\d{4}", one.words) == ["+13035550007"]
    assert "That is not a phone number." in (await browser.get("/audit?number=x")).words


async def test_the_audit_says_whether_anybody_could_be_told_of_who_waits(inbox: Inbox, browser: Browser) -> None:
    await inbox.write(lambda db: acts.add_within(db, waits("nobody")))
    await inbox.write(lambda db: acts.add_within(db, waits("bob")))
    await browser.log_in()
    page = await browser.get("/audit")
    assert "textbackd saw that the caller still waits; Bob was told" in page.words
    assert "still waits; nobody could be told: no staff have a mobile, e-mail or other way" in page.words


def waits(whom: str) -> Act:
    return Act(at=NOON, kind=ActKind.ESCALATED, staff=None, detail=whom)


def test_every_act_has_words() -> None:
    assert set(WORDS) == set(ActKind)
