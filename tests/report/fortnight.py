"""A fortnight of Anderson Roofing in Denver, 2 to 15 March 2026; the clocks go forward on Sunday the 8th.

Written with what the daemon writes with, so that a report counts what really stands in the tables.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlite_utils

from tests.core.calls import a_call, talked
from tests.store.rows import DAY, a_text, judged
from textbackd.core.call import Direction
from textbackd.core.decide import Action, Decision, Why
from textbackd.core.missed import Judgement, Reason, Verdict
from textbackd.core.phone import E164, NotTextable
from textbackd.store import acts, inbox, journal, outbox, reports
from textbackd.store.acts import Act, ActKind
from textbackd.store.database import writing
from textbackd.store.inbox import Came, Incoming
from textbackd.store.journal import Resolution
from textbackd.store.outbox import NewText
from textbackd.store.reports import Heard
from textbackd.store.states import State, TextOf

DENVER: Final = ZoneInfo("America/Denver")
JANE, TOM, CITY, EVE, FINN = (E164(f"+1303555014{last}") for last in range(2, 7))
ANN, BEN, CAL = (E164(f"+1303555015{last}") for last in range(3))
BEFORE, AFTER = E164("+13035550160"), E164("+13035550161")
COST: Final = 7_900  # millionths a segment
SKIP: Final = Decision(Action.SKIP, Why.NOT_TEXTABLE, "")
_serial = count(1)


def at(day: int, clock: str) -> datetime:
    """Return a moment of March by the clock on the shop's wall."""
    hour, minute, second = (*map(int, clock.split(":")), 0)[:3]
    return datetime(2026, 3, day, hour, minute, second, tzinfo=DENVER).astimezone(UTC)


@dataclass(frozen=True)
class Office:
    """Writes down what happens."""

    db: sqlite_utils.Database

    def call(
        self, caller: E164 | None, when: datetime, verdict: str, reason: str | None = None, **changes: Any
    ) -> None:
        judgement = Judgement(Verdict(verdict), Reason(reason) if reason else None)
        name = f"{next(_serial)}.1"
        usual = judged(call=a_call(linkedid=name), caller=caller, ended_at=when, judgement=judgement, decision=SKIP)
        journal.record(self.db, replace(usual, **changes), None, same_case_within=DAY, now=when)

    def missed(self, caller: E164, when: datetime, reason: str, *, due: datetime | None = None, **changes: Any) -> bool:
        """A missed call that is answered with a text, unless its case has one; `due`: at the end of the night."""
        text = a_text(at=due or when, recipient=caller, cost=COST, hung_up_at=when, held=due is not None)
        usual = judged(
            call=a_call(linkedid=f"{next(_serial)}.1"),
            caller=caller,
            ended_at=when,
            judgement=Judgement(Verdict.MISSED, Reason(reason)),
        )
        recorded = journal.record(self.db, replace(usual, **changes), text, same_case_within=DAY, now=when)
        return recorded.text_id is not None

    def gateway_takes(self, when: datetime, becomes: State = State.ACCEPTED) -> None:
        text = outbox.claim(self.db, "stick", when)
        assert text is not None
        outbox.accepted(self.db, text, text.id, when)
        heard = Heard(
            gateway="stick", reference=text.id, text_id=None, recipient=text.recipient, state=becomes, detail=""
        )
        reports.report(self.db, heard, when)

    def writes(self, caller: E164, when: datetime, body: str = "yes please", keyword: str | None = None) -> None:
        came = Incoming(
            gateway="stick", reference=f"{next(_serial)}", kind=Came.TEXT, sender=caller, number=caller, recipient=None,
            body=body, media=0, received_at=when,
        )  # fmt: skip
        with writing(self.db):
            inbox.add_within(self.db, came, when)
            self.db.execute("UPDATE inbox SET keyword = ? WHERE reference = ?", [keyword, came.reference])

    def answers(self, staff: str, caller: E164, when: datetime, segments: int = 1) -> None:
        text: NewText = a_text(
            at=when, kind=TextOf.MANUAL, recipient=caller, staff=staff, segments=segments, cost=segments * COST,
            hung_up_at=None,
        )  # fmt: skip
        with writing(self.db):
            outbox.add(self.db, text, case_id=None, call_id=None, now=when)
        self.gateway_takes(when + timedelta(seconds=2), State.DELIVERED)

    def calls_back(self, caller: E164, when: datetime, lasts: float = 90) -> None:
        """A call of the office that is picked up at `when`, and talked in for so many seconds."""
        call = a_call(linkedid=f"{next(_serial)}.1", direction=Direction.OUTBOUND, talks=(talked(lasts),))
        ends = when + timedelta(seconds=lasts)
        self.call(None, ends, "ignored", "outbound", call=call, did=caller, line=None)
        journal.resolve(self.db, caller, Resolution.CALLED_BACK, ends)

    def marks(self, staff: str | None, caller: E164, kind: ActKind, when: datetime, detail: str = "") -> None:
        with writing(self.db):
            acts.add_within(self.db, Act(at=when, kind=kind, staff=staff, number=caller, detail=detail))


