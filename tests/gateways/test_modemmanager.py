"""A modem of ModemManager's: the contract against a small ModemManager on a real bus, its errors, its PIN, its reports."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Final

import pytest
from dbus_fast import Variant

from tests.gateways.ami_peer import until
from tests.gateways.contract import ANSWER, LONG_BODY, TEXT, GatewayContract, Peer, Trait, failure_of, next_of
from tests.gateways.message_bus import IMEI, MODEM_PATH, SmallModemManager, message_bus
from tests.gateways.web_peer import CONFIG, section_from
from textbackd.gateways.base import Accepted, DeliveryReport, Fate, Gateway, Health, InboundText, LateAnswer
from textbackd.gateways.mm.messages import report_of, text_of
from textbackd.gateways.mm.verdicts import BUS, MM, judged
from textbackd.gateways.modemmanager import MOST_UNSURE, ModemManagerGateway
from textbackd.gateways.registry import build

pytestmark = pytest.mark.slow

NOW: Final = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def bus() -> Iterator[str]:
    with message_bus() as address:
        yield address


@pytest.fixture
async def manager(bus: str) -> AsyncIterator[SmallModemManager]:
    manager = SmallModemManager(bus)
    await manager.start()
    yield manager
    await manager.stop()


@asynccontextmanager
async def started(
    bus: str, *, pin: str | None = None, modem: str | None = None, health: Health = Health.UP
) -> AsyncIterator[ModemManagerGateway]:
    """Run a gateway that is in a hurry, and wait until it has found the modem to be so."""
    gateway = ModemManagerGateway(
        name="stick",
        bus=bus,
        pin=pin,
        modem=modem,
        submit_timeout=timedelta(seconds=1),
        look_every=timedelta(seconds=1),
    )
    await gateway.start()
    try:
        await until(lambda: gateway.health() is health)
        yield gateway
    finally:
        await gateway.close()


class MmPeer(Peer):
    """The small ModemManager as the contract wants its peer."""

    def __init__(self, manager: SmallModemManager) -> None:
        self.manager = manager
        self.gateway: ModemManagerGateway | None = None
        self._told = 0

    async def texts(self) -> list[tuple[str, str]]:
        return self.manager.sent

    async def refuse_the_number(self) -> None:
        self.manager.send_script.append(f"{MM}Message.InvalidPduParameter")

    async def be_unfit(self) -> None:
        self.manager.send_script.append(f"{MM}Message.SmscAddressUnknown")

    async def throttle(self) -> None:
        self.manager.send_script.append(f"{MM}Message.NoNetwork")

    async def swallow(self) -> None:
        self.manager.send_script.append(None)

    async def vanish(self) -> None:
        await self.manager.stop()
        await until(lambda: self.gateway is not None and self.gateway.health() is Health.DOWN)

    async def deliver(self, sender: str, body: str, *, again: bool = False) -> None:
        self._told += not again
        minute = 1 if again else self._told
        self.manager.receive(
            Number=Variant("s", sender),
            Text=Variant("s", body),
            Timestamp=Variant("s", f"2026-11-25T04:{minute:02}:00+00"),
        )

    async def report(self, accepted: Accepted, *, delivered: bool) -> None:
        self.manager.report(str(accepted.reference), TEXT.to, 0x00 if delivered else 0x42)


class TestModemManager(GatewayContract):
    """What every gateway keeps, through ModemManager."""

    cannot: ClassVar = {
        Trait.OPT_OUT: "a network knows of no opt-outs",
        Trait.GARBLE: "an answer on D-Bus is a return or an error; one with an unknown name is tried below",
    }

    @pytest.fixture
    async def peer(self, manager: SmallModemManager) -> AsyncIterator[Peer]:
        yield MmPeer(manager)

    @pytest.fixture
    async def gateway(self, peer: MmPeer, bus: str) -> AsyncIterator[Gateway]:
        async with started(bus) as gateway:
            peer.gateway = gateway
            yield gateway


# ---- what an error proves


@pytest.mark.parametrize(
    ("name", "fate"),
    [
        (f"{MM}Message.InvalidPduParameter", Fate.REFUSED),
        (f"{MM}Message.SmscAddressUnknown", Fate.GATEWAY_UNFIT),
        (f"{MM}Message.SimPuk", Fate.GATEWAY_UNFIT),
        (f"{MM}Message.NoNetwork", Fate.NOT_SENT),
        (f"{MM}Message.MemoryFull", Fate.NOT_SENT),
        (f"{MM}Message.NetworkTimeout", Fate.UNKNOWN),
        (f"{MM}Message.Unknown", Fate.UNKNOWN),
        (f"{MM}Message.NotHeardOf", Fate.UNKNOWN),
        (f"{MM}MobileEquipment.SimPin", Fate.GATEWAY_UNFIT),
        (f"{MM}MobileEquipment.NoNetwork", Fate.NOT_SENT),
        (f"{MM}MobileEquipment.PhoneFailure", Fate.UNKNOWN),
        (f"{MM}Core.Unauthorized", Fate.GATEWAY_UNFIT),
        (f"{MM}Core.WrongState", Fate.NOT_SENT),
        (f"{MM}Core.Failed", Fate.UNKNOWN),
        (f"{MM}Core.Aborted", Fate.UNKNOWN),
        (f"{MM}Serial.ResponseTimeout", Fate.UNKNOWN),
        (f"{MM}Serial.SendFailed", Fate.UNKNOWN),
        (f"{MM}Serial.NotOpen", Fate.NOT_SENT),
        (f"{BUS}NoReply", Fate.UNKNOWN),
        (f"{BUS}ServiceUnknown", Fate.NOT_SENT),
        (f"{BUS}AccessDenied", Fate.GATEWAY_UNFIT),
        ("com.example.Error", Fate.UNKNOWN),
        ("", Fate.UNKNOWN),
    ],
)
def test_an_error_decides_the_fate(name: str, fate: Fate) -> None:
    assert judged(name).fate is fate


@pytest.mark.parametrize(
    ("name", "fate"), [("Message.NoNetwork", Fate.UNKNOWN), ("Core.WrongState", Fate.NOT_SENT)], ids=str
)
async def test_of_a_long_text_parts_may_be_out_after_most_errors(
    bus: str, manager: SmallModemManager, name: str, fate: Fate
) -> None:
    manager.send_script.append(f"{MM}{name}")
    async with started(bus) as gateway:
        assert (await failure_of(gateway, replace(TEXT, body=LONG_BODY))).fate is fate


@pytest.mark.parametrize(
    ("name", "fate"),
    [("Core.Unauthorized", Fate.GATEWAY_UNFIT), ("Core.Failed", Fate.NOT_SENT), ("Message.Unknown", Fate.NOT_SENT)],
)
async def test_a_text_that_could_not_even_be_created_is_not_sent(
    bus: str, manager: SmallModemManager, name: str, fate: Fate
) -> None:
    manager.create_error = f"{MM}{name}"
    async with started(bus) as gateway:
        failed = await failure_of(gateway)
    assert (failed.fate, failed.code) == (fate, name)


async def test_a_manager_that_dies_while_it_sends_leaves_the_fate_unknown(bus: str, manager: SmallModemManager) -> None:
    manager.send_script.append(None)
    async with started(bus) as gateway:
        gateway._submit_timeout = timedelta(seconds=60)
        sending = failure_of(gateway)
        task = asyncio.ensure_future(sending)
        await until(lambda: bool(manager.sent))
        await manager.stop()
        assert (await task).fate is Fate.UNKNOWN


# ---- what is asked of it


async def test_a_text_is_created_with_what_the_network_needs(bus: str, manager: SmallModemManager) -> None:
    async with started(bus) as gateway:
        accepted = await gateway.send(replace(TEXT, valid_until=datetime.now(UTC) + timedelta(minutes=9, seconds=30)))
        assert accepted.reference is not None
        given = dict(manager.given)
        kind, minutes = given.pop("validity").value
        assert (kind, minutes.value) == (1, 10)
        plain = {name: value.value for name, value in given.items()}
        assert plain == {"number": TEXT.to, "text": TEXT.body, "delivery-report-request": True}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(replace(TEXT, body="\ud83d"), id="half an emoji"),
        pytest.param(replace(TEXT, valid_until=NOW - timedelta(days=9999)), id="a text whose time is over"),
    ],
)
async def test_what_cannot_be_asked_is_not_sent(bus: str, manager: SmallModemManager, text: object) -> None:
    assert isinstance(text, type(TEXT))
    async with started(bus) as gateway:
        assert (await failure_of(gateway, text)).fate is Fate.NOT_SENT
        assert gateway.health() is Health.UP
    assert manager.sent == []


# ---- finding the modem


@pytest.mark.parametrize(
    ("modem", "health"),
    [(IMEI, Health.UP), (MODEM_PATH, Health.UP), ("490154203237519", Health.DOWN), (None, Health.UP)],
    ids=str,
)
async def test_the_modem_is_found_by_imei_or_path(
    bus: str, manager: SmallModemManager, modem: str | None, health: Health
) -> None:
    async with started(bus, modem=modem, health=health):
        pass


@pytest.mark.parametrize("state", [-1, 1, 6, 7], ids=["failed", "initializing", "enabled", "searching"])
async def test_a_modem_without_its_network_is_down_and_sends_nothing(
    bus: str, manager: SmallModemManager, state: int
) -> None:
    manager.modem["State"] = Variant("i", state)
    async with started(bus, health=Health.DOWN) as gateway:
        assert (await failure_of(gateway)).fate is Fate.NOT_SENT
        manager.modem["State"] = Variant("i", 8)
        manager.changed()
        await until(lambda: gateway.health() is Health.UP)


async def test_a_disabled_modem_is_enabled(bus: str, manager: SmallModemManager) -> None:
    manager.modem["State"] = Variant("i", 3)
    async with started(bus):
        assert "Enable" in manager.calls


async def test_where_polkit_does_not_let_us_a_person_is_asked(bus: str, manager: SmallModemManager) -> None:
    manager.modem["State"] = Variant("i", 3)
    manager.enable_error = f"{MM}Core.Unauthorized"
    async with started(bus, health=Health.PAUSED) as gateway:
        failed = await failure_of(gateway)
    assert failed.fate is Fate.GATEWAY_UNFIT
    assert "config/49-textbackd.rules" in str(failed)


async def test_a_manager_that_comes_late_is_found(bus: str) -> None:
    late = SmallModemManager(bus)
    async with started(bus, health=Health.DOWN) as gateway:
        assert (await failure_of(gateway)).fate is Fate.NOT_SENT
        await late.start()
        await until(lambda: gateway.health() is Health.UP)
        await gateway.send(TEXT)
        await late.stop()


async def test_without_a_bus_it_is_down() -> None:
    async with started("unix:path=/nonexistent/bus", health=Health.DOWN) as gateway:
        assert (await failure_of(gateway)).fate is Fate.NOT_SENT


def locked(manager: SmallModemManager, *, tries: int = 3, lock: int = 2) -> None:
    manager.modem |= {
        "State": Variant("i", 2), "UnlockRequired": Variant("u", lock), "UnlockRetries": Variant("a{uu}", {2: tries})
    }  # fmt: skip


async def test_a_locked_sim_is_given_its_pin(bus: str, manager: SmallModemManager) -> None:
    locked(manager)
    async with started(bus, pin="1234") as gateway:
        await gateway.send(TEXT)
    assert manager.calls.count("SendPin") == 1


@pytest.mark.parametrize(
    ("pin", "tries", "lock", "given"),
    [
        pytest.param("9999", 3, 2, 1, id="a wrong PIN is tried once"),
        pytest.param("1234", 2, 2, 0, id="a SIM that has seen a wrong one is left alone"),
        pytest.param("1234", 3, 4, 0, id="a SIM that wants its PUK"),
        pytest.param(None, 3, 2, 0, id="no PIN is known"),
    ],
)
async def test_a_sim_that_stays_locked_pauses_the_gateway(
    bus: str, manager: SmallModemManager, pin: str | None, tries: int, lock: int, given: int
) -> None:
    locked(manager, tries=tries, lock=lock)
    async with started(bus, pin=pin, health=Health.PAUSED) as gateway:
        looks = manager.calls.count("GetManagedObjects")
        await until(lambda: manager.calls.count("GetManagedObjects") > looks + 1)
        assert (await failure_of(gateway)).fate is Fate.GATEWAY_UNFIT
        assert gateway.health() is Health.PAUSED
    assert manager.calls.count("SendPin") == given
    assert manager.sent == []


# ---- inwards


async def test_a_text_stays_in_the_modem_until_it_is_stored(bus: str, manager: SmallModemManager) -> None:
    async with started(bus) as gateway:
        path = manager.receive(Number=Variant("s", TEXT.to), Text=Variant("s", ANSWER))
        assert isinstance(await anext(gateway.incoming()), InboundText)
        assert path in manager.messages
        await next_of(gateway, InboundText)
        await until(lambda: path not in manager.messages)


async def test_a_text_of_which_parts_are_missing_waits_for_them(bus: str, manager: SmallModemManager) -> None:
    async with started(bus) as gateway:
        path = manager.receive(Number=Variant("s", TEXT.to), Text=Variant("s", "half"), State=Variant("u", 2))
        await MmPeer(manager).deliver(TEXT.to, "another")
        assert (await next_of(gateway, InboundText)).body == "another"
        manager.messages[path] |= {"Text": Variant("s", "half and whole"), "State": Variant("u", 3)}
        manager.changed(path)
        assert (await next_of(gateway, InboundText)).body == "half and whole"


async def test_a_text_whose_fate_was_unknown_and_that_went_out_is_told(bus: str, manager: SmallModemManager) -> None:
    manager.send_script.append(None)
    async with started(bus) as gateway:
        assert (await failure_of(gateway)).fate is Fate.UNKNOWN
        (path,) = manager.messages
        manager.messages[path] |= {"State": Variant("u", 5), "MessageReference": Variant("u", 12)}
        manager.changed(path)
        arrivals = gateway.incoming()
        assert await anext(arrivals) == LateAnswer(id=TEXT.id, reference="12")
        acknowledging = asyncio.ensure_future(anext(arrivals))
        await until(lambda: path not in manager.messages)
        acknowledging.cancel()


async def test_the_reference_is_that_of_the_last_part(bus: str, manager: SmallModemManager) -> None:
    async with started(bus) as gateway:
        accepted = await gateway.send(replace(TEXT, body="x" * 1000))
    assert (accepted.parts, accepted.reference) == (7, "1")


async def test_a_modem_that_is_pulled_out_is_down(bus: str, manager: SmallModemManager) -> None:
    async with started(bus) as gateway:
        manager.modem = {}
        manager.changed()
        await until(lambda: gateway.health() is Health.DOWN)
        assert (await failure_of(gateway)).fate is Fate.NOT_SENT


async def test_what_is_done_with_is_not_left_in_the_modem(bus: str, manager: SmallModemManager) -> None:
    async with started(bus) as gateway:
        accepted = await gateway.send(TEXT)
        assert manager.messages == {}
        manager.send_script.append(f"{MM}Message.NoNetwork")
        await failure_of(gateway)
        assert manager.messages == {}
        for state in (0x20, 0x00):
            manager.report(str(accepted.reference), TEXT.to, state)
            assert (await anext(gateway.incoming())).reference == accepted.reference  # type: ignore[union-attr]
        await next_of(gateway, DeliveryReport)
        await until(lambda: manager.messages == {})


async def test_only_so_many_texts_are_watched_for_going_out_after_all(bus: str, manager: SmallModemManager) -> None:
    async with started(bus) as gateway:
        manager.send_script.extend([f"{MM}Core.Failed"] * (MOST_UNSURE + 3))
        for number in range(MOST_UNSURE + 3):
            await failure_of(gateway, replace(TEXT, id=f"text-{number}"))
        assert len(gateway._unsure) == MOST_UNSURE


@pytest.mark.parametrize(
    ("sms", "body", "at"),
    [
        ({"Text": "Yes", "Timestamp": "2026-11-25T04:20:00Z"}, "Yes", datetime(2026, 11, 25, 4, 20, tzinfo=UTC)),
        ({"Text": "Yes", "Timestamp": "2026-11-25T04:20:00-07"}, "Yes", datetime(2026, 11, 25, 11, 20, tzinfo=UTC)),
        ({"Text": "Yes", "Timestamp": "2026-11-25T04:20:00"}, "Yes", NOW),
        ({"Text": "Yes", "Timestamp": "yesterday"}, "Yes", NOW),
        ({"Text": "", "Data": b"\x01\xff"}, "(A message without text: 01ff)", NOW),
        ({}, "", NOW),
    ],
    ids=str,
)
def test_a_text_is_read_whatever_it_holds(sms: dict[str, object], body: str, at: datetime) -> None:
    text = text_of({"State": 3, "Number": "+1", **sms}, "/p", now=NOW)
    assert text is not None
    assert (text.body, text.received_at) == (body, at)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (0x00, (True, True, "delivered (0x00)")),
        (0x01, (True, True, "forwarded, the service centre cannot confirm (0x01)")),
        (0x20, (False, False, "still trying (0x20)")),
        (0x42, (False, True, "rejected by the phone (0x42)")),
        (0x60, (False, True, "given up for now (0x60)")),
        (0x100, (False, True, "an odd report")),
    ],
)
def test_a_status_report_tells_what_became_of_a_part(state: int, expected: tuple[bool, bool, str]) -> None:
    sms = {"State": 3, "PduType": 3, "MessageReference": 7, "Number": "+1", "DeliveryState": state}
    report = report_of(sms)
    assert report is not None
    assert (report.delivered, report.final, report.detail) == expected
    assert (report.reference, report.recipient) == ("7", "+1")
    assert text_of(sms, "/p", now=NOW) is None


@pytest.mark.parametrize(
    "sms", [{"State": 3, "PduType": 1, "DeliveryState": 0}, {"State": 5, "PduType": 2}, {"PduType": 3, "State": 3}, {}],
    ids=str,
)  # fmt: skip
def test_what_is_no_report_is_none(sms: dict[str, int]) -> None:
    assert report_of(sms) is None


def test_a_section_becomes_a_gateway_on_the_system_bus() -> None:
    gateway = build("stick", section_from(f'{{type: modemmanager, modem: {IMEI}, pin: "0123"}}'))
    assert isinstance(gateway, ModemManagerGateway)
    assert gateway.health() is Health.UNKNOWN
    assert "0123" not in repr(gateway)


def test_without_its_package_the_kind_is_a_sentence_that_says_what_to_install() -> None:
    code = f"""
import sys
sys.modules["dbus_fast"] = None
from textbackd.config import loads
from textbackd.errors import TextbackdError
from textbackd.gateways.registry import build
try:
    build("stick", loads({CONFIG.format(section="{type: modemmanager}")!r}).gateways["web"])
except TextbackdError as exc:
    print(exc)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("Install it with: pip install 'textbackd[modemmanager]'.")
