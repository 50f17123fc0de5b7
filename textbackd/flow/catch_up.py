"""Calls that nobody watched, found afterwards in what Asterisk wrote.   pbx/records → core/from_records.py → here → flow/calls_in.py

While the AMI connection or the daemon was down, calls came and went. When the connection is there again, the records of that gap
are read three times, since Asterisk may write them late (cdr.conf: `batch`), and each call that the database does not know is handed
on as if it had just ended. The rule about expired texts then lets a fresh one be texted and lists an old one. Calls of which the live
side saw too little to judge (`not_seen`, `pbx_restarted`) are looked up in the same way.

What has been watched is written down every few seconds, so that a gap is known even after a power cut.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Final, Protocol, TypeVar
from zoneinfo import ZoneInfo

from textbackd.core.call import Call, Direction
from textbackd.core.from_records import calls_from_records
from textbackd.core.merge import merged
from textbackd.core.missed import Judgement, Reason
from textbackd.core.tracker import LONGEST_CALL
from textbackd.core.trunk import Trunks, trunk_of
from textbackd.errors import TextbackdError
from textbackd.pbx.records import read_cdr, read_queue_log

log = logging.getLogger(__name__)
T = TypeVar("T")

LOOK_AFTER: Final = (
    5.0,
    30.0,
    300.0,
)  # seconds after the reconnect; the last is Asterisk's default batch time (cdr.conf)
LOOK_AGAIN: Final = 300.0  # seconds, while the records cannot be read
SETTLE: Final = 2.0  # seconds between two readings that must agree: a call's rows are written one after the other
NOTE_EVERY: Final = 10.0  # seconds
# A half-open line is noticed within 10 s (pbx/client.py), so before that it is not sure that we were connected.
UNSURE: Final = timedelta(seconds=15)
LOGIN_TAKES: Final = timedelta(seconds=10)
FARTHEST: Final = timedelta(days=31)  # whoever was away for longer asks the leak report
CLOCK_WAS_AHEAD: Final = timedelta(
    days=1
)  # is looked back when what was watched lies in the future: nobody knows since when
UNEXPLAINED: Final = frozenset({Reason.NOT_SEEN, Reason.PBX_RESTARTED})

Sleep = Callable[[float], Awaitable[None]]


class Ledger(Protocol):
    """What the database keeps for the catch-up of one PBX. Raises sqlite3.Error."""

    async def watched_until(self) -> datetime | None:
        """Return the moment up to which every call was seen and written down; None before the first connection."""

    async def trunks(self) -> Collection[str]:
        """Return the names of the trunks over which calls have come in, as `trunk_of` gives them."""

    async def note(self, watched_until: datetime, trunks: Collection[str]) -> None:
        """Keep both."""

    async def is_settled(self, call: Call) -> bool:
        """Return whether a call found in records is known and needs no explanation."""


@dataclass(frozen=True, slots=True)
class Records:
    """Where the records of one PBX are."""

    cdr: str | None
    queue_log: Path | None
    zone: ZoneInfo  # of the PBX's machine, which writes local times


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which calls may have gone unseen. One that had ended before it, or began after it, was seen whole."""

    since: datetime
    until: datetime

    def holds(self, call: Call) -> bool:
        """Return whether some of this call lies in the gap."""
        ended, began = call.ended_at or self.since, call.started_at or self.since
        return ended >= self.since and began <= self.until


@dataclass(frozen=True, slots=True)
class _Asked:
    """A gap that is to be looked into by the next reading."""

    gap: Gap
    well: asyncio.Future[bool]  # whether the records could be read


