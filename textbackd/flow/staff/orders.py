"""One of the staff writes from their phone: to a caller, or what to do.   core/orders.py → here → flow/desk.py

The same for mobiles and desk phones. Only callers of whom they were told lately, or whose conversation is theirs, can be written to: a
mistyped tag goes to nobody.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import sqlite_utils

from textbackd.config import Settings
from textbackd.core.conversation import Turn
from textbackd.core.orders import Do, Order, read_order
from textbackd.core.phone import E164
from textbackd.flow.desk import Desk, Refused
from textbackd.handoff.words import NAME, shortened
from textbackd.store import conversations, notices
from textbackd.store.conversations import Conversation
from textbackd.store.database import Store

LAST_WITHIN: Final = timedelta(hours=12)  # an answer without a tag is to what was told this lately
TOLD_WITHIN: Final = timedelta(days=7)
# Told of two callers so close together, or of the second a moment before they write, an answer without a tag may be to either.
AT_ONCE: Final = timedelta(minutes=2)
WHICH: Final = "Whom is this for? Start with the tag that stands before the caller, as in: #7 We come at 3"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one of the staff wrote."""

    staff: str  # their key
    words: str
    key: str  # 32 hexadecimal digits, the same whenever it comes again
    at: datetime
    at_desk: bool = False  # written on their desk phone, which can be rung


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of it."""

    about: E164 | None  # the caller; None: it is not known whom it was for
    answer: str | None  # what they have to know; None: all is well


class StaffOrders:
    """Does what staff write."""

    def __init__(self, settings: Settings, *, store: Store, desk: Desk) -> None:
        self._settings, self._store, self._desk = settings, store, desk

    async def obey(self, said: Said) -> Outcome:
        """Do what was written. Raises sqlite3.Error; doing it again, with the same key, texts the caller once."""
        order, about = read_order(said.words), None
        try:
            conversation = await self._store.run(lambda db: self._meant(db, said, order))
            about = conversation.number
            return Outcome(about=about, answer=await self._do(said, order, conversation))
        except Refused as refused:
            return Outcome(about=about, answer=str(refused))

    def _meant(self, db: sqlite_utils.Database, said: Said, order: Order) -> Conversation:
        """Return the conversation that was meant. Raises Refused."""
        if order.tag is None:
            return self._told_last(db, said)
        found = conversations.get(db, order.tag)
        is_theirs = found is not None and (
            found.assignee == said.staff or notices.was_told(db, said.staff, found.number, said.at - TOLD_WITHIN)
        )
        if found is None or not is_theirs:
            raise Refused(f"You were not told of #{order.tag} lately. Look at the tag, or answer in the inbox.")
        return found

    @staticmethod
    def _told_last(db: sqlite_utils.Database, said: Said) -> Conversation:
        told = notices.told_last(db, said.staff, said.at - LAST_WITHIN)
        found = [conversations.find(db, number) for number, _ in told]
        known = [conversation for conversation in found if conversation is not None]
        if not known:
            raise Refused(WHICH)
        if len(known) > 1 and (told[0][1] - told[1][1] < AT_ONCE or said.at - told[0][1] < AT_ONCE):
            callers = " or ".join(f"#{each.id} {shortened(each.name, NAME) or each.number}" for each in known)
            raise Refused(f"Is this for {callers}? Send it again with the tag in front.")
        return known[0]

    async def _do(self, said: Said, order: Order, conversation: Conversation) -> str | None:
        """Do it; return what they have to know. Raises Refused."""
        number, tag = conversation.number, f"#{conversation.id}"
        match order.do:
            case Do.DONE:
                await self._desk.put_away(number, said.staff)
                return f"{tag} is done."
            case Do.CALL if said.at_desk and self._desk.can_call_back(said.staff):
                await self._desk.call_back(number, said.staff)
                return None
            case Do.CALL:
                await self._desk.assign(number, said.staff, said.staff)
                return f"{tag} is yours. Call {number}"
            case Do.NOTE:
                await self._desk.note(number, order.words, said.staff)
                return f"Noted in {tag} for colleagues. The caller does not see it."
            case Do.REPLY:
                allowed = partial(self._require_unanswered, said, order)
                await self._desk.reply(number, order.words, said.staff, key=said.key, allowed=allowed)
        return None

    def _require_unanswered(self, said: Said, order: Order, conversation: Conversation | None) -> None:
        """Raise Refused if a colleague was quicker, since two answers from one shop look odd."""
        if conversation is None or conversation.turn is not Turn.THEIRS or order.insists:
            return
        other = conversation.assignee
        if other in (None, said.staff):
            return
        name = self._settings.staff[other].name if other in self._settings.staff else other
        tag = f"#{conversation.id}"
        raise Refused(f"{name} has answered {tag} already. To write to them as well: {tag}! and your words")
