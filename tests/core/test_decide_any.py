"""Whatever is known of a caller and whatever the clock says: what the decision never does."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textbackd.core.attestation import Attestation
from textbackd.core.caps import Full, Scope
from textbackd.core.decide import Action, AtNight, Caller, Policy, Question, Standing, Why, decide
from textbackd.core.missed import Judgement, Reason, Verdict
from textbackd.core.night import LATE_AFTER, Night
from textbackd.core.opening_hours import QuietHours
from textbackd.core.phone import NotTextable

START = datetime(2026, 1, 1, tzinfo=UTC)
ZONES = [ZoneInfo(name) for name in ("America/Denver", "America/New_York", "Europe/London", "Asia/Tokyo")]

moments = st.timedeltas(timedelta(0), timedelta(days=365)).map(lambda later: START + later)
spans = st.sampled_from([timedelta(0), *(timedelta(minutes=m) for m in (0.1, 1, 10, 60, 600, 1440, 10_000))])
walls = st.integers(0, 47).map(lambda half: time(half // 2, half % 2 * 30))
nights = st.builds(
    Night,
    st.tuples(walls, walls).filter(lambda span: span[0] != span[1]).map(lambda span: QuietHours(*span)),
    st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique=True).map(tuple),
)
policies = st.builds(
    Policy,
    delay=spans,
    cooldown=spans,
    recent_talk=spans,
    conversation=spans,
    expire=spans,
    at_night=st.sampled_from(AtNight),
)
full = st.builds(Full, st.sampled_from(Scope), st.just("1/1h"), st.none() | moments)


delays = st.just(timedelta(0)) | st.timedeltas(timedelta(0), timedelta(days=2))


def near_its_end(moment: datetime, span: timedelta) -> st.SearchStrategy[datetime | None]:
    """Draw when something was from which a span runs: mostly so that `moment` lies shortly before its end, or after it."""
    parts = st.sampled_from([0.1, 0.6, 0.9, 1.0, 1.0, 1.0, 1.5])
    off = st.sampled_from([timedelta(0), *(timedelta(minutes=m) for m in (-30, -1, -0.01, 0.01))])
    return st.none() | st.builds(lambda part, by: moment - span * part + by, parts, off)


def _judged(judgement: Judgement, q: Question) -> Question:
    return replace(q, judgement=judgement)


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """Draw a question on a missed call against which nothing speaks but spans that are about to end, a cap or the night."""
    ended_at, policy = draw(moments), draw(policies)
    return Question(
        judgement=Judgement(Verdict.MISSED, draw(st.sampled_from(Reason))),
        not_textable=None,
        line="main",
        has_text=True,
        ended_at=ended_at,
        caller=Caller(
            last_text_at=draw(near_its_end(ended_at, policy.cooldown)),
            last_talk_at=draw(near_its_end(ended_at, policy.recent_talk)),
            conversation_at=draw(near_its_end(ended_at, policy.conversation)),
        ),
        policy=policy,
        now=ended_at + draw(delays),
        standing=Standing(full=draw(st.just([]) | st.lists(full, max_size=2))),
        night=draw(st.none() | nights),
    )


REFUSED: list[tuple[str, Callable[[Question], Question]]] = [
    *((f"{one} calls", partial(_judged, Judgement(one))) for one in Verdict if one is not Verdict.MISSED),
    ("opted out", lambda q: replace(q, caller=replace(q.caller, opted_out_at=START))),
    ("asked to stop", lambda q: replace(q, caller=replace(q.caller, asked_to_stop_at=START))),
    ("no text arrives there", lambda q: replace(q, caller=replace(q.caller, unreachable="a landline"))),
    ("in a group that gets none", lambda q: replace(q, caller=replace(q.caller, group="suppliers"))),
    ("not textable", lambda q: replace(q, not_textable=NotTextable.PREMIUM)),
    ("forged", lambda q: replace(q, attestation=Attestation.FAILED)),
    ("no line", lambda q: replace(q, line=None)),
    ("no words", lambda q: replace(q, has_text=False)),
    ("paused", lambda q: replace(q, standing=replace(q.standing, paused="by a person"))),
    ("the brake is on", lambda q: replace(q, standing=replace(q.standing, brake="3 in a row"))),
]


@pytest.mark.parametrize("spoilt", [change for _, change in REFUSED], ids=[name for name, _ in REFUSED])
@settings(max_examples=60, deadline=None)
@given(questions())
def test_whatever_else_holds_these_are_never_texted(spoilt: Callable[[Question], Question], q: Question) -> None:
    assert decide(spoilt(q)).action is Action.SKIP


@settings(max_examples=600, deadline=None)
@given(questions())
def test_no_text_is_due_before_the_spans_since_the_last_words_are_over(q: Question) -> None:
    decision = decide(q)
    if decision.action is not Action.TEXT:
        assert decision.why not in (Why.MISSED, Why.HELD)
        return
    assert decision.due is not None
    assert decision.until is not None
    assert q.ended_at is not None
    assert decision.due >= q.ended_at + q.policy.delay
    spans_since = (
        (q.caller.last_text_at, q.policy.cooldown),
        (q.caller.last_talk_at, q.policy.recent_talk),
        (q.caller.conversation_at, q.policy.conversation),
    )
    for since, span in spans_since:
        assert since is None or not span or q.ended_at - since >= span


@settings(max_examples=600, deadline=None)
@given(questions())
def test_no_text_that_is_late_ever_goes_in_the_night_of_the_caller(q: Question) -> None:
    decision = decide(q)
    if decision.due is None or decision.until is None or q.night is None or q.ended_at is None:
        return
    late_from = q.ended_at + q.policy.delay + LATE_AFTER
    if decision.is_held:
        assert not q.night.covers(decision.due) or decision.due == decision.until
    # Between `due` and `until` a gateway may take it at any time, and from `late_from` on it would be late.
    could_be_late = max(decision.due, late_from)
    assert could_be_late >= decision.until or q.night.start_after(could_be_late) >= decision.until


@settings(max_examples=300, deadline=None)
@given(questions())
def test_the_immediate_answer_goes_in_no_night_that_is_to_be_held_or_skipped(q: Question) -> None:
    decision = decide(q)
    if decision.due is None or q.night is None or q.policy.at_night is AtNight.SEND:
        return
    assert not q.night.covers(decision.due) or decision.due == decision.until
