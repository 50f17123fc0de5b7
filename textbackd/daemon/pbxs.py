"""The PBX side: one connection, one tracker and one worker per Asterisk.   pbx/client.py → flow/calls_in.py

They stay when the configuration changes, with every call that is open: only the rules are others from then on. A PBX that is reached
in another way than before is left, and connected to anew.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from textbackd.config import Pbx, Settings
from textbackd.core.call import Call
from textbackd.core.merge import Merger, twins_among
from textbackd.core.phone import E164
from textbackd.core.tracker import Tracker
from textbackd.core.trunk import Trunks
from textbackd.daemon.common import Common, Kept
from textbackd.flow import calls_in, catch_up
from textbackd.flow.calls_in import CallsIn, Rules
from textbackd.flow.conclude import Office
from textbackd.flow.night_switches import NightSwitches
from textbackd.pbx.client import AmiClient, PbxState
from textbackd.pbx.records import usual_queue_log
from textbackd.store.watched import Watched

HAND_OVER: Final = timedelta(milliseconds=500)  # from a call's release to its text's being due


class Wire:
    """One PBX: the connection, what is known of its open calls, and who judges them."""

    def __init__(self, name: str, section: Pbx, calls: Callable[[Tracker], CallsIn], kept: Kept) -> None:
        self.name, self.reach, self._kept = name, _reach(section), kept
        self.tracker = Tracker(name, _trunks(section))
        self.calls = calls(self.tracker)
        self.client = AmiClient(
            name,
            host=section.host,
            port=section.port,
            username=section.username,
            secret=section.secret.get_secret_value(),
            take=self.calls.take,
            clock=kept.clock,
        )
        self.calls.client = self.client
        self._records: catch_up.Records | None = None
        self._working: asyncio.Task[None] | None = None
        self._beside: list[asyncio.Task[None]] = []
        self._catching_up: asyncio.Task[None] | None = None

    def open(self, group: asyncio.TaskGroup) -> None:
        """Connect, and work until `close` or cancelled."""
        if self._working is None:
            self._working = group.create_task(self.calls.run())
            self._beside = [group.create_task(self.calls.ask_for_machines()), group.create_task(self.client.run())]

    def follow(self, rules: Rules, settings: Settings, group: asyncio.TaskGroup) -> None:
        """Go by these rules from now on."""
        section, tz = settings.pbx[self.name], settings.business.timezone
        self.calls.rules = rules
        records = catch_up.Records(section.cdr, usual_queue_log(section.cdr), tz) if section.cdr is not None else None
        if records != self._records or _trunks(section) != self.tracker.trunks:
            self.tracker.trunks, self._records = _trunks(section), records
            self._catch_up(group)

    def _catch_up(self, group: asyncio.TaskGroup) -> None:
        """Fill gaps from other records than before, or from none."""
        if self._catching_up is not None:
            self._catching_up.cancel()
        self.calls.catch_up, self._catching_up = None, None
        if self._records is None:
            return
        self.calls.catch_up = catch_up.CatchUp(
            self.name,
            records=self._records,
            trunks=self.tracker.trunks,
            ledger=Watched(self._kept.store, self.name),
            finished=self.calls.finished,
            is_watching=lambda: self.client.state is PbxState.CONNECTED and self.calls.is_idle,
            clock=self._kept.clock,
        )
        if self.client.is_connected:
            self.calls.catch_up.connection_opened()
        self._catching_up = group.create_task(self.calls.catch_up.run())

    async def close(self) -> None:
        """Hang up, and write down what has come, as far as that can be done in time."""
        await _ended(*self._beside, *([self._catching_up] if self._catching_up else []))
        self.calls.stop()
        if self._working is not None:
            async with calls_in.in_time():
                await asyncio.wait({self._working})
            self._working.cancel()

    def cancel(self) -> None:
        """Let everything fall; what has come is for `calls.wind_up`."""
        for task in (self._working, self._catching_up, *self._beside):
            if task is not None:
                task.cancel()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The PBXs of one configuration."""

    settings: Settings
    rules: Mapping[str, Rules]
    wires: Mapping[str, Wire]  # those that stay, and new ones

    @property
    def clients(self) -> Mapping[str, AmiClient]:
        """The connections by the name of their PBX."""
        return {name: wire.client for name, wire in self.wires.items()}


