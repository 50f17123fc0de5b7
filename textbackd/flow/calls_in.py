"""What happens when a call ends: judge it, decide, write it down, and wake the outbox."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

from textbackd.core.call import Call
from textbackd.core.decide import ALERT_AT, Caller, Standing
from textbackd.core.events import Event
from textbackd.core.merge import Merger
from textbackd.core.missed import Judgement, Verdict
from textbackd.core.phone import E164, mask
from textbackd.core.tracker import Tracker
from textbackd.flow.bell import Bell
from textbackd.flow.catch_up import CatchUp
from textbackd.flow.conclude import LATE_AFTER, Conclusion, Numbers, Office, Proposal
from textbackd.flow.entries import record, settled_by
from textbackd.flow.guard import Guard
from textbackd.flow.night_switches import NightSwitches
from textbackd.pbx.client import AmiClient, PbxError
from textbackd.store import journal, never
from textbackd.store.database import Store
from textbackd.store.tally import Wanted

log = logging.getLogger(__name__)
T = TypeVar("T")

# The channel must have read its SIP headers before it knows whether the caller wants to be hidden.
ASK_PRESENTATION_AFTER: Final = 0.3  # seconds
ASK_MACHINES_EVERY: Final = 1.0  # seconds
SHORTEST_LOOK: Final = 0.02  # seconds, while a held call waits for an open twin
LOOK_EVERY: Final = 0.5  # seconds between two looks for held calls and lost ends, when nothing else happens
STORE_AGAIN_AFTER: Final = 5.0  # seconds
WRITTEN_WITHIN: Final = (
    10.0  # seconds, when no more is taken: twice as long as SQLite waits for another program, store/database.py
)
MOST_WAITING: Final = 50_000  # events, some 40 MB; a call has twelve that count

Told = Callable[[Call, Conclusion], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the configuration says of calls. Each call is judged and decided by one set of rules from beginning to end."""

    office: Office
    guard: Guard
    observe: bool = False
    attestation_variables: Sequence[str] = ()
    switches: NightSwitches | None = None


