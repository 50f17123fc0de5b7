"""Numbers that only rise, beginning at nothing with the daemon, as Prometheus wants counters.   store → here → vitals.py

What is counted in a database shrinks when something is kept no longer, and Prometheus takes every shrinking for a new start, after
which all that is left counts anew ("Metric types", prometheus.io/docs/concepts/metric_types).
"""

from collections.abc import Callable, Hashable, Mapping
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

import sqlite_utils

from textbackd.web.metrics import Histogram

SETTLED_AFTER: Final = timedelta(seconds=5)  # by then what happened at a moment is written down
Label = TypeVar("Label", bound=Hashable)


class Risen(Generic[Label]):
    """One counter with its labels."""

    def __init__(self) -> None:
        self._last: Mapping[Label, float] | None = None
        self._risen: dict[Label, float] = {}

    def by(self, now: Mapping[Label, float]) -> Mapping[Label, float]:
        """Return by how much each number has risen since it was first asked for; what sinks stays as high as it was."""
        last = now if self._last is None else self._last
        for label, value in now.items():
            self._risen[label] = self._risen.get(label, 0) + max(value - last.get(label, 0), 0)
        self._last = dict(now)
        return dict(self._risen)


class Measured:
    """Seconds that are read from the database as they come about."""

    def __init__(
        self, limits: tuple[float, ...], read: Callable[[sqlite_utils.Database, datetime, datetime], list[float]]
    ) -> None:
        """`read` returns those of after one moment until another."""
        self._histogram, self._read = Histogram(limits), read
        self._until: datetime | None = None

    def by(self, db: sqlite_utils.Database, now: datetime) -> Histogram:
        """Return all since it was first asked for."""
        until = now - SETTLED_AFTER
        for seconds in self._read(db, self._until or until, until):
            self._histogram.observe(seconds)
        self._until = max(self._until or until, until)
        return self._histogram
