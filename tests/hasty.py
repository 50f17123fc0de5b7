"""A loop in a hurry: when nothing is left to do, its clock jumps to the next timer. Retry pauses then take no time.

Sockets and threads are real; while a thread works, the loop waits for it as any other does.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from functools import wraps
from typing import Any, ParamSpec, TypeVar, TypeVarTuple, Unpack

P = ParamSpec("P")
T = TypeVar("T")
Ts = TypeVarTuple("Ts")
MOST_TURNS = 5_000  # of the loop in one test; what needs more goes in circles
TURNS_TO_STOP = 500  # of these, for the tasks to end once it has been given up
GRACE = 0.0005  # seconds for the kernel to bring what was sent over loopback


class _Selector(selectors.DefaultSelector):
    """Waits no longer than GRACE, and counts what it did not wait."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead = 0.0
        self.working = 0
        self.turns = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.turns += 1
        if self.turns > MOST_TURNS:
            self.turns -= TURNS_TO_STOP
            raise AssertionError(f"the loop goes in circles: {MOST_TURNS} turns, {self.ahead:.0f} s ahead")
        if timeout is None or timeout <= GRACE or self.working:
            return super().select(timeout)
        ready = super().select(GRACE)
        if not ready:
            self.ahead += timeout
        return ready


class HastyLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock runs ahead."""

    def __init__(self) -> None:
        self._hasty = _Selector()
        super().__init__(self._hasty)

    def time(self) -> float:
        return super().time() + self._hasty.ahead

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        self._hasty.working += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._done)
        return future

    def _done(self, _: object) -> None:
        self._hasty.working -= 1


def hasty(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run a test on a loop in a hurry."""

    @wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with asyncio.Runner(loop_factory=HastyLoop) as runner:
            runner.run(test(*args, **kwargs))

    return run


async def until(true: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something is so; fail if it is not within so many seconds of the loop's own clock."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110  # what it waits for is of many kinds
            await asyncio.sleep(0.5)