class CatchUp:
    """Finds what one PBX did while nobody watched."""

    def __init__(
        self,
        pbx: str,
        *,
        records: Records,
        trunks: Trunks,
        ledger: Ledger,
        finished: Callable[[Call], Awaitable[None]],
        is_watching: Callable[[], bool],
        clock: Callable[[], datetime],
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._pbx, self._records, self._trunks, self._ledger = pbx, records, trunks, ledger
        self._finished, self._is_watching = finished, is_watching
        self._clock, self._sleep = clock, sleep
        self._wanted: asyncio.Queue[Gap | None] = asyncio.Queue()
        self._open: set[Gap] = set()
        self._names: set[str] = set()
        self._watched_until: datetime | None = None  # since we run; before that, the ledger knows
        self._was_connected = False
        self._reading = asyncio.Lock()
        self._asked: dict[bool, list[_Asked]] = {False: [], True: []}  # by whether it is their last look
        self._complaint = ""

    # ---- what the live side tells

    def connection_opened(self) -> None:
        """Look for what happened since we were last connected."""
        self._was_connected = True
        self._wanted.put_nowait(self._gap_since(self._watched_until) if self._watched_until else None)

    def met(self, call: Call, judgement: Judgement) -> None:
        """Take note of a finished call: its trunk, and whether the records have to explain it."""
        if call.direction is Direction.INBOUND and call.channel:
            self._names.add(trunk_of(call.channel))
        if judgement.reason in UNEXPLAINED:
            since = call.started_at or self._clock() - LONGEST_CALL
            self._wanted.put_nowait(self._gap_since(since))

    # ---- the work

    async def run(self) -> None:
        """Keep note of what was watched and fill the gaps, until cancelled."""
        at_start = await self._patiently(self._begin)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_note())
            while True:
                gap = await self._wanted.get()
                if gap is None and at_start is not None:
                    gap = self._gap_since(at_start)
                if gap is not None:  # before the very first connection there is no gap to fill
                    self._open.add(gap)
                    group.create_task(self._fill(gap))

    async def _begin(self) -> datetime | None:
        self._names.update(await self._ledger.trunks())
        return await self._ledger.watched_until()

    async def _keep_note(self) -> None:
        while True:
            if self._was_connected and self._is_watching():
                self._watched_until = self._clock() - UNSURE
                # A gap that is not filled yet would be forgotten if the daemon stopped now.
                noted = min([self._watched_until, *(gap.since for gap in self._open)])
                await self._patiently(partial(self._ledger.note, noted, sorted(self._names)))
            await self._sleep(NOTE_EVERY)

    async def _patiently(self, work: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                return await work()
            except sqlite3.Error as error:
                log.error("the catch-up cannot use the database; trying again", extra={"error": str(error)})
                await self._sleep(NOTE_EVERY)

    async def _fill(self, gap: Gap) -> None:
        """Look three times, and go on while the records cannot be read."""
        # By pauses, not by a clock, which may be set meanwhile; the last look took its time, too.
        for before, after in pairwise((-SETTLE, *LOOK_AFTER)):
            await self._sleep(after - before - SETTLE)
            well = await self._look(gap, last=after == LOOK_AFTER[-1])
        while not well:
            await self._sleep(LOOK_AGAIN)
            well = await self._look(gap, last=True)
        self._open.discard(gap)

    async def _look(self, gap: Gap, *, last: bool) -> bool:
        """Hand on the calls of a gap that are not known. Return whether the records could be read.

        A line that comes and goes opens gaps faster than records can be read, so one reading serves all that wait for it.
        """
        asked = _Asked(gap, asyncio.get_running_loop().create_future())
        self._asked[last].append(asked)
        async with self._reading:
            if not asked.well.done():
                together, self._asked[last] = self._asked[last], []
                well = await self._look_into([each.gap for each in together], last=last)
                for each in together:
                    each.well.set_result(well)
        return asked.well.result()

    async def _look_into(self, gaps: Collection[Gap], *, last: bool) -> bool:
        try:
            calls = await self._calls(gaps, last=last)
            for call in sorted(calls, key=_talks_first):
                if not await self._patiently(partial(self._ledger.is_settled, call)):
                    await self._finished(call)
        except TextbackdError as error:
            self._complain(str(error))
            return False
        self._complaint = ""
        return True

    async def _calls(self, gaps: Collection[Gap], *, last: bool) -> list[Call]:
        since = min(gap.since for gap in gaps) - LONGEST_CALL  # the first rows of a call that ended in a gap
        first = {call.linkedid: call for call in await asyncio.to_thread(self._read, since, last)}
        await self._sleep(SETTLE)
        second = await asyncio.to_thread(self._read, since, last)
        agreed = (call for call in second if first.get(call.linkedid) == call)
        return [call for call in agreed if any(gap.holds(call) for gap in gaps)]

    def _read(self, since: datetime, last: bool) -> list[Call]:
        records = self._records
        cdr = read_cdr(records.cdr, since=since, tz=records.zone) if records.cdr else None
        rows = list(cdr or ())
        events = read_queue_log(records.queue_log, since=since) if records.queue_log else ()
        if cdr is not None and cdr.skipped:
            log.warning("call records that cannot be read were skipped", extra={"pbx": self._pbx, "rows": cdr.skipped})
        calls = calls_from_records(
            rows,
            events,
            pbx=self._pbx,
            trunks=self._trunks,
            known_trunks=self._names,
            queue_alone=last or cdr is None,
            call_backs=True,
        )
        return merged(calls)

    def _gap_since(self, since: datetime) -> Gap:
        now = self._clock()
        if since > now:  # the clock was ahead when that was written down, and has been set back
            since = now - CLOCK_WAS_AHEAD
        return Gap(max(since, now - FARTHEST), now + LOGIN_TAKES)

    def _complain(self, sentence: str) -> None:
        """Log a cause once, not at every look."""
        if sentence != self._complaint:
            self._complaint = sentence
            log.warning(sentence, extra={"pbx": self._pbx})


def _talks_first(call: Call) -> tuple[bool, str]:
    """Who got through or was called back in the gap comes first, so that no text goes out for their try before."""
    return not call.talks, call.ended_at.isoformat() if call.ended_at else ""
