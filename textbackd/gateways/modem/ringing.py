"""RING and +CLIP → one incoming call each. No I/O, no clock.   modem/ear.py → here

Nothing is answered and nothing hung up: a missed call has to stay one. Sources: 3GPP TS 27.007 §6.11 (+CRING), §7.6 (+CLIP).
"""

import hashlib
import re
from datetime import datetime
from typing import Final

from textbackd.gateways.base import IncomingCall

RINGS: Final = re.compile(r"RING|\+CRING:.*")
OVER: Final = re.compile(r"NO CARRIER|\^CEND:.*")
CLIP: Final = re.compile(r'\+CLIP:\s*"([^"]{0,40})"\s*,\s*(\d+)')
SILENCE: Final = 12.0  # seconds; RING comes every 3 to 6 s as long as a call lasts, so this long without one it is over
CLIP_WITHIN: Final = 3.0  # seconds; +CLIP follows each RING at once, where the network tells a number
INTERNATIONAL: Final = 145


class Ringing:
    """Follows the call that rings now; there is never more than one."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._began: datetime | None = None
        self._first = self._last = 0.0
        self._caller: str | None = None
        self._told = False

    def heard(self, line: str, *, at: float, now: datetime) -> IncomingCall | None:
        """Return the call when it is known who rings; `at` is the monotonic clock in seconds, `now` aware UTC."""
        if OVER.fullmatch(line):
            call = self._tell(None) if self._began else None
            self._began = None
            return call
        if RINGS.fullmatch(line):
            self._ring(at, now)
            return None
        clip = CLIP.match(line)
        return self._presented(clip, at, now) if clip else None

    def due(self, *, at: float) -> IncomingCall | None:
        """Return a call that rings without a number, once it is clear that none comes."""
        return self._tell(None) if self._began and at - self._first >= CLIP_WITHIN else None

    def _presented(self, clip: re.Match[str], at: float, now: datetime) -> IncomingCall | None:
        caller = _number(clip[1], int(clip[2]))
        if self._told and caller != self._caller:
            self._began = None  # the next call rings before the silence that ends this one
        self._ring(at, now)
        return self._tell(caller)

    def _ring(self, at: float, now: datetime) -> None:
        if self._began is None or at - self._last > SILENCE:
            self._began, self._first, self._told = now, at, False
        self._last = at

    def _tell(self, caller: str | None) -> IncomingCall | None:
        if self._told or self._began is None:
            return None
        self._told, self._caller = True, caller
        name = f"{self._name} {caller} {self._began.isoformat()}"
        return IncomingCall(id=hashlib.sha256(name.encode()).hexdigest()[:32], caller=caller, at=self._began)


def _number(digits: str, kind: int) -> str | None:
    """Return the number with its `+`; None if it is withheld."""
    if kind == INTERNATIONAL and digits and not digits.startswith("+"):
        return f"+{digits}"
    return digits or None
