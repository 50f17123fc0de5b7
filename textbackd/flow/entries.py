"""What is written down of a judged call: the call itself, the text that answers it, and whose case it settles.

flow/conclude.py → here → store/journal.py.   The same for a live call and for one of a rehearsal.
"""

from datetime import datetime

import sqlite_utils

from textbackd.core.call import Call, Direction
from textbackd.core.decide import Policy
from textbackd.core.missed import Verdict
from textbackd.core.phone import E164
from textbackd.flow.conclude import Conclusion
from textbackd.store import journal
from textbackd.store.journal import JudgedCall, Recorded, Resolution
from textbackd.store.outbox import NewText
from textbackd.store.states import State, TextOf


def record(
    db: sqlite_utils.Database, call: Call, conclusion: Conclusion, policy: Policy, *, observe: bool, now: datetime
) -> Recorded:
    """Write a call and its text, if it gets one; nothing if the call is known."""
    judged = _judged(call, conclusion, call.ended_at or now)
    text = _text(conclusion, judged.ended_at, policy, State.SUPPRESSED if observe else State.QUEUED)
    return journal.record(db, judged, text, same_case_within=policy.cooldown, now=now)


def settled_by(call: Call, conclusion: Conclusion) -> tuple[E164, Resolution] | None:
    """Return whose open cases a call closes: the caller got through, or somebody of the office reached them."""
    numbers = conclusion.numbers
    if call.direction is Direction.OUTBOUND and call.talks and numbers.did is not None:
        return numbers.did, Resolution.CALLED_BACK
    if conclusion.judgement.verdict is Verdict.ANSWERED and numbers.caller is not None:
        return numbers.caller, Resolution.CALLED_AGAIN
    return None


def _judged(call: Call, conclusion: Conclusion, ended_at: datetime) -> JudgedCall:
    return JudgedCall(
        call=call,
        caller=conclusion.numbers.caller,
        did=conclusion.numbers.did,
        line=conclusion.line,
        judgement=conclusion.judgement,
        not_textable=conclusion.numbers.not_textable,
        decision=conclusion.decision,
        ended_at=ended_at,
        settles=settled_by(call, conclusion),
    )


def _text(conclusion: Conclusion, ended_at: datetime, policy: Policy, state: State) -> NewText | None:
    if conclusion.text is None or conclusion.numbers.caller is None:
        return None
    proposal, decision = conclusion.proposal, conclusion.decision
    return NewText(
        kind=TextOf.MISSED,
        recipient=conclusion.numbers.caller,
        did=conclusion.numbers.did,
        body=conclusion.text,
        gateways=proposal.gateways,
        due_at=decision.due or ended_at + policy.delay,
        expires_at=decision.until or ended_at + policy.expire,
        held=decision.is_held,
        hung_up_at=ended_at,
        segments=proposal.segments,
        cost=proposal.cost,
        state=state,
    )
