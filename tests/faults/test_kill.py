"""`kill -9` in the middle of a send: never a second copy, and what cannot be known is said to be unknown."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.faults.process import DaemonProcess
from tests.flow.office import TRACES, until
from textbackd.demo.modem import Quirks, VirtualModem
from textbackd.demo.pbx import DemoPbx

pytestmark = [pytest.mark.modem, pytest.mark.faults]


@asynccontextmanager
async def shop(folder: Path, modem: VirtualModem) -> AsyncIterator[tuple[DemoPbx, DaemonProcess]]:
    pbx = DemoPbx()
    await pbx.start()
    daemon = DaemonProcess(folder, pbx.port, f'stick: {{type: gsm_modem, port: "{modem.port}", rate: 600/min}}')
    daemon.start()
    try:
        await until(lambda: pbx.listeners == 1)
        yield pbx, daemon
    finally:
        daemon.kill()
        await pbx.stop()


def on_air(air: Path) -> list[str]:
    """Return the numbers that PDUs went to."""
    return [json.loads(line)["to"] for line in air.read_text().splitlines()] if air.exists() else []


async def miss_a_call(pbx: DemoPbx) -> None:
    await pbx.play(TRACES / "direct_noanswer.ami", pause=lambda _: 0.0)


async def test_killed_between_the_pdu_and_the_answer_it_sends_one_copy_and_calls_it_unknown(tmp_path: Path) -> None:
    air = tmp_path / "air"
    with VirtualModem(air=air, link=tmp_path / "modem", quirks=Quirks(submit="silent")) as modem:
        async with shop(tmp_path, modem) as (pbx, daemon):
            await miss_a_call(pbx)
            await until(lambda: len(on_air(air)) == 1)
            daemon.kill()
            modem.quirks.submit = "ok"
            daemon.start()
            await until(lambda: pbx.logins == 2)
            # A second caller's text goes through afterwards, so the first has had every chance to be sent again.
            await pbx.play(TRACES / "direct_busy.ami", pause=lambda _: 0.0)
            await until(lambda: len(on_air(air)) == 2)
            texts = {text["to"]: text["state"] for text in await daemon.texts()}
    assert on_air(air) == ["+12015550100", "+12075550100"]
    assert texts["+12015550100"] == "unknown"


async def test_the_answer_that_comes_after_the_kill_is_heard_before_anything_is_written(tmp_path: Path) -> None:
    air = tmp_path / "air"
    with VirtualModem(air=air, link=tmp_path / "modem", quirks=Quirks(submit="late:6")) as modem:
        async with shop(tmp_path, modem) as (pbx, daemon):
            await miss_a_call(pbx)
            await until(lambda: len(on_air(air)) == 1)
            daemon.kill()
            said_before = len(modem.commands)
            daemon.start()
            await until(lambda: "late answer to a text whose fate was unknown" in (tmp_path / "log").read_text())
            await until(lambda: len(modem.commands) > said_before)
    assert on_air(air) == ["+12015550100"]


async def test_killed_after_the_answer_it_has_the_text_as_accepted_and_sends_it_no_more(tmp_path: Path) -> None:
    air = tmp_path / "air"
    with VirtualModem(air=air, link=tmp_path / "modem") as modem:
        async with shop(tmp_path, modem) as (pbx, daemon):
            await miss_a_call(pbx)
            await until(lambda: _all_accepted(daemon, 1), 30)
            daemon.kill()
            daemon.start()
            await until(lambda: pbx.logins == 2)
            await pbx.play(TRACES / "direct_busy.ami", pause=lambda _: 0.0)
            await until(lambda: _all_accepted(daemon, 2), 30)
    assert on_air(air) == ["+12015550100", "+12075550100"]


async def _all_accepted(daemon: DaemonProcess, number: int) -> bool:
    # The virtual network reports a delivery at once.
    return [text["state"] in ("accepted", "delivered") for text in await daemon.texts()] == [True] * number


async def test_sigterm_lets_the_text_in_hand_come_to_its_end(tmp_path: Path) -> None:
    air = tmp_path / "air"
    with VirtualModem(air=air, link=tmp_path / "modem", quirks=Quirks(submit="late:1.5")) as modem:
        async with shop(tmp_path, modem) as (pbx, daemon):
            await miss_a_call(pbx)
            await until(lambda: len(on_air(air)) == 1)
            code = daemon.stop()
            texts = await daemon.texts()
    assert code == 0
    assert [text["state"] in ("accepted", "delivered") for text in texts] == [True]


async def test_send_goes_through_the_running_daemon_and_says_what_became_of_the_text(tmp_path: Path) -> None:
    with VirtualModem(air=tmp_path / "air", link=tmp_path / "modem") as modem:
        async with shop(tmp_path, modem) as (_, daemon):
            said = await asyncio.to_thread(daemon.ask, "send", "+13035550142", "On our way.")
    assert "was taken by the gateway" in said or "was delivered" in said  # the virtual network reports at once
    assert on_air(tmp_path / "air") == ["+13035550142"]
