"""How often may somebody ask?   → leads.py, api/

So many at once, and after that one per span, for each key by itself (the generic cell rate algorithm, ITU-T I.371: one moment per key is
all that has to be remembered). In memory: a restart forgets it, which lets nobody in who has no key.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta
from typing import Final

MOST_KEYS: Final = 10_000  # of a flood of addresses the oldest are forgotten first


class Pace:
    """Says whether one more may come now."""

    def __init__(
        self, burst: int, every: timedelta, *, steady: Callable[[], float] = time.monotonic, most: int = MOST_KEYS
    ) -> None:
        self._every, self._steady, self._most = every.total_seconds(), steady, most
        self._slack = (burst - 1) * self._every
        self._due: OrderedDict[str, float] = OrderedDict()  # when the next one would be on time

    def wait(self, key: str) -> float:
        """Count one more and return 0, or return the seconds until one may come again, which counts nothing."""
        now = self._steady()
        due = max(self._due.get(key, now), now)
        if due - now > self._slack:
            return due - now - self._slack
        self._due[key] = due + self._every
        self._due.move_to_end(key)
        if len(self._due) > self._most:
            self._due.popitem(last=False)
        return 0.0
