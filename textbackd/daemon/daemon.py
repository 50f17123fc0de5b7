"""Build, start, go over to another configuration when told, wait for the signal, stop in order."""

import asyncio
import logging
import os
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from textbackd.config import Settings
from textbackd.daemon import pages
from textbackd.daemon.chores import Chores
from textbackd.daemon.common import Kept
from textbackd.daemon.gateways import Gateways
from textbackd.daemon.generation import Generation
from textbackd.daemon.listening import Place
from textbackd.daemon.pbxs import Pbxs
from textbackd.daemon.reloading import Read, faults_in, refuse, runnable
from textbackd.daemon.status import Status
from textbackd.daemon.vitals import Counters, Vitals
from textbackd.errors import TextbackdError
from textbackd.flow import calls_in, texts_out, upkeep
from textbackd.flow.clock import Clock
from textbackd.flow.desk import Desk
from textbackd.store.database import Store, only_one, unusable

log = logging.getLogger(__name__)


class Daemon:
    """Everything that runs, put together from settings whose secrets are resolved."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        read: Read | None = None,
        told_call: calls_in.Told | None = None,
        told_text: texts_out.Told | None = None,
    ) -> None:
        """`read` reads the configuration anew, for `reload`; None: it never changes."""
        self._read, self._wanted = read, asyncio.Event()
        self._kept = Kept(store=Store(settings.storage), clock=Clock() if clock is None else clock, wake=self._wake)
        self._counters, self._pbxs = Counters(), Pbxs(self._kept, told=told_call)
        self._gateways = Gateways(
            self._kept, on_the_phone=self._pbxs.on_the_phone, told=told_text, storage=settings.storage
        )
        self._now = self._built(settings)
        self._clock_watch = upkeep.ClockWatch(self._kept.store, self._kept.clock)
        self._say = upkeep.systemd()
        self._pulse = upkeep.Pulse(self._kept.store, self._say)
        self._status = Status(self._say, self._kept, lambda: self._pulse.database)

    def _wake(self) -> None:
        self._gateways.wake()

    def _built(self, settings: Settings) -> Generation:
        return Generation(settings, self._kept, self._pbxs, self._gateways, self._counters)

    @property
    def desk(self) -> Desk:
        """What the staff can do."""
        return self._now.common.desk

    @property
    def vitals(self) -> Vitals:
        """How the daemon is."""
        return self._now.vitals

    @property
    def can_reload(self) -> bool:
        """Return whether there is anything to read anew."""
        return self._read is not None

    def reload(self) -> None:
        """Have the configuration read again; a bad one changes nothing."""
        self._wanted.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`, then finish what is in hand. Raises TextbackdError if it cannot start."""
        now, lock = self._now, only_one(self._now.settings.storage)
        try:
            await self._open()
            async with (
                Place(now.pages()) as pages,
                self._gateways.sending(now.gateways),
                Place(now.doors()) as doors,
                Place(now.codes()) as codes,
                self._upkeep() as chores,
                self._pbxs.listening(now.pbxs),
            ):
                self._say("READY=1\nSTATUS=waiting for calls")
                await self._live(stop, _Running(pages=pages, doors=doors, codes=codes, chores=chores))
                self._say("STOPPING=1")
        except BaseExceptionGroup as group:
            # What one side cannot do, such as listen where another program does, comes wrapped by the task groups of the others.
            cause = _cause(group)
            raise cause if isinstance(cause, TextbackdError) else group from None
        finally:
            self._now.unbind()
            await self._kept.store.close()
            os.close(lock)

    async def _open(self) -> None:
        await self._kept.store.open()
        try:
            await self._clock_watch.settle()
            await self._now.look_up()
            await self._gateways.take_up(self._now.gateways)
            await self._now.vitals.begin()
            await pages.say_if_nobody(self._now.common)
        except sqlite3.Error as error:
            raise unusable(self._now.settings.storage, error) from error
        self._now.bind()

    @asynccontextmanager
    async def _upkeep(self) -> AsyncIterator[Chores]:
        """Run what runs beside calls and texts until the block ends."""
        async with asyncio.TaskGroup() as group:
            chores = Chores(group)
            steady = [self._pulse.run(), self._clock_watch.run(), self._status.run()]
            tasks = [group.create_task(work) for work in steady]
            chores.follow(self._now)
            self._status.follow(self._now)
            try:
                yield chores
            finally:
                chores.cancel()
                for task in tasks:
                    task.cancel()

    # ---- another configuration

    async def _live(self, stop: asyncio.Event, running: "_Running") -> None:
        """Work until told to stop; read the configuration anew whenever told to."""
        while not stop.is_set():
            await _either(stop, self._wanted)
            if self._wanted.is_set() and not stop.is_set():
                self._wanted.clear()
                await self._reload(running)

    async def _reload(self, running: "_Running") -> None:
        self._say(upkeep.reloading())
        try:
            following = await self._following()
        except (TextbackdError, sqlite3.Error) as error:
            self._status.note = refuse(faults_in(error), self._now.since, self._now.settings)
        else:
            await self._go_over(following, running)
            self._status.note = ""
            log.info("the new configuration is in force", extra={"file": following.settings.origin.path})
        await self._status.tell(also="READY=1")

    async def _following(self) -> Generation:
        """Return what the file says now, ready to run. Raises TextbackdError and sqlite3.Error, and nothing has changed."""
        assert self._read is not None  # noqa: S101  # nobody is told of `reload` otherwise
        settings = runnable(await asyncio.to_thread(self._read), self._now.settings)
        following = await asyncio.to_thread(self._built, settings)
        await following.look_up()
        following.bind(self._now)
        return following

    async def _go_over(self, following: Generation, running: "_Running") -> None:
        """Let another configuration be in force: calls first, then texts, then all the rest."""
        last = self._now
        await self._pbxs.follow(following.pbxs)
        self._gateways.follow(following.gateways)
        following.take_over(last)
        running.chores.follow(following)
        self._status.follow(following)
        await running.doors.put(following.doors())
        await running.codes.put(following.codes())
        await running.pages.put(following.pages())
        self._now = following
        last.unbind(following)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Running:
    """What a new configuration is put into while the daemon runs."""

    pages: Place
    doors: Place
    codes: Place
    chores: Chores


async def _either(*events: asyncio.Event) -> None:
    """Wait for the first of some events."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


def _cause(error: BaseException) -> BaseException:
    """Return what a group of one was made for."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def serve(daemon: Daemon) -> None:
    """Run a daemon until SIGTERM or SIGINT. SIGHUP has it read its configuration again."""
    asyncio.run(_until_signal(daemon))


async def _until_signal(daemon: Daemon) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if daemon.can_reload:
        loop.add_signal_handler(signal.SIGHUP, daemon.reload)
    await daemon.run(stop)
