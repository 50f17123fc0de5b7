"""Debian's own ModemManager between the gateway and the virtual modem: what really goes on air, comes in, and is told of errors."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from tests.gateways.contract import ANSWER, LONG_BODY, TEXT, failure_of, next_of
from tests.gateways.message_bus import message_bus
from tests.gateways.real_modem_manager import modem_manager
from textbackd.demo.modem import Quirks, VirtualModem
from textbackd.demo.modem_air import OnAir, deliver_pdus, read_air
from textbackd.gateways.base import DeliveryReport, Fate, Health, InboundText
from textbackd.gateways.modemmanager import ModemManagerGateway

pytestmark = [pytest.mark.slow, pytest.mark.modem]

READY_SECONDS = 60  # until ModemManager has a modem that is registered; two on a machine that is not busy


@dataclass(frozen=True, slots=True)
class Stick:
    """A virtual modem, and where ModemManager finds it."""

    modem: VirtualModem
    air: Path
    log: Path
    bus: str

    def reads(self) -> int:
        """Return how many messages ModemManager has read one by one."""
        return sum(command.startswith("AT+CMGR") for command in self.modem.commands)

    def on_air(self) -> list[OnAir]:
        return read_air(self.air)


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[Stick]:
    air = tmp_path / "air"
    with message_bus() as bus, VirtualModem(air=air, quirks=Quirks()) as modem:
        yield Stick(modem, air, tmp_path / "modemmanager.log", bus)


@asynccontextmanager
async def texting(
    stick: Stick, *, pin: str | None = None, health: Health = Health.UP
) -> AsyncIterator[ModemManagerGateway]:
    """Run ModemManager and the gateway, and wait until the modem is in its network."""
    async with modem_manager(stick.bus, stick.modem, stick.log):
        gateway = ModemManagerGateway(
            name="stick", bus=stick.bus, pin=pin, submit_timeout=timedelta(seconds=20), look_every=timedelta(seconds=1)
        )
        await gateway.start()
        try:
            async with asyncio.timeout(READY_SECONDS):
                while gateway.health() is not health:  # noqa: ASYNC110  # it is asked
                    await asyncio.sleep(0.05)
            yield gateway
        finally:
            await gateway.close()


async def test_texts_go_on_air_as_they_are_and_are_reported(stick: Stick) -> None:
    async with texting(stick) as gateway:
        short = await gateway.send(TEXT)
        report = await next_of(gateway, DeliveryReport)
        assert (report.reference, report.recipient, report.delivered) == (short.reference, TEXT.to, True)
        long = await gateway.send(replace(TEXT, id="text-2", body=LONG_BODY))
        assert (await next_of(gateway, DeliveryReport)).reference == long.reference
    first, *parts = stick.on_air()
    assert (first.to, first.body, first.report) == (TEXT.to, TEXT.body, True)
    assert "".join(part.body for part in parts) == LONG_BODY
    assert len(parts) == long.parts
    assert [part.report for part in parts] == [False] * (long.parts - 1) + [True]


async def read_by_the_manager(stick: Stick, pdu: str) -> None:
    """Deliver a part and wait until ModemManager 1.20 has read it: what is announced while it is busy it does not read."""
    read = stick.reads()
    stick.modem.deliver_pdu(pdu)
    async with asyncio.timeout(READY_SECONDS):
        for tries in count(1):
            await asyncio.sleep(0.05)
            if stick.reads() > read:
                return
            if tries % 60 == 0:
                stick.modem.announce_again()


async def nothing_stored(stick: Stick) -> None:
    async with asyncio.timeout(READY_SECONDS):
        while stick.modem.stored():  # noqa: ASYNC110  # it is asked
            await asyncio.sleep(0.05)


async def test_texts_come_in_whole_and_are_deleted_when_they_are_stored(stick: Stick) -> None:
    stick.modem.keep("SM", "+13035550127", "from before")
    async with texting(stick) as gateway:
        before = await next_of(gateway, InboundText)
        assert before.body == "from before"
        stick.modem.deliver(TEXT.to, ANSWER)
        # What was acknowledged while the modem was busy comes once more under its id, and is stored once.
        text = await next_of(gateway, InboundText, but=before.id)
        assert (text.sender, text.body) == (TEXT.to, ANSWER)
        await nothing_stored(stick)
        for pdu in deliver_pdus(TEXT.to, LONG_BODY, reference=7):
            await read_by_the_manager(stick, pdu)
        assert (await next_of(gateway, InboundText, but=text.id)).body == LONG_BODY
        await nothing_stored(stick)


# What the modem answers to the PDU → what of it arrives here.
ERRORS = [
    ("cms:304", Fate.REFUSED, "ModemManager1.Error.Message.InvalidPduParameter"),
    ("cms:330", Fate.GATEWAY_UNFIT, "SmscAddressUnknown"),
    ("cms:331", Fate.NOT_SENT, "NoNetwork"),
    ("cms:332", Fate.UNKNOWN, "NetworkTimeout"),
    ("cms:28", Fate.UNKNOWN, "Unknown"),
    ("cms:38", Fate.UNKNOWN, "Unknown"),
    ("error", Fate.UNKNOWN, "Unknown"),
]


async def test_errors_arrive_under_modem_managers_names(stick: Stick) -> None:
    async with texting(stick) as gateway:
        for words, fate, name in ERRORS:
            stick.modem.quirks.submits = deque([words])
            failed = await failure_of(gateway)
            assert (words, failed.fate, str(failed.code).rpartition(".")[2]) == (words, fate, name.rpartition(".")[2])
        await gateway.send(TEXT)
    assert len(stick.on_air()) == 1


async def test_a_modem_that_answers_nothing_leaves_the_fate_unknown(stick: Stick) -> None:
    stick.modem.quirks.submits = deque(["silent"])
    async with texting(stick) as gateway:
        gateway._submit_timeout = timedelta(seconds=1)
        assert (await failure_of(gateway)).fate is Fate.UNKNOWN
    assert len(stick.on_air()) == 1


async def test_a_locked_sim_is_unlocked(stick: Stick) -> None:
    stick.modem.quirks.pin = "1234"
    stick.modem.unplug()
    stick.modem.plug_in()
    async with texting(stick, pin="1234") as gateway:
        await gateway.send(TEXT)
    assert stick.modem.pin_tries == 3


async def test_a_wrong_pin_costs_one_try_and_pauses_the_gateway(stick: Stick) -> None:
    stick.modem.quirks.pin = "1234"
    stick.modem.unplug()
    stick.modem.plug_in()
    async with texting(stick, pin="9999", health=Health.PAUSED) as gateway:
        await asyncio.sleep(3)
        assert (await failure_of(gateway)).fate is Fate.GATEWAY_UNFIT
    assert stick.modem.pin_tries == 2
