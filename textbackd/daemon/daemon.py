"""Build, start, wait for the signal, stop in order."""

import asyncio
import os
import signal
import sqlite3
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager

from textbackd.config import Settings
from textbackd.daemon.common import Common
from textbackd.daemon.doors import doors
from textbackd.daemon.gateways import Gateways
from textbackd.daemon.pages import pages
from textbackd.daemon.pbxs import Pbxs
from textbackd.daemon.telling import Telling
from textbackd.daemon.vitals import Vitals
from textbackd.errors import TextbackdError
from textbackd.flow import calls_in, texts_out, upkeep
from textbackd.flow.bell import Bell
from textbackd.flow.clock import Clock
from textbackd.flow.desk import Desk
from textbackd.flow.guard import Guard, caps_of
from textbackd.flow.staff.ring_back import RingBack
from textbackd.flow.staff.watch import Watch
from textbackd.flow.staff.weekly import Weekly
from textbackd.store.database import Store, only_one, unusable
from textbackd.store.retention import Kept


class Daemon:
    """Everything that runs, put together from settings whose secrets are resolved."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        told_call: calls_in.Told | None = None,
        told_text: texts_out.Told | None = None,
    ) -> None:
        self._settings = settings
        self._common = self._shared(Clock() if clock is None else clock)
        self._pbxs = Pbxs(self._common, wake=self._wake, told=told_call)
        self._telling = Telling(
            self._common, clients=self._pbxs.clients, on_the_phone=self._pbxs.on_the_phone, wake=self._wake
        )
        self._gateways = Gateways(
            self._common,
            clients=self._pbxs.clients,
            on_the_phone=self._pbxs.on_the_phone,
            staff=self._telling.texts,
            told=told_text,
        )
        self._watch = self._watching()
        self._weekly = Weekly(settings, store=self._common.store, clock=self._common.clock, wake=self._telling.wake)
        self.vitals = Vitals(self._common, self._pbxs, self._gateways, self._watch)
        self._clock_watch = upkeep.ClockWatch(self._common.store, self._common.clock)
        self._say = upkeep.systemd()

    def _shared(self, clock: Clock) -> Common:
        settings, store, bell = self._settings, Store(self._settings.storage), Bell()
        ring_back = RingBack(settings)
        return Common(
            settings=settings,
            store=store,
            clock=clock,
            guard=Guard(caps_of(settings.policy.caps), settings.policy.brake, observing=settings.mode == "observe"),
            bell=bell,
            desk=Desk(settings, store=store, clock=clock, bell=bell, wake=self._wake, ring_back=ring_back),
            ring_back=ring_back,
        )

    def _watching(self) -> Watch:
        return Watch(
            self._settings,
            store=self._common.store,
            clock=self._common.clock,
            tells=self._telling.tells,
            at_once=self._telling.at_once.tell,
            pbx_states=self._pbxs.states,
            gateways=self._gateways.gateways,
            wake=self._telling.wake,
        )

    @property
    def desk(self) -> Desk:
        """What the staff can do."""
        return self._common.desk

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`, then finish what is in hand. Raises TextbackdError if it cannot start."""
        lock = only_one(self._settings.storage)
        try:
            await self._open()
            async with (
                pages(self._common, self.vitals),
                self._gateways.sending(),
                doors(self._common, self._gateways.doors, self._telling.wake, self._telling.tells),
                self._upkeep(),
                self._pbxs.listening(),
            ):
                self._say("READY=1\nSTATUS=waiting for calls")
                await stop.wait()
                self._say("STOPPING=1")
        except BaseExceptionGroup as group:
            # What one side cannot do, such as listen where another program does, comes wrapped by the task groups of the others.
            cause = _cause(group)
            raise cause if isinstance(cause, TextbackdError) else group from None
        finally:
            await self._common.store.close()
            os.close(lock)

    async def _open(self) -> None:
        await self._common.store.open()
        try:
            await self._clock_watch.settle()
            await self._gateways.take_up()
            await self.vitals.begin()
        except sqlite3.Error as error:
            raise unusable(self._settings.storage, error) from error

    @asynccontextmanager
    async def _upkeep(self) -> AsyncIterator[None]:
        """Run what runs beside calls and texts until the block ends."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in self._chores()]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()

    def _chores(self) -> Iterator[Coroutine[None, None, None]]:
        store, keep = self._common.store, self._settings.retention
        yield upkeep.Pulse(store, self._say).run()
        yield self._clock_watch.run()
        yield from self._telling.chores()
        yield self._watch.run()
        yield self._weekly.run()
        if (after := self._settings.inbox.close_after) is not None:
            yield upkeep.Closing(store, self._common.clock, self._common.bell, after).run()
        yield upkeep.Cleaning(store, Kept(texts=keep.texts, calls=keep.calls), self._common.clock).run()

    def _wake(self) -> None:
        self._gateways.wake()


def _cause(error: BaseException) -> BaseException:
    """Return what a group of one was made for."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def serve(daemon: Daemon) -> None:
    """Run a daemon until SIGTERM or SIGINT."""
    asyncio.run(_until_signal(daemon))


async def _until_signal(daemon: Daemon) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await daemon.run(stop)