class CallsIn:
    """Turns one PBX's events into recorded calls."""

    def __init__(
        self,
        rules: Rules,
        *,
        one_decision: asyncio.Lock,
        store: Store,
        tracker: Tracker,
        merger: Merger,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
        bell: Bell,
        told: Told | None = None,
    ) -> None:
        self.rules = rules  # may be replaced at any time; calls that end from then on go by the new ones
        self._store, self._tracker, self._merger = store, tracker, merger
        self._one_decision = one_decision  # of all PBXs: the next one must see the text of the last
        self._clock, self._wake, self._told, self._bell = clock, wake, told, bell
        self._stopping = False
        self._batches: asyncio.Queue[list[Event | None]] = asyncio.Queue()
        self._settling: list[Call] = []  # ended, and not yet written down
        self._asking: set[asyncio.Task[None]] = set()
        self._busy = False
        self.waiting = 0  # events that have come and are not worked through
        self._overrun = False
        self.client: AmiClient | None = None
        self.catch_up: CatchUp | None = None

    def take(self, batch: list[Event | None]) -> None:
        """Take events from the client, in the order of arrival; None begins a new connection.

        While nothing can be written down they wait in memory, and past `MOST_WAITING` they are let go: that is a gap like any other,
        to be filled from the PBX's records.
        """
        if self.waiting >= MOST_WAITING:
            if not self._overrun:
                log.error("too many events wait to be written down; what comes now has to be found in the call records")
            self._overrun = True
            return
        self.waiting += len(batch)
        self._batches.put_nowait(batch)

    async def run(self) -> None:
        """Work through the events until cancelled or told to stop."""
        while not self._stopping or not self._batches.empty():
            batch: list[Event | None] = []
            try:
                async with asyncio.timeout(self._until_next_look()):
                    batch = await self._batches.get()
            except TimeoutError:
                await self._finish_all(self._tracker.forget_unended(self._clock()))
            self._busy = True
            for event in batch:
                await self._feed(event)
            self.waiting -= len(batch)
            if self._overrun and self._batches.empty():
                await self._after_overrun()
            self._busy = False
            if self._merger.earliest_end is not None:
                await self._conclude_all(self._merger.due(self._clock()))

    async def _after_overrun(self) -> None:
        """Go on as after a lost connection: what is open may have ended unseen, and the PBX is asked what is there."""
        self._overrun = False
        await self._feed(None)
        if self.client is not None:
            with suppress(PbxError):
                await self.client.ask({"Action": "CoreShowChannels"})

    def stop(self) -> None:
        """Work through what has come, and end."""
        self._stopping = True
        self._batches.put_nowait([])

    async def wind_up(self) -> None:
        """Write down what has come and what is held, before the daemon stops; see `in_time`."""
        while not self._batches.empty():
            for event in self._batches.get_nowait():
                await self._feed(event)
        await self._conclude_all(self._merger.flush())

    def _until_next_look(self) -> float:
        due = self._merger.next_due
        return LOOK_EVERY if due is None else min(LOOK_EVERY, max((due - self._clock()).total_seconds(), SHORTEST_LOOK))

    async def _feed(self, event: Event | None) -> None:
        if event is None:
            self._tracker.connection_opened()
            if self.catch_up is not None:
                self.catch_up.connection_opened()
            return
        finished = self._tracker.feed(event)
        for uniqueid, channel in self._tracker.take_arrivals():
            self._ask_presentation(uniqueid, channel)
        await self._finish_all(finished)

    @property
    def is_idle(self) -> bool:
        """Return whether everything that has come is worked through and written down."""
        return self._batches.empty() and not self._busy and self._merger.earliest_end is None

    async def _finish_all(self, calls: list[Call]) -> None:
        await self._conclude_all([ready for call in calls for ready in self._merger.add(call)])

    async def _conclude_all(self, calls: list[Call]) -> None:
        self._settling += calls
        for call in calls:
            await self.finished(call)
            self._settling.remove(call)

    async def ask_for_machines(self) -> None:
        """Ask again and again which application holds the callers who are in no bridge, for as long as there are any.

        The answers are events like all others. Only they tell a menu from an announcement where the contexts have no telling names,
        without reading the class `dialplan`.
        """
        while True:
            await asyncio.sleep(ASK_MACHINES_EVERY)
            if self.client is not None and self._tracker.callers_in_no_bridge():
                with suppress(PbxError):
                    await self.client.ask({"Action": "CoreShowChannels"})

    def _ask_presentation(self, uniqueid: str, channel: str) -> None:
        if self.client is not None:
            task = asyncio.create_task(self._presentation(self.client, uniqueid, channel))
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)

    async def _presentation(self, client: AmiClient, uniqueid: str, channel: str) -> None:
        """Ask what no event says: whether the caller wants the number hidden that the carrier tells, and who vouches for it."""
        await asyncio.sleep(ASK_PRESENTATION_AFTER)
        try:
            self._tracker.note_presentation(uniqueid, await _variable(client, channel, "CALLERID(pres)"))
            if variables := self.rules.attestation_variables:
                said = [await _variable(client, channel, name) for name in variables]
                self._tracker.note_attestation(uniqueid, said)
        except (PbxError, ValueError):
            return

    async def finished(self, call: Call) -> None:
        """Judge a finished call and write it down, however long the disk takes to be there again."""
        rules = self.rules
        numbers = rules.office.read(call)
        is_never = await self._patiently(call, partial(self._is_never, numbers))
        judgement = rules.office.judge(call, numbers, never=is_never)
        switched_closed = await self._switched_closed(rules.switches, call, numbers, judgement)
        decided = partial(self._decided, rules, call, numbers, judgement, switched_closed)
        conclusion, recorded = await self._patiently(call, decided)
        if recorded.new:
            if self.catch_up is not None:
                self.catch_up.met(call, judgement)
            self._tell(call, conclusion)
            self._bell.ring(settled[0] if (settled := settled_by(call, conclusion)) else conclusion.numbers.caller)
            _alert(call, conclusion, recorded.misses)
        if recorded.text_id is not None:
            self._wake()

    async def _decided(
        self, rules: Rules, call: Call, numbers: Numbers, judgement: Judgement, switched_closed: bool | None
    ) -> tuple[Conclusion, journal.Recorded]:
        """Decide on a judged call and write it down, one call after the other."""
        async with self._one_decision:
            office, caller, now = rules.office, await self._history(rules, numbers), self._clock()
            proposal = office.propose(call, numbers, judgement, caller, at=now, switched_closed=switched_closed)
            standing = await self._standing(rules, numbers, judgement, proposal)
            conclusion = office.conclude(call, numbers, judgement, proposal, caller, standing, now=self._clock())
            return conclusion, await self._record(rules, call, conclusion)

    async def _patiently(self, call: Call, work: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                return await work()
            except sqlite3.Error as error:
                said = {"linkedid": call.linkedid, "error": str(error)}
                log.error("a call cannot be written down; trying again", extra=said)
                await asyncio.sleep(STORE_AGAIN_AFTER)

    def on_the_phone(self) -> set[E164]:
        """Return the numbers that are in a call with us at this moment, whoever called whom."""
        office = self.rules.office
        numbers = [office.number(caller) for _, caller, _ in self._tracker.open_callers()]
        numbers += map(office.dialled, self._tracker.open_outbound())
        # A call that has just ended counts until it is written down: it may settle the matter of a text that waits.
        for call in [*self._settling, *self._merger.held]:
            numbers += [office.number(call.caller_presented), office.read(call).did]
        return {number for number in numbers if number is not None}

    async def _switched_closed(
        self, switches: NightSwitches | None, call: Call, numbers: Numbers, judgement: Judgement
    ) -> bool | None:
        """Return what the day/night switch of the line says; None without one, and for a call that was over long ago."""
        ended_at = call.ended_at or self._clock()
        if switches is None or judgement.verdict is not Verdict.MISSED or self._clock() - ended_at >= LATE_AFTER:
            return None
        return await switches.closed(numbers.did, call.channel, call.pbx)

    async def _is_never(self, numbers: Numbers) -> bool:
        """Return whether somebody has put the caller on the never-list while we run."""
        number = numbers.caller
        return number is not None and await self._store.run(lambda db: never.find(db, number)) is not None

    async def _history(self, rules: Rules, numbers: Numbers) -> Caller:
        """Return what is known of the caller."""
        number, now = numbers.caller, self._clock()
        if number is None:
            return Caller()
        return await self._store.run(lambda db: journal.history(db, number, now=now, observing=rules.observe))

    async def _standing(self, rules: Rules, numbers: Numbers, judgement: Judgement, proposal: Proposal) -> Standing:
        """Return what speaks against any text at this moment."""
        number, now = numbers.caller, self._clock()
        if number is None or judgement.verdict is not Verdict.MISSED:
            return Standing()
        wanted = Wanted(recipient=number, did=numbers.did, cost=proposal.cost)
        return await self._store.run(lambda db: rules.guard.standing(db, proposal.line, number, wanted, now))

    async def _record(self, rules: Rules, call: Call, conclusion: Conclusion) -> journal.Recorded:
        policy, now = rules.office.policy(conclusion.line), self._clock()
        return await self._store.run(lambda db: record(db, call, conclusion, policy, observe=rules.observe, now=now))

    def _tell(self, call: Call, conclusion: Conclusion) -> None:
        reason = conclusion.judgement.reason
        log.info(
            "call ended",
            extra={
                "linkedid": call.linkedid,
                "caller": mask(conclusion.numbers.caller),
                "verdict": conclusion.judgement.verdict.value,
                "reason": reason.value if reason else None,
                "decision": conclusion.decision.action.value,
                "because": conclusion.decision.why.value,
            },
        )
        if self._told is not None:
            self._told(call, conclusion)


@asynccontextmanager
async def in_time() -> AsyncIterator[None]:
    """Let calls be written down for a while and no longer: the database may be held by another program, or its disk be dead."""
    try:
        async with asyncio.timeout(WRITTEN_WITHIN):
            yield
    except TimeoutError:
        log.error("calls cannot be written down in time; they have to be found in the call records")


def _alert(call: Call, conclusion: Conclusion, misses: int) -> None:
    """Tell people of a caller who tries again and again; once, however often they are missed after that."""
    if misses == ALERT_AT:
        said = {"linkedid": call.linkedid, "caller": mask(conclusion.numbers.caller), "misses": misses}
        log.warning("a caller was missed three times: somebody should call back", extra=said)


async def _variable(client: AmiClient, channel: str, name: str) -> str:
    answers = await client.ask({"Action": "Getvar", "Channel": channel, "Variable": name})
    return str(answers[0].get("Value", ""))
