"""What our own staff write from their mobiles and desk phones.   flow/replies_in.py, desk_phones.py → here → orders.py

What they want is done first and the text stored last: a crash in between brings the text again, and the key made of it keeps the
caller from being texted twice. A mobile that repeats itself, as one that answers by itself does, is stored and not obeyed.
"""

import hashlib
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import sqlite_utils

from textbackd.config import Settings
from textbackd.core.orders import read_order
from textbackd.core.phone import E164, mask
from textbackd.flow.staff.handoff import whose
from textbackd.flow.staff.mobiles import StaffMobiles
from textbackd.flow.staff.orders import Outcome, Said, StaffOrders
from textbackd.store import inbox
from textbackd.store.database import Store, writing
from textbackd.store.inbox import Incoming

log = logging.getLogger(__name__)

SAME_TEXTS: Final = 2  # equal ones before this one
SAME_TEXTS_WITHIN: Final = timedelta(hours=1)
SAID_BEFORE: Final = (
    "You have sent the same words twice. Put the tag in front to send them again, as in: #7 We come at 3"
)


# Called with the database, the sentence, and the caller it is about.
Answer = Callable[[sqlite_utils.Database, str, E164 | None, datetime], None]


class StaffTexts:
    """Takes texts of staff."""

    def __init__(self, settings: Settings, *, store: Store, orders: StaffOrders, clock: Callable[[], datetime]) -> None:
        self._settings, self._store, self._orders, self._clock = settings, store, orders, clock
        self._mobiles = StaffMobiles(settings)

    def whose(self, number: E164 | None) -> str | None:
        """Return the key of whom of the staff a number is; None: nobody's."""
        return whose(self._settings, number)

    async def take(self, came: Incoming, staff: str, answer: Answer) -> bool:
        """Do what one of the staff wants, and store what they wrote; return whether it is new. Raises sqlite3.Error.

        `answer` sends them a sentence about it, if there is one; called in the transaction that stores what they wrote.
        """
        now = self._clock()
        if await self._store.run(lambda db: inbox.is_known(db, came.gateway, came.reference)):
            return False
        outcome = Outcome(about=None, answer=SAID_BEFORE)
        if not await self._repeats_itself(came, now):
            said = Said(staff=staff, words=came.body, key=_key(came), at=now, at_desk=came.number is None)
            outcome = await self._orders.obey(said)
        await self._store.run(lambda db: self._keep(db, came, outcome, answer, now))
        log.info("one of the staff wrote", extra={"staff": staff, "about": mask(outcome.about)})
        return True

    async def _repeats_itself(self, came: Incoming, now: datetime) -> bool:
        """Return whether it says the same again and again, without a tag, as an automatic answer does."""
        since = now - SAME_TEXTS_WITHIN
        if read_order(came.body).tag is not None:
            return False
        return await self._store.run(lambda db: inbox.times_said(db, came.sender, came.body, since)) >= SAME_TEXTS

    @staticmethod
    def _keep(db: sqlite_utils.Database, came: Incoming, outcome: Outcome, answer: Answer, now: datetime) -> None:
        with writing(db):
            inbox_id = inbox.add_within(db, came, now)
            if inbox_id is None:
                return
            if outcome.about is not None:
                inbox.note_about(db, inbox_id, outcome.about)
            if outcome.answer is not None:
                answer(db, outcome.answer, outcome.about, now)

    def by_text(self, came: Incoming, did: E164 | None) -> Answer:
        """Return how one of the staff who wrote from their mobile is answered."""

        def answer(db: sqlite_utils.Database, words: str, _: E164 | None, now: datetime) -> None:
            if came.number is not None:
                self._mobiles.answer(db, came.number, words, gateway=came.gateway, did=did, now=now)

        return answer


def _key(came: Incoming) -> str:
    return hashlib.sha256(f"{came.gateway}\n{came.reference}".encode()).hexdigest()[:32]
