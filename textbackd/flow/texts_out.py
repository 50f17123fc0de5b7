"""What happens to a text: claim it durably, hand it to a gateway once, write down what is known.

Each gateway has its own worker, so a slow modem holds up nobody else. A worker never sends a text that it could not first write
down as being sent.
"""

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from textbackd.core.breaker import MOST_FAILURES, Breaker, Outcome
from textbackd.core.limits import Limit
from textbackd.core.phone import E164, mask
from textbackd.flow.bell import Bell
from textbackd.gateways.base import Accepted, Fate, Gateway, OutboundText, SendFailed, Starts
from textbackd.pauses import spread
from textbackd.store import outbox
from textbackd.store.database import Store
from textbackd.store.outbox import DueText
from textbackd.store.states import State

log = logging.getLogger(__name__)

# After the n-th failed round through a text's gateways. Together they end inside the ten minutes that a text lives.
RETRY_AFTER: Final = tuple(timedelta(seconds=s) for s in (5, 15, 45, 120, 240, 360))
LOOK_EVERY: Final = timedelta(seconds=1)  # other processes (`textbackd send`) add texts, too
HELD_AGAIN_AFTER: Final = timedelta(milliseconds=200)
DISK_AGAIN_AFTER: Final = timedelta(seconds=5)

Told = Callable[[DueText, str, str], None]


class Breakers:
    """The breakers of all gateways, which their workers share: a text goes to none that rests."""

    def __init__(self) -> None:
        self._breakers: dict[str, Breaker] = {}

    def note(self, gateway: str, outcome: Outcome, now: datetime) -> None:
        """Take in how a send ended."""
        before = self._breakers.get(gateway, Breaker())
        after = self._breakers[gateway] = before.noted(outcome, now)
        if after.is_open(now) and not before.failures >= MOST_FAILURES:
            log.warning("a gateway rests for a while: its texts go elsewhere or wait", extra={"gateway": gateway})

    def forget(self, gateway: str) -> None:
        """Let a gateway begin anew: it is another one now."""
        self._breakers.pop(gateway, None)

    def open(self, now: datetime) -> set[str]:
        """Return the gateways that rest now."""
        return {name for name, breaker in self._breakers.items() if breaker.is_open(now)}


