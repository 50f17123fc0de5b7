"""The PBX side: one client, one tracker and one worker per Asterisk.   pbx/client.py → flow/calls_in.py"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Final

from textbackd.core.call import Call
from textbackd.core.events import Event
from textbackd.core.merge import Merger, twins_among
from textbackd.core.phone import E164
from textbackd.core.tracker import Tracker
from textbackd.core.trunk import Trunks
from textbackd.daemon.common import Common
from textbackd.flow import calls_in, catch_up
from textbackd.flow.conclude import Office
from textbackd.flow.night_switches import NightSwitches
from textbackd.pbx.client import AmiClient, PbxState
from textbackd.pbx.records import usual_queue_log
from textbackd.store import journal
from textbackd.store.watched import Watched

HAND_OVER: Final = timedelta(milliseconds=500)  # from a call's release to its text's being due


class Pbxs:
    """All PBXs of the configuration."""

    def __init__(self, common: Common, *, wake: Callable[[], None], told: calls_in.Told | None) -> None:
        self._common, self._wake, self._told = common, wake, told
        self._watches: dict[str, calls_in.CallsIn] = {}
        self._trackers: dict[str, Tracker] = {}
        self.clients = {name: self._client(name) for name in common.settings.pbx}
        self._switches = NightSwitches(common.settings, self.clients)
        for name, client in self.clients.items():
            common.ring_back.attach(name, client)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Listen until the block ends; when one of its tasks breaks, so does the daemon."""
        common = self._common
        office = Office(common.settings, await common.store.run(journal.seen_dids))
        # Held for a twin only as long as the text waits anyway.
        shortest = min(common.settings.policy_of(line).delay for line in common.settings.lines.values())
        merger = Merger(shortest - HAND_OVER, self._twin_is_open)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(office.contacts.run())]
            for name in common.settings.pbx:
                watch = self._watch(name, office, merger)
                tasks += [group.create_task(work) for work in self._work(name, watch)]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
        for watch in self._watches.values():
            await watch.wind_up()

    def _work(self, name: str, watch: calls_in.CallsIn) -> Iterator[Coroutine[None, None, None]]:
        yield watch.run()
        yield watch.ask_for_machines()
        yield self.clients[name].run()
        if watch.catch_up is not None:
            yield watch.catch_up.run()

    def _twin_is_open(self, call: Call) -> bool:
        return any(twins_among(tracker.open_callers(), call) for tracker in self._trackers.values())

    def _client(self, name: str) -> AmiClient:
        pbx = self._common.settings.pbx[name]
        return AmiClient(
            name,
            host=pbx.host,
            port=pbx.port,
            username=pbx.username,
            secret=pbx.secret.get_secret_value(),
            take=partial(self._hand_on, name),
            clock=self._common.clock,
        )

    def _hand_on(self, name: str, batch: list[Event | None]) -> None:
        self._watches[name].take(batch)  # there once the client runs

    def _watch(self, name: str, office: Office, merger: Merger) -> calls_in.CallsIn:
        common, pbx = self._common, self._common.settings.pbx[name]
        self._trackers[name] = Tracker(name, Trunks(pbx.trunks.contexts, pbx.trunks.channels))
        watch = calls_in.CallsIn(
            office=office,
            guard=common.guard,
            one_decision=common.one_decision,
            store=common.store,
            tracker=self._trackers[name],
            merger=merger,
            clock=common.clock,
            wake=self._wake,
            bell=common.bell,
            observe=common.settings.mode == "observe",
            told=self._told,
            attestation_variables=pbx.attestation_variable,
        )
        watch.client = self.clients[name]
        watch.switches = self._switches
        if pbx.cdr is not None:
            watch.catch_up = self._catch_up(name, pbx.cdr, watch)
        self._watches[name] = watch
        return watch

    def _catch_up(self, name: str, cdr: str, watch: calls_in.CallsIn) -> catch_up.CatchUp:
        pbx, client = self._common.settings.pbx[name], self.clients[name]
        return catch_up.CatchUp(
            name,
            records=catch_up.Records(cdr, usual_queue_log(cdr), self._common.settings.business.timezone),
            trunks=Trunks(pbx.trunks.contexts, pbx.trunks.channels),
            ledger=Watched(self._common.store, name),
            finished=watch.finished,
            is_watching=lambda: client.state is PbxState.CONNECTED and watch.is_idle,
            clock=self._common.clock,
        )

    def on_the_phone(self) -> set[E164]:
        """Return the numbers that are in a call with us at this moment."""
        return set().union(*(watch.on_the_phone() for watch in self._watches.values()))

    def waiting_events(self) -> Mapping[str, int]:
        """Return how many events of each PBX have come and are not worked through."""
        return {name: watch.waiting for name, watch in self._watches.items()}

    def states(self) -> Mapping[str, str]:
        """Return how each PBX is."""
        return {name: client.state.value for name, client in self.clients.items()}
