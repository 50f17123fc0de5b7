"""Texts to the mobiles of our own staff.   handoff.py, texts.py → here → store/outbox.py

They go out like any text: never twice, and not to a mobile that wrote STOP. The caps of callers do not count them; theirs are here,
since whoever floods us with texts must not have us pay for as many.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import sqlite_utils

from textbackd.config import Settings
from textbackd.core.phone import E164
from textbackd.core.segments import segments
from textbackd.handoff import words
from textbackd.handoff.words import About
from textbackd.store import conversations, notices, optouts, outbox
from textbackd.store.notices import NewNotice, Way
from textbackd.store.outbox import NewText
from textbackd.store.states import State, TextOf

log = logging.getLogger(__name__)

HOUR: Final = timedelta(hours=1)
MOST_OF_ONE: Final = 10  # texts an hour to one of the staff about one caller
MOST: Final = 40  # texts an hour to one of the staff altogether
MOST_ANSWERS: Final = 5  # an hour, to what they wrote: a machine may be at the other end
TELLS_FOR: Final = timedelta(hours=12)  # what no gateway took by then is old
ANSWERS_FOR: Final = timedelta(minutes=10)


class StaffMobiles:
    """Writes texts to staff. Its methods take a database and are for the store's thread, inside a transaction."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def tell(self, db: sqlite_utils.Database, staff: str, about: About, now: datetime) -> bool:
        """Text one of the staff about a caller; return whether a text reaches them at all."""
        mobile = self._settings.staff[staff].mobile
        if mobile is None or mobile == about.number or optouts.find(db, mobile) is not None:
            return False
        if self._is_full(db, staff, about.number, now):
            log.warning("one of the staff gets no further texts for a while: too many", extra={"staff": staff})
            return True
        conversation = conversations.find(db, about.number)
        gateways = self._settings.line_named(conversation.line if conversation else None).gateways
        new = self._text(
            mobile, conversation.did if conversation else None, words.text(about), gateways, now + TELLS_FOR, now
        )
        text_id = outbox.add(db, new, case_id=None, call_id=None, now=now)
        notice = NewNotice(
            number=about.number,
            matter=about.kind,
            staff=staff,
            way=Way.MOBILE,
            payload={},
            expires_at=new.expires_at,
            text_id=text_id,
        )
        notices.add_within(db, notice, now)
        return True

    def say(self, db: sqlite_utils.Database, mobile: E164, body: str, line: str | None, now: datetime) -> bool:
        """Text a mobile something that asks for no answer; return whether a text reaches it at all."""
        if optouts.find(db, mobile) is not None:
            return False
        if outbox.staff_texts_since(db, now - HOUR, mobile) < MOST:
            new = self._text(mobile, None, body, self._settings.line_named(line).gateways, now + TELLS_FOR, now)
            outbox.add(db, new, case_id=None, call_id=None, now=now)
        return True

    def answer(
        self, db: sqlite_utils.Database, mobile: E164, body: str, *, gateway: str, did: E164 | None, now: datetime
    ) -> None:
        """Text one of the staff about what they wrote, through the gateway that brought it."""
        if outbox.staff_texts_since(db, now - HOUR, mobile, ANSWER_MARK) >= MOST_ANSWERS:
            return
        new = self._text(mobile, did, f"{ANSWER_MARK}{body}", [gateway], now + ANSWERS_FOR, now)
        outbox.add(db, new, case_id=None, call_id=None, now=now)

    def _is_full(self, db: sqlite_utils.Database, staff: str, number: E164, now: datetime) -> bool:
        since = now - HOUR
        about_one = notices.texts_about(db, staff, number, since)
        return about_one >= MOST_OF_ONE or notices.texts_about(db, staff, None, since) >= MOST

    def _text(
        self, mobile: E164, did: E164 | None, body: str, gateways: Sequence[str], expires_at: datetime, now: datetime
    ) -> NewText:
        count = segments(body).count
        return NewText(
            kind=TextOf.STAFF,
            recipient=mobile,
            did=did,
            body=body,
            gateways=gateways,
            due_at=now,
            expires_at=expires_at,
            hung_up_at=None,
            segments=count,
            cost=self._settings.gateways[gateways[0]].cost(count),
            state=State.SUPPRESSED if self._settings.mode == "observe" else State.QUEUED,
        )


ANSWER_MARK: Final = "textbackd: "  # what our own answers to staff begin with
