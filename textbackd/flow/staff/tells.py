"""How escalation and alarms reach staff.   escalation.py, alarms.py → here → handoff.py

`Tells` is what is needed of whoever tells them; `StaffTells` is that of the daemon.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import sqlite_utils

from textbackd.config import Settings
from textbackd.core.conversation import Happening
from textbackd.core.phone import E164, NotTextable, read_number
from textbackd.flow.staff.duty import Duty, LoggedIn
from textbackd.flow.staff.handoff import TELLS_FOR, Handoff
from textbackd.flow.staff.mobiles import StaffMobiles
from textbackd.handoff import words
from textbackd.handoff.words import About
from textbackd.store import notices
from textbackd.store.conversations import Conversation
from textbackd.store.notices import NewNotice


class Tells(Protocol):
    """Tells staff, by every way that they have. What is not async writes inside the caller's transaction, and sends nothing itself."""

    async def logged_in(self, line: str | None) -> LoggedIn:
        """Return who is logged in to the queue of a line."""

    def about(
        self,
        db: sqlite_utils.Database,
        staff: Sequence[str],
        conversation: Conversation,
        said: str,
        logged_in: LoggedIn,
        now: datetime,
    ) -> Sequence[str]:
        """Tell some of the staff about a caller, or whoever gets the replies if none are named; return who is told."""

    def page(
        self, db: sqlite_utils.Database, mobile: E164, conversation: Conversation, said: str, now: datetime
    ) -> bool:
        """Text a mobile that is nobody's of the staff about a caller; return whether a text reaches it at all."""

    def say(self, db: sqlite_utils.Database, staff: Sequence[str], said: str, now: datetime) -> None:
        """Tell some of the staff something that is about no caller."""


class StaffTells:
    """Tells by texts to mobiles and by notices."""

    def __init__(self, settings: Settings, *, handoff: Handoff, duty: Duty) -> None:
        self._settings, self._handoff, self._duty = settings, handoff, duty
        self._mobiles = StaffMobiles(settings)

    async def logged_in(self, line: str | None) -> LoggedIn:
        """Return who is logged in to the queue of a line."""
        return await self._duty.logged_in(line)

    def about(
        self,
        db: sqlite_utils.Database,
        staff: Sequence[str],
        conversation: Conversation,
        said: str,
        logged_in: LoggedIn,
        now: datetime,
    ) -> Sequence[str]:
        """Tell about a caller. Where those who get the replies cannot be told, all are: better all than nobody."""
        about = _about(conversation, said)
        wanted = staff or self._handoff.receivers(conversation, logged_in, now)
        told = list(self._handoff.tell(db, wanted, about, now))
        return told or list(self._handoff.tell(db, set(self._settings.staff) - set(wanted), about, now))

    def page(
        self, db: sqlite_utils.Database, mobile: E164, conversation: Conversation, said: str, now: datetime
    ) -> bool:
        """Text a mobile about a caller; whoever has it can call, and not answer."""
        if read_number(mobile, self._settings.business.country).not_textable is NotTextable.LANDLINE:
            return False
        return self._mobiles.say(db, mobile, words.page(_about(conversation, said)), conversation.line, now)

    def say(self, db: sqlite_utils.Database, staff: Sequence[str], said: str, now: datetime) -> None:
        """Tell something about no caller."""
        title = words.shortened(said, words.IN_A_TITLE)
        for name in staff:
            if (mobile := self._settings.staff[name].mobile) is not None:
                self._mobiles.say(db, mobile, said, None, now)
            for way, target in self._handoff.ways(name):
                notice = NewNotice(
                    number=None,
                    matter="summary",
                    staff=name,
                    way=way,
                    target=target,
                    payload={"title": title, "words": f"{said}\n", "text": said},
                    expires_at=now + TELLS_FOR,
                )
                notices.add_within(db, notice, now)


def _about(conversation: Conversation, said: str) -> About:
    return About(
        tag=conversation.id,
        number=conversation.number,
        name=conversation.name,
        matter=Happening.WROTE,
        words=conversation.last_words,
        reminder=said,
    )
