"""Time that goes faster: an event loop and a clock by which a day lasts minutes. Nothing is skipped, everything waits for less long."""

import asyncio
import selectors
import time
from datetime import UTC, datetime, timedelta

from textbackd.flow.clock import Clock


class _Selector(selectors.DefaultSelector):
    """Waits for real seconds when it is told fast ones."""

    def __init__(self, times: float) -> None:
        super().__init__()
        self._times = times

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(timeout if timeout is None else timeout / self._times)


class FastLoop(asyncio.SelectorEventLoop):
    """A loop in which `asyncio.sleep(60)` takes 60/`times` seconds, and so does every time-out."""

    def __init__(self, times: float) -> None:
        self._times = times
        super().__init__(_Selector(times))

    def time(self) -> float:
        return super().time() * self._times


class FastClock(Clock):
    """The daemon's clock, as fast as the loop; a test may set it by `by`."""

    def __init__(self, times: float) -> None:
        self.by = timedelta()
        began, at = time.monotonic(), datetime.now(UTC)
        super().__init__(
            wall=lambda: at + timedelta(seconds=(time.monotonic() - began) * times) + self.by,
            steady=lambda: time.monotonic() * times,
        )
