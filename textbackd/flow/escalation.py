"""Nobody is left waiting: takes the steps of the line's chain that are due.   core/reply_clock.py → here → flow/tells.py, flow/ring_back.py

A step is written down in the transaction that writes who is told, so a restart neither forgets nor repeats one; a phone rings after
that, and a crash in between costs a ring, never rings twice. While a caller is on the phone with us nothing is done about them.
`mode: observe` does nothing.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

import sqlite_utils

from textbackd.config import Line, Settings
from textbackd.core.phone import E164, mask
from textbackd.core.reply_clock import Step, Waiting, due_steps, waited
from textbackd.flow.bell import Bell, Listener
from textbackd.flow.handoff import whose
from textbackd.flow.ring_back import CannotRing, RingBack
from textbackd.flow.tells import LoggedIn, Tells
from textbackd.pbx.control import Picked
from textbackd.report.digest import spoken
from textbackd.store import acts, conversations, steps
from textbackd.store.acts import Act, ActKind
from textbackd.store.conversations import Conversation
from textbackd.store.database import Store, writing

log = logging.getLogger(__name__)

LOOK_EVERY: Final = 15.0  # seconds; the bell wakes us sooner, for what is urgent
BREATH: Final = 1.0  # seconds between two looks, however often the bell rings
OUTCOMES: Final = {
    Picked.UP: "picked up",
    Picked.NOBODY: "nobody came",
    Picked.BUSY: "busy",
    Picked.REFUSED: "busy or not there",
    Picked.UNKNOWN: "not known",
}
Due = tuple[Conversation, Step]


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
        self._ringing: dict[str, asyncio.Task[None]] = {}  # by phone: no phone is rung for two callers at once

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
                for task in self._ringing.values():
                    task.cancel()

    async def look(self) -> None:
        """Take the steps that are due now. Raises sqlite3.Error."""
        if self._settings.mode == "observe":
            return
        busy = frozenset(self._on_the_phone())
        due = await self._store.run(lambda db: list(self._due(db, busy, self._clock())))
        if not due:
            return
        lines = {conversation.line for conversation, _ in due}
        there = {line: await self._tells.logged_in(line) for line in lines}
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
            taken = [(one, step) for one, step in self._due(db, busy, now) if steps.take(db, one, step, now)]
            for conversation, step in taken:
                self._do(db, conversation, step, there.get(conversation.line), now)
            steps.forget_ended(db)
        return taken

    def _due(self, db: sqlite_utils.Database, busy: Collection[E164], now: datetime) -> Iterator[Due]:
        taken, phones = steps.taken(db), set(self._ringing)
        for conversation in conversations.waiting(db):
            if conversation.number in busy:
                continue
            for step in self._due_of(conversation, taken.get(conversation.id, ()), now):
                if step.do == "ring" and step.whom[0] in phones:
                    continue
                phones.update(step.whom if step.do == "ring" else ())
                yield conversation, step

    def _due_of(self, conversation: Conversation, done: Collection[str], now: datetime) -> list[Step]:
        line = self._line(conversation)
        return due_steps(_wait(conversation), now, self._settings.timetable(line), line.reply.chain(), done)

    def _line(self, conversation: Conversation) -> Line:
        return self._settings.line_named(conversation.line)

    def _do(
        self, db: sqlite_utils.Database, conversation: Conversation, step: Step, there: LoggedIn, now: datetime
    ) -> None:
        if step.do == "ring":
            return  # when this is written down
        said, on_call = self._words(db, conversation, now), self._line(conversation).on_call
        staff = whose(self._settings, on_call) if step.do == "page" else None
        if step.do == "page" and on_call is not None and staff is None:
            self._tells.page(db, on_call, conversation, said, now)
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
        task = asyncio.create_task(self._wake_phone(conversation, step))
        self._ringing[phone] = task
        task.add_done_callback(lambda _: self._ringing.pop(phone, None))

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
