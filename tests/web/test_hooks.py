"""The door for vendors: who gets in, how much, and when they hear 200."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
import pytest

from textbackd.gateways.base import Hook, HookRefused, HookReply
from textbackd.web import app, hooks
from textbackd.web.hooks import MOST_BYTES, Door

SECRET = "k7Jm0V2x9Qp4Rt6Yz8Aa1B"


class Gateway:
    """Takes hooks, and ends them as told."""

    def __init__(self, *, refused: int | None = None, stored: bool = True) -> None:
        self.hooks: list[Hook] = []
        self._refused, self._stored = refused, stored

    async def hook(self, hook: Hook) -> HookReply:
        self.hooks.append(hook)
        if self._refused:
            raise HookRefused("The webhook is not signed by the vendor.", status=self._refused)
        if not self._stored:
            await asyncio.Event().wait()
        return HookReply(content_type="text/xml", body="<Response/>")


@asynccontextmanager
async def listening(gateway: Gateway, patience: timedelta = timedelta(seconds=20)) -> AsyncIterator[str]:
    runner = await app.start(hooks.make_app({"web": Door(gateway, SECRET)}, patience=patience), "127.0.0.1", 0)
    try:
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await app.stop(runner)


async def ask(
    url: str, method: str = "POST", data: bytes = b"", headers: Mapping[str, str] | None = None
) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.request(method, url, data=data, headers=headers) as response:
        return response.status, await response.text()


async def test_a_hook_reaches_its_gateway_as_it_came_and_gets_the_gateways_reply() -> None:
    gateway = Gateway()
    async with listening(gateway) as url:
        answer = await ask(
            f"{url}/hook/web/{SECRET}?b=2&a=%C3%A9", data=b"Body=\xff%20x", headers={"X-Signature": "abc"}
        )
    (hook,) = gateway.hooks
    assert answer == (200, "<Response/>")
    assert (hook.method, hook.target, hook.body) == ("POST", f"/hook/web/{SECRET}?b=2&a=%C3%A9", b"Body=\xff%20x")
    assert hook.headers["x-signature"] == "abc"


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(f"/hook/web/{SECRET[:-1]}", id="a part of the secret"),
        pytest.param(f"/hook/web/{SECRET.lower()}", id="the secret in other letters"),
        pytest.param("/hook/web/", id="no secret"),
        pytest.param(f"/hook/stick/{SECRET}", id="a gateway that has no door"),
        pytest.param(f"/hook/nobody/{'x' * 22}", id="no such gateway"),
        pytest.param(f"/hook/web/%2e%2e/{SECRET}", id="a way around"),
        pytest.param("/hook/web/%C3%A9", id="letters that no secret has"),
        pytest.param("/healthz", id="another page"),
        pytest.param("/", id="the front"),
    ],
)
async def test_a_wrong_address_is_one_that_does_not_exist(path: str) -> None:
    gateway = Gateway()
    async with listening(gateway) as url:
        status, _ = await ask(url + path)
    assert (status, gateway.hooks) == (404, [])


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_only_get_and_post_are_taken(method: str) -> None:
    async with listening(Gateway()) as url:
        assert (await ask(f"{url}/hook/web/{SECRET}", method))[0] == 405


@pytest.mark.parametrize(("size", "status"), [(MOST_BYTES - 1, 200), (MOST_BYTES + 1, 413)])
async def test_a_body_has_at_most_64_kib(size: int, status: int) -> None:
    gateway = Gateway()
    async with listening(gateway) as url:
        assert (await ask(f"{url}/hook/web/{SECRET}", data=b"x" * size))[0] == status
    assert len(gateway.hooks) == (status == 200)


@pytest.mark.parametrize("status", [400, 403])
async def test_what_the_gateway_refuses_is_refused_in_its_words(status: int) -> None:
    async with listening(Gateway(refused=status)) as url:
        assert await ask(f"{url}/hook/web/{SECRET}") == (status, "The webhook is not signed by the vendor.")


async def test_what_could_not_be_stored_in_time_is_to_come_again() -> None:
    async with listening(Gateway(stored=False), timedelta(seconds=0.1)) as url:
        assert (await ask(f"{url}/hook/web/{SECRET}"))[0] == 503


async def test_answers_do_not_tell_what_runs_here() -> None:
    async with listening(Gateway()) as url, aiohttp.ClientSession() as session, session.get(f"{url}/x") as response:
        assert "Server" not in response.headers
