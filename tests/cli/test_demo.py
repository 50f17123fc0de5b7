"""The demonstration, as somebody who has just cloned the project meets it."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from yarl import URL

from tests.web.inbox import Browser

pytestmark = pytest.mark.slow

PROGRAM = (sys.executable, "-c", "from textbackd.cli import main; main()", "run", "--demo")
WIDE = {**os.environ, "COLUMNS": "200"}


@asynccontextmanager
async def demonstration() -> AsyncIterator[asyncio.StreamReader]:
    process = await asyncio.create_subprocess_exec(*PROGRAM, stdout=asyncio.subprocess.PIPE, env=WIDE)
    assert process.stdout is not None
    try:
        yield process.stdout
    finally:
        process.send_signal(signal.SIGINT)
        await process.communicate()
    assert process.returncode == 0


async def line_with(screen: asyncio.StreamReader, words: str) -> str:
    while line := (await screen.readline()).decode():
        if words in line:
            return line
    raise AssertionError(f"the demonstration never said {words!r}")


async def test_a_newcomer_logs_in_and_answers_the_caller_who_wrote_back() -> None:
    async with demonstration() as screen:
        told = re.search(r"(http://\S+) +name: (\w+) +password: (\S+)", await line_with(screen, "The inbox:"))
        assert told is not None
        await line_with(screen, "Hi, our roof leaks")
        url = URL(told[1])
        jar = aiohttp.CookieJar(unsafe=True, treat_as_secure_origin=url)
        async with aiohttp.ClientSession(url, cookie_jar=jar) as session:
            browser = Browser(session)
            await browser.log_in(told[2], told[3])
            while "our roof leaks" not in (await browser.get("/")).words:  # noqa: ASYNC110  # the text is on its way
                await asyncio.sleep(0.1)
            await browser.get("/c/1")
            await browser.post("/c/1/reply", text="We come tomorrow at 9", key="0" * 32)
        await line_with(screen, "We come tomorrow at 9")
        await line_with(screen, "Ask why")
        command = (await line_with(screen, " explain +")).split()
        explained = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        assert b"Missed" in (await explained.communicate())[0]
