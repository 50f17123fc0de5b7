"""What a gateway brings in: texts, delivery reports, late answers, calls to its own number.   gateways → here → store

Asking the gateway for the next item tells it that the last one is stored, so each is written down first, however long the disk
takes. Storing the same thing twice changes nothing.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

import sqlite_utils

from textbackd.core.conversation import Happening
from textbackd.core.keywords import Keyword
from textbackd.core.phone import E164, mask
from textbackd.flow.bell import Bell
from textbackd.flow.guard import Guard
from textbackd.flow.staff.texts import StaffTexts
from textbackd.flow.wishes import Wish, Wishes
from textbackd.gateways.base import Arrival, DeliveryReport, Gateway, InboundText, IncomingCall, LateAnswer
from textbackd.store import conversations, inbox, optouts, reports
from textbackd.store.conversations import News
from textbackd.store.database import Store, writing
from textbackd.store.inbox import Came, Incoming
from textbackd.store.optouts import OptedOutBy
from textbackd.store.reports import Heard
from textbackd.store.states import State

log = logging.getLogger(__name__)

STORE_AGAIN_AFTER: Final = 5.0  # seconds
FOR_US: Final = (Keyword.STOP, Keyword.START, Keyword.HELP)  # what a text of our own staff can mean beside an answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """What the configuration says of that which comes in."""

    guard: Guard
    wishes: Wishes
    staff: StaffTexts
    line_of: Callable[[E164 | None], str | None]
    read_number: Callable[[str], E164 | None]


class RepliesIn:
    """Takes in what one gateway brings."""

    def __init__(
        self, gateway: Gateway, readings: Readings, *, store: Store, bell: Bell, clock: Callable[[], datetime]
    ) -> None:
        self.readings = readings  # may be replaced at any time; what comes in from then on goes by the new ones
        self._gateway, self._store, self._bell, self._clock = gateway, store, bell, clock

    async def run(self) -> None:
        """Take in what comes until cancelled."""
        async for arrival in self._gateway.incoming():
            await self._patiently(partial(self._keep, arrival))

    async def _patiently(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                return await work()
            except sqlite3.Error as error:
                log.error(
                    "what came in cannot be written down; trying again",
                    extra={"gateway": self._gateway.name, "error": str(error)},
                )
                await asyncio.sleep(STORE_AGAIN_AFTER)

    async def _keep(self, arrival: Arrival) -> None:
        match arrival:
            case InboundText():
                await self._text(arrival)
            case IncomingCall():
                await self._call(arrival)
            case DeliveryReport():
                await self._report(arrival)
            case LateAnswer():
                await self._late(arrival)

    async def _text(self, text: InboundText) -> None:
        number, now, gateway = self.readings.read_number(text.sender), self._clock(), self._gateway.name
        came = Incoming(
            gateway=gateway,
            reference=text.id,
            kind=Came.TEXT,
            sender=text.sender,
            number=number,
            recipient=text.recipient,
            body=text.body,
            media=text.media,
            received_at=text.received_at,
        )
        staff = self.readings.staff.whose(number)
        if staff is not None and self.readings.wishes.keyword(text) not in FOR_US:
            did = self.readings.read_number(text.recipient) if text.recipient else None
            await self.readings.staff.take(came, staff, self.readings.staff.by_text(came, did))
            return
        is_new, keyword = await self._store.run(lambda db: self._heed(db, came, text, now))
        if is_new:
            said = {"gateway": gateway, "from": mask(number), "media": text.media, "keyword": keyword}
            log.info("a text came in", extra=said)
            self._bell.ring(number)

    def _heed(
        self, db: sqlite_utils.Database, came: Incoming, text: InboundText, now: datetime
    ) -> tuple[bool, Keyword | None]:
        """Store a text, and what follows from a keyword in it, in one transaction; return whether it is new, and the keyword."""
        with writing(db):
            inbox_id = inbox.add_within(db, came, now)
            if inbox_id is None or came.number is None:
                return inbox_id is not None, None
            wish = Wish(
                text=text,
                number=came.number,
                did=self.readings.read_number(text.recipient) if text.recipient else None,
                inbox_id=inbox_id,
                gateway=came.gateway,
                now=now,
            )
            keyword = self.readings.wishes.heed(db, wish)
            if keyword is not None:
                inbox.note_keyword(db, inbox_id, keyword.value)
            self._tell_conversation(db, wish, keyword)
            return True, keyword

    def _tell_conversation(self, db: sqlite_utils.Database, wish: Wish, keyword: Keyword | None) -> None:
        """Let what a caller wrote to a person wait for one; STOP and its kin are words to us."""
        if keyword in (Keyword.STOP, Keyword.START):
            why = "opted_out" if optouts.find(db, wish.number) is not None else None
            conversations.cannot_be_texted(db, wish.number, why)
        elif keyword in (None, Keyword.ASK) and not self.readings.wishes.is_own(wish.number):
            conversations.happen(db, self._news(db, wish))

    def _news(self, db: sqlite_utils.Database, wish: Wish) -> News:
        # Where an answer comes in says less of the line than the call that it answers.
        known = conversations.find(db, wish.number)
        line = known.line if known and known.line else self.readings.line_of(wish.did)
        return News(
            number=wish.number,
            happening=Happening.WROTE,
            at=wish.now,
            line=line,
            did=None if known and known.did else wish.did,
            words=wish.text.body,
            unread=True,
            urgent=self.readings.wishes.is_urgent(line, wish.text.body),
        )

    async def _call(self, call: IncomingCall) -> None:
        number = self.readings.read_number(call.caller) if call.caller else None
        came = Incoming(
            gateway=self._gateway.name,
            reference=call.id,
            kind=Came.CALL,
            sender=call.caller or "",
            number=number,
            recipient=None,
            body="",
            media=0,
            received_at=call.at,
        )
        if await self._store.run(lambda db: self._rang(db, came)):
            self._bell.ring(number)
            said = {"gateway": self._gateway.name, "from": mask(number)}
            log.warning("somebody rang the gateway's own number, which nobody answers", extra=said)

    def _rang(self, db: sqlite_utils.Database, came: Incoming) -> bool:
        with writing(db):
            if inbox.add_within(db, came, self._clock()) is None:
                return False
            if came.number is not None and not self.readings.wishes.is_own(came.number):
                news = News(number=came.number, happening=Happening.WANTS_CALL, at=came.received_at, unread=True)
                conversations.happen(db, news)
            return True

    async def _report(self, report: DeliveryReport) -> None:
        now, gateway = self._clock(), self._gateway.name
        settled = await self._store.run(lambda db: reports.report(db, _heard(gateway, report), now))
        if settled is None:
            return
        log.info(
            "a text was reported", extra={"outbox_id": settled.text_id, "gateway": gateway, "state": settled.state}
        )
        number = E164(settled.recipient)
        self._bell.ring(number)
        if settled.state is State.UNDELIVERED:
            await self._store.run(lambda db: _note_number(db, number, report, gateway, now))
        await self._store.run(lambda db: self.readings.guard.check_deliveries(db, now))

    async def _late(self, late: LateAnswer) -> None:
        gateway = self._gateway.name
        text_id = await self._store.run(lambda db: reports.late(db, gateway, late.id, late.reference, self._clock()))
        if text_id is not None:
            log.info("a text whose fate was unknown did go out", extra={"outbox_id": text_id, "gateway": gateway})


def _heard(gateway: str, report: DeliveryReport) -> Heard:
    state = State.ACCEPTED if not report.final else State.DELIVERED if report.delivered else State.UNDELIVERED
    return Heard(
        gateway=gateway,
        reference=report.reference,
        text_id=report.id,
        recipient=report.recipient,
        state=state,
        detail=report.detail,
    )


def _note_number(db: sqlite_utils.Database, number: E164, report: DeliveryReport, gateway: str, now: datetime) -> None:
    """Remember what a failed delivery says of the number."""
    with writing(db):
        if report.opted_out:
            optouts.add_within(db, number, OptedOutBy.GATEWAY, gateway, now)
        elif report.permanent:
            optouts.note_unreachable(db, number, report.detail, now)
