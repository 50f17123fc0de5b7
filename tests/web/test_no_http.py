"""What comes from whoever scans the net, and who goes away in the middle: nothing of it is an error of ours."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from yarl import URL

from tests.web.doors import FORM, SECRET, Doors, open_doors
from tests.web.inbox import Inbox

pytestmark = pytest.mark.slow

JSON = "Content-Type: application/json\r\nHost: x\r\n"
WEB_FORM = "Content-Type: application/x-www-form-urlencoded\r\nHost: x\r\n"
CHUNKED = f"{JSON}Transfer-Encoding: chunked\r\n"
HOOK = f"/hook/web/{SECRET}"
CALENDAR = f"/booking/calendar/{SECRET}"


@pytest.fixture
async def doors(tmp_path: Path) -> AsyncIterator[Doors]:
    async with open_doors(tmp_path / "doors") as opened:
        yield opened


@pytest.fixture
def listeners(inbox: Inbox, doors: Doors) -> list[URL]:
    return [inbox.url, URL(doors.url)]


async def send(url: URL, *pieces: bytes, hang_up: bool = False) -> bytes:
    reader, writer = await asyncio.open_connection(url.host, url.port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.01)  # so that it is likely to be a packet of its own
        return b"" if hang_up else await reader.read()
    finally:
        writer.close()


def loud(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING or record.exc_info]


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 50 + b"\r\n\r\n", id="TLS"),
        pytest.param(b"SSH-2.0-Go\r\n\r\n", id="SSH"),
        pytest.param(b"GET / HTTP/9.9.9\r\n\r\n", id="a version that there is not"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", id="a header without a colon"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nA: \x00\r\n\r\n", id="a header with a zero byte"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 20_000 + b"\r\n\r\n", id="a long header"),
        pytest.param(b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", id="a long address"),
        pytest.param(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", id="no length"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n\x00\r\n\r\n", id="rubbish after a request"),
    ],
)
async def test_bytes_that_are_no_http_are_refused_quietly(
    listeners: list[URL], caplog: pytest.LogCaptureFixture, request_: bytes
) -> None:
    for url in listeners:
        async with asyncio.timeout(20):
            assert b" 400 " in (await send(url, request_)).rpartition(b"HTTP/1")[2]
    assert loud(caplog) == []


@pytest.mark.parametrize("path", ["/login", "/api/v1/texts", "/nothing-here", HOOK, FORM, CALENDAR])
@pytest.mark.parametrize(
    ("head", "body"),
    [
        pytest.param(f"{JSON}Content-Length: 100\r\n", b"abc", id="breaks off"),
        pytest.param(f"{WEB_FORM}Content-Length: 100\r\n", b"abc", id="breaks off in a form"),
        pytest.param(CHUNKED, b"5\r\nab", id="breaks off in a chunk"),
        pytest.param(CHUNKED, b"5\r\nhello\r\nxyz\r\n", id="a chunk without a length"),
    ],
)
@pytest.mark.parametrize("together", [True, False])
async def test_a_body_that_never_comes_whole_is_no_fault_of_ours(
    listeners: list[URL],
    caplog: pytest.LogCaptureFixture,
    path: str,
    head: str,
    body: bytes,
    together: bool,
) -> None:
    first = f"POST {path} HTTP/1.1\r\n{head}\r\n".encode()
    for url in listeners:
        async with asyncio.timeout(20):
            await send(url, *([first + body] if together else [first, body]), hang_up=True)
            assert await answers(url)
    assert loud(caplog) == []


async def answers(url: URL) -> bool:
    return b" 404 " in await send(url, b"GET /static/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
