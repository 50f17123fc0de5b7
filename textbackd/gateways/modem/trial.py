"""One text by hand, and what came of it: for `textbackd modem test`.   cli/modem.py → here → modem/link.py

It reads what comes in and deletes nothing: the texts of callers on the SIM are for the daemon.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

from gsmmodem.exceptions import GsmModemException

from textbackd.core.phone import E164
from textbackd.errors import TextbackdError
from textbackd.gateways.base import DeliveryReport, InboundText
from textbackd.gateways.modem.condition import ask_registration
from textbackd.gateways.modem.ear import PUSHED
from textbackd.gateways.modem.inbox import Inbox
from textbackd.gateways.modem.line import Timing
from textbackd.gateways.modem.link import ModemLink, StoredPdu
from textbackd.gateways.modem.pdu import submit_pdus
from textbackd.gateways.modem.ports import Candidates, Finder, candidates
from textbackd.gateways.modem.sim import Pin, PinNotes

LOOK_EVERY: Final = 1.0  # seconds; the modem is listened to all the time, and its memory read so often


@dataclass(frozen=True, slots=True, kw_only=True)
class Stick:
    """The modem of a configuration, and how to get at it."""

    port: str | None
    imei: str | None
    pin: str | None
    smsc: str | None
    baud: int
    notes: Path  # the folder where a tried PIN is noted
    timing: Timing
    ports: Candidates = candidates


@dataclass(slots=True)
class Trial:
    """An open modem."""

    link: ModemLink
    stick: Stick
    pushed: list[StoredPdu] = field(default_factory=list)  # what the modem handed over and does not keep
    known: set[str] = field(default_factory=set)  # what was on the SIM before

    def set_up(self) -> None:
        """Unlock the SIM and get ready for texts. Raises TextbackdError with what a person has to do."""
        try:
            self.link.set_up(Pin(self.stick.pin, PinNotes(self.stick.notes)))
        except GsmModemException as exc:
            raise TextbackdError(f"The modem cannot be used: {exc}.") from exc

    def wait_for_network(self, patience: timedelta) -> None:
        """Return when the modem has a network. Raises TextbackdError if it has none for so long."""
        until = time.monotonic() + patience.total_seconds()
        while not (said := ask_registration(self.link.ask)).may_send:
            if time.monotonic() > until:
                raise TextbackdError(f"The modem is {said.value}. Check antenna, SIM and contract.")
            self.link.listen_for(timedelta(seconds=LOOK_EVERY))

    def send(self, to: E164, body: str) -> str | None:
        """Send a short text; return the modem's reference. Raises SendFailed."""
        (pdu,) = submit_pdus(to=to, body=body, reference=0, smsc=self.stick.smsc, valid_for=None, report=True)
        self.known = {message.pdu for message in self.link.stored()}
        return self.link.submit(pdu)

    def outcome(self, to: E164, reference: str | None, patience: timedelta) -> Iterator[DeliveryReport | InboundText]:
        """Yield reports on the text and texts from `to`, as they come, until the patience is over."""
        inbox, seen = Inbox(), set[str]()
        until = time.monotonic() + patience.total_seconds()
        while time.monotonic() < until:
            self.link.listen_for(timedelta(seconds=min(LOOK_EVERY, max(0.0, until - time.monotonic()))))
            messages = [message for message in [*self.pushed, *self.link.stored()] if message.pdu not in self.known]
            for arrived in inbox.arrived(messages, at=time.monotonic()):
                if isinstance(arrived.item, DeliveryReport | InboundText) and arrived.stored[0].pdu not in seen:
                    seen.add(arrived.stored[0].pdu)
                    if _is_about(arrived.item, to, reference):
                        yield arrived.item


@contextmanager
def trying(stick: Stick) -> Iterator[Trial]:
    """Open the modem and close it afterwards. Raises TextbackdError if it is not there."""
    pushed: list[StoredPdu] = []

    def heard(said: list[str]) -> None:
        if len(said) > 1:
            pushed.append(StoredPdu(PUSHED, 0, said[1], 0))

    def link(port: str) -> ModemLink:
        return ModemLink(port, baud=stick.baud, timing=stick.timing, on_unasked=heard)

    try:
        opened = Finder(port=stick.port, imei=stick.imei, ports=stick.ports, link=link).open()
    except GsmModemException as exc:
        raise TextbackdError(f"The modem cannot be reached: {exc}. Look for it: textbackd modem scan") from exc
    try:
        yield Trial(opened, stick, pushed)
    except GsmModemException as exc:
        raise TextbackdError(f"The modem stopped answering: {exc or 'no answer in time'}.") from exc
    finally:
        opened.close()


def _is_about(item: DeliveryReport | InboundText, to: E164, reference: str | None) -> bool:
    if isinstance(item, DeliveryReport):
        return item.reference == reference
    # The network may present the number in a national form: the last digits have to do.
    return item.sender[-7:] == to[-7:]
