"""Who asks, as far as it can be believed: over TCP from this machine, where a reverse proxy sits, and from elsewhere."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from textbackd.web.access import peer


async def told(request: web.Request) -> web.Response:
    return web.json_response({
        "https": peer.is_https(request),
        "address": peer.address(request),
        "browser": peer.browser(request),
        "origin": peer.origin(request),
    })  # fmt: skip


@pytest.fixture
async def runner() -> AsyncIterator[web.AppRunner]:
    app = web.Application()
    app.router.add_get("/", told)
    runner = web.AppRunner(app)
    await runner.setup()
    yield runner
    await runner.cleanup()


@pytest.fixture
async def here(runner: web.AppRunner) -> AsyncIterator[aiohttp.ClientSession]:
    """Ask from this machine, as a reverse proxy does."""
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}") as session:
        yield session


@pytest.fixture
async def elsewhere(runner: web.AppRunner, tmp_path: Path) -> AsyncIterator[aiohttp.ClientSession]:
    """Ask from an address that is not this machine's: a socket without one stands in for it."""
    path = str(tmp_path / "socket")
    await web.UnixSite(runner, path).start()
    async with aiohttp.ClientSession("http://inbox", connector=aiohttp.UnixConnector(path)) as session:
        yield session


async def ask(session: aiohttp.ClientSession, **headers: str) -> dict[str, object]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with session.get("/", headers=sent) as answer:
        found: dict[str, object] = await answer.json()
        return found


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("10.0.0.1, 203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("", "127.0.0.1"),
        ("unknown", "127.0.0.1"),
        ("203.0.113.9, ", "127.0.0.1"),
        ("<script>", "127.0.0.1"),
    ],
)
async def test_a_proxy_on_this_machine_says_whom_it_speaks_for(
    here: aiohttp.ClientSession, written: str, address: str
) -> None:
    assert (await ask(here, X_Forwarded_For=written))["address"] == address


@pytest.mark.parametrize(("written", "https"), [("https", True), ("HTTPS", True), ("http", False), ("", False)])
async def test_a_proxy_on_this_machine_says_whether_it_came_over_https(
    here: aiohttp.ClientSession, written: str, https: bool
) -> None:
    said = await ask(here, X_Forwarded_Proto=written, Host="inbox.example.com")
    assert said["https"] is https
    assert said["origin"] == f"{'https' if https else 'http'}://inbox.example.com"


async def test_nobody_else_is_believed(elsewhere: aiohttp.ClientSession) -> None:
    said = await ask(elsewhere, X_Forwarded_For="203.0.113.9", X_Forwarded_Proto="https")
    assert (said["address"], said["https"]) == ("unknown", False)


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1",
            "Safari on iPhone",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0",
            "Edge on Windows",
        ),
        ("curl/8.5", "A browser"),
        ("<script>alert(1)</script>", "A browser"),
    ],
)
async def test_a_browser_is_named_in_a_few_words_of_ours(here: aiohttp.ClientSession, agent: str, words: str) -> None:
    assert (await ask(here, User_Agent=agent))["browser"] == words