class Worker:
    """Sends the texts of one gateway."""

    def __init__(
        self,
        gateway: Gateway,
        *,
        store: Store,
        clock: Callable[[], datetime],
        rate: Limit,
        breakers: Breakers,
        bell: Bell,
        account: str = "",
        is_observing: Callable[[], bool] = lambda: False,
        on_the_phone: Callable[[], Collection[E164]] = frozenset,
        told: Told | None = None,
    ) -> None:
        """`account` tells this gateway from another that has had its name; while `is_observing` nothing is sent."""
        self._gateway, self._store, self._clock, self._told = gateway, store, clock, told
        self._account, self._is_observing, self._on_the_phone = account, is_observing, on_the_phone
        self._breakers, self._bell = breakers, bell
        self._pace = Pace(rate)
        self._awake = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """Look at the outbox now."""
        self._awake.set()

    def stop(self) -> None:
        """Finish the text in hand and take no other."""
        self._stopping = True
        self.wake()

    async def run(self) -> None:
        """Send what is due until told to stop."""
        while not self._stopping:
            self._awake.clear()
            try:
                if not await self._one():
                    await self._rest()
            except sqlite3.Error as error:
                log.error("the outbox cannot be written; nothing is sent until it can", extra={"error": str(error)})
                await asyncio.sleep(DISK_AGAIN_AFTER.total_seconds())

    async def _one(self) -> bool:
        """Send the next due text. Return whether there was one."""
        if self._store.is_tight:
            return False  # the disk is full: what comes of texts under way may still be written, but none is begun
        if isinstance(self._gateway, Starts) and self._gateway.is_starting:
            return False
        if self._is_observing():
            await self._store.run(lambda db: outbox.suppress_waiting(db, self._gateway.name))
            return False
        resting = self._breakers.open(self._clock())
        if self._gateway.name in resting:
            await self._store.run(lambda db: outbox.pass_on(db, self._gateway.name, resting))
            return False
        wait = self._pace.wait(self._clock())
        if wait:
            await self._sleep(wait)
            return True
        busy = self._on_the_phone()
        text = await self._store.run(
            lambda db: outbox.claim(db, self._gateway.name, self._clock(), busy, self._account)
        )
        if text is None:
            return False
        self._pace.spend(self._clock())
        await self._submit(text)
        return True

    async def _rest(self) -> None:
        await self._store.run(lambda db: outbox.expire(db, self._clock()))
        due = await self._store.run(lambda db: outbox.next_moment(db, self._gateway.name))
        wait = LOOK_EVERY if due is None else min(LOOK_EVERY, due - self._clock())
        # What is due and was not claimed waits for a caller who is on the phone.
        await self._sleep(wait if wait > timedelta(0) else HELD_AGAIN_AFTER)

    async def _sleep(self, wait: timedelta) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(wait.total_seconds()):
                await self._awake.wait()

    async def _submit(self, text: DueText) -> None:
        wanted = OutboundText(
            id=text.id, to=text.recipient, sender=text.did, body=text.body, valid_until=text.expires_at
        )
        try:
            result: Accepted | SendFailed = await self._gateway.send(wanted)
        except SendFailed as failed:
            result = failed
        outcome = Outcome.WELL if isinstance(result, Accepted) else _OUTCOME[result.fate]
        self._breakers.note(self._gateway.name, outcome, self._clock())
        await self._write_down(text, result)

    async def _write_down(self, text: DueText, result: Accepted | SendFailed) -> None:
        """Record the result, however long the disk takes: until then the text is `submitting`, which is never sent again."""
        while True:
            try:
                if isinstance(result, Accepted):
                    await self._accepted(text, result)
                else:
                    await self._failed(text, result)
                return
            except sqlite3.Error as error:
                log.error(
                    "a result cannot be written down; trying again", extra={"outbox_id": text.id, "error": str(error)}
                )
                await asyncio.sleep(DISK_AGAIN_AFTER.total_seconds())

    async def _accepted(self, text: DueText, result: Accepted) -> None:
        at = self._clock()
        state = await self._store.run(lambda db: outbox.accepted(db, text, result.reference, at))
        log.info(
            "text accepted by gateway",
            extra={
                "outbox_id": text.id,
                "gateway": text.gateway,
                "to": mask(text.recipient),
                "segments": text.segments,
            },
        )
        self._tell(text, state.value, "")
        self._bell.ring(text.recipient)

    async def _failed(self, text: DueText, failed: SendFailed) -> None:
        at, state = self._clock(), _FINAL.get(failed.fate)
        if state is None:
            gateway, due_at = _next_try(text, at, self._breakers.open(at))
            await self._store.run(
                lambda db: outbox.put_back(
                    db,
                    text,
                    gateway=gateway,
                    due_at=due_at,
                    outcome=failed.fate.value,
                    code=failed.code,
                    explanation=str(failed),
                    now=at,
                )
            )
        else:
            await self._store.run(
                lambda db: outbox.ended(
                    db,
                    text,
                    state,
                    outcome=failed.fate.value,
                    code=failed.code,
                    explanation=str(failed),
                    now=at,
                    opted_out=failed.fate is Fate.OPTED_OUT,
                )
            )
        log.warning(
            "text not accepted by gateway",
            extra={"outbox_id": text.id, "gateway": text.gateway, "fate": failed.fate.value, "why": str(failed)},
        )
        self._tell(text, state.value if state else State.QUEUED.value, str(failed))
        self._bell.ring(text.recipient)

    def _tell(self, text: DueText, state: str, why: str) -> None:
        if self._told is not None:
            self._told(text, state, why)


_OUTCOME: Final[Mapping[Fate, Outcome]] = {
    Fate.NOT_SENT: Outcome.FAILED,
    Fate.UNKNOWN: Outcome.FAILED,  # a gateway that never answers would make an unknown of every text
    Fate.GATEWAY_UNFIT: Outcome.UNFIT,
    Fate.REFUSED: Outcome.WELL,
    Fate.OPTED_OUT: Outcome.WELL,
}
_FINAL: Final[Mapping[Fate, State]] = {
    Fate.REFUSED: State.FAILED,
    Fate.OPTED_OUT: State.FAILED,
    Fate.UNKNOWN: State.UNKNOWN,
}


def _next_try(text: DueText, now: datetime, resting: Collection[str]) -> tuple[str, datetime]:
    """Return gateway and time of the next try: the text's next gateway at once, or after a pause the first one again.

    Gateways that rest are passed over, unless all do.
    """
    order = text.gateways or (text.gateway,)
    usable = [gateway for gateway in order if gateway not in resting] or list(order)
    place = order.index(text.gateway) if text.gateway in order else -1
    later = [gateway for gateway in usable if order.index(gateway) > place]
    if later:
        return later[0], now
    finished_round = (text.attempt - 1) // len(order)
    pause = RETRY_AFTER[min(finished_round, len(RETRY_AFTER) - 1)]
    return usable[0], now + spread(pause)


class Pace:
    """Holds a gateway to its rate: `count` texts in any `window`."""

    def __init__(self, rate: Limit) -> None:
        self._rate = rate
        self._sent: deque[datetime] = deque(maxlen=rate.count)

    def wait(self, now: datetime) -> timedelta:
        """Return how long to wait before the next text."""
        if len(self._sent) < self._rate.count:
            return timedelta(0)
        # Never longer than a window, should the clock have been set back.
        return min(max(self._sent[0] + self._rate.window - now, timedelta(0)), self._rate.window)

    def spend(self, now: datetime) -> None:
        """Note that a text goes out."""
        self._sent.append(now)
