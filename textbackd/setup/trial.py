"""One text through a gateway that no daemon uses yet, and the reply to it.   cli/setup → here → gateways/

It is handed over once, whatever comes of it. Texts of others that are met on the way stay where they are, for the daemon.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypeGuard

from textbackd.config import GsmModem, Settings, WebKind
from textbackd.config.secrets import resolve
from textbackd.core.phone import E164
from textbackd.core.segments import segments
from textbackd.gateways.base import (
    Arrival,
    DeliveryReport,
    Fate,
    Gateway,
    InboundText,
    Lent,
    OutboundText,
    SendFailed,
    Starts,
)
from textbackd.gateways.registry import build
from textbackd.pbx.client import AmiClient

LOOK_EVERY: Final = timedelta(seconds=1)
READY_WITHIN: Final = 30.0  # seconds until a gateway knows whether it can be used
SAME_DIGITS: Final = 7  # at the end of a number, which may come in a national form
SEEN_WITHIN: Final = 3.0  # seconds in which the reply is taken away from the gateway
BODY: Final = "A test of textbackd{at}. Please answer with any word."
MAY_BE: Final = "It may have gone out all the same, so it is not sent again."

Say = Callable[[str], None]
Skip = Callable[[], bool]  # whether whoever waits has had enough


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of it."""

    is_taken: bool
    trouble: str = ""  # why it was not taken
    answer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What is to be tried."""

    settings: Settings  # with its secrets
    gateway: str
    to: E164
    patience: timedelta  # for the reply
    said: Say
    skip: Skip

    @property
    def body(self) -> str:
        """Return words of one radio text."""
        named = BODY.format(at=f" at {self.settings.business.name}")
        return named if segments(named).count == 1 else BODY.format(at="")


def hears(section: Any) -> bool:
    """Return whether replies are heard without the daemon: a vendor's webhook needs it."""
    return not isinstance(section, WebKind) or bool(getattr(section, "poll", None))


def try_out(trial: Trial) -> Outcome:
    """Send the text, and wait for the reply. Raises TextbackdError if there is nothing to send with."""
    section = trial.settings.gateways[trial.gateway]
    if isinstance(section, GsmModem):
        return _by_modem(trial, section)
    return asyncio.run(_by_gateway(trial))


# ---- a modem, whose SIM may hold texts of callers: nothing is deleted


def _by_modem(trial: Trial, section: GsmModem) -> Outcome:
    from textbackd.gateways.gsm_modem import TIMING  # noqa: PLC0415  # these cost start-up time
    from textbackd.gateways.modem.trial import Stick, trying  # noqa: PLC0415

    stick = Stick(
        port=section.port,
        imei=section.imei,
        pin=resolve(section.pin.get_secret_value(), os.environ) if section.pin else None,
        smsc=section.smsc,
        baud=section.baud,
        notes=trial.settings.storage.parent,
        timing=TIMING,
    )
    with trying(stick) as modem:
        modem.set_up()
        modem.wait_for_network(timedelta(seconds=READY_WITHIN))
        try:
            reference = modem.send(trial.to, trial.body)
        except SendFailed as exc:
            return _not_taken(exc)
        trial.said("The network took the text.")
        return Outcome(is_taken=True, answer=_answer(modem, trial, reference))


def _answer(modem: Any, trial: Trial, reference: str | None) -> str | None:
    known = set[str]()
    for _ in _seconds(trial):
        for item in modem.outcome(trial.to, reference, LOOK_EVERY):
            if isinstance(item, InboundText):
                return item.body
            if repr(item) not in known:
                known.add(repr(item))
                _report(item, trial)
    return None


def _seconds(trial: Trial) -> Iterator[None]:
    """Yield for each look that is still worth it."""
    for _ in range(max(1, round(trial.patience / LOOK_EVERY))):
        if trial.skip():
            return
        yield


# ---- any other gateway


async def _by_gateway(trial: Trial) -> Outcome:
    async with _managers(trial.settings) as managers:
        gateway = build(trial.gateway, trial.settings.gateways[trial.gateway], Lent(managers=managers))
        await gateway.start()
        try:
            await _until(lambda: _is_ready(gateway, managers))
            return await exchange(gateway, trial)
        finally:
            await gateway.close()


