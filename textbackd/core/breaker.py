"""A gateway that fails again and again gets a rest, and its texts go elsewhere meanwhile.  Pure.   flow/texts_out.py → here

closed ─▶ open       after three failures in a row, or one that only a person can mend
open   ─▶ trying     after a minute: one text may try
trying ─▶ closed     it was taken, or refused for its number's sake
trying ─▶ open       it failed
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

MOST_FAILURES: Final = 3  # in a row; one or two are a passing fault of the network
REST: Final = timedelta(seconds=60)  # a text lives for ten minutes, so it meets several tries


class Outcome(Enum):
    """How a send ended, as far as the gateway is concerned."""

    WELL = "well"  # it answered, whatever it thinks of the number
    FAILED = "failed"
    UNFIT = "unfit"  # only a person can mend it


@dataclass(frozen=True, slots=True)
class Breaker:
    """The state of one gateway. `noted` gives the next state."""

    failures: int = 0
    open_until: datetime | None = None  # None: closed

    def is_open(self, now: datetime) -> bool:
        """Return whether no text may try now. A clock that was set back opens it for no longer than the rest."""
        return self.open_until is not None and now < self.open_until <= now + REST

    def noted(self, outcome: Outcome, now: datetime) -> "Breaker":
        """Return the state after a send."""
        if outcome is Outcome.WELL:
            return Breaker()
        failures = self.failures + 1
        is_over = outcome is Outcome.UNFIT or failures >= MOST_FAILURES
        return Breaker(failures, now + REST if is_over else None)
