"""A modem configured by its IMEI: found on whichever port it is, and never mistaken for its twin."""

import asyncio
import os
import threading
import tty
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.gateways.contract import TEXT, failure_of
from tests.gateways.modem_shop import ROOF, Shop, arrivals, brief, gateway_of, hasty, until
from textbackd.gateways.base import Fate, Health, InboundText
from textbackd.gateways.gsm_modem import GsmModem
from textbackd.gateways.modem.line import Line
from textbackd.gateways.modem.ports import candidates

pytestmark = pytest.mark.modem

OURS, TWIN = "004999010640000", "004999010640018"


class Hub:
    """A folder with the ports of several sticks, as /dev/serial/by-id is."""

    def __init__(self, folder: Path, started: ExitStack) -> None:
        self.folder, self._folder, self._started = folder / "ports", folder, started
        self.folder.mkdir()

    def stick(self, name: str, imei: str) -> Shop:
        own = self._folder / f"of-{name}"
        own.mkdir()
        shop = Shop(own, link=self.folder / name)
        shop.quirks.imei = imei
        self._started.enter_context(shop.modem)
        return shop

    def ports(self) -> list[str]:
        return candidates([f"{self.folder}/*"])


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with ExitStack() as started:
        yield Hub(tmp_path, started)


@contextmanager
def port_that(folder: Path, name: str, talk: bytes) -> Iterator[None]:
    """A port that is no modem's: it says `talk` for ever, or nothing."""
    master, slave = os.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    (folder / name).symlink_to(os.ttyname(slave))
    done = threading.Event()

    def run() -> None:
        while not done.wait(0.001):
            with suppress(BlockingIOError):
                os.write(master, talk * 50)
            with suppress(BlockingIOError):
                os.read(master, 4096)

    talking = threading.Thread(target=run)
    talking.start()
    try:
        yield
    finally:
        done.set()
        talking.join()
        os.close(master)
        os.close(slave)


def by_imei(hub: Hub, shop: Shop, **settings: Any) -> Any:
    return gateway_of(shop, imei=OURS, ports=hub.ports, **settings)


async def test_the_modem_is_found_by_its_imei_and_its_twin_is_left_alone(hub: Hub) -> None:
    twin, ours = hub.stick("a", TWIN), hub.stick("b", OURS)
    async with by_imei(hub, ours) as gateway:
        await gateway.send(TEXT)
        await until(lambda: "imei" in gateway.told())
        assert gateway.told()["imei"] == OURS
    assert (len(ours.on_air()), len(twin.on_air())) == (1, 0)
    assert not any(
        command.startswith(("AT+CM", "AT+CPIN", "AT+CFUN")) and "CMEE" not in command for command in twin.modem.commands
    )


async def test_a_modem_that_comes_back_under_another_name_is_found_again(hub: Hub) -> None:
    ours, twin = hub.stick("a", OURS), hub.stick("b", TWIN)
    async with by_imei(hub, ours) as gateway:
        await gateway.send(TEXT)
        await asyncio.to_thread(ours.modem.unplug)
        await until(lambda: gateway.health() is Health.DOWN)
        assert (await failure_of(gateway)).fate is Fate.NOT_SENT
        ours.modem.move(hub.folder / "c")
        await asyncio.to_thread(ours.modem.plug_in)
        await until(lambda: gateway.health() is Health.UP)
        await gateway.send(TEXT)
    assert (len(ours.on_air()), len(twin.on_air())) == (2, 0)


async def test_two_gateways_whose_sticks_change_names_keep_their_own(hub: Hub) -> None:
    one, two = hub.stick("a", OURS), hub.stick("b", TWIN)
    async with by_imei(hub, one) as first, gateway_of(two, imei=TWIN, ports=hub.ports) as second:
        await asyncio.gather(first.send(TEXT), second.send(TEXT))
        await asyncio.gather(asyncio.to_thread(one.modem.unplug), asyncio.to_thread(two.modem.unplug))
        await until(lambda: first.health() is second.health() is Health.DOWN)
        one.modem.move(hub.folder / "b")
        two.modem.move(hub.folder / "a")
        await asyncio.gather(asyncio.to_thread(one.modem.plug_in), asyncio.to_thread(two.modem.plug_in))
        await until(lambda: first.health() is second.health() is Health.UP)
        await asyncio.gather(first.send(TEXT), second.send(TEXT))
    assert (len(one.on_air()), len(two.on_air())) == (2, 2)


