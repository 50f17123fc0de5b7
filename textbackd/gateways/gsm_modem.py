"""Texts through a GSM modem on a serial port: a USB stick with a SIM.   flow/texts_out, flow/replies_in → here → modem/*

What a modem proves and what it cannot is decided here and below, and said as base.Fate: until the last byte of the PDU is
written nothing was sent; from then on only an answer of the modem tells, and no answer is `unknown`.
"""

import asyncio
import logging
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from gsmmodem.exceptions import GsmModemException

from textbackd import config
from textbackd.gateways.base import Accepted, Arrival, Fate, Health, Lent, OutboundText, SendFailed
from textbackd.gateways.modem.inbox import Arrived, Inbox
from textbackd.gateways.modem.link import ModemLink, StoredPdu, Timing
from textbackd.gateways.modem.owner import AwayError, Owner
from textbackd.gateways.modem.pdu import submit_pdus

log = logging.getLogger(__name__)

SUBMIT_TIMEOUT: Final = timedelta(seconds=180)  # networks have taken 135 s to say no
ANSWER_TIMEOUT: Final = timedelta(seconds=10)  # a full SIM takes seconds to list
LATE_ANSWER: Final = timedelta(seconds=10)
QUIET: Final = timedelta(seconds=0.25)
FIRST_RETRY: Final = timedelta(seconds=5)
LONGEST_RETRY: Final = timedelta(seconds=60)
POLL_EVERY: Final = timedelta(seconds=5)  # +CMTI wakes at once; it can be missed, the listing cannot
PUSHED: Final = "pushed"  # the "memory" of a message that the modem handed over and does not keep


class GsmModem:
    """A gateway through one modem; see base.Gateway for the contract.

    `port` is a device or a pyserial URL, `pin` is tried once if the SIM asks, `smsc` replaces the SIM's service centre.
    """

    def __init__(
        self,
        *,
        name: str,
        port: str,
        pin: str | None = None,
        smsc: str | None = None,
        baud: int = 115200,
        delivery_reports: bool = True,
        submit_timeout: timedelta = SUBMIT_TIMEOUT,
        answer_timeout: timedelta = ANSWER_TIMEOUT,
        late_answer: timedelta = LATE_ANSWER,
        quiet: timedelta = QUIET,
        poll_every: timedelta = POLL_EVERY,
        first_retry: timedelta = FIRST_RETRY,
        longest_retry: timedelta = LONGEST_RETRY,
    ) -> None:
        self.name = name
        self._smsc, self._delivery_reports, self._poll_every = smsc, delivery_reports, poll_every
        timing = Timing(answer=answer_timeout, submit=submit_timeout, late=late_answer, quiet=quiet)
        link = partial(ModemLink, port, baud=baud, timing=timing, on_unasked=self._heard)
        self._owner = Owner(
            name=name, link=link, pin=pin, first_wait=first_retry, longest_wait=longest_retry, on_ready=self._wake
        )
        self._long_reference = secrets.randbelow(256)
        self._inbox = Inbox()
        self._pushed: deque[StoredPdu] = deque()
        self._woken = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._is_unfit = False  # what the network said last: a person must mend the SIM

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
            for arrived in await self._arrived():
                yield arrived.item
                await self._forget(arrived)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll_every.total_seconds()):
                    await self._woken.wait()

    def health(self) -> Health:
        """Return the modem's state; PAUSED also while its SIM is barred or has no credit."""
        return Health.PAUSED if self._is_unfit and self._owner.health is Health.UP else self._owner.health

    async def close(self) -> None:
        """Wait for the text under way, refuse the rest, let go of the port."""
        self._closed = True
        self._woken.set()
        await asyncio.to_thread(self._owner.stop)

    # --- in the owner's thread ------------------------------------------------------------------------------------

    def _submit(self, text: OutboundText, reference: int, link: ModemLink) -> Accepted:
        valid_for = None if text.valid_until is None else text.valid_until - datetime.now(UTC)
        if valid_for is not None and valid_for <= timedelta():
            raise SendFailed("The text's time was over before the modem was free.", fate=Fate.NOT_SENT)
        pdus = submit_pdus(
            to=text.to,
            body=text.body,
            reference=reference,
            smsc=self._smsc,
            valid_for=valid_for,
            report=self._delivery_reports,
        )
        references: list[str | None] = []
        for pdu in pdus:
            try:
                references.append(link.submit(pdu))
            except SendFailed as exc:
                raise _after(len(references), len(pdus), exc) from exc
        return Accepted(reference=",".join(filter(None, references)) or None, parts=len(pdus))

    def _heard(self, said: list[str]) -> None:
        """Act on what the modem says unasked: a pushed message, news of a stored one, or an answer that comes too late."""
        match said:
            case ["PDU", pdu]:
                self._pushed.append(StoredPdu(PUSHED, 0, pdu, 0))
                self._wake()
            case [line] if line.startswith(("+CMTI:", "+CDSI:")):
                self._wake()
            case [line] if line.startswith("+CMGS:"):
                late = {"gateway": self.name, "reference": line.partition(":")[2].strip()}
                log.warning("late answer to a text whose fate was unknown: it went out", extra=late)

    def _wake(self) -> None:
        if self._loop:
            # The loop may be gone by the time that the modem speaks.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._woken.set)

    # --- inwards --------------------------------------------------------------------------------------------------

    async def _arrived(self) -> list[Arrived]:
        try:
            stored = await asyncio.wrap_future(self._owner.ask(ModemLink.stored))
        except (AwayError, GsmModemException):
            stored = []  # the owner says why in the log, and finds the modem again
        return self._inbox.arrived([*self._pushed, *stored], at=time.monotonic())

    async def _forget(self, arrived: Arrived) -> None:
        """Delete what the inbox has; what cannot be deleted comes again, under the same id."""
        for message in arrived.stored:
            if message.memory == PUSHED:
                self._pushed.remove(message)
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
        pin=section.pin.get_secret_value() if section.pin else None,
        smsc=section.smsc,
        baud=section.baud,
    )


def _delete(message: StoredPdu, link: ModemLink) -> None:
    link.delete(message)


def _after(sent: int, parts: int, failed: SendFailed) -> SendFailed:
    """Return the failure of a part as that of the whole text: once a part is out, the text must not go again."""
    if sent == 0:
        return failed
    return SendFailed(f"{sent} of {parts} parts went out, then: {failed}", fate=Fate.UNKNOWN, code=failed.code)
