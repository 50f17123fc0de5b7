"""The gateways' side: what sends, what takes in, and the vendors' doors.   flow/texts_out.py, flow/replies_in.py → here → doors.py

A gateway whose part of the configuration did not change stays as it is: no modem is closed and opened for want of a reason. One that
did change finishes its text in hand and is let go before its successor begins, since both may want the same port.
"""

import asyncio
import hashlib
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from textbackd.config import Gateway as GatewaySection
from textbackd.config import Settings, WebKind
from textbackd.config.readers import HOOK_SECRET, TOO_WEAK
from textbackd.core.phone import E164, read_number
from textbackd.daemon.common import Common, Kept
from textbackd.errors import TextbackdError
from textbackd.flow import texts_out
from textbackd.flow.replies_in import Readings, RepliesIn
from textbackd.flow.staff.texts import StaffTexts
from textbackd.flow.unknowns import Unknowns
from textbackd.flow.wishes import Wishes
from textbackd.gateways.base import Gateway, HearsLate, Lent, Measured, TakesHooks
from textbackd.gateways.registry import build
from textbackd.pbx.client import AmiClient
from textbackd.store import outbox
from textbackd.store.database import unusable
from textbackd.web import hooks

log = logging.getLogger(__name__)

ADOPT_EVERY: Final = 60.0  # seconds; a text lives for ten minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """All that a gateway is built from. Equal ones make equal gateways."""

    section: GatewaySection
    hook_url: str | None
    managers: tuple[tuple[str, AmiClient], ...]  # for those that send through a PBX

    @property
    def account(self) -> str:
        """What tells this account or device from another one under the same name: all but its secrets, price and speed, hashed."""
        names = sorted(set(type(self.section).model_fields) - {"rate", "price"})
        told = [(name, getattr(self.section, name)) for name in names]  # a SecretStr shows nothing of itself
        return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


