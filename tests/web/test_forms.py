"""What no page of ours would send: it is refused in a sentence, and leaves no traceback in the log."""

import asyncio
import logging

import pytest

from tests.flow.office import until
from tests.web.inbox import Browser, Inbox, raw

pytestmark = pytest.mark.slow

FORM = "application/x-www-form-urlencoded"
PART = b'--x\r\nContent-Disposition: form-data; name="csrf"\r\nContent-Type: text/plain; charset=none\r\n\r\nabc\r\n--x--\r\n'


def loud(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR or record.exc_info]


@pytest.mark.parametrize(
    ("kind", "body", "more"),
    [
        pytest.param(f"{FORM}; charset=nonsense", b"a=b", "", id="an unknown encoding"),
        pytest.param(f"{FORM}; charset=utf-7", b"name=%2B2AA-&name=+2AA-", "", id="half a character"),
        pytest.param(FORM, b"\xff\xfe=%ff", "", id="bytes that are no UTF-8"),
        pytest.param(FORM, b"name=%ff%00%ED%A0%80&password=%zz&csrf=%", "", id="escapes of no characters"),
        pytest.param(FORM, b"abc", "Content-Encoding: gzip\r\n", id="not really packed"),
        pytest.param(FORM, b"&" * 8000, "", id="no fields, 8,000 times"),
        pytest.param(FORM, b"=" * 8000, "", id="one field of signs"),
        pytest.param("multipart/form-data; boundary=x", b"garbage", "", id="no parts"),
        pytest.param("multipart/form-data", b"garbage", "", id="no boundary"),
        pytest.param("multipart/form-data; boundary=x", PART, "", id="a part in an unknown encoding"),
        pytest.param("application/json", b'{"csrf": "x"}', "", id="JSON"),
        pytest.param("///;;=", b"x", "", id="no kind at all"),
    ],
)
async def test_what_is_no_form_of_ours_is_refused_quietly(
    inbox: Inbox, browser: Browser, caplog: pytest.LogCaptureFixture, kind: str, body: bytes, more: str
) -> None:
    await browser.log_in()
    cookie = browser.cookie("textbackd") or ""
    for path in ("/login", "/invitation/x", "/logout", "/accounts/invite"):
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: textbackd={cookie}\r\n"
        head += f"{more}Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        answer = await raw(inbox, head.encode() + body)
        assert int(answer.split(b" ")[1]) in (400, 403, 404, 413), path
    assert loud(caplog) == []


@pytest.mark.parametrize(
    "path",
    [
        "/login?next=%ff%00&done=%zz",
        "/login?next=" + "%F0%9F%98%80" * 300,
        "/invitation/%ff%00%ED%A0%80",
        "/invitation/" + "x" * 7000,
        "/static/%ff",
        "/account?done=%ff",
        "/audit?staff=%ff%00&number=%ED%A0%80&before=99999999999999999999",
        "/audit?number=" + "1" * 3000,
        "/audit?before=-1&before=2&staff=a&staff=b",
        "/account/sessions/99999999999999999999/end",
        "/%ff/%00/..",
    ],
)
async def test_an_address_that_nobody_writes_is_answered_quietly(
    inbox: Inbox, browser: Browser, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    await browser.log_in()
    cookie = browser.cookie("textbackd") or ""
    head = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: textbackd={cookie}\r\n\r\n"
    answer = await raw(inbox, head.encode())
    assert int(answer.split(b" ")[1]) in (200, 303, 400, 404)
    assert loud(caplog) == []


async def test_a_browser_that_goes_away_in_the_middle_of_a_form_is_no_fault(
    inbox: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "aiohttp")
    for _ in range(3):
        _, writer = await asyncio.open_connection(inbox.url.host, inbox.url.port)
        writer.write(
            f"POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nContent-Length: 100\r\n\r\nabc".encode()
        )
        await writer.drain()
        writer.close()
    async with inbox.browser() as browser:
        await until(lambda: _is_answered(browser))
    assert loud(caplog) == []


async def _is_answered(browser: Browser) -> bool:
    return (await browser.get("/login")).status == 200
