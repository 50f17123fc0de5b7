"""What staff and programs are told, until they know it: one worker for each way.   store/notices.py → here → textbackd/handoff/

A notice is `sent` only after the other side has it, so one that a crash interrupts is told again. What cannot be told is tried again
after pauses that grow, for a day.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

import sqlite_utils

from textbackd.handoff.base import Channel, Message, NotTold
from textbackd.pauses import spread
from textbackd.store import notices
from textbackd.store.database import Store
from textbackd.store.notices import Notice, Way

log = logging.getLogger(__name__)

# After the n-th failure; the last one again and again until the notice is too old.
RETRY_AFTER: Final = tuple(timedelta(seconds=s) for s in (5, 15, 60, 300, 900, 1800, 3600))
LOOK_EVERY: Final = timedelta(seconds=30)  # whoever writes notices wakes us
DISK_AGAIN_AFTER: Final = 5.0  # seconds
TELLS_WITHIN: Final = timedelta(seconds=90)  # a channel has shorter time-outs of its own


class Teller:
    """Tells what is due, one way."""

    def __init__(self, way: Way, channel: Channel, *, store: Store, clock: Callable[[], datetime]) -> None:
        self._way, self._channel, self._store, self._clock = way, channel, store, clock
        self._awake = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """Look for notices now."""
        self._awake.set()

    def stop(self) -> None:
        """Tell what is in hand, and nothing else."""
        self._stopping = True
        self.wake()

    async def run(self) -> None:
        """Tell until cancelled or told to stop."""
        try:
            while not self._stopping:
                self._awake.clear()
                try:
                    if not await self.one():
                        await self._rest()
                except sqlite3.Error as error:
                    log.error("notices cannot be looked up; trying again", extra={"error": str(error)})
                    await asyncio.sleep(DISK_AGAIN_AFTER)
        finally:
            await self._channel.close()

    async def one(self) -> bool:
        """Tell the next notice that is due; return whether there was one."""
        notice = await self._store.run(lambda db: notices.due(db, self._way, self._clock()))
        if notice is None:
            return False
        if notice.expires_at <= self._clock():
            await self._give_up(notice, "nobody took it in time")
            return True
        try:
            async with asyncio.timeout(TELLS_WITHIN.total_seconds()):
                await self._channel.tell(_message(notice))
        except (NotTold, TimeoutError) as failure:
            await self._failed(notice, failure if isinstance(failure, NotTold) else NotTold("it took too long."))
        else:
            await self._write_down(lambda db: notices.sent(db, notice.id))
            log.info("a notice got there", extra=_fields(notice))
        return True

    async def _failed(self, notice: Notice, failure: NotTold) -> None:
        if failure.permanent:
            await self._give_up(notice, str(failure))
            return
        pause = RETRY_AFTER[min(notice.attempts, len(RETRY_AFTER) - 1)]
        again = self._clock() + spread(pause)
        due_at = min(again, notice.expires_at)
        await self._write_down(lambda db: notices.later(db, notice.id, str(failure), due_at))
        if notice.attempts == 0:
            log.warning("a notice did not get there; trying again", extra={**_fields(notice), "why": str(failure)})

    async def _give_up(self, notice: Notice, why: str) -> None:
        await self._write_down(lambda db: notices.failed(db, notice.id, why))
        log.error("a notice never got there", extra={**_fields(notice), "why": why})

    async def _write_down(self, work: Callable[[sqlite_utils.Database], None]) -> None:
        """Write down what became of a notice, however long the disk takes: until then it must not be told again."""
        while True:
            try:
                return await self._store.run(work)
            except sqlite3.Error as error:
                log.error(
                    "what became of a notice cannot be written down; trying again",
                    extra={"way": self._way.value, "error": str(error)},
                )
                await asyncio.sleep(DISK_AGAIN_AFTER)

    async def _rest(self) -> None:
        due = await self._store.run(lambda db: notices.next_moment(db, self._way))
        wait = LOOK_EVERY if due is None else max(min(LOOK_EVERY, due - self._clock()), timedelta(0))
        with suppress(TimeoutError):
            async with asyncio.timeout(wait.total_seconds()):
                await self._awake.wait()


def _message(notice: Notice) -> Message:
    payload = notice.payload
    is_event = notice.way is Way.HOOK
    return Message(
        key=f"textbackd-{notice.id}-{int(notice.at.timestamp())}",
        at=notice.at,
        staff=notice.staff,
        target=notice.target,
        title="" if is_event else str(payload.get("title", "")),
        words="" if is_event else str(payload.get("text" if notice.way is Way.SIP else "words", "")),
        event=payload if is_event else {},
    )


def _fields(notice: Notice) -> dict[str, object]:
    return {"notice": notice.id, "channel": notice.way.value, "staff": notice.staff, "matter": notice.matter}
