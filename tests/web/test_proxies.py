"""The inbox behind the reverse proxies of docs/INBOX.md, as they are set up there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.web import proxies
from tests.web.inbox import Browser, open_inbox

pytestmark = pytest.mark.slow


@asynccontextmanager
async def behind(proxy: proxies.Proxy, folder: Path) -> AsyncIterator[Browser]:
    """Return a browser that comes from outside."""
    async with open_inbox(folder, f'web: {{url: "https://{proxies.NAME}"}}') as inbox:
        assert inbox.url.port is not None
        with proxies.running(proxy, folder, inbox.url.port) as port:
            await proxies.is_up(port)
            address = f"https://{proxies.NAME}:{port}"
            async with aiohttp.ClientSession(address, connector=proxies.connector(folder)) as session:
                yield Browser(session)


@pytest.mark.parametrize("proxy", [proxies.nginx, proxies.caddy])
async def test_behind_a_proxy_staff_log_in_over_https_and_strangers_are_told_apart(
    proxy: proxies.Proxy, tmp_path: Path
) -> None:
    async with behind(proxy, tmp_path) as browser:
        assert (await browser.log_in()).where == "/"
        assert browser.cookie("__Host-textbackd") is not None
        await browser.get("/accounts")
        invited = await browser.post("/accounts/invite", staff="eve", role="staff")
        assert f'class="secret">https://{proxies.NAME}/invitation/' in invited.text
        for path in ("/healthz", "/metrics"):
            assert (await browser.get(path)).status == 404
        browser.session.cookie_jar.clear()
        statuses = []
        for n in range(21):
            browser.headers = {"X-Forwarded-For": f"198.51.100.{n}"}  # a lie, which the proxy does not put last
            statuses.append((await browser.log_in(f"name{n}", "wrong")).status)
        assert statuses == [401] * 20 + [429]
