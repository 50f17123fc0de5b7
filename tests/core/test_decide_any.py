"""Whatever is known of a caller and whatever the clock says: what the decision never does."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

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
    Policy, delay=spans, cooldown=spans, recent_talk=spans, expire=spans, at_night=st.sampled_from(AtNight)
)
full = st.builds(Full, st.sampled_from(Scope), st.just("1/1h"), st.none() | moments)


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """Draw a question in which what is known lies near the call, before or after."""
    ended_at = draw(moments)
    near = st.none() | st.timedeltas(timedelta(days=-3), timedelta(hours=1)).map(lambda by: ended_at + by)
    return Question(
        judgement=Judgement(draw(st.sampled_from([Verdict.MISSED] * 6 + list(Verdict))), draw(st.sampled_from(Reason))),
        not_textable=draw(st.none() | st.sampled_from(NotTextable)),
        line=draw(st.sampled_from(["main", "main", "main", None])),
        has_text=draw(st.booleans() | st.just(True)),
        ended_at=ended_at,
        caller=Caller(
            last_text_at=draw(near), last_talk_at=draw(near), opted_out_at=draw(st.none() | near), unreachable=""
        ),
        policy=draw(policies),
        now=ended_at + draw(st.just(timedelta(0)) | st.timedeltas(timedelta(0), timedelta(days=2))),
        standing=Standing(full=draw(st.lists(full, max_size=2))),
        night=draw(st.none() | nights),
    )


@settings(max_examples=600, deadline=None)
@given(questions())
def test_a_text_is_only_ever_for_a_missed_call_that_nothing_speaks_against(q: Question) -> None:
    decision = decide(q)
    if decision.action is not Action.TEXT:
        assert decision.why not in (Why.MISSED, Why.HELD)
        return
    assert decision.due is not None
    assert decision.until is not None
    assert q.judgement.verdict is Verdict.MISSED
    assert q.caller.opted_out_at is None
    assert q.not_textable is None
    for since, span in ((q.caller.last_text_at, q.policy.cooldown), (q.caller.last_talk_at, q.policy.recent_talk)):
        assert since is None or not span or decision.due - since >= span


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
