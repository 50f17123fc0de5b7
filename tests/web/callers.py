"""Callers of a shop and what they said, for the tests, pictures and measurements of the inbox."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import sqlite_utils

from tests.core.calls import a_call
from tests.store.rows import DAY, a_text, judged
from textbackd.core.call import Moment
from textbackd.core.conversation import Happening
from textbackd.core.decide import Action, Decision, Why
from textbackd.core.phone import E164
from textbackd.store import conversations, inbox, journal, outbox, reports
from textbackd.store.conversations import Conversation, News
from textbackd.store.database import writing
from textbackd.store.inbox import Came, Incoming
from textbackd.store.outbox import DueText
from textbackd.store.reports import Heard
from textbackd.store.states import State

JANE, TOM, LANDLINE = E164("+13035550142"), E164("+13035550143"), E164("+13035550144")
TO_LANDLINE = Decision(Action.SKIP, Why.NOT_TEXTABLE, "landline")
_serial = count(1)


def _delivered(text: DueText) -> Heard:
    return Heard(
        gateway=text.gateway,
        reference=text.id,
        text_id=None,
        recipient=text.recipient,
        state=State.DELIVERED,
        detail="",
    )


@dataclass(frozen=True)
class Caller:
    """Somebody who calls and writes; every method is a piece of work for the store."""

    number: E164 = JANE
    name: str = ""

    def is_missed(self, at: datetime, *, rang: float = 20, **changes: Any) -> Callable[[sqlite_utils.Database], None]:
        """Nobody takes their call, which rang so many seconds; they are texted unless `decision` says otherwise."""
        began = at - timedelta(seconds=rang)
        way = (
            Moment(began, "arrived", "+13035550101"),
            Moment(began + timedelta(seconds=1), "rang", "PJSIP/101-00000001"),
            Moment(at, "dial_noanswer", "PJSIP/101-00000001"),
            Moment(at, "caller_hung_up"),
        )
        name = f"+1303555{next(_serial)}.1"
        call = replace(
            a_call(linkedid=name, caller_name=self.name, caller_presented=self.number), way=way, started_at=began
        )
        decided = judged(call=call, caller=self.number, ended_at=at, **changes)
        body = "Sorry we missed your call, this is Anderson Roofing. What can we help you with?"
        text = a_text(at=at, recipient=self.number, body=body) if decided.decision.action is Action.TEXT else None

        def work(db: sqlite_utils.Database) -> None:
            journal.record(db, decided, text, same_case_within=DAY, now=at)

        return work

    def is_texted(self, at: datetime) -> Callable[[sqlite_utils.Database], None]:
        """What waits for them is sent and delivered."""

        def work(db: sqlite_utils.Database) -> None:
            for gateway in ("stick", "web"):
                while (due := outbox.claim(db, gateway, at)) is not None:
                    outbox.accepted(db, due, due.id, at)
                    reports.report(db, _delivered(due), at)

        return work

    def writes(self, body: str, at: datetime) -> Callable[[sqlite_utils.Database], None]:
        """They write a text."""
        came = Incoming(
            gateway="stick",
            reference=str(next(_serial)),
            kind=Came.TEXT,
            sender=self.number,
            number=self.number,
            recipient=None,
            body=body,
            media=0,
            received_at=at,
        )
        news = News(number=self.number, happening=Happening.WROTE, at=at, name=self.name, words=body, unread=True)

        def work(db: sqlite_utils.Database) -> None:
            with writing(db):
                inbox.add_within(db, came, at)
                conversations.happen(db, news)

        return work

    def stands(self, db: sqlite_utils.Database) -> Conversation:
        """How the conversation with them stands."""
        found = conversations.find(db, self.number)
        assert found is not None
        return found
