"""A virtual modem with the air around it, and the gateway on it with waits that a test can wait for."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.gateways.contract import Peer
from textbackd.demo.modem import Quirks, VirtualModem
from textbackd.demo.modem_air import OnAir, deliver_pdus, read_air
from textbackd.gateways.base import Accepted, Arrival, Gateway
from textbackd.gateways.gsm_modem import GsmModem
from textbackd.gateways.modem.line import Timing
from textbackd.gateways.modem.owner import Patience

ROOF = "+13125550199"
MOMENT = timedelta(seconds=0.3)
SHORT = timedelta(seconds=1)  # for an answer that a test keeps back on purpose
SOON = 30  # seconds; a test that waits so long has failed
_WAITS = {field.name for field in fields(Patience)}


class Shop(Peer):
    """A virtual modem and the air around it."""

    def __init__(self, folder: Path, *, link: Path | None = None) -> None:
        self.air = folder / "air.jsonl"
        self.modem = VirtualModem(air=self.air, link=link or folder / "port", quirks=Quirks())
        self._delivered: dict[tuple[str, str], list[str]] = {}

    @property
    def quirks(self) -> Quirks:
        return self.modem.quirks

    def on_air(self) -> list[OnAir]:
        return read_air(self.air)

    def next_texts(self, *words: str) -> None:
        self.quirks.submits = deque(words)

    async def texts(self) -> list[tuple[str, str]]:
        return whole_texts(self.on_air())

    async def refuse_the_number(self) -> None:
        self.next_texts("cms:28")

    async def be_unfit(self) -> None:
        self.next_texts("cms:10")

    async def throttle(self) -> None:
        self.next_texts("cms:42")

    async def swallow(self) -> None:
        self.next_texts("silent")

    async def deliver(self, sender: str, body: str, *, again: bool = False) -> None:
        """Deliver a text; `again` with the time stamp that it had."""
        if not again:
            self._delivered[sender, body] = deliver_pdus(sender, body, reference=len(self._delivered) + 1)
        for pdu in self._delivered[sender, body]:
            await asyncio.to_thread(self.modem.deliver_pdu, pdu)

    async def report(self, accepted: Accepted, *, delivered: bool) -> None:
        """The virtual network reports by itself."""

    async def vanish(self) -> None:
        await asyncio.to_thread(self.modem.unplug)


def whole_texts(parts: list[OnAir]) -> list[tuple[str, str]]:
    texts: dict[tuple[str, int | None, int], str] = {}
    for place, part in enumerate(parts):
        key = (part.to, part.reference, -1 if part.reference is not None else place)
        texts[key] = texts.get(key, "") + part.body
    return [(to, body) for (to, _, _), body in texts.items()]


def hasty(**waits: Any) -> Patience:
    """Return waits that a test can wait for; `waits` are those that it is about."""
    usual = {
        "first_retry": MOMENT,
        "longest_retry": MOMENT,
        "radio": timedelta(seconds=0.05),
        "restart": timedelta(seconds=SOON),
    }
    return Patience(**usual | waits)


def brief(**times: timedelta) -> Timing:
    """Return times for an answer that a test can wait for."""
    usual = {"answer": MOMENT, "submit": timedelta(seconds=SOON), "late": MOMENT, "quiet": timedelta(seconds=0.03)}
    return Timing(**usual | times)


@asynccontextmanager
async def gateway_of(shop: Shop, *, cut_off: bool = False, **settings: Any) -> AsyncIterator[GsmModem]:
    """Run the gateway on the shop's modem; `cut_off`: as after the kill of a process that was handing a text over."""
    times = {name: settings.pop(name) for name in ("answer", "submit", "late", "quiet") if name in settings}
    waits = {name: settings.pop(name) for name in _WAITS if name in settings}
    where = {} if "imei" in settings else {"port": shop.modem.port}
    gateway = GsmModem(name="stick", timing=brief(**times), patience=hasty(**waits), **where | settings)
    if cut_off:
        gateway.expect_late_answer()
    await gateway.start()
    try:
        yield gateway
    finally:
        await gateway.close()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON):
        while not true():  # noqa: ASYNC110 (what is waited for happens in other threads)
            await asyncio.sleep(0.01)


async def arrivals(
    gateway: Gateway, count: int, *, pause: float = 0.05, leaving_out: type[Arrival] | tuple[()] = ()
) -> list[Arrival]:
    """Return the next `count` items, the last one acknowledged, too; `pause` is for the modem to delete it."""
    found: list[Arrival] = []
    items = aiter(gateway.incoming())
    async with asyncio.timeout(SOON):
        while len(found) < count:
            item = await anext(items)
            if not isinstance(item, leaving_out):
                found.append(item)
        acknowledged = asyncio.ensure_future(anext(items))
        await asyncio.sleep(pause)
        acknowledged.cancel()
    return found
