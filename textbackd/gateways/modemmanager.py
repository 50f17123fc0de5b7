"""Texts through a modem that ModemManager has: on desktops, and where the modem is also the way into the internet.   mm/* → here

Until Send is called nothing has left; from then on only ModemManager's answer tells, and no answer is `unknown`. What came in, texts
and delivery reports, stays with ModemManager until it is stored.
Source: ModemManager's D-Bus reference (Modem, Modem.Messaging, Sim, Sms). That it may be used by us: config/49-textbackd.rules.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from dbus_fast import Variant

from textbackd.config.gateways import ModemManager
from textbackd.core.segments import segments
from textbackd.gateways.base import Accepted, Arrival, Fate, Health, LateAnswer, Lent, OutboundText, SendFailed
from textbackd.gateways.mm.bus import NAME, Bus, CallFailed, Properties
from textbackd.gateways.mm.messages import SENT, reference_of, report_of, text_of
from textbackd.gateways.mm.verdicts import BEFORE_ANYTHING, judged, named

log = logging.getLogger(__name__)

MODEM: Final = f"{NAME}.Modem"
MESSAGING: Final = f"{NAME}.Modem.Messaging"
SIM: Final = f"{NAME}.Sim"
SMS: Final = f"{NAME}.Sms"
LOCKED, DISABLED, REGISTERED = 2, 3, 8  # MMModemState
SIM_PIN: Final = 2  # MMModemLock
FRESH_TRIES: Final = 3  # of a PIN (3GPP TS 31.101 §9.5); with fewer left it has been wrong before, and is not tried
RELATIVE: Final = 1  # MMSmsValidityType
SUBMIT_TIMEOUT: Final = timedelta(seconds=200)  # ModemManager gives the network three minutes for each part
LOOK_EVERY: Final = timedelta(seconds=15)  # it signals what happens; this is for what it does not
QUIET: Final = timedelta(seconds=0.1)  # signals come in bursts
MOST_UNSURE: Final = 50  # texts that are watched for going out after all

Objects = Mapping[str, Mapping[str, Properties]]


class ModemManagerGateway:
    """A gateway through one modem of ModemManager's; see base.Gateway for the contract.

    `modem` is an IMEI or the path of an object, None the only one; `bus` a bus address, None the system's.
    """

    def __init__(
        self,
        *,
        name: str,
        modem: str | None = None,
        pin: str | None = None,
        bus: str | None = None,
        submit_timeout: timedelta = SUBMIT_TIMEOUT,
        look_every: timedelta = LOOK_EVERY,
    ) -> None:
        self.name = name
        self._wanted, self._pin = modem, pin
        self._submit_timeout, self._look_every = submit_timeout, look_every
        self._bus = Bus(bus, self._signalled)
        self._modem: str | None = None  # the path of the modem, while it can text
        self._why = "it was not looked for yet"
        self._health = Health.UNKNOWN
        self._is_unfit = False  # what the last text told: a person must mend it
        self._pin_spent = False
        self._unsure: dict[str, str] = {}  # path → our id, of texts whose fate is unknown
        self._look_again, self._read_again = asyncio.Event(), asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._sending: set[asyncio.Task[Any]] = set()
        self._closed = False

    async def start(self) -> None:
        """Begin to look for the modem; it may come later."""
        self._looking = asyncio.create_task(self._look_for_ever())

    # ---- the modem

    def _signalled(self) -> None:
        self._look_again.set()

    async def _look_for_ever(self) -> None:
        while True:
            self._look_again.clear()
            try:
                await self._look()
            except CallFailed as exc:
                verdict = judged(exc.name)
                self._lose(verdict.words, Health.PAUSED if verdict.fate is Fate.GATEWAY_UNFIT else Health.DOWN)
            self._read_again.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._look_every.total_seconds()):
                    await self._look_again.wait()
            await asyncio.sleep(QUIET.total_seconds())

    async def _look(self) -> None:
        """Find the modem and bring it as far as it goes: unlocked, enabled, registered."""
        if not self._bus.is_connected:
            await self._bus.connect()
        objects = await self._bus.objects()
        path = self._chosen(objects)
        if path is None:
            self._lose("the modem is not there", Health.DOWN)
            return
        state = objects[path][MODEM].get("State")
        if state == LOCKED:
            await self._unlock(objects[path][MODEM])
        elif state == DISABLED:
            await self._bus.call("Enable", "b", [True], path=path, interface=MODEM)
        elif MESSAGING not in objects[path] or not isinstance(state, int) or state < REGISTERED:
            self._lose("the modem is not in its network yet", Health.DOWN)
        else:
            self._modem, self._health = path, Health.UP

    def _chosen(self, objects: Objects) -> str | None:
        modems = {path: found[MODEM] for path, found in objects.items() if MODEM in found}
        if self._wanted is None:
            return next(iter(modems)) if len(modems) == 1 else None
        fitting = (path for path, modem in modems.items() if self._wanted in (path, modem.get("EquipmentIdentifier")))
        return next(fitting, None)

    def _lose(self, why: str, health: Health) -> None:
        if why != self._why:
            log.warning("the modem cannot text", extra={"gateway": self.name, "why": why})
        self._modem, self._why, self._health = None, why, health

    async def _unlock(self, modem: Properties) -> None:
        """Give the PIN, once; a SIM that has already seen a wrong one is left to a person."""
        tries = dict(modem.get("UnlockRetries") or {}).get(SIM_PIN, FRESH_TRIES)
        may_try = modem.get("UnlockRequired") == SIM_PIN and tries >= FRESH_TRIES and not self._pin_spent
        if self._pin is None or not may_try:
            self._lose("the SIM is locked and wants a person", Health.PAUSED)
            return
        self._pin_spent = True
        try:
            await self._bus.call("SendPin", "s", [self._pin], path=str(modem.get("Sim")), interface=SIM)
        except CallFailed as exc:
            self._lose(f"the PIN was refused ({named(exc.name)})", Health.PAUSED)

    # ---- sending

    async def send(self, text: OutboundText) -> Accepted:
        """Try once. Raises SendFailed; its sentence shows neither the text nor the number."""
        if self._closed or self._modem is None:
            fate = Fate.GATEWAY_UNFIT if self._health is Health.PAUSED and not self._closed else Fate.NOT_SENT
            raise self._failed(self._why if not self._closed else "the gateway is closed", fate)
        task = asyncio.ensure_future(self._send(text, self._modem))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)
        try:
            return await task
        except SendFailed as exc:
            self._is_unfit = exc.fate is Fate.GATEWAY_UNFIT
            raise

    async def _send(self, text: OutboundText, modem: str) -> Accepted:
        try:
            created = await self._bus.call("Create", "a{sv}", [self._properties(text)], path=modem, interface=MESSAGING)
        except CallFailed as exc:
            verdict = judged(exc.name)
            fate = verdict.fate if verdict.fate in (Fate.GATEWAY_UNFIT, Fate.REFUSED) else Fate.NOT_SENT
            raise self._failed(verdict.words, fate, named(exc.name)) from None
        path, parts = str(created[0]), segments(text.body).count
        self._unsure[path] = text.id
        try:
            await self._bus.call("Send", path=path, interface=SMS, within=self._submit_timeout)
        except CallFailed as exc:
            raise await self._judged(exc, modem, path, parts) from None
        self._is_unfit, self._health = False, Health.UP
        reference = await self._reference(path)
        del self._unsure[path]
        await self._delete(modem, path)
        return Accepted(reference=reference, parts=parts)

    async def _reference(self, path: str) -> str | None:
        """Return the reference of a text that is out; None if ModemManager is gone by now."""
        try:
            return reference_of(await self._bus.properties(path, SMS))
        except CallFailed:
            return None

    def _properties(self, text: OutboundText) -> dict[str, Variant]:
        properties = {
            "number": Variant("s", str(text.to)),
            "text": Variant("s", text.body),
            "delivery-report-request": Variant("b", True),  # a D-Bus value
        }
        if text.valid_until is not None:
            left = text.valid_until - datetime.now(UTC)
            if left <= timedelta():
                raise self._failed("the text's time was over", Fate.NOT_SENT)
            properties["validity"] = Variant("(uv)", [RELATIVE, Variant("u", -(-left // timedelta(minutes=1)))])
        return properties

    async def _judged(self, exc: CallFailed, modem: str, path: str, parts: int) -> SendFailed:
        """Return what the failure of Send proves; once a part of a long text may be out, it is unknown."""
        verdict = judged(exc.name)
        fate = verdict.fate if parts == 1 or exc.name in BEFORE_ANYTHING else Fate.UNKNOWN
        if fate is not Fate.UNKNOWN:
            del self._unsure[path]
            await self._delete(modem, path)
        while len(self._unsure) > MOST_UNSURE:
            del self._unsure[next(iter(self._unsure))]
        return self._failed(verdict.words, fate, named(exc.name))

    def _failed(self, why: str, fate: Fate, code: str | None = None) -> SendFailed:
        said = "the text may have gone out" if fate is Fate.UNKNOWN else "nothing was sent"
        return SendFailed(f"{self.name}: {said}: {why}.", fate=fate, code=code)

    # ---- inwards

    async def incoming(self) -> AsyncIterator[Arrival]:
        """Yield what arrives until the gateway is closed; asking for the next deletes the last from the modem."""
        while not self._closed:
            self._read_again.clear()
            for path, arrival in await self._arrived():
                yield arrival
                self._unsure.pop(path, None)
                if self._modem is not None:
                    await self._delete(self._modem, path)
            await self._read_again.wait()

    async def _arrived(self) -> list[tuple[str, Arrival]]:
        modem, found = self._modem, []
        if modem is None:
            return []
        with suppress(CallFailed):  # the next look says why
            for path in (await self._bus.call("List", path=modem, interface=MESSAGING))[0]:
                arrival = self._read(path, await self._bus.properties(path, SMS))
                if arrival is not None:
                    found.append((path, arrival))
        return found

    def _read(self, path: str, sms: Properties) -> Arrival | None:
        unsure = self._unsure.get(path)
        if unsure is not None and sms.get("State") == SENT:
            return LateAnswer(id=unsure, reference=reference_of(sms))
        return report_of(sms) or text_of(sms, path, now=datetime.now(UTC))

    async def _delete(self, modem: str, path: str) -> None:
        try:
            await self._bus.call("Delete", "o", [path], path=modem, interface=MESSAGING)
        except CallFailed as exc:
            log.warning("message not deleted from the modem", extra={"gateway": self.name, "cause": named(exc.name)})

    # ---- the rest

    def health(self) -> Health:
        """Return the modem's state; PAUSED also while a person must mend what the last text met."""
        return Health.PAUSED if self._is_unfit and self._health is Health.UP else self._health

    async def close(self) -> None:
        """Wait for the texts under way, refuse the rest, let go of the bus."""
        self._closed = True
        self._read_again.set()
        await asyncio.gather(*self._sending, return_exceptions=True)
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        self._bus.close()


def build(name: str, section: ModemManager, lent: Lent) -> ModemManagerGateway:
    """Return the gateway of a section."""
    pin = section.pin.get_secret_value() if section.pin else None
    return ModemManagerGateway(name=name, modem=section.modem, pin=pin)
