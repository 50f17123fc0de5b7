"""A daemon that is told to stop does so, also while its database cannot be written or a phone has not rung off."""

import asyncio
import logging
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from tests.daemon.living import Living, living
from tests.flow.office import until
from tests.gateways.sink import HttpSink
from textbackd.demo.pbx import DemoPbx

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

# Seconds, on a busy machine: all that writes waits its turn for the database, and each turn takes as long as SQLite is patient. A stop that
# waits for the database never ends.
IN_TIME = 150.0
LEFT = "calls cannot be written down in time"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Have another program write to the database, without end."""
    with closing(sqlite3.connect(folder / "textbackd.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def web(sink: HttpSink) -> str:
    return f'web: {{type: http, url: "{sink.url}"}}'


async def miss_calls(shop: Living, caplog: pytest.LogCaptureFixture) -> None:
    """Miss calls that nobody can write down: one is tried again and again, the other waits behind it."""
    await shop.play("direct_noanswer", "direct_busy")
    await until(lambda: "a call cannot be written down; trying again" in caplog.text, IN_TIME)


async def test_a_stop_does_not_wait_for_a_database_that_somebody_else_holds(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with ExitStack() as at_last:
        async with HttpSink() as sink, asyncio.timeout(IN_TIME), living(tmp_path, web(sink)) as shop:
            at_last.enter_context(locked(tmp_path))
            await miss_calls(shop, caplog)
    assert LEFT in caplog.text


async def test_a_reload_that_leaves_a_pbx_does_not_wait_for_it_either(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = DemoPbx()
    await other.start()
    async with HttpSink() as sink, living(tmp_path, web(sink)) as shop:
        before = shop.daemon.vitals
        with locked(tmp_path):
            await miss_calls(shop, caplog)
            shop.write_file(pbx=f"{{office: {{host: 127.0.0.1, port: {other.port}, secret: demo}}}}")
            shop.daemon.reload()
            await until(lambda: shop.daemon.vitals is not before, IN_TIME)
        await until(lambda: other.listeners > 0)
    assert LEFT in caplog.text
    await other.stop()


async def test_a_desk_phone_in_the_middle_of_the_feature_code_is_hung_up_at_the_stop_and_nothing_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    code = f'{{listen: "127.0.0.1:{port}"}}'
    async with HttpSink() as sink:
        async with living(tmp_path, web(sink), feature_code=code) as shop:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"agi_network: yes\n\n")
            assert await reader.readline() == b"ANSWER\n"
            await shop.reload(**shop.words("Two."))
            writer.write(b"200 result=0\n")
            assert await reader.readline() != b""  # a reload does not cut it off
        assert await asyncio.wait_for(reader.read(), 20) is not None
        writer.close()
    assert [record for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR] == []
