"""What happened → who is told, and how.   store/news.py → core/handoff.py → here → store/notices.py, the outbox

Each piece of news is taken away in the transaction that writes what follows from it. `mode: observe` tells nobody.
"""

import asyncio
import logging
import sqlite3
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import sqlite_utils

from textbackd.config import Settings
from textbackd.core.conversation import Happening, Turn
from textbackd.core.handoff import is_told, receivers
from textbackd.core.phone import E164, mask
from textbackd.flow.bell import Bell
from textbackd.flow.staff.duty import Duty, LoggedIn
from textbackd.flow.staff.mobiles import StaffMobiles
from textbackd.handoff import words
from textbackd.handoff.words import About
from textbackd.store import conversations, inbox, news, notices
from textbackd.store.conversations import Conversation
from textbackd.store.database import Store, to_text, writing
from textbackd.store.news import Item
from textbackd.store.notices import NewNotice, Way

log = logging.getLogger(__name__)

LOOK_EVERY: Final = 5.0  # seconds; the bell wakes us sooner
DISK_AGAIN_AFTER: Final = 5.0  # seconds
TELLS_FOR: Final = timedelta(hours=24)  # what could not be told by then is old
CALLBACK_AGAIN_AFTER: Final = timedelta(hours=1)  # whoever calls every minute is told of once
# A machine that answers machines: so many equal texts within so long a time are told of no more.
SAME_TEXTS: Final = 3
SAME_TEXTS_WITHIN: Final = timedelta(hours=1)
_EVENTS: Final = {
    Happening.MISSED.value: "missed",
    Happening.WANTS_CALL.value: "missed",
    Happening.WROTE.value: "text_in",
    Happening.LEAD.value: "lead",
    news.TEXTED: "text_out",
}


