"""Nobody is left waiting: takes the steps of the line's chain that are due.   core/reply_clock.py → here → tells.py, ring_back.py

A step is written down in the transaction that writes who is told, so a restart neither forgets nor repeats one; a phone rings after
that, and a crash or a stop in between costs a ring, never rings twice; a reload in between costs none. While a caller is on the phone
with us nothing is done about them. `mode: observe` does nothing.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final

import sqlite_utils

from textbackd.config import Line, Settings
from textbackd.core.phone import E164, mask
from textbackd.core.reply_clock import Step, Waiting, due_steps, waited
from textbackd.core.timetable import Timetable
from textbackd.flow.bell import Bell, Listener
from textbackd.flow.staff.duty import LoggedIn
from textbackd.flow.staff.handoff import whose
from textbackd.flow.staff.ring_back import CannotRing, RingBack
from textbackd.flow.staff.tells import Tells
from textbackd.pbx.control import Picked
from textbackd.report.digest import spoken
from textbackd.store import acts, conversations, steps
from textbackd.store.acts import Act, ActKind
from textbackd.store.conversations import Conversation, Wait
from textbackd.store.database import Store, from_text, writing

log = logging.getLogger(__name__)

LOOK_EVERY: Final = 15.0  # seconds; the bell wakes us sooner, for what is urgent
MOST_AT_ONCE: Final = 50  # steps in one look, so that calls are written down in between
BREATH: Final = 1.0  # seconds between two looks, however often the bell rings
OUTCOMES: Final = {
    Picked.UP: "picked up",
    Picked.NOBODY: "nobody came",
    Picked.BUSY: "busy",
    Picked.REFUSED: "busy or not there",
    Picked.UNKNOWN: "not known",
}
Due = tuple[Conversation, Step]


@dataclass(frozen=True, slots=True)
class _Chain:
    """What a line does about who waits, and when it is open."""

    steps: tuple[Step, ...]
    keys: frozenset[str]
    times: Timetable

    @classmethod
    def of(cls, settings: Settings, name: str | None) -> "_Chain":
        line = settings.line_named(name)
        chain = line.reply.chain()
        return cls(chain, frozenset(step.key for step in chain), settings.timetable(line))


class Escalation:
    """Watches the waits."""

    def __init__(
        self,
        settings: Settings,
        *,
        store: Store,
        clock: Callable[[], datetime],
        bell: Bell,
        tells: Tells,
        ring_back: RingBack,
        on_the_phone: Callable[[], Collection[E164]],
        wake: Callable[[], None],
    ) -> None:
        self._settings, self._store, self._clock, self._bell = settings, store, clock, bell
        self._tells, self._ring_back, self._on_the_phone, self._wake = tells, ring_back, on_the_phone, wake
        self._chains = {name: _Chain.of(settings, name) for name in (None, *settings.lines)}
        self._ringing: dict[str, asyncio.Task[None]] = {}  # by phone: no phone is rung for two callers at once
        self._taking: asyncio.Task[None] | None = None
        self._is_followed = False  # by another, which goes on with the phones

    async def run(self) -> None:
        """Take what is due until cancelled."""
        with self._bell.listening() as listener:
            try:
                while True:
                    try:
                        await self.look()
                    except sqlite3.Error as error:
                        log.error("nobody is told who waits; trying again", extra={"error": str(error)})
                    await _pause(listener)
            finally:
                if not self._is_followed:
                    self._end()

    def _end(self) -> None:
        for task in (*self._ringing.values(), self._taking):
            if task is not None:
                task.cancel()

    def take_over(self, before: "Escalation") -> None:
        """Go on with the phones that ring."""
        self._ringing, before._is_followed = before._ringing, True

    async def look(self) -> None:
        """Take the steps that are due now. Raises sqlite3.Error."""
        if self._settings.mode == "observe":
            return
        busy = frozenset(self._on_the_phone())
        due = await self._store.run(lambda db: self._first_due(db, busy))
        if not due:
            return
        lines = {conversation.line for conversation, _ in due}
        there = {line: await self._tells.logged_in(line) for line in lines}
        # A reload cancels us at any moment: what is then being written down as taken has to ring all the same.
        self._taking = asyncio.create_task(self._take_all(busy, there))
        await asyncio.shield(self._taking)

    async def _take_all(self, busy: Collection[E164], there: Mapping[str | None, LoggedIn]) -> None:
        taken = await self._store.run(lambda db: self._take(db, busy, there))
        for conversation, step in taken:
            self._bell.ring(conversation.number)
            said = {"caller": mask(conversation.number), "step": step.key, "line": conversation.line}
            log.info("a caller has waited too long", extra=said)
            if step.do == "ring":
                self._ring(conversation, step)
        self._wake()

    # ---- in the store's thread

    def _take(
        self, db: sqlite_utils.Database, busy: Collection[E164], there: Mapping[str | None, LoggedIn]
    ) -> list[Due]:
        """Write down what is due, as it stands inside the transaction, and who is told of it."""
        now = self._clock()
        with writing(db):
            due = self._first_due(db, busy)
            taken = [(one, step) for one, step in due if steps.take(db, one, step, now)]
            for conversation, step in taken:
                self._do(db, conversation, step, there.get(conversation.line), now)
            steps.forget_ended(db)
        return taken

    def _first_due(self, db: sqlite_utils.Database, busy: Collection[E164]) -> list[Due]:
        return list(islice(self._due(db, busy, self._clock()), MOST_AT_ONCE))

    def _due(self, db: sqlite_utils.Database, busy: Collection[E164], now: datetime) -> Iterator[Due]:
        taken, phones = steps.taken(db), set(self._ringing)
        for wait in conversations.waits(db):
            due = self._due_of(wait, taken.get(wait.id, frozenset()), now) if wait.number not in busy else []
            conversation = conversations.get(db, wait.id) if due else None
            for step in due:
                if conversation is None or (step.do == "ring" and step.whom[0] in phones):
                    continue
                phones.update(step.whom if step.do == "ring" else ())
                yield conversation, step

    def _due_of(self, wait: Wait, done: Set[str], now: datetime) -> list[Step]:
        chain = self._chains[wait.line if wait.line in self._chains else None]
        if not wait.urgent and chain.keys <= done:
            return []
        since = from_text(wait.since) or now
        return due_steps(Waiting(since=since, is_urgent=wait.urgent), now, chain.times, chain.steps, done)

    def _line(self, conversation: Conversation) -> Line:
        return self._settings.line_named(conversation.line)

    def _do(
        self, db: sqlite_utils.Database, conversation: Conversation, step: Step, there: LoggedIn, now: datetime
    ) -> None:
        if step.do == "ring":
            return  # when this is written down
        said = self._words(db, conversation, now)
        on_call = self._line(conversation).on_call if step.do == "page" else None
        staff = whose(self._settings, on_call)
        if on_call is not None and staff is None and self._tells.page(db, on_call, conversation, said, now):
            told: Sequence[str] = [on_call]
        else:
            told = self._tells.about(db, [staff] if staff else step.whom, conversation, said, there, now)
        _note(db, conversation, ", ".join(told) or "nobody", now)

    def _words(self, db: sqlite_utils.Database, conversation: Conversation, now: datetime) -> str:
        span = waited(_wait(conversation), now, self._settings.timetable(self._line(conversation)))
        opening = "URGENT" if conversation.urgent else f"Waits {spoken(span)} for an answer"
        rung = [f"{step.rpartition(' ')[2]} rang: {outcome}." for step, outcome in steps.outcomes(db, conversation)]
        said = f"“{conversation.last_words}”" if conversation.last_words else ""
        return " ".join(filter(None, (f"{opening}.", *rung, said)))

    # ---- phones

    def _ring(self, conversation: Conversation, step: Step) -> None:
        phone = step.whom[0]
        task, ringing = asyncio.create_task(self._wake_phone(conversation, step)), self._ringing
        ringing[phone] = task
        task.add_done_callback(lambda _: ringing.pop(phone, None))

    async def _wake_phone(self, conversation: Conversation, step: Step) -> None:
        try:
            promise = await self._ring_back.wake(conversation.number, conversation.name, step.whom[0])
            outcome = OUTCOMES[await promise]
        except CannotRing as error:
            log.warning("a desk phone cannot be rung", extra={"phone": step.whom[0], "why": str(error)})
            outcome = "cannot be rung"
        try:
            await self._store.run(lambda db: self._note_outcome(db, conversation, step, outcome))
        except sqlite3.Error as error:
            log.error("what became of a ringing phone cannot be written down", extra={"error": str(error)})
        self._bell.ring(conversation.number)

    def _note_outcome(self, db: sqlite_utils.Database, conversation: Conversation, step: Step, outcome: str) -> None:
        with writing(db):
            steps.note_outcome(db, conversation, step, outcome)
            _note(db, conversation, f"{step.whom[0]}: {outcome}", self._clock())


def _note(db: sqlite_utils.Database, conversation: Conversation, whom: str, now: datetime) -> None:
    acts.add_within(db, Act(at=now, kind=ActKind.ESCALATED, staff=None, number=conversation.number, detail=whom))


def _wait(conversation: Conversation) -> Waiting:
    since = conversation.waiting_since
    assert since is not None  # noqa: S101  # only those who wait are looked at
    return Waiting(since=since, is_urgent=conversation.urgent)


async def _pause(listener: Listener) -> None:
    """Wait until the bell rings or it is time for another look."""
    await asyncio.sleep(BREATH)
    with suppress(TimeoutError):
        async with asyncio.timeout(LOOK_EVERY - BREATH):
            await anext(listener.rings())
