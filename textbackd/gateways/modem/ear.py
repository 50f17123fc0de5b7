"""What a modem says by itself → what has arrived, and what to look at.   modem/line.py → here → gateways/gsm_modem.py

The modem's thread puts in, the event loop takes out.
"""

import logging
import re
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from textbackd.gateways.base import Arrival, LateAnswer
from textbackd.gateways.modem.link import StoredPdu
from textbackd.gateways.modem.ringing import Ringing

log = logging.getLogger(__name__)

PUSHED: Final = "pushed"  # the "memory" of a message that the modem handed over and does not keep
REMEMBERED: Final = 1000  # arrivals that nobody has asked for yet; more than that is not a modem but noise
# A text came in, a report came in, the memory is full (Huawei; Cinterion; Quectel): time to read and delete.
NEWS: Final = re.compile(r"\+CMTI:|\+CDSI:|\^SMMEMFULL|\+CIEV:\s*\"?SMSFULL|\+QIND:\s*\"SMSFULL", re.IGNORECASE)
REFERENCE: Final = re.compile(r"\+CMGS:\s*(\d+)")


@dataclass(frozen=True, slots=True)
class Owed:
    """A text whose last part the modem took without an answer in time."""

    id: str | None  # None: from before the start, when it was not us who handed it over
    before: tuple[str, ...]  # the references of its other parts


class Ear:
    """Keeps what arrives until it is asked for."""

    def __init__(self, name: str, wake: Callable[[], None]) -> None:
        self.told: deque[Arrival] = deque()
        self._pushed: list[StoredPdu] = []
        self._lock = threading.Lock()
        self._name, self._wake = name, wake
        self._owed: Owed | None = None
        self._ringing = Ringing(name)

    def owes(self, owed: Owed | None) -> None:
        """Expect the late answer to a text; None: no answer that comes now tells whether a text was taken."""
        self._owed = owed

    def heard(self, said: list[str]) -> None:
        """Take one line, or "PDU" and the PDU of a message that the modem pushed."""
        match said:
            case ["PDU", pdu]:
                self._keep(StoredPdu(PUSHED, 0, pdu, 0))
            case [line] if NEWS.match(line):
                self._wake()
            case [line] if late := REFERENCE.match(line):
                self._answered(late[1])
            case [line]:
                self._tell(self._ringing.heard(line, at=time.monotonic(), now=datetime.now(UTC)))

    def pushed(self) -> list[StoredPdu]:
        """Return the messages that the modem handed over, oldest first."""
        with self._lock:
            return list(self._pushed)

    def forget(self, message: StoredPdu) -> None:
        """Let go of a message that is stored elsewhere now."""
        with self._lock:
            self._pushed.remove(message)

    def look_up(self) -> None:
        """Tell of a call that rings without a number; to be called now and then."""
        self._tell(self._ringing.due(at=time.monotonic()))

    def _keep(self, message: StoredPdu) -> None:
        with self._lock:
            if len(self._pushed) < REMEMBERED:
                self._pushed.append(message)
        self._wake()

    def _answered(self, reference: str) -> None:
        late = {"gateway": self._name, "reference": reference}
        if self._owed is None:
            # For example to a part of a long text whose other parts were not sent: it did not go out as a whole.
            log.warning("late answer that tells nothing of a whole text", extra=late)
            return
        log.warning("late answer to a text whose fate was unknown: it went out", extra=late)
        self._tell(LateAnswer(id=self._owed.id, reference=",".join([*self._owed.before, reference])))
        self._owed = None

    def _tell(self, arrival: Arrival | None) -> None:
        if arrival is not None and len(self.told) < REMEMBERED:
            self.told.append(arrival)
            self._wake()
