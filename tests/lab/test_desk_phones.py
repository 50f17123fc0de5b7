"""Desk phones on real Asterisks: what a caller writes appears on them, and what staff write on them reaches the caller."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from tests.flow.settings import configured
from textbackd.flow.staff.duty import Duty
from textbackd.pbx.client import AmiClient

from .asterisk import Asterisk
from .shop import Shop, open_shop
from .sipp import Stage, gets_text, texts

pytestmark = pytest.mark.lab

CALLER, OURS = "+13035550126", "+12015550100"
STAFF = '{anna: {name: Anna, sip: "pjsip:101"}, ben: {name: Ben, sip: "pjsip:103"}}'
LINE = '{dids: ["*"], staff: [anna]}'


@contextmanager
def texting_shop(pbx: Asterisk, folder: Path) -> Iterator[Shop]:
    """Run a daemon whose gateway is the trunk, and of whose staff one has the phone 101."""
    trunk = (
        f'{{type: asterisk_message, endpoint: trunk, from: called_did, domain: "{pbx.trunk_host()}:{pbx.sip_port}"}}'
    )
    with open_shop(pbx, folder, f"trunk: {trunk}", username="texting", line=LINE, staff=STAFF) as shop:
        yield shop


def test_a_callers_text_appears_on_the_desk_phone_and_its_answer_reaches_the_caller(
    asterisk: Asterisk, tmp_path: Path
) -> None:
    with texting_shop(asterisk, tmp_path) as shop, Stage(asterisk) as stage:
        phone, caller = stage.phone("101", gets_text(202)), stage.outside(gets_text(202))
        stage.text(CALLER, OURS, texts("Can you come today?"))
        phone.wait()
        assert f"#1 {CALLER}: Can you come today?" in phone.story()
        assert f"From: <sip:textbackd@{asterisk.host}>" in phone.story()
        stage.write("101", "textbackd", texts("Sure :) at 8:30 (or 9:15)"))  # no tag: the last one they were told of
        caller.wait()
        assert f"MESSAGE sip:{CALLER}@" in caller.story()
        assert "Sure :) at 8:30 (or 9:15)" in caller.story()
        assert [text["text"] for text in shop.outbox()] == ["Sure :) at 8:30 (or 9:15)"]


def test_the_phone_tells_whose_it_is_and_not_what_it_pretends_to_be(asterisk: Asterisk, tmp_path: Path) -> None:
    with texting_shop(asterisk, tmp_path) as shop, Stage(asterisk) as stage:
        phone, caller = stage.phone("101", gets_text(202)), stage.outside(gets_text(202))
        stage.text(CALLER, OURS, texts("Can you come today?"))
        phone.wait()
        stage.write("102", "textbackd", texts("#1 I am not Anna"), sender="101").wait()
        stage.write("101", "textbackd", texts("#1 We come at 3"), sender="102").wait()
        caller.wait()
        assert [text["text"] for text in shop.outbox()] == ["We come at 3"]


def test_what_cannot_be_done_is_said_on_the_phone(asterisk: Asterisk, tmp_path: Path) -> None:
    with texting_shop(asterisk, tmp_path) as shop, Stage(asterisk) as stage:
        phone = stage.phone("101", gets_text(202))
        stage.write("101", "textbackd", texts("#99 We come at 3")).wait()
        phone.wait()
        assert "You were not told of #99 lately." in phone.story()
        assert shop.outbox() == []


# ---- queues


@asynccontextmanager
async def logged_in_client(pbx: Asterisk) -> AsyncIterator[AmiClient]:
    """Log in with the rights that the manual asks for."""
    secret = pbx.textbackd_secret
    client = AmiClient(
        "office", host=pbx.host, port=pbx.ami_port, username="textbackd", secret=secret, take=lambda _: None
    )
    task = asyncio.create_task(client.run())
    try:
        async with asyncio.timeout(20):
            while not client.is_connected:  # noqa: ASYNC110  # the client tells nobody; it is asked
                await asyncio.sleep(0.02)
        yield client
    finally:
        task.cancel()
        await asyncio.wait({task})


async def test_who_is_logged_in_to_a_queue_is_told_with_the_rights_of_a_shop(asterisk: Asterisk) -> None:
    staff = "{anna: {phone: PJSIP/101}, carl: {phone: PJSIP/103}, dora: {phone: PJSIP/104}}"
    settings = configured(staff=staff, lines='{main: {dids: ["*"], queue: support}}')
    async with logged_in_client(asterisk) as client:
        duty = Duty(settings, {"office": client})
        assert await duty.logged_in("main") == frozenset({"carl", "dora"})
        try:
            await asyncio.to_thread(asterisk.cli, "queue add member PJSIP/101 to support")
            await asyncio.to_thread(asterisk.cli, "queue pause member PJSIP/103 queue support")
            assert await duty.logged_in("main") == frozenset({"anna", "dora"})
        finally:
            await asyncio.to_thread(asterisk.cli, "queue remove member PJSIP/101 from support")
            await asyncio.to_thread(asterisk.cli, "queue unpause member PJSIP/103 queue support")
        assert await duty.logged_in("main") == frozenset({"carl", "dora"})
