"""What a stranger, another site, and somebody of the staff who is no owner can learn and do: nothing."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web

from tests.web.inbox import PASSWORD, Browser, Inbox, open_inbox, raw
from textbackd.store import sessions, tokens
from textbackd.web.access.auth import BEFORE_LOGIN, FOR_EVERYBODY, is_for_owners

pytestmark = pytest.mark.slow

OWNERS = [("GET", "/accounts"), ("GET", "/audit"), ("GET", "/pause"), ("GET", "/reports.csv")]
OWNERS += [("POST", f"/accounts/{act}") for act in ("invite", "disable", "end-sessions")]
OWNERS += [("POST", "/pause"), ("POST", "/pause/resume")]


def closed(app: web.Application, which: Callable[[web.AbstractRoute], bool] = lambda _: True) -> list[tuple[str, str]]:
    """Return method and path of every route that is closed to strangers, its variables filled in."""
    routes = (route for route in app.router.routes() if route.name not in FOR_EVERYBODY | BEFORE_LOGIN)
    return sorted({(route.method, _filled(route.resource)) for route in routes if which(route)})


def _filled(resource: web.AbstractResource | None) -> str:
    assert resource is not None
    info = resource.get_info()
    pattern = info["pattern"].pattern if "pattern" in info else info["path"]
    return re.sub(r"\(\?P<\w+>[^)]*\)", "1", pattern).replace("\\", "")


async def test_a_crawl_of_every_route_shows_a_stranger_the_login_and_nothing_else(
    inbox: Inbox, browser: Browser
) -> None:
    asked = [*closed(inbox.app), *((method, "/no/such/page") for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS"))]
    assert {("GET", "/accounts"), ("POST", "/account/sessions/1/end")} <= set(asked)
    for method, path in asked:
        page = await browser.ask(method, path)
        if path.startswith("/api/"):
            assert (page.status, page.headers["WWW-Authenticate"]) == (401, "Bearer"), (method, path)
            continue
        told = (page.status, page.headers["Location"].split("?")[0], page.text)
        assert told == (303, "/login", ""), (method, path)


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("path", ["/api", "/api/v1/conversations", "/api/no/such/thing"])
async def test_a_program_without_a_token_is_told_so_in_json(browser: Browser, method: str, path: str) -> None:
    page = await browser.ask(method, path)
    assert (page.status, page.headers["Content-Type"]) == (401, "application/problem+json; charset=utf-8")
    assert page.headers["WWW-Authenticate"] == "Bearer"


async def test_a_token_opens_the_api_and_no_page(inbox: Inbox, browser: Browser) -> None:
    now = inbox.hands.now
    number = await inbox.write(lambda db: tokens.add(db, "bob", "crm", "the secret", now))
    headers = {"Authorization": "Bearer the secret"}
    assert (await browser.ask("POST", "/api/no/such/thing", headers=headers)).status == 404
    assert (await browser.ask("GET", "/account", headers=headers)).status == 303
    await inbox.write(lambda db: tokens.revoke(db, number, now))
    assert (await browser.ask("POST", "/api/no/such/thing", headers=headers)).status == 401


@pytest.mark.parametrize(("method", "path"), OWNERS)
async def test_who_is_no_owner_does_not_see_what_owners_see(browser: Browser, method: str, path: str) -> None:
    await browser.log_in("bob")
    page = await browser.ask(method, path, data={"csrf": browser.csrf} if method == "POST" else None)
    assert page.status == 403
    assert "Only owners" in page.words


async def test_the_list_of_what_owners_see_is_whole(inbox: Inbox) -> None:
    theirs = closed(inbox.app, lambda route: is_for_owners(route.handler))
    assert sorted(OWNERS) == [each for each in theirs if each[0] != "HEAD"]


@pytest.mark.parametrize("path", ["/healthz", "/metrics"])
async def test_what_monitors_ask_stays_open(browser: Browser, path: str) -> None:
    assert (await browser.ask("GET", path)).status == 200


# ---- forms of others


@pytest.mark.parametrize("given", ["", "wrong", "\u00e4\u20ac", "x" * 10_000, "of another session"])
async def test_a_form_without_the_token_of_its_session_does_nothing(inbox: Inbox, browser: Browser, given: str) -> None:
    if given == "of another session":
        async with inbox.browser() as other:
            await other.log_in()
            given = other.csrf
    await browser.log_in()
    page = await browser.ask("POST", "/logout", data={"csrf": given} if given else {})
    assert page.status == 403
    assert "was not sent from here" in page.words
    assert (await browser.ask("GET", "/account")).status == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"Sec-Fetch-Site": "same-origin"}, 303, id="our page"),
        pytest.param({"Sec-Fetch-Site": "none"}, 303, id="the person themselves"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, 403, id="another site"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, 403, id="a neighbour under the same domain"),
        pytest.param({"Origin": "http://evil.example"}, 403, id="another site's origin"),
        pytest.param({"Origin": "null"}, 403, id="an origin without a name"),
        pytest.param({"Origin": "https://["}, 403, id="no origin at all"),
        pytest.param({"Origin": "http://inbox.test", "Host": "inbox.test"}, 303, id="our own origin"),
        pytest.param({"Origin": "http://inbox.test:81", "Host": "inbox.test"}, 403, id="another port"),
        pytest.param({"Origin": "https://inbox.test", "Host": "inbox.test"}, 403, id="https, where we speak http"),
    ],
)
async def test_a_form_that_another_site_sends_does_nothing(
    browser: Browser, headers: dict[str, str], status: int
) -> None:
    await browser.log_in()
    page = await browser.ask("POST", "/logout", data={"csrf": browser.csrf}, headers=headers)
    assert page.status == status


async def test_a_script_of_our_own_may_show_the_token_in_a_header(browser: Browser) -> None:
    await browser.log_in()
    assert (await browser.ask("POST", "/logout", headers={"X-CSRF": "wrong"})).status == 403
    assert (await browser.ask("POST", "/logout", headers={"X-CSRF": browser.csrf})).status == 303


async def test_nobody_is_logged_in_by_a_form_of_another_site(inbox: Inbox, browser: Browser) -> None:
    form = {"name": "bob", "password": PASSWORD}
    assert (await browser.ask("POST", "/login", data=form)).status == 403
    await browser.get("/login")
    assert (await browser.ask("POST", "/login", data=form)).status == 403
    async with inbox.browser() as other:
        await other.get("/login")
        assert (await browser.ask("POST", "/login", data={**form, "csrf": other.csrf})).status == 403
    right = {**form, "csrf": browser.csrf}
    assert (await browser.ask("POST", "/login", data=right, headers={"Origin": "http://evil.example"})).status == 403
    assert (await browser.ask("POST", "/login", data=right)).status == 303


async def test_a_wrong_form_is_no_guess(browser: Browser) -> None:
    for _ in range(8):
        await browser.ask("POST", "/login", data={"name": "anna", "password": "x"})
    assert (await browser.log_in()).where == "/"


# ---- what else comes over the wire


@pytest.mark.parametrize(
    "path",
    [
        "/static/../pages.py",
        "/static/..%2fpages.py",
        "/static/%2e%2e/%2e%2e/web/pages.py",
        "/static/..\\pages.py",
        "/static//etc/passwd",
        "/static/%00",
        "/static/style.css",
        "/static/",
    ],
)
async def test_no_path_leads_out_of_the_files(inbox: Inbox, path: str) -> None:
    answer = await raw(inbox, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert answer.split(b" ")[1] in (b"404", b"303"), answer[:100]
    assert b"import" not in answer
    assert b"root:" not in answer


async def test_a_file_is_kept_for_ever_under_a_name_that_changes_with_it(browser: Browser) -> None:
    page = await browser.get("/login")
    address = page.text.split('rel="stylesheet" href="')[1].split('"')[0]
    style = await browser.ask("GET", address)
    assert (style.status, style.headers["Content-Type"]) == (200, "text/css; charset=utf-8")
    assert style.headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("logged_in", [True, False])
async def test_a_form_of_a_megabyte_is_refused(browser: Browser, logged_in: bool) -> None:
    if logged_in:
        await browser.log_in()
    await browser.ask("GET", "/login")
    page = await browser.ask("POST", "/account/password" if logged_in else "/login", data={"x": "y" * 1_000_000})
    assert page.status == 413
    assert "Shorten it" in page.words


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("inbox.example.com", 200),
        ("INBOX.example.com:443", 200),
        ("localhost:8470", 200),
        ("127.0.0.1", 200),
        ("[::1]:8470", 200),
        ("evil.example", 421),
        ("[", 400),
        ("inbox.example.com.evil.example", 421),
    ],
)
async def test_under_another_name_the_inbox_is_not_there(tmp_path: Path, host: str, status: int) -> None:
    async with open_inbox(tmp_path, 'web: {url: "https://inbox.example.com"}') as inbox:
        answer = await raw(inbox, f"GET /login HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    assert int(answer.split(b" ")[1]) in (status, 421 if status == 400 else status)


@pytest.mark.parametrize("cookie", ["", "x", "A" * 43, "A" * 10_000, '"\\000"', "\u00e4"])
async def test_a_cookie_that_is_none_of_ours_opens_nothing(inbox: Inbox, cookie: str) -> None:
    head = f"GET /account HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: textbackd={cookie}\r\n\r\n"
    answer = await raw(inbox, head.encode())
    assert answer.split(b" ")[1] in (b"303", b"400")


async def test_every_page_is_under_a_policy_that_lets_no_foreign_script_run(browser: Browser) -> None:
    await browser.log_in()
    for path in ("/account", "/accounts", "/audit", "/no/such/page"):
        page = await browser.ask("GET", path)
        policy = page.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "unsafe" not in policy
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert page.headers["Cache-Control"] == "no-store"
        assert "<script>" not in page.text
        assert " style=" not in page.text


async def test_a_page_that_breaks_tells_nothing_of_the_inside(inbox: Inbox, browser: Browser) -> None:
    await browser.log_in()
    await inbox.write(lambda db: db.execute("ALTER TABLE acts RENAME TO gone"))
    page = await browser.ask("GET", "/audit")
    assert page.status == 500
    assert "Something broke" in page.words
    assert "acts" not in page.text
    assert "Traceback" not in page.text


async def test_the_table_of_sessions_lets_nobody_in_who_reads_it(inbox: Inbox, browser: Browser) -> None:
    await browser.log_in()
    secret = browser.cookie("textbackd") or "none"
    dump = str(await inbox.write(lambda db: list(db.conn.iterdump())))
    assert secret not in dump
    assert browser.csrf not in dump
    assert len(await inbox.write(lambda db: sessions.listing(db, inbox.hands.now))) == 1
