"""Logging in and out, over a real socket: who gets in, who does not, and how often one may try."""

import asyncio
from pathlib import Path

import pytest

from tests.web.inbox import PASSWORD, Browser, Inbox, open_inbox
from textbackd.store import accounts, acts, sessions
from textbackd.web.access import attempts
from textbackd.web.access.passwords import MOST_WAITING

pytestmark = pytest.mark.slow

WRONG = "That name and password do not belong together."


@pytest.mark.parametrize("name", ["anna", "Anna", " anna "])
async def test_name_and_password_let_somebody_in(browser: Browser, name: str) -> None:
    page = await browser.log_in(name)
    assert (page.status, page.where) == (200, "/")
    assert "Anna Smith" in page.words
    assert browser.cookie("textbackd-login") is None


@pytest.mark.parametrize(
    ("name", "password"),
    [
        pytest.param("anna", "three plain wordz", id="a wrong password"),
        pytest.param("nobody", PASSWORD, id="a wrong name"),
        pytest.param("", "", id="nothing"),
        pytest.param("anna", "x" * 10_000, id="10,000 characters"),
        pytest.param("\x00'--<script>", "\ufffd \u202e", id="what nobody types"),
    ],
)
async def test_whatever_is_wrong_is_told_in_the_same_words(browser: Browser, name: str, password: str) -> None:
    page = await browser.log_in(name, password)
    assert page.status == 401
    assert WRONG in page.words
    assert "<script>" not in page.text
    assert browser.cookie("textbackd") is None


async def test_whoever_is_disabled_is_told_no_more_than_a_stranger(inbox: Inbox, browser: Browser) -> None:
    await inbox.write(lambda db: accounts.disable(db, "bob", inbox.hands.now))
    assert WRONG in (await browser.log_in("bob")).words


async def test_somebody_who_was_invited_cannot_log_in_without_a_password(inbox: Inbox, browser: Browser) -> None:
    await inbox.write(lambda db: accounts.invite(db, "eve", accounts.Role.STAFF, "x", inbox.hands.now))
    assert WRONG in (await browser.log_in("eve", "")).words


# ---- guessing


async def test_guessing_is_slowed_down_and_the_right_password_does_not_help_until_then(
    inbox: Inbox, browser: Browser
) -> None:
    for _ in range(5):
        assert (await browser.log_in(password="wrong")).status == 401
    page = await browser.log_in()
    assert (page.status, page.headers["Retry-After"]) == (429, "2")
    assert "Too many tries. Wait 2 seconds, then try again." in page.words
    inbox.hands.pass_by(seconds=2)
    assert (await browser.log_in()).where == "/"
    async with inbox.browser() as other:
        assert (await other.log_in(password="wrong")).status == 401, "the right one has ended the pauses"


async def test_pauses_grow_to_a_quarter_of_an_hour(inbox: Inbox, browser: Browser) -> None:
    pauses = []
    for _ in range(20):
        page = await browser.log_in(password="wrong")
        if page.status == 429:
            pauses.append(int(page.headers["Retry-After"]))
            inbox.hands.pass_by(seconds=pauses[-1])
    assert pauses[:4] == [2, 4, 8, 16]
    assert max(pauses) <= 900


async def test_a_name_that_there_is_not_is_slowed_down_like_one_that_there_is(browser: Browser) -> None:
    statuses = [(await browser.log_in("nobody", "wrong")).status for _ in range(6)]
    assert statuses == [401] * 5 + [429]


async def test_an_address_that_tries_many_names_is_slowed_down(browser: Browser) -> None:
    statuses = [(await browser.log_in(f"name{n}", "wrong")).status for n in range(21)]
    assert statuses == [401] * 20 + [429]


async def test_who_guesses_from_elsewhere_does_not_slow_down_the_shop(inbox: Inbox, browser: Browser) -> None:
    async with inbox.browser({"X-Forwarded-For": "10.0.0.1, 203.0.113.9"}) as stranger:
        for n in range(21):
            await stranger.log_in(f"name{n}", "wrong")
        assert (await stranger.log_in("bob")).status == 429
    assert (await browser.log_in("bob")).where == "/"


async def test_a_restart_forgets_no_guess(tmp_path: Path) -> None:
    for _ in range(2):
        async with open_inbox(tmp_path) as inbox, inbox.browser() as browser:
            statuses = [(await browser.log_in(password="wrong")).status for _ in range(3)]
    assert statuses == [401, 401, 429]


async def test_an_account_of_ones_own_does_not_help_to_guess_at_others(browser: Browser) -> None:
    statuses = []
    for n in range(24):
        statuses.append((await browser.log_in(f"name{n}", "wrong")).status)
        await browser.log_in("bob")
        browser.session.cookie_jar.clear()
    assert 429 in statuses


async def test_what_was_refused_is_noted_without_what_was_typed(inbox: Inbox, browser: Browser) -> None:
    await browser.log_in("anna", "xyzzy the first")
    await browser.log_in("xyzzy the second", "x")
    noted = await inbox.write(acts.listing)
    assert [(act["kind"], act["staff"], act["detail"]) for act in noted[:2]] == [
        ("login_refused", None, "127.0.0.1"),
        ("login_refused", "anna", "127.0.0.1"),
    ]
    assert "xyzzy" not in str(await inbox.write(lambda db: list(db.conn.iterdump())))


# ---- the session


async def test_a_login_makes_a_secret_that_nobody_has_seen_before(inbox: Inbox, browser: Browser) -> None:
    planted = "A" * 43
    browser.session.cookie_jar.update_cookies({"textbackd": planted}, inbox.url)
    await browser.log_in()
    first = browser.cookie("textbackd")
    assert first not in (None, planted)
    await browser.ask("GET", "/login")
    await inbox.write(lambda db: sessions.end_all(db, "anna", inbox.hands.now))
    await browser.log_in()
    assert browser.cookie("textbackd") not in (None, first)


