"""What to do about a modem that does not answer: one step harder each time. No I/O, no clock.   modem/owner.py → here

ask again (in modem/line.py) → close and open → radio off and on → start the modem anew → wait, and from the radio on again
after 1, 5, 15, 30, 60 minutes and then every hour, for ever. Zigbee2MQTT does the same to its sticks.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Final

AGAIN_AFTER: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 30, 60))


class Rung(StrEnum):
    """What is done, from the mildest to the last."""

    ASK = "ask"
    REOPEN = "reopen"
    RADIO = "radio"
    RESTART = "restart"
    REST = "rest"  # nothing helped: look now and then, and climb again later


_ROUND: Final = (Rung.REOPEN, Rung.RADIO, Rung.RESTART)


class Schedule:
    """Due at once, and again each time that the next pause is over; the last pause goes on for ever."""

    def __init__(self, pauses: Sequence[timedelta]) -> None:
        self._pauses = [pause.total_seconds() for pause in pauses]
        self._next: float | None = None
        self._count = 0

    def due(self, at: float) -> bool:
        """Return whether it is time at `at` (monotonic seconds), and if so begin the next pause."""
        if self._next is not None and at < self._next:
            return False
        self._next = at + self._pauses[min(self._count, len(self._pauses) - 1)]
        self._count += 1
        return True

    def clear(self) -> None:
        """Begin anew."""
        self._next, self._count = None, 0


class Ladder:
    """Remembers how far up we are; `climbed` counts for the metrics."""

    def __init__(self, again_after: Sequence[timedelta] = AGAIN_AFTER) -> None:
        self.climbed: Counter[Rung] = Counter()
        self._rounds = Schedule(again_after)
        self._ahead: list[Rung] = []
        self._below = True  # on the ground: the first round begins at the bottom

    def next(self, at: float) -> Rung:
        """Return what to try now that it has not answered; `at` is the monotonic clock in seconds."""
        if not self._ahead and self._rounds.due(at):
            # Closing and opening is what waiting does anyway.
            self._ahead = list(_ROUND if self._below else _ROUND[1:])
            self._below = False
        if not self._ahead:
            return Rung.REST
        rung = self._ahead.pop(0)
        self.climbed[rung] += 1
        return rung

    def well(self) -> None:
        """It answers again: back to the ground."""
        self._rounds.clear()
        self._ahead, self._below = [], True
