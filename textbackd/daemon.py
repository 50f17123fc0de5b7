"""The daemon: build, start, wait for the signal, stop in order.   cli/run.py → here"""

import asyncio
import logging
import os
import signal
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

from textbackd.config import Gateway as GatewaySection
from textbackd.config import Settings, WebKind
from textbackd.config.readers import HOOK_SECRET
from textbackd.core.call import Call
from textbackd.core.decide import ALERT_AT
from textbackd.core.events import Event
from textbackd.core.merge import Merger, twins_among
from textbackd.core.phone import E164, read_number
from textbackd.core.tracker import Tracker
from textbackd.core.trunk import Trunks
from textbackd.errors import TextbackdError
from textbackd.flow import calls_in, catch_up, texts_out, upkeep
from textbackd.flow.clock import Clock
from textbackd.flow.conclude import Office
from textbackd.flow.guard import Guard, caps_of
from textbackd.flow.night_switches import NightSwitches
from textbackd.flow.replies_in import RepliesIn
from textbackd.flow.unknowns import Unknowns
from textbackd.flow.wishes import Wishes
from textbackd.gateways.base import Gateway, HearsLate, Lent, Measured, TakesHooks
from textbackd.gateways.registry import build
from textbackd.pbx.client import AmiClient, PbxState
from textbackd.pbx.records import usual_queue_log
from textbackd.store import accounts, halts, inbox, journal, outbox
from textbackd.store.database import Store, only_one, unusable
from textbackd.store.halts import HaltKind
from textbackd.store.retention import Kept
from textbackd.store.watched import Watched
from textbackd.web import app as web
from textbackd.web import hooks
from textbackd.web.metrics import HANGUP_TO_ACCEPTED_BUCKETS, Family, Histogram, Snapshot, families
from textbackd.web.shop import Shop

log = logging.getLogger(__name__)

