"""Texts through a GSM modem on a serial port: a USB stick with a SIM.   flow/texts_out, flow/replies_in → here → modem/*

What a modem proves and what it cannot is decided here and below, and said as base.Fate: until the last byte of the PDU is
written nothing was sent; from then on only an answer of the modem tells, and no answer is `unknown`.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from gsmmodem.exceptions import GsmModemException

from textbackd import config
from textbackd.gateways.base import Accepted, Arrival, Fate, Health, Lent, OutboundText, SendFailed
from textbackd.gateways.modem.condition import Condition, ask_condition, ask_imei, ask_registration
from textbackd.gateways.modem.ear import PUSHED, Ear, Owed
from textbackd.gateways.modem.inbox import Arrived, Inbox
from textbackd.gateways.modem.line import Timing
from textbackd.gateways.modem.link import ModemLink, StoredPdu, UnansweredError
from textbackd.gateways.modem.owner import AwayError, Owner, Patience
from textbackd.gateways.modem.pdu import submit_pdus
from textbackd.gateways.modem.ports import Candidates, Finder, candidates
from textbackd.gateways.modem.sim import Pin, PinNotes
from textbackd.gateways.modem.verdicts import verdict_of

log = logging.getLogger(__name__)

TIMING: Final = Timing(
    answer=timedelta(seconds=10),  # a full SIM takes seconds to list
    submit=timedelta(seconds=180),  # networks have taken 135 s to say no
    late=timedelta(seconds=10),
    quiet=timedelta(seconds=0.25),
)
PATIENCE: Final = Patience()
POLL_EVERY: Final = timedelta(seconds=5)  # +CMTI wakes at once; it can be missed, the listing cannot
NEARLY_FULL: Final = 0.7  # of the memory for incoming texts; when it is full, the network keeps them back
# "Unknown error" says nothing of the text, so each is `unknown`. Two in a row speak against the modem: wrong service
# centre, no credit, LTE without texts, or a radio that lost its way, which is all that can be mended from here.
SUSPECT: Final = "CMS 500"
SUSPECT_AFTER: Final = 2
NO_NETWORK: Final = ("CMS 331", "CME 30")  # news for the next look at the modem


class GsmModem:
    """A gateway through one modem; see base.Gateway for the contract.

    `port` is a device or a pyserial URL, `imei` the modem's own number; one of them is needed, and with both the port must
    have that modem. `pin` is tried once if the SIM asks, `notes` is the folder where that is written down; `smsc` replaces
    the SIM's service centre.
    """

    def __init__(
        self,
        *,
        name: str,
        port: str | None = None,
        imei: str | None = None,
        pin: str | None = None,
        smsc: str | None = None,
        baud: int = 115200,
        delivery_reports: bool = True,
        notes: Path | None = None,
        ports: Candidates = candidates,
        timing: Timing = TIMING,
        patience: Patience = PATIENCE,
        poll_every: timedelta = POLL_EVERY,
    ) -> None:
        self.name = name
        self._smsc, self._delivery_reports = smsc, delivery_reports
        self._timing, self._patience, self._poll_every = timing, patience, poll_every
        self._ear = Ear(name, self._wake)
        link = partial(ModemLink, baud=baud, timing=timing, on_unasked=self._ear.heard, on_open=self._opened)
        self._owner = Owner(
            name=name,
            finder=Finder(port=port, imei=imei, ports=ports, link=link),
            unlock=Pin(pin, PinNotes(notes)),
            patience=patience,
            on_ready=self._ready,
            probe=self._probe,
        )
        self._long_reference = secrets.randbelow(256)
        self._inbox = Inbox()
        self._condition = Condition()
        self._imei: str | None = None
        self._suspicions = 0
        self._cut_off = self._told_full = False
        self._woken = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._is_unfit = False  # what the network said last: a person must mend the SIM

    def expect_late_answer(self) -> None:
        """See base.HearsLate: before the first byte goes to the modem, its answer to a cut-off text is listened for."""
        self._cut_off = True

    async def start(self) -> None:
        """Begin to look for the modem; it may come later."""
        self._loop = asyncio.get_running_loop()
        self._owner.start()

    async def send(self, text: OutboundText) -> Accepted:
        """Send every part of `text`; the reference names each part's, "12,13". See base.Gateway."""
        self._long_reference = (self._long_reference + 1) % 256
        try:
            accepted = await asyncio.wrap_future(self._owner.ask(partial(self._submit, text, self._long_reference)))
            self._is_unfit = False
            return accepted
        except SendFailed as exc:
            self._is_unfit = exc.fate is Fate.GATEWAY_UNFIT
            raise
        except AwayError as exc:
            raise SendFailed(str(exc), fate=Fate.GATEWAY_UNFIT if exc.paused else Fate.NOT_SENT) from exc

    async def incoming(self) -> AsyncIterator[Arrival]:
        """Yield what arrives until the gateway is closed; asking for the next deletes the last from the SIM."""
        while not self._closed:
            self._woken.clear()
            while self._ear.told:
                yield self._ear.told[0]
                self._ear.told.popleft()
            for arrived in await self._arrived():
                yield arrived.item
                await self._forget(arrived)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll_every.total_seconds()):
                    await self._woken.wait()

    def health(self) -> Health:
        """Return how the modem is: DOWN without a network, whatever it answers; PAUSED while its SIM is barred or has no credit."""
        if self._owner.health is not Health.UP:
            return self._owner.health
        if not self._condition.registration.may_send:
            return Health.DOWN
        return Health.PAUSED if self._is_unfit else Health.UP

    @property
    def trouble(self) -> str:
        """See base.Explains."""
        if self._owner.health is not Health.UP:
            return self._owner.cause
        registration = self._condition.registration
        return "" if registration.may_send else registration.value

    @property
    def is_starting(self) -> bool:
        """See base.Starts: setting a stick up takes seconds, and a text that waits inside for it would be unknown after a kill."""
        return self._owner.health is Health.UNKNOWN

    def vitals(self) -> Mapping[str, float]:
        """See base.Measured."""
        condition, last_ok = self._condition, self._owner.last_ok
        known = {
            "signal_dbm": condition.signal_dbm,
            "sim_storage_used": condition.used,
            "sim_storage_size": condition.size,
            "seconds_since_ok": None if last_ok is None else time.monotonic() - last_ok,
        }
        resets = {f"recovery_{rung.value}_total": count for rung, count in dict(self._owner.ladder.climbed).items()}
        return {name: float(value) for name, value in (known | resets).items() if value is not None}

    def told(self) -> Mapping[str, str]:
        """See base.Measured."""
        condition = self._condition
        known = {
            "registration": condition.registration.value,
            "operator": condition.operator,
            "technology": condition.technology,
            "imei": self._imei,
        }
        return {name: value for name, value in known.items() if value}

    async def close(self) -> None:
        """Wait for the text under way, refuse the rest, let go of the port."""
        self._closed = True
        self._woken.set()
        await asyncio.to_thread(self._owner.stop)

    # --- in the owner's thread: sending -----------------------------------------------------------------------------

    def _submit(self, text: OutboundText, reference: int, link: ModemLink) -> Accepted:
        valid_for = None if text.valid_until is None else text.valid_until - datetime.now(UTC)
        if valid_for is not None and valid_for <= timedelta():
            raise SendFailed("The text's time was over before the modem was free.", fate=Fate.NOT_SENT)
        self._need_network(link)
        pdus = submit_pdus(
            to=text.to,
            body=text.body,
            reference=reference,
            smsc=self._smsc,
            valid_for=valid_for,
            report=self._delivery_reports,
        )
        references: list[str] = []
        for pdu in pdus:
            try:
                references.append(link.submit(pdu) or "")
            except SendFailed as exc:
                self._suspect(exc.code)
                if isinstance(exc, UnansweredError):
                    self._ear.owes(Owed(text.id, tuple(references)) if pdu is pdus[-1] else None)
                raise _after(len(references), len(pdus), exc) from exc
            self._suspicions = 0
        return Accepted(reference=",".join(filter(None, references)) or None, parts=len(pdus))

    def _need_network(self, link: ModemLink) -> None:
        """Refuse at once without a network.

        Most modems would answer CMS 331, "no network service", within a second. Some hold the text until they give up,
        after minutes, with a time-out or CMS 500, which prove nothing: the text would be lost to the next gateway.
        So a modem that said that it has no network is asked again, which costs milliseconds and risks nothing.
        """
        if self._condition.registration.may_send:
            return
        try:
            self._know(replace(self._condition, registration=ask_registration(link.ask)))
        except GsmModemException as exc:
            raise SendFailed("The modem did not say whether it has a network.", fate=Fate.NOT_SENT) from exc
        if not self._condition.registration.may_send:
            raise SendFailed(f"The modem is {self._condition.registration.value}.", fate=Fate.NOT_SENT)

    def _suspect(self, code: str | None) -> None:
        self._suspicions = self._suspicions + 1 if code == SUSPECT else 0
        if self._suspicions >= SUSPECT_AFTER or code in NO_NETWORK:
            self._owner.probe_soon()
        if verdict_of(code).full:
            self._wake()  # to read what is stored, and delete it

    # --- in the owner's thread: looking at the modem ----------------------------------------------------------------

    def _opened(self, link: ModemLink) -> None:
        """Before anything is written to a port that was opened: hear what the modem still has to say of a text."""
        if self._cut_off:
            self._ear.owes(Owed(None, ()))
            link.listen_for(self._timing.late)

    def _ready(self) -> None:
        if self._cut_off:
            self._cut_off = False
            self._ear.owes(None)
        self._wake()

    def _probe(self, link: ModemLink) -> bool:
        """Ask how the modem is; return whether it has a network. Raises TimeoutException if it does not answer."""
        link.write("AT")
        if self._suspicions >= SUSPECT_AFTER:
            self._mend(link)
        self._know(ask_condition(link.ask))
        self._imei = self._imei or ask_imei(link.ask)
        self._ear.look_up()
        return self._condition.registration.may_send

    def _mend(self, link: ModemLink) -> None:
        """Restart the radio of a modem that answered CMS 500 twice; it has to be set up again, PIN and all."""
        self._suspicions = 0
        why = " ".join(link.ask("AT+CEER")[:1])[:80]  # its own words for the last failure (3GPP TS 27.007 §6.10)
        log.warning(
            "two unknown errors in a row: the modem's radio is restarted", extra={"gateway": self.name, "said": why}
        )
        link.switch_radio(on=False)
        time.sleep(self._patience.radio.total_seconds())
        link.switch_radio(on=True)
        link.close("its radio was restarted")

    def _know(self, condition: Condition) -> None:
        before, self._condition = self._condition, condition
        named = {"gateway": self.name, "registration": condition.registration.value}
        if condition.registration.may_send != before.registration.may_send:
            if condition.registration.may_send:
                log.info("the modem has a network again", extra=named)
            else:
                log.warning("the modem has no network", extra=named)
        full = bool(condition.size) and (condition.used or 0) >= NEARLY_FULL * (condition.size or 0)
        if full and not self._told_full:
            storage = {"gateway": self.name, "used": condition.used, "size": condition.size}
            log.warning("the memory for incoming texts is nearly full", extra=storage)
        self._told_full = full

    def _wake(self) -> None:
        if self._loop:
            # The loop may be gone by the time that the modem speaks.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._woken.set)

    # --- inwards --------------------------------------------------------------------------------------------------

    async def _arrived(self) -> list[Arrived]:
        try:
            stored = await asyncio.wrap_future(self._owner.ask(self._stored))
        except (AwayError, GsmModemException):
            stored = []  # the owner says why in the log, and finds the modem again
        return self._inbox.arrived([*self._ear.pushed(), *stored], at=time.monotonic())

    def _stored(self, link: ModemLink) -> list[StoredPdu]:
        self._ear.look_up()
        return link.stored()

    async def _forget(self, arrived: Arrived) -> None:
        """Delete what the inbox has; what cannot be deleted comes again, under the same id."""
        for message in arrived.stored:
            if message.memory == PUSHED:
                self._ear.forget(message)
                continue
            try:
                await asyncio.wrap_future(self._owner.ask(partial(_delete, message)))
            except (AwayError, GsmModemException) as exc:
                log.warning("message not deleted from the SIM", extra={"gateway": self.name, "cause": str(exc)})


def build(name: str, section: config.GsmModem, lent: Lent) -> GsmModem:
    """Return the gateway of a section."""
    return GsmModem(
        name=name,
        port=section.port,
        imei=section.imei,
        pin=section.pin.get_secret_value() if section.pin else None,
        smsc=section.smsc,
        baud=section.baud,
        notes=lent.notes,
    )


def _delete(message: StoredPdu, link: ModemLink) -> None:
    link.delete(message)


def _after(sent: int, parts: int, failed: SendFailed) -> SendFailed:
    """Return the failure of a part as that of the whole text: once a part is out, the text must not go again."""
    if sent == 0:
        return failed
    return SendFailed(f"{sent} of {parts} parts went out, then: {failed}", fate=Fate.UNKNOWN, code=failed.code)