class Sender:
    """One gateway at work: its worker, and what takes in what it brings."""

    def __init__(
        self, gateway: Gateway, origin: Origin, worker: texts_out.Worker, replies: RepliesIn, kept: Kept
    ) -> None:
        self.gateway, self.origin, self.worker, self.replies, self._kept = gateway, origin, worker, replies, kept
        self.started = asyncio.Event()
        self._stopping = False

    async def run(self, before: "asyncio.Task[None] | None") -> None:
        """Work until told to stop, once the one `before` has let go; every send in flight comes to its end."""
        if before is not None:
            await asyncio.wait({before})
        if self._stopping:
            return
        try:
            await self.gateway.start()
        finally:
            self.started.set()
        try:
            async with asyncio.TaskGroup() as group:
                listeners = [group.create_task(work) for work in self._inwards()]
                await self.worker.run()
                for listener in listeners:
                    listener.cancel()
        finally:
            await self.gateway.close()

    def _inwards(self) -> Iterator[Coroutine[None, None, None]]:
        """Yield what has to run for what comes in, and for what is heard of texts afterwards."""
        kept, gateway = self._kept, self.gateway
        yield self.replies.run()
        if Unknowns.can_settle(gateway):
            account = self.origin.account
            yield Unknowns(gateway, store=kept.store, clock=kept.clock, wake=kept.wake, account=account).run()

    def stop(self) -> None:
        """Finish the text in hand and take no other."""
        self._stopping = True
        self.worker.stop()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The gateways of one configuration."""

    senders: Mapping[str, Sender]  # those that stay, and new ones
    readings: Readings
    observes: bool  # nothing is sent

    @property
    def gateways(self) -> Mapping[str, Gateway]:
        """The gateways by their names."""
        return {name: sender.gateway for name, sender in self.senders.items()}

    @property
    def doors(self) -> Mapping[str, hooks.Door]:
        """Where vendors tell what arrived."""
        found = {}
        for name, sender in self.senders.items():
            secret = _hook_secret(sender.origin.section)
            if secret is not None and isinstance(sender.gateway, TakesHooks):
                found[name] = hooks.Door(sender.gateway, secret)
        return found


class Gateways:
    """All gateways."""

    def __init__(
        self, kept: Kept, *, on_the_phone: Callable[[], set[E164]], told: texts_out.Told | None, storage: Path
    ) -> None:
        self._kept, self._on_the_phone, self._told, self._storage = kept, on_the_phone, told, storage
        self._breakers = texts_out.Breakers()
        self._senders: dict[str, Sender] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None
        self._orphans = asyncio.Event()
        self._observes = False

    def wake(self) -> None:
        """Have the outbox looked at now."""
        for sender in self._senders.values():
            sender.worker.wake()

    def plan(self, common: Common, clients: Mapping[str, AmiClient], staff: StaffTexts) -> Plan:
        """Return how the gateways will be under a configuration; nothing changes before `follow`. Raises TextbackdError."""
        readings = _readings(common, staff)
        senders = {
            name: self._sender(name, _origin(name, section, common.settings, clients), readings)
            for name, section in common.settings.gateways.items()
        }
        return Plan(senders=senders, readings=readings, observes=common.settings.mode == "observe")

    def _sender(self, name: str, origin: Origin, readings: Readings) -> Sender:
        known = self._senders.get(name)
        if known is not None and known.origin == origin:
            return known
        kept, notes = self._kept, _notes(self._storage, name)
        lent = Lent(hook_url=origin.hook_url, notes=notes, managers=dict(origin.managers))
        gateway = build(name, origin.section, lent)
        worker = texts_out.Worker(
            gateway,
            store=kept.store,
            clock=kept.clock,
            rate=origin.section.rate,
            account=origin.account,
            is_observing=lambda: self._observes,
            on_the_phone=self._on_the_phone,
            breakers=self._breakers,
            bell=kept.bell,
            told=self._told,
        )
        replies = RepliesIn(gateway, readings, store=kept.store, bell=kept.bell, clock=kept.clock)
        return Sender(gateway, origin, worker, replies, kept)

    async def take_up(self, plan: Plan) -> None:
        """Settle what the last process left: texts that were being handed over, and those of gateways that are gone."""
        gateways = plan.gateways
        for name in await self._kept.store.run(outbox.mark_cut_off):
            gateway = gateways.get(name)
            if isinstance(gateway, HearsLate):
                gateway.expect_late_answer()
        await self._kept.store.run(lambda db: outbox.adopt_orphans(db, list(gateways)))

    @asynccontextmanager
    async def sending(self, plan: Plan) -> AsyncIterator[None]:
        """Run the gateways and their workers; on the way out let every send in flight come to its end."""
        async with asyncio.TaskGroup() as self._group:
            self.follow(plan)
            for sender in plan.senders.values():
                await sender.started.wait()
            adopting = self._group.create_task(self._adopt())
            try:
                yield
            finally:
                adopting.cancel()
                for sender in self._senders.values():
                    sender.stop()

    def follow(self, plan: Plan) -> None:
        """Go on as planned. What is let go finishes its text first, which nobody here waits for."""
        group, last = self._group, self._senders
        assert group is not None  # noqa: S101  # only while sending
        self._observes = plan.observes
        for name, sender in last.items():
            if plan.senders.get(name) is not sender:
                sender.stop()
                self._breakers.forget(name)
                self._tasks[name].add_done_callback(lambda _: self._orphans.set())
        self._senders = dict(plan.senders)
        for name, sender in self._senders.items():
            sender.replies.readings = plan.readings
            if last.get(name) is not sender:
                self._tasks[name] = group.create_task(sender.run(self._tasks.get(name)))
        self.wake()

    async def _adopt(self) -> None:
        """Hand on, again and again, what waits for a gateway that is gone."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(ADOPT_EVERY):
                    await self._orphans.wait()
            self._orphans.clear()
            with suppress(sqlite3.Error):  # the workers say so already; here it is tried again
                if await self._kept.store.run(lambda db: outbox.adopt_orphans(db, list(self._senders))):
                    self.wake()

    def states(self) -> Mapping[str, str]:
        """Return how each gateway is."""
        return {name: sender.gateway.health().value for name, sender in self._senders.items()}

    def measured(self) -> Mapping[str, Measured]:
        """Return the gateways that measure themselves."""
        gateways = {name: sender.gateway for name, sender in self._senders.items()}
        return {name: gateway for name, gateway in gateways.items() if isinstance(gateway, Measured)}


def _readings(common: Common, staff: StaffTexts) -> Readings:
    settings = common.settings

    def line_of(did: E164 | None) -> str | None:
        found = settings.line_for(did)
        return found[0] if found else None

    return Readings(
        guard=common.guard,
        wishes=Wishes(settings),
        staff=staff,
        line_of=line_of,
        read_number=lambda written: read_number(written, settings.business.country).e164,
    )


def _origin(name: str, section: GatewaySection, settings: Settings, clients: Mapping[str, AmiClient]) -> Origin:
    """Return what the gateway of a section is built from. Raises TextbackdError for a secret that could be guessed."""
    secret = _hook_secret(section)
    if secret is not None and not HOOK_SECRET.fullmatch(secret):
        raise TextbackdError(f"gateways.{name}.webhook: {TOO_WEAK}")
    return Origin(
        section=section,
        hook_url=settings.webhooks.hook_url(name, secret) if secret else None,
        managers=tuple(clients.items()) if "pbx" in type(section).model_fields else (),
    )


def _hook_secret(section: GatewaySection) -> str | None:
    return section.webhook.get_secret_value() if isinstance(section, WebKind) and section.webhook else None


def _notes(storage: Path, gateway: str) -> Path:
    """Return the folder beside the database in which a gateway keeps what it must not forget. Raises StorageError."""
    folder = storage.parent / "gateways" / gateway
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise unusable(storage, error) from error
    return folder