class Handoff:
    """Tells staff and other programs."""

    def __init__(
        self,
        settings: Settings,
        *,
        store: Store,
        clock: Callable[[], datetime],
        bell: Bell,
        duty: Duty,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings, self._store, self._clock, self._bell, self._duty = settings, store, clock, bell, duty
        self._wake = wake  # whatever sends
        self._mobiles = StaffMobiles(settings)
        self._awake = asyncio.Event()

    # ---- the news

    async def listen(self) -> None:
        """Look at the news whenever the bell rings."""
        with self._bell.listening() as listener:
            async for _ in listener.rings():
                self._awake.set()

    async def run(self) -> None:
        """Hand on what happens until cancelled."""
        while True:
            self._awake.clear()
            try:
                if await self.hand_on():
                    continue
            except sqlite3.Error as error:
                log.error("staff cannot be told; trying again", extra={"error": str(error)})
                await asyncio.sleep(DISK_AGAIN_AFTER)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY):
                    await self._awake.wait()

    async def hand_on(self) -> bool:
        """Hand on what has happened; return whether there was anything."""
        items = await self._store.run(news.waiting)
        there: dict[str | None, LoggedIn] = {}  # by line; asked once for all of them
        for item in items:
            if self._concerns_staff(item):
                line = await self._store.run(partial(_line_of, item=item))
                if line not in there:
                    there[line] = await self._duty.logged_in(line)
                logged_in = there[line]
            else:
                logged_in = None
            await self._store.run(partial(self._hand_on, item=item, logged_in=logged_in))
            self._wake()
        return bool(items)

    def _concerns_staff(self, item: Item) -> bool:
        """Return whether anybody of the staff may be told of it at all."""
        if item.what == news.TEXTED:
            return False
        return any(self._wants(name, Happening(item.what)) for name in self._settings.staff)

    def _hand_on(self, db: sqlite_utils.Database, item: Item, logged_in: LoggedIn) -> None:
        now = self._clock()
        with writing(db):
            if not news.take_away(db, item.id) or self._settings.mode == "observe":
                return
            conversation = conversations.find(db, item.number)
            if conversation is None:
                return
            self._tell_programs(db, item, conversation, now)
            if item.what != news.TEXTED and not self._is_again(db, item, conversation, now):
                self._tell_staff(db, item, conversation, logged_in, now)

    def _is_again(self, db: sqlite_utils.Database, item: Item, conversation: Conversation, now: datetime) -> bool:
        """Return whether telling of it would only repeat what was told a moment ago of the same matter."""
        if item.what == Happening.WROTE:
            since = now - SAME_TEXTS_WITHIN
            return inbox.repeats_itself(db, item.number, since, times=SAME_TEXTS, within=SAME_TEXTS_WITHIN)
        last = notices.last_of(db, item.number, item.what) if item.what == Happening.WANTS_CALL else None
        return last is not None and last >= conversation.opened_at and now - last < CALLBACK_AGAIN_AFTER

    # ---- staff

    def _tell_staff(
        self,
        db: sqlite_utils.Database,
        item: Item,
        conversation: Conversation,
        logged_in: LoggedIn,
        now: datetime,
    ) -> None:
        matter = Happening(item.what)
        if not is_told(matter, tell_all=True) or conversation.turn is Turn.DONE:
            return
        about = _about(conversation, matter, item.words)
        wanted = [name for name in self.receivers(conversation, logged_in, now) if self._wants(name, matter)]
        if self.tell(db, wanted, about, now) or not is_told(matter, tell_all=False):
            return
        # Those whose turn it is cannot be told: better all than nobody.
        if not self.tell(db, self._settings.staff, about, now):
            log.info("nobody is told of a caller but by the inbox", extra={"caller": mask(item.number)})

    def receivers(self, conversation: Conversation, logged_in: LoggedIn, now: datetime) -> tuple[str, ...]:
        """Return who gets what a caller writes; `logged_in` as in core/handoff.py."""
        line = self._settings.line_named(conversation.line)
        assignee = conversation.assignee if conversation.assignee in self._settings.staff else None
        rota = self._settings.rota(line)
        return receivers(line.staff, assignee=assignee, logged_in=logged_in, rota=rota, at=now)

    def _wants(self, staff: str, matter: Happening) -> bool:
        return is_told(matter, tell_all=self._settings.staff[staff].tell == "all")

    def tell(self, db: sqlite_utils.Database, staff: Iterable[str], about: About, now: datetime) -> Collection[str]:
        """Write down, inside the caller's transaction, that some of the staff are to be told; return who can be at all."""
        return [name for name in staff if self._tell_one(db, name, about, now)]

    def _tell_one(self, db: sqlite_utils.Database, staff: str, about: About, now: datetime) -> bool:
        by_text = self._mobiles.tell(db, staff, about, now)
        others = list(self.ways(staff))
        payload = {"title": words.title(about), "words": words.message(about), "text": words.text(about)}
        for way, target in others:
            notice = NewNotice(
                number=about.number,
                matter=about.kind,
                staff=staff,
                way=way,
                target=target,
                payload=payload,
                expires_at=now + TELLS_FOR,
            )
            notices.add_within(db, notice, now)
        return by_text or bool(others)

    def ways(self, staff: str) -> Iterator[tuple[Way, str]]:
        """Yield how one of the staff can be told, but for texts, with which of several."""
        person = self._settings.staff[staff]
        if person.email is not None:
            yield Way.EMAIL, person.email
        if person.sip is not None:
            yield Way.SIP, person.sip
        yield from ((Way.SERVICE, str(number)) for number in range(len(person.notify)))

    # ---- programs

    def _tell_programs(self, db: sqlite_utils.Database, item: Item, conversation: Conversation, now: datetime) -> None:
        event = _EVENTS.get(item.what, "conversation")
        payload = _event(event, item, conversation)
        for name, hook in self._settings.hooks_out.items():
            if event in hook.events:
                notice = NewNotice(
                    number=item.number,
                    matter=item.what,
                    staff=None,
                    way=Way.HOOK,
                    target=name,
                    payload=payload,
                    expires_at=now + TELLS_FOR,
                )
                notices.add_within(db, notice, now)


def _line_of(db: sqlite_utils.Database, item: Item) -> str | None:
    conversation = conversations.find(db, item.number)
    return conversation.line if conversation else None


def _about(conversation: Conversation, matter: Happening, said: str) -> About:
    return About(
        tag=conversation.id,
        number=conversation.number,
        name=conversation.name,
        matter=matter,
        words=said,
        no_text=conversation.no_text is not None,
    )


def _event(event: str, item: Item, conversation: Conversation) -> dict[str, Any]:
    """Return what programs are told, as docs/STAFF.md describes it."""
    return {
        "id": uuid.uuid4().hex,
        "event": event,
        "at": to_text(item.at),
        "what": item.what,
        "staff": item.staff,
        "text": item.words,
        "text_id": item.text_id,
        "conversation": {
            "id": conversation.id,
            "number": conversation.number,
            "name": conversation.name,
            "line": conversation.line,
            "did": conversation.did,
            "turn": conversation.turn.value,
            "assignee": conversation.assignee,
            "outcome": conversation.outcome,
            "value": conversation.value,
            "booked_at": to_text(conversation.booked_at),
        },
    }


def whose(settings: Settings, mobile: E164 | None) -> str | None:
    """Return the key of whom of the staff a mobile is; None: nobody's."""
    return next((key for key, person in settings.staff.items() if mobile and person.mobile == mobile), None)