class Pbxs:
    """All PBXs."""

    def __init__(self, kept: Kept, *, told: calls_in.Told | None) -> None:
        self._kept, self._told = kept, told
        self._wires: dict[str, Wire] = {}
        self._merger = Merger(timedelta(0), self._twin_is_open)
        self._group: asyncio.TaskGroup | None = None

    def plan(self, common: Common, office: Office) -> Plan:
        """Return how the PBXs will be under a configuration. Nothing changes before `follow`."""
        settings, clients = common.settings, dict[str, AmiClient]()
        switches = NightSwitches(settings, clients)
        rules = {
            name: Rules(
                office=office,
                guard=common.guard,
                observe=settings.mode == "observe",
                attestation_variables=section.attestation_variable,
                switches=switches,
            )
            for name, section in settings.pbx.items()
        }
        wires = {name: self._wire(name, section, rules[name]) for name, section in settings.pbx.items()}
        for name, wire in wires.items():
            clients[name] = wire.client
            common.ring_back.attach(name, wire.client)
        return Plan(settings=settings, rules=rules, wires=wires)

    def _wire(self, name: str, section: Pbx, rules: Rules) -> Wire:
        known, kept = self._wires.get(name), self._kept
        if known is not None and known.reach == _reach(section):
            return known

        def calls(tracker: Tracker) -> CallsIn:
            return CallsIn(
                rules,
                one_decision=kept.one_decision,
                store=kept.store,
                tracker=tracker,
                merger=self._merger,
                clock=kept.clock,
                wake=kept.wake,
                bell=kept.bell,
                told=self._told,
            )

        return Wire(name, section, calls, kept)

    @asynccontextmanager
    async def listening(self, plan: Plan) -> AsyncIterator[None]:
        """Listen until the block ends; when one of its tasks breaks, so does the daemon."""
        async with asyncio.TaskGroup() as self._group:
            await self.follow(plan)
            try:
                yield
            finally:
                for wire in self._wires.values():
                    wire.cancel()
        async with calls_in.in_time():
            for wire in self._wires.values():
                await wire.calls.wind_up()

    async def follow(self, plan: Plan) -> None:
        """Go on as planned: leave what is not there any more, then go by the new rules."""
        group = self._group
        assert group is not None  # noqa: S101  # only while listening
        for name, wire in self._wires.items():
            if plan.wires.get(name) is not wire:
                await wire.close()
        self._wires = dict(plan.wires)
        settings = plan.settings
        # Held for a twin only as long as the text waits anyway.
        self._merger.hold = min(settings.policy_of(line).delay for line in settings.lines.values()) - HAND_OVER
        for name, wire in self._wires.items():
            wire.follow(plan.rules[name], settings, group)
            wire.open(group)

    def _twin_is_open(self, call: Call) -> bool:
        return any(twins_among(wire.tracker.open_callers(), call) for wire in self._wires.values())

    def on_the_phone(self) -> set[E164]:
        """Return the numbers that are in a call with us at this moment."""
        return set().union(*(wire.calls.on_the_phone() for wire in self._wires.values()))

    def waiting_events(self) -> Mapping[str, int]:
        """Return how many events of each PBX have come and are not worked through."""
        return {name: wire.calls.waiting for name, wire in self._wires.items()}

    def states(self) -> Mapping[str, str]:
        """Return how each PBX is."""
        return {name: wire.client.state.value for name, wire in self._wires.items()}


def _reach(section: Pbx) -> tuple[str, int, str, str]:
    return section.host, section.port, section.username, section.secret.get_secret_value()


def _trunks(section: Pbx) -> Trunks:
    return Trunks(section.trunks.contexts, section.trunks.channels)


async def _ended(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