def fill(db: sqlite_utils.Database) -> None:
    """Let the fortnight go by, and a call a minute before it and one right after."""
    office = Office(db)
    office.call(BEFORE, at(1, "23:59:59"), "missed", "no_answer")
    _first_week(office)
    _second_week(office)
    office.call(AFTER, at(16, "00:00"), "missed", "no_answer")


def _first_week(office: Office) -> None:
    office.missed(JANE, at(2, "09:00"), "no_answer")
    office.gateway_takes(at(2, "09:00:06"), State.DELIVERED)
    office.call(JANE, at(2, "09:05"), "missed", "gave_up")
    office.writes(JANE, at(2, "09:10"), "Our roof leaks")
    office.writes(JANE, at(2, "09:12"), "over the kitchen")
    office.answers("anna", JANE, at(2, "09:25"), segments=2)
    office.marks(None, JANE, ActKind.BOOKED, at(2, "09:40"))
    office.marks("anna", JANE, ActKind.WON, at(3, "12:00"), "35000")
    office.marks("bob", JANE, ActKind.WON, at(4, "12:00"), "40000")
    office.answers("bob", JANE, at(2, "09:50"))
    office.call(ANN, at(2, "10:00"), "answered")
    office.missed(TOM, at(2, "18:00"), "closed")
    office.gateway_takes(at(2, "18:00:30"))
    office.call(TOM, at(3, "08:30"), "answered")
    journal.resolve(office.db, TOM, Resolution.CALLED_AGAIN, at(3, "08:30"))
    office.call(CITY, at(3, "10:00"), "missed", "busy", not_textable=NotTextable.LANDLINE)
    office.calls_back(CITY, at(3, "10:20"), lasts=30 * 60)
    office.marks("anna", CITY, ActKind.LOST, at(5, "12:00"))
    office.call(None, at(4, "11:00"), "missed", "no_answer", not_textable=NotTextable.WITHHELD)
    office.missed(EVE, at(8, "12:30"), "unreachable", line="service")
    office.gateway_takes(at(8, "12:30:08"), State.UNDELIVERED)
    office.writes(EVE, at(8, "13:00"), "STOP", keyword="stop")


def _second_week(office: Office) -> None:
    office.call(BEN, at(10, "14:00"), "lost_after_answer", "transfer_unanswered")
    office.missed(FINN, at(13, "16:55"), "no_answer", due=at(14, "08:00"))
    office.gateway_takes(at(14, "08:00:02"), State.DELIVERED)
    office.writes(FINN, at(14, "09:00"), "Need a gutter")
    office.writes(FINN, at(14, "09:30"), "STOP", keyword="stop")
    office.call(CAL, at(14, "13:00"), "uncertain", "maybe_mobile_voicemail")
    office.call(None, at(14, "13:05"), "ignored", "internal", call=a_call(direction=Direction.INTERNAL, linkedid="9.1"))
