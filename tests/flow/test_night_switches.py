"""The day/night switch is asked over a live connection; whatever goes wrong there, the hours decide."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.flow.office import until
from tests.flow.settings import configured
from textbackd.core.phone import E164
from textbackd.demo.pbx import DemoPbx
from textbackd.flow.night_switches import NightSwitches
from textbackd.pbx.client import AmiClient, PbxState

DID = E164("+13035550101")


@asynccontextmanager
async def switches(switch: str, secret: str = "demo") -> AsyncIterator[tuple[NightSwitches, DemoPbx]]:  # noqa: S107
    pbx = DemoPbx()
    await pbx.start()
    client = AmiClient(
        "office", host="127.0.0.1", port=pbx.port, username="textbackd", secret=secret, take=lambda _: None
    )
    running = asyncio.create_task(client.run())
    try:
        await until(lambda: client.state in (PbxState.CONNECTED, PbxState.REFUSED))
        settings = configured(lines=f'{{main: {{dids: ["{DID}"]{switch}}}}}')
        yield NightSwitches(settings, {"office": client}), pbx
    finally:
        running.cancel()
        await asyncio.wait({running})
        await pbx.stop()


def getvars(pbx: DemoPbx) -> list[str]:
    return [action["Variable"] for action in pbx.actions if action["Action"] == "Getvar"]


@pytest.mark.parametrize(
    ("closed", "expected"),
    [("", False), (", closed: ALLOWED_NOT_SCREENED", True)],  # what the simulated PBX says of every variable
    ids=["any other value is open", "the value that means closed"],
)
async def test_what_the_pbx_answers_decides(closed: str, expected: bool) -> None:
    async with switches(f", night_switch: {{device: 'Custom:DAYNIGHT0'{closed}}}") as (asked, pbx):
        assert await asked.closed(DID, "PJSIP/trunk-0000002a", "office") is expected
        assert getvars(pbx) == ["DEVICE_STATE(Custom:DAYNIGHT0)"]


@pytest.mark.parametrize(
    ("line", "did", "pbx_name"),
    [
        pytest.param("", DID, "office", id="a line without a switch"),
        pytest.param(", night_switch: {device: x}", E164("+13035550199"), "office", id="a number of no line"),
        pytest.param(", night_switch: {device: x}", DID, "elsewhere", id="a call over a PBX that is gone"),
    ],
)
async def test_where_there_is_nothing_to_ask_nothing_is_asked(line: str, did: E164, pbx_name: str) -> None:
    async with switches(line) as (asked, pbx):
        assert await asked.closed(did, "PJSIP/trunk-0000002a", pbx_name) is None
        assert getvars(pbx) == []


async def test_a_named_pbx_is_asked_wherever_the_call_came_from() -> None:
    async with switches(", night_switch: {device: x, pbx: office}") as (asked, _):
        assert await asked.closed(DID, "PJSIP/trunk-0000002a", "elsewhere") is False


async def test_a_pbx_that_does_not_answer_leaves_it_to_the_hours_and_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with switches(", night_switch: {device: x}") as (asked, pbx):
        pbx.silent = True
        assert [await asked.closed(DID, "PJSIP/trunk-0000002a", "office") for _ in range(2)] == [None, None]
        pbx.silent = False
        assert await asked.closed(DID, "PJSIP/trunk-0000002a", "office") is False
    told = [record for record in caplog.records if "its hours decide" in record.getMessage()]
    assert [(record.levelno, vars(record)["because"]) for record in told] == [
        (logging.WARNING, "the PBX did not answer")
    ]


@pytest.mark.parametrize(
    ("secret", "because"),
    [("demo", "Invalid/unknown command"), ("wrong", "pbx.office: not connected.")],
    ids=["a PBX that refuses", "no connection"],
)
async def test_a_switch_that_cannot_be_read_says_why(
    secret: str, because: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with switches(", night_switch: {astdb: DAYNIGHT/C0}", secret) as (asked, _):
        assert await asked.closed(DID, "PJSIP/trunk-0000002a", "office") is None
    assert because in [vars(record).get("because") for record in caplog.records]