def _is_ready(gateway: Gateway, managers: Mapping[str, AmiClient]) -> bool:
    """Return whether it is known how the gateway is, and each PBX that it may go through."""
    is_starting = isinstance(gateway, Starts) and gateway.is_starting
    return not is_starting and all(client.is_connected or client.complaint for client in managers.values())


async def exchange(gateway: Gateway, trial: Trial) -> Outcome:
    """Hand the text over to a gateway that runs, and wait for the reply."""
    text = OutboundText(id=os.urandom(16).hex(), to=trial.to, sender=None, body=trial.body, valid_until=None)
    try:
        accepted = await gateway.send(text)
    except SendFailed as exc:
        return _not_taken(exc)
    trial.said("The gateway took the text" + (f", as {accepted.reference}." if accepted.reference else "."))
    if not hears(trial.settings.gateways[trial.gateway]):
        return Outcome(is_taken=True)
    async with aclosing(_arrivals(gateway, trial)) as arrivals:
        async for arrived in arrivals:
            if isinstance(arrived, InboundText):
                return Outcome(is_taken=True, answer=arrived.body)
            _report(arrived, trial)
    return Outcome(is_taken=True)


async def _arrivals(gateway: Gateway, trial: Trial) -> AsyncGenerator[InboundText | DeliveryReport, None]:
    """Yield what is about our text until the patience is over; a text of somebody else ends it, for the next would take it away."""
    incoming = gateway.incoming()
    coming = asyncio.ensure_future(anext(incoming))
    try:
        for _ in _seconds(trial):
            await asyncio.wait({coming}, timeout=LOOK_EVERY.total_seconds())
            if coming.done():
                arrived = coming.result()
                if not _is_ours(arrived, trial.to):
                    trial.said("Something else came in, which is left for textbackd to take.")
                    return
                coming = asyncio.ensure_future(anext(incoming))  # which says that we have it
                if isinstance(arrived, InboundText):
                    await asyncio.wait({coming}, timeout=SEEN_WITHIN)
                yield arrived
    finally:
        coming.cancel()
        with suppress(asyncio.CancelledError, StopAsyncIteration):
            await coming


def _is_ours(arrived: Arrival, to: E164) -> TypeGuard[InboundText | DeliveryReport]:
    if isinstance(arrived, InboundText):
        digits = "".join(filter(str.isdecimal, arrived.sender))
        return digits[-SAME_DIGITS:] == to[-SAME_DIGITS:]
    return isinstance(arrived, DeliveryReport)


@asynccontextmanager
async def _managers(settings: Settings) -> AsyncIterator[dict[str, AmiClient]]:
    """Lend the PBXs to a gateway that sends through one; it subscribes before the login."""
    through = {getattr(section, "pbx", None) for section in settings.gateways.values() if hasattr(section, "pbx")}
    clients = {
        name: AmiClient(
            name,
            host=pbx.host,
            port=pbx.port,
            username=pbx.username,
            secret=pbx.secret.get_secret_value(),
            take=_nothing,
        )
        for name, pbx in settings.pbx.items()
        if through
    }
    running: list[asyncio.Task[None]] = []

    def log_in() -> None:
        running.extend(asyncio.create_task(client.run()) for client in clients.values())

    asyncio.get_running_loop().call_soon(log_in)
    try:
        yield clients
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _nothing(_: object) -> None:
    """Take events of calls, which are of no use here."""


async def _until(so: Callable[[], bool]) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(READY_WITHIN):
            while not so():  # noqa: ASYNC110  # gateways tell their state, and no change of it
                await asyncio.sleep(0.05)


def _not_taken(exc: SendFailed) -> Outcome:
    return Outcome(is_taken=False, trouble=f"{exc} {MAY_BE}" if exc.fate is Fate.UNKNOWN else str(exc))


def _report(item: object, trial: Trial) -> None:
    if isinstance(item, DeliveryReport) and item.final:
        trial.said(f"Delivery report: {item.detail}.")