async def test_logging_in_again_ends_the_session_that_the_browser_had(inbox: Inbox, browser: Browser) -> None:
    await browser.log_in()
    old = browser.cookie("textbackd") or ""
    # The form was open in another tab when the first login was made.
    async with inbox.browser() as other:
        await other.get("/login")
        other.session.cookie_jar.update_cookies({"textbackd": old}, inbox.url)
        await other.post("/login", name="bob", password=PASSWORD)
    assert (await browser.ask("GET", "/account")).status == 303


async def test_logging_out_ends_the_session_and_not_only_the_cookie(inbox: Inbox, browser: Browser) -> None:
    await browser.log_in()
    secret = browser.cookie("textbackd") or ""
    page = await browser.post("/logout")
    assert (page.where, browser.cookie("textbackd")) == ("/login", None)
    assert "You are logged out." in page.words
    browser.session.cookie_jar.update_cookies({"textbackd": secret}, inbox.url)
    assert (await browser.ask("GET", "/account")).status == 303


async def test_a_session_ends_after_two_weeks_without_use_and_after_ninety_days_with_it(
    inbox: Inbox, browser: Browser
) -> None:
    await browser.log_in()
    inbox.hands.pass_by(days=13)
    assert (await browser.ask("GET", "/account")).status == 200
    inbox.hands.pass_by(days=14)
    assert (await browser.ask("GET", "/account")).status == 303
    await browser.log_in()
    seen = []
    for _ in range(9):
        inbox.hands.pass_by(days=10)
        seen.append((await browser.ask("GET", "/account")).status)
    assert seen == [200] * 8 + [303]


@pytest.mark.parametrize(
    ("headers", "name", "secure"),
    [
        pytest.param({}, "textbackd", False, id="over http"),
        pytest.param({"X-Forwarded-Proto": "https"}, "__Host-textbackd", True, id="over https, by a proxy on this box"),
    ],
)
async def test_the_cookies_are_for_this_host_and_for_no_script(
    browser: Browser, headers: dict[str, str], name: str, secure: bool
) -> None:
    browser.headers = headers
    first = await browser.get("/login")
    page = await browser.post("/login", name="anna", password=PASSWORD, follow=False)
    given = [first.headers["Set-Cookie"], *page.headers.getall("Set-Cookie")]
    assert [cookie.split("=")[0] for cookie in given] == [f"{name}-login", name, f"{name}-login"]
    for cookie in given:
        flags = {flag.strip() for flag in cookie.split(";")}
        assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= flags
        assert ("Secure" in flags) is secure
        assert not any(flag.startswith("Domain") for flag in flags)


async def test_over_https_a_cookie_that_a_neighbour_could_have_set_is_not_read(browser: Browser) -> None:
    await browser.log_in()
    assert (await browser.ask("GET", "/account", headers={"X-Forwarded-Proto": "https"})).status == 303


@pytest.mark.parametrize(
    ("wanted", "where"),
    [
        ("/accounts", "/accounts"),
        ("/accounts?x=1", "/accounts"),
        ("//evil.example/", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/x\r\nSet-Cookie: a=b", "/"),
        ("/" + "x" * 600, "/"),
    ],
)
async def test_after_the_login_one_is_where_one_wanted_to_be_and_never_elsewhere(
    browser: Browser, wanted: str, where: str
) -> None:
    await browser.get("/login")
    page = await browser.post("/login", name="anna", password=PASSWORD, next=wanted)
    assert page.where == where


async def test_a_stranger_who_wanted_a_page_gets_there_by_logging_in(browser: Browser) -> None:
    page = await browser.get("/audit?staff=bob")
    assert page.where == "/login"
    assert 'name="next" value="/audit?staff=bob"' in page.text


async def test_guessing_at_the_same_moment_is_no_way_around_the_pause(inbox: Inbox, browser: Browser) -> None:
    await browser.get("/login")
    form = {"csrf": browser.csrf, "name": "anna", "password": "wrong"}
    pages = await asyncio.gather(*(browser.ask("POST", "/login", data=form) for _ in range(30)))
    assert sorted(page.status for page in pages) == [401] * 5 + [429] * 25


async def test_a_crowd_is_told_to_come_back_and_nobody_is_counted_for_it(inbox: Inbox, browser: Browser) -> None:
    passwords = inbox.app[attempts.PASSWORDS]
    await browser.get("/login")
    crowd = [asyncio.create_task(passwords.hash(PASSWORD)) for _ in range(3 * MOST_WAITING)]
    statuses = [(await browser.post("/login", name="anna", password=PASSWORD)).status for _ in range(5)]
    assert statuses == [429] * 5
    await asyncio.gather(*crowd)
    assert (await browser.log_in()).where == "/"


async def test_the_old_password_opens_no_session_that_outlives_it(inbox: Inbox, browser: Browser) -> None:
    passwords = inbox.app[attempts.PASSWORDS]
    login = asyncio.create_task(browser.log_in())
    crowd: list[asyncio.Task[str]] = []
    async with asyncio.timeout(30):
        while not passwords.is_busy:  # until the login itself is the last one that waits to be looked at
            crowd = [task for task in crowd if not task.done()]
            crowd += [asyncio.create_task(passwords.hash("x")) for _ in range(MOST_WAITING - 1 - len(crowd))]
            await asyncio.sleep(0.001)
    await inbox.write(lambda db: accounts.set_password(db, "anna", "the hash of a new one", inbox.hands.now))
    page = await login
    assert (page.status, browser.cookie("textbackd")) == (401, None)
    assert WRONG in page.words
    await asyncio.gather(*crowd)