async def test_two_gateways_that_look_at_once_do_not_find_the_ports_held_by_each_other(hub: Hub) -> None:
    twin, ours = hub.stick("a", TWIN), hub.stick("b", OURS)
    twin.quirks.answer_delay = ours.quirks.answer_delay = 0.05
    waits: dict[str, Any] = {
        "first_retry": timedelta(hours=1),
        "longest_retry": timedelta(hours=1),
        "answer": timedelta(seconds=5),
    }
    # The first looks at both ports, the second at one that the first looks at.
    async with by_imei(hub, ours, **waits) as first, gateway_of(twin, imei=TWIN, ports=hub.ports, **waits) as second:
        await until(lambda: first.health() is second.health() is Health.UP)


async def test_nobody_waits_for_a_search(hub: Hub) -> None:
    with port_that(hub.folder, "a", b""):
        absent = GsmModem(
            name="stick", imei=OURS, ports=hub.ports, timing=brief(answer=timedelta(seconds=1)),
            patience=hasty(first_retry=timedelta(), longest_retry=timedelta()),
        )  # fmt: skip
        await absent.start()
        try:
            await until(lambda: absent.health() is Health.DOWN)
            await asyncio.sleep(0.2)  # the next search has begun, and lasts three seconds
            async with asyncio.timeout(1.5):
                assert (await failure_of(absent)).fate is Fate.NOT_SENT
        finally:
            await absent.close()


@pytest.mark.parametrize("talk", [b"", b"$GPGGA,120000,4111.7,N,08737.2,W\r\n", b"\x00\x7e\xff", b"> ", b"OK\r\n"])
async def test_a_port_that_is_no_modem_s_is_passed_over(hub: Hub, talk: bytes) -> None:
    ours = hub.stick("b", OURS)
    with port_that(hub.folder, "a", talk):
        async with by_imei(hub, ours) as gateway:
            assert (await gateway.send(TEXT)).reference == "1"


async def test_a_port_that_another_program_holds_is_passed_over(hub: Hub) -> None:
    held, ours = hub.stick("a", TWIN), hub.stick("b", OURS)
    line = Line(held.modem.port)
    line.timing = brief()
    line.open()
    async with by_imei(hub, ours) as gateway:
        await gateway.send(TEXT)
    line.close()
    assert held.modem.commands == []


async def test_without_the_modem_the_gateway_is_down_and_says_what_it_looked_for(hub: Hub) -> None:
    twin = hub.stick("a", TWIN)
    async with by_imei(hub, twin) as gateway:
        failed = await failure_of(gateway)
        assert failed.fate is Fate.NOT_SENT
        assert f"no modem with IMEI {OURS} is plugged in (1 port looked at)" in str(failed)
        assert gateway.health() is Health.DOWN
    assert twin.on_air() == []


async def test_a_modem_that_is_plugged_in_later_is_found(hub: Hub) -> None:
    twin = hub.stick("a", TWIN)
    async with by_imei(hub, twin) as gateway:
        await until(lambda: gateway.health() is Health.DOWN)
        ours = hub.stick("b", OURS)
        await until(lambda: gateway.health() is Health.UP)
        await gateway.send(TEXT)
    assert len(ours.on_air()) == 1


@pytest.mark.parametrize(("imei", "fate"), [(TWIN, None), (OURS, Fate.NOT_SENT)])
async def test_with_port_and_imei_the_port_must_have_that_modem(hub: Hub, imei: str, fate: Fate | None) -> None:
    twin = hub.stick("a", TWIN)
    gateway = GsmModem(name="stick", port=twin.modem.port, imei=imei, timing=brief())
    await gateway.start()
    try:
        if fate:
            failed = await failure_of(gateway)
            assert failed.fate is fate
            assert f"has IMEI {TWIN}, not {OURS}" in str(failed)
        else:
            await gateway.send(TEXT)
    finally:
        await gateway.close()
    assert len(twin.on_air()) == (0 if fate else 1)


def test_two_names_of_one_port_are_one_candidate_under_the_first_pattern(tmp_path: Path) -> None:
    for folder in ("by-id", "dev"):
        (tmp_path / folder).mkdir()
    for number in range(2):
        (tmp_path / "dev" / f"ttyUSB{number}").touch()
    # Twins share their name under by-id: it leads to one of them only.
    (tmp_path / "by-id" / "usb-Twin").symlink_to(tmp_path / "dev" / "ttyUSB1")
    found = candidates([f"{tmp_path}/by-id/*", f"{tmp_path}/dev/ttyUSB*"])
    assert found == [f"{tmp_path}/by-id/usb-Twin", f"{tmp_path}/dev/ttyUSB0"]


async def test_texts_come_in_from_a_modem_found_by_its_imei(hub: Hub) -> None:
    ours = hub.stick("a", OURS)
    ours.modem.deliver(ROOF, "hello?")
    async with by_imei(hub, ours) as gateway:
        assert [item.body for item in await arrivals(gateway, 1) if isinstance(item, InboundText)] == ["hello?"]