HAND_OVER = timedelta(milliseconds=500)  # from a call's release to its text's being due
MEASURED_SINCE = timedelta(days=30)


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
        self._told_call, self._told_text = told_call, told_text
        self._store = Store(settings.storage)
        self._clock = Clock() if clock is None else clock
        self._clock_watch = upkeep.ClockWatch(self._store, self._clock)
        self._guard = Guard(caps_of(settings.policy.caps), settings.policy.brake, observing=settings.mode == "observe")
        self._doors: dict[str, hooks.Door] = {}
        self._watches: dict[str, calls_in.CallsIn] = {}
        self._clients = {name: self._client(name) for name in settings.pbx}
        # Gateways subscribe to a client's events when they are built, before it logs in.
        self._gateways: Mapping[str, Gateway] = {
            name: self._gateway(name, section) for name, section in settings.gateways.items()
        }
        breakers = texts_out.Breakers()
        self._workers = [
            texts_out.Worker(
                gateway,
                store=self._store,
                clock=self._clock,
                rate=settings.gateways[name].rate,
                on_the_phone=self._on_the_phone,
                breakers=breakers,
                told=told_text,
            )
            for name, gateway in self._gateways.items()
        ]
        self._switches = NightSwitches(settings, self._clients)
        self._trackers: dict[str, Tracker] = {}
        self._say = upkeep.systemd()
        self._pulse = upkeep.Pulse(self._store, self._say)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`, then finish what is in hand. Raises TextbackdError if it cannot start."""
        lock = only_one(self._settings.storage)
        try:
            await self._open()
            async with self._pages(), self._sending(), self._hooks(), self._listening():
                self._say("READY=1\nSTATUS=waiting for calls")
                await stop.wait()
                self._say("STOPPING=1")
        finally:
            await self._store.close()
            os.close(lock)

    async def _open(self) -> None:
        await self._store.open()
        try:
            await self._clock_watch.settle()
            for name in await self._store.run(outbox.mark_cut_off):
                self._expect_late_answer(name)
            await self._store.run(lambda db: outbox.adopt_orphans(db, list(self._gateways)))
        except sqlite3.Error as error:
            raise unusable(self._settings.storage, error) from error

    def _expect_late_answer(self, name: str) -> None:
        """Have a gateway that had a text in hand when the last process ended listen for its answer."""
        gateway = self._gateways.get(name)
        if isinstance(gateway, HearsLate):
            gateway.expect_late_answer()

    @asynccontextmanager
    async def _pages(self) -> AsyncIterator[None]:
        listen, shop = self._settings.web, Shop(store=self._store, settings=self._settings, clock=self._clock)
        if not await self._store.run(accounts.anybody):
            log.info("Nobody can log in yet: textbackd staff add NAME --role owner")
        runner = await web.start(web.make_app(vitals=self, measure=self._measure, shop=shop), listen.host, listen.port)
        try:
            yield
        finally:
            await web.stop(runner)

    def _gateway(self, name: str, section: GatewaySection) -> Gateway:
        """Return the gateway of a section, and give it a door where vendors can tell what arrived."""
        secret = section.webhook.get_secret_value() if isinstance(section, WebKind) and section.webhook else None
        if secret is not None and not HOOK_SECRET.fullmatch(secret):
            raise TextbackdError(
                f"gateways.{name}.webhook: the secret has fewer than 22 letters and digits. Make one: "
                "python3 -c 'import secrets; print(secrets.token_urlsafe(24))'"
            )
        url = self._settings.webhooks.hook_url(name, secret) if secret else None
        notes = _notes(self._settings.storage, name)
        gateway = build(name, section, Lent(hook_url=url, notes=notes, managers=self._clients))
        if secret is not None and isinstance(gateway, TakesHooks):
            self._doors[name] = hooks.Door(gateway, secret)
        return gateway

    @asynccontextmanager
    async def _hooks(self) -> AsyncIterator[None]:
        """Listen for webhooks, if any gateway has one."""
        if not self._doors:
            yield
            return
        listen = self._settings.webhooks
        runner = await web.start(hooks.make_app(self._doors), listen.host, listen.port, key="webhooks.listen")
        try:
            yield
        finally:
            await web.stop(runner)

    @asynccontextmanager
    async def _sending(self) -> AsyncIterator[None]:
        """Run the gateways and their workers; on the way out let every send in flight come to its end."""
        for gateway in self._gateways.values():
            await gateway.start()
        try:
            async with asyncio.TaskGroup() as group:
                for worker in self._workers:
                    group.create_task(worker.run())
                listeners = [group.create_task(work) for work in self._inwards()]
                try:
                    yield
                finally:
                    for worker in self._workers:
                        worker.stop()
                    for listener in listeners:
                        listener.cancel()
        finally:
            for gateway in self._gateways.values():
                await gateway.close()

    def _inwards(self) -> Iterator[Coroutine[None, None, None]]:
        """Yield what has to run for what comes in, and for what is heard of texts afterwards."""
        country, wishes = self._settings.business.country, Wishes(self._settings)
        for gateway in self._gateways.values():
            yield RepliesIn(
                gateway,
                store=self._store,
                guard=self._guard,
                wishes=wishes,
                read_number=lambda written: read_number(written, country).e164,
                clock=self._clock,
            ).run()
            if Unknowns.can_settle(gateway):
                yield Unknowns(gateway, store=self._store, clock=self._clock, wake=self._wake).run()
        yield self._clock_watch.run()
        kept = Kept(texts=self._settings.retention.texts, calls=self._settings.retention.calls)
        yield upkeep.Cleaning(self._store, kept, self._clock).run()

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        """Run one client and one tracker per PBX; when a task of these breaks, so does the daemon."""
        seen = await self._store.run(journal.seen_dids)
        office = Office(self._settings, seen)
        # Held for a twin only as long as the text waits anyway.
        merger = Merger(self._settings.policy.delay - HAND_OVER, self._twin_is_open)
        one_decision = asyncio.Lock()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._pulse.run()), group.create_task(office.contacts.run())]
            for name in self._settings.pbx:
                calls = self._watch(name, office, merger, one_decision)
                work = (calls.run(), calls.ask_for_machines(), self._clients[name].run())
                tasks += [group.create_task(part) for part in work]
                if calls.catch_up is not None:
                    tasks.append(group.create_task(calls.catch_up.run()))
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
        for calls in self._watches.values():
            await calls.wind_up()

    def _twin_is_open(self, call: Call) -> bool:
        return any(twins_among(tracker.open_callers(), call) for tracker in self._trackers.values())

    def _client(self, name: str) -> AmiClient:
        pbx = self._settings.pbx[name]
        return AmiClient(
            name,
            host=pbx.host,
            port=pbx.port,
            username=pbx.username,
            secret=pbx.secret.get_secret_value(),
            take=partial(self._hand_on, name),
            clock=self._clock,
        )

    def _hand_on(self, name: str, batch: list[Event | None]) -> None:
        self._watches[name].take(batch)  # there once the client runs

    def _watch(self, name: str, office: Office, merger: Merger, one_decision: asyncio.Lock) -> calls_in.CallsIn:
        pbx = self._settings.pbx[name]
        self._trackers[name] = Tracker(name, Trunks(pbx.trunks.contexts, pbx.trunks.channels))
        calls = calls_in.CallsIn(
            office=office,
            guard=self._guard,
            one_decision=one_decision,
            store=self._store,
            tracker=self._trackers[name],
            merger=merger,
            clock=self._clock,
            wake=self._wake,
            observe=self._settings.mode == "observe",
            told=self._told_call,
            attestation_variables=pbx.attestation_variable,
        )
        calls.client = self._clients[name]
        calls.switches = self._switches
        if pbx.cdr is not None:
            calls.catch_up = self._catch_up(name, pbx.cdr, calls)
        self._watches[name] = calls
        return calls

    def _catch_up(self, name: str, cdr: str, calls: calls_in.CallsIn) -> catch_up.CatchUp:
        pbx, client = self._settings.pbx[name], self._clients[name]
        return catch_up.CatchUp(
            name,
            records=catch_up.Records(cdr, usual_queue_log(cdr), self._settings.business.timezone),
            trunks=Trunks(pbx.trunks.contexts, pbx.trunks.channels),
            ledger=Watched(self._store, name),
            finished=calls.finished,
            is_watching=lambda: client.state is PbxState.CONNECTED and calls.is_idle,
            clock=self._clock,
        )

    def _on_the_phone(self) -> set[E164]:
        return set().union(*(watch.on_the_phone() for watch in self._watches.values()))

    def _wake(self) -> None:
        for worker in self._workers:
            worker.wake()

    # ---- what /healthz and /metrics ask

    async def database_ok(self) -> str:
        """Return "ok" while the database commits."""
        return "ok" if await self._store.is_writable() else "cannot be written"

    def pbx_states(self) -> Mapping[str, str]:
        """Return how each PBX is."""
        return {name: client.state.value for name, client in self._clients.items()}

    def gateway_states(self) -> Mapping[str, str]:
        """Return how each gateway is."""
        return {name: gateway.health().value for name, gateway in self._gateways.items()}

    async def texting(self) -> str:
        """Return "on", "paused" by a person for all lines, or "brake"."""
        active = await self._store.run(lambda db: halts.active(db, self._clock()))
        whole = [halt.kind for halt in active if halt.line is None]
        return "brake" if HaltKind.BRAKE in whole else "paused" if whole else "on"

    async def _measure(self) -> list[Family]:
        calls = await self._store.run(journal.counts)
        texts = await self._store.run(outbox.counts)
        seconds = await self._store.run(lambda db: outbox.seconds_to_accepted(db, self._clock() - MEASURED_SINCE))
        histogram = Histogram(HANGUP_TO_ACCEPTED_BUCKETS)
        for value in seconds:
            histogram.observe(value)
        snapshot = Snapshot(
            calls=_total(((verdict, reason), n) for verdict, reason, _, _, n in calls),
            decisions=_total(((decision, why), n) for _, _, decision, why, n in calls),
            texts=texts,
            outbox_length=texts.get("queued", 0),
            hangup_to_accepted=histogram,
            pbx=self.pbx_states(),
            gateways=self.gateway_states(),
            incoming=await self._store.run(inbox.counts),
            missed_again=await self._store.run(lambda db: journal.count_missed_again(db, ALERT_AT)),
            texting=await self.texting(),
            vitals={
                name: gateway.vitals() for name, gateway in self._gateways.items() if isinstance(gateway, Measured)
            },
            told={name: gateway.told() for name, gateway in self._gateways.items() if isinstance(gateway, Measured)},
        )
        return families(snapshot)


def _notes(storage: Path, gateway: str) -> Path:
    """Return the folder beside the database in which a gateway keeps what it must not forget. Raises StorageError."""
    folder = storage.parent / "gateways" / gateway
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise unusable(storage, error) from error
    return folder


def _total(counted: Iterable[tuple[tuple[str, str], int]]) -> dict[tuple[str, str], int]:
    totals: Counter[tuple[str, str]] = Counter()
    for key, number in counted:
        totals[key] += number
    return dict(totals)


def serve(daemon: Daemon) -> None:
    """Run a daemon until SIGTERM or SIGINT."""
    asyncio.run(_until_signal(daemon))


async def _until_signal(daemon: Daemon) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await daemon.run(stop)
