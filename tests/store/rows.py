"""What is written in the tests of the store: judged calls and texts, usual but for what a test changes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.core.calls import a_call
from textbackd.core.decide import Action, Decision, Why
from textbackd.core.missed import Judgement, Reason, Verdict
from textbackd.core.phone import E164
from textbackd.store.journal import JudgedCall
from textbackd.store.outbox import NewText
from textbackd.store.states import TextOf

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
CALLER, DID = E164("+13035550142"), E164("+13035550101")
DAY = timedelta(hours=24)
MISSED = Judgement(Verdict.MISSED, Reason.NO_ANSWER)
ANSWERED = Judgement(Verdict.ANSWERED)


def after(**span: float) -> datetime:
    return NOON + timedelta(**span)


def judged(linkedid: str = "1.1", *, pbx: str = "office", ended_at: datetime = NOON, **changes: Any) -> JudgedCall:
    """Return a missed call that is to be texted, with changes."""
    usual = JudgedCall(
        call=a_call(linkedid=linkedid, pbx=pbx),
        caller=CALLER,
        did=DID,
        line="main",
        judgement=MISSED,
        not_textable=None,
        decision=Decision(Action.TEXT, Why.MISSED),
        ended_at=ended_at,
    )
    return replace(usual, **changes)


def a_text(*, at: datetime = NOON, **changes: Any) -> NewText:
    """Return an automatic text, due at once and for ten minutes, with changes."""
    usual = NewText(
        kind=TextOf.MISSED,
        recipient=CALLER,
        did=None,
        body="Sorry we missed your call",
        gateways=["stick", "web"],
        due_at=at,
        expires_at=at + timedelta(minutes=10),
        hung_up_at=at,
        segments=1,
    )
    return replace(usual, **changes)
