"""The chores of the configuration in force, one after the other's.   generation.py → here → daemon.py"""

import asyncio
from collections.abc import Callable, Collection, Coroutine

from textbackd.daemon.generation import Generation
from textbackd.flow.staff.notices_out import Teller


class Chores:
    """Runs them in a group of tasks."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._chores: list[asyncio.Task[None]] = []
        self._tellers: list[Teller] = []
        self._telling: list[asyncio.Task[None]] = []

    def follow(self, generation: Generation) -> None:
        """Run the chores of another. Who is telling somebody something comes to the end of it, so that it is told once."""
        for chore in self._chores:
            chore.cancel()
        for teller in self._tellers:
            teller.stop()
        last, self._tellers = [task for task in self._telling if not task.done()], generation.telling.tellers
        self._chores = [self._group.create_task(work) for work in generation.chores()]
        self._telling = [*last, *(self._group.create_task(_after(last, each.run)) for each in self._tellers)]

    def cancel(self) -> None:
        """End all."""
        for task in (*self._chores, *self._telling):
            task.cancel()


async def _after(last: Collection[asyncio.Task[None]], work: Callable[[], Coroutine[None, None, None]]) -> None:
    if last:
        await asyncio.wait(last)
    await work()
