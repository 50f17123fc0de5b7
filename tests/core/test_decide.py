"""To text or not to text: which rule says no, in which order, and where each one ends."""

from dataclasses import fields, replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from textbackd.core.attestation import Attestation
from textbackd.core.caps import Full, Scope
from textbackd.core.decide import Action, AtNight, Caller, Decision, Policy, Question, Standing, Why, decide
from textbackd.core.missed import Judgement, Reason, Verdict
from textbackd.core.night import HELD_LASTS, LATE_AFTER, Night
from textbackd.core.opening_hours import QuietHours
from textbackd.core.phone import NotTextable

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
POLICY = Policy(
    delay=timedelta(seconds=5),
    cooldown=timedelta(hours=24),
    recent_talk=timedelta(minutes=10),
    conversation=timedelta(hours=24),
    expire=timedelta(minutes=10),
)
NIGHT = Night(QuietHours(time(21), time(8)), (UTC,))
SIESTA = Night(QuietHours(time(11), time(13)), (UTC,))  # in which noon lies
SKIPPING = replace(POLICY, at_night=AtNight.SKIP)
HOLDING = replace(POLICY, at_night=AtNight.HOLD)
MISSED = Question(
    judgement=Judgement(Verdict.MISSED, Reason.NO_ANSWER),
    not_textable=None,
    line="main",
    has_text=True,
    ended_at=NOON,
    caller=Caller(),
    policy=POLICY,
    now=NOON,
)


def asked(**changes: Any) -> Decision:
    return decide(replace(MISSED, **changes))


def before(**ago: float) -> datetime:
    return NOON - timedelta(**ago)


def test_nothing_against_it_is_a_text() -> None:
    due, until = NOON + POLICY.delay, NOON + POLICY.expire
    assert asked() == Decision(Action.TEXT, Why.MISSED, due=due, until=until)


# What makes each rule say no, in the order of the rules.
NO: list[tuple[Why, dict[str, Any]]] = [
    (Why.UNCERTAIN, {"judgement": Judgement(Verdict.UNCERTAIN, Reason.SHORT)}),
    (Why.SHORT, {"judgement": Judgement(Verdict.MISSED, Reason.SHORT)}),
    (Why.NO_LINE, {"line": None}),
    (Why.PAUSED, {"standing": Standing(paused="by a person")}),
    (Why.NOT_TEXTABLE, {"not_textable": NotTextable.LANDLINE}),
    (Why.ATTESTATION, {"attestation": Attestation.FAILED}),
    (Why.OPTED_OUT, {"caller": Caller(opted_out_at=before(days=900))}),
    (Why.ASKED_TO_STOP, {"caller": Caller(asked_to_stop_at=before(days=900))}),
    (Why.UNREACHABLE, {"caller": Caller(unreachable="landline")}),
    (Why.GROUP, {"caller": Caller(group="suppliers")}),
    (Why.RECENT_TALK, {"caller": Caller(last_talk_at=before(minutes=1))}),
    (Why.CONVERSATION, {"caller": Caller(conversation_at=before(hours=2))}),
    (Why.COOLDOWN, {"caller": Caller(last_text_at=before(hours=1))}),
    (Why.LINE_OFF, {"has_text": False}),
    (Why.RESTORED, {"standing": Standing(restored_at=NOON)}),
    (Why.EXPIRED, {"now": NOON + timedelta(hours=1)}),
    (Why.NIGHT, {"night": SIESTA, "policy": SKIPPING}),
    (Why.BRAKE, {"standing": Standing(brake="three numbers in a row")}),
    (Why.CAP, {"standing": Standing(full=[Full(Scope.ALL, "60/1h", None)])}),
]


@pytest.mark.parametrize(("why", "change"), NO, ids=lambda value: value.value if isinstance(value, Why) else "")
def test_each_rule_alone_says_no(why: Why, change: dict[str, Any]) -> None:
    decision = asked(**change)
    assert (decision.action, decision.why) == (Action.SKIP, why)


NEIGHBOURS = list(pairwise(NO))


@pytest.mark.parametrize(("first", "second"), NEIGHBOURS, ids=[f"{a[0]} before {b[0]}" for a, b in NEIGHBOURS])
def test_the_first_no_wins(first: tuple[Why, dict[str, Any]], second: tuple[Why, dict[str, Any]]) -> None:
    changes = {**second[1], **first[1]}
    for name in {*first[1]} & {*second[1]} & {"caller", "standing"}:
        changes[name] = _of_both(first[1][name], second[1][name])
    assert asked(**changes).why is first[0]


def _of_both(one: Any, other: Any) -> Any:
    both = {field.name: getattr(one, field.name) or getattr(other, field.name) for field in fields(one)}
    return type(one)(**both)


@pytest.mark.parametrize("verdict", [v for v in Verdict if v is not Verdict.MISSED])
def test_only_a_missed_call_is_texted(verdict: Verdict) -> None:
    assert asked(judgement=Judgement(verdict)) == Decision(Action.SKIP, Why(verdict.value))


@pytest.mark.parametrize(
    ("caller", "expected"),
    [
        pytest.param(Caller(last_text_at=before(hours=23, minutes=59)), Why.COOLDOWN, id="a minute before its end"),
        pytest.param(Caller(last_text_at=before(hours=24)), Why.MISSED, id="the cooldown ends on the dot, inclusive"),
        pytest.param(Caller(last_text_at=NOON), Why.COOLDOWN, id="a text of the same moment"),
        pytest.param(Caller(last_text_at=before(seconds=-30)), Why.COOLDOWN, id="a text after the call had ended"),
        pytest.param(Caller(last_talk_at=before(minutes=9, seconds=59)), Why.RECENT_TALK, id="a second before its end"),
        pytest.param(Caller(last_talk_at=before(minutes=10)), Why.MISSED, id="recent_talk ends on the dot, inclusive"),
        pytest.param(
            Caller(conversation_at=before(hours=23, minutes=59)), Why.CONVERSATION, id="a person wrote yesterday"
        ),
        pytest.param(Caller(conversation_at=before(hours=24)), Why.MISSED, id="a conversation is over after a day"),
        pytest.param(Caller(last_talk_at=before(minutes=-1)), Why.RECENT_TALK, id="a talk after the missed call"),
    ],
)
def test_a_caller_is_left_alone_only_for_so_long(caller: Caller, expected: Why) -> None:
    assert asked(caller=caller).why is expected


@pytest.mark.parametrize(
    ("late", "expected"),
    [
        pytest.param(timedelta(minutes=10), Why.MISSED, id="on the dot it is still fresh"),
        pytest.param(timedelta(minutes=10, microseconds=1), Why.EXPIRED, id="just over"),
    ],
)
def test_a_call_of_which_we_learn_late_is_not_texted(late: timedelta, expected: Why) -> None:
    assert asked(now=NOON + late).why is expected


def test_a_cooldown_and_a_recent_talk_of_nothing_never_skip() -> None:
    policy = replace(POLICY, cooldown=timedelta(0), recent_talk=timedelta(0))
    for at in (NOON, before(minutes=-1)):
        assert asked(policy=policy, caller=Caller(last_text_at=at, last_talk_at=at)).why is Why.MISSED


def test_an_expire_of_nothing_texts_only_what_is_known_at_once() -> None:
    policy = replace(POLICY, expire=timedelta(0))
    assert asked(policy=policy).why is Why.MISSED
    assert asked(policy=policy, now=NOON + timedelta(seconds=1)).why is Why.EXPIRED


def test_without_times_nothing_expires_and_no_cooldown_is_ever_over() -> None:
    untimed: dict[str, Any] = {"ended_at": None, "now": None}
    assert asked(**untimed).why is Why.MISSED
    assert asked(**untimed, caller=Caller(last_text_at=before(days=900))).why is Why.COOLDOWN


@pytest.mark.parametrize(
    ("least", "found", "expected"),
    [
        pytest.param("NONE", None, Why.MISSED, id="nobody asked"),
        pytest.param("A", None, Why.MISSED, id="nobody could ask: records do not tell"),
        pytest.param("NONE", "NONE", Why.MISSED, id="nobody vouches, and nobody has to"),
        pytest.param("NONE", "FAILED", Why.ATTESTATION, id="forged, which is never texted"),
        pytest.param("FAILED", "FAILED", Why.ATTESTATION, id="whatever is configured"),
        pytest.param("C", "NONE", Why.ATTESTATION, id="somebody has to vouch"),
        pytest.param("C", "C", Why.MISSED, id="the least that is asked for"),
        pytest.param("B", "A", Why.MISSED, id="more than is asked for"),
        pytest.param("A", "B", Why.ATTESTATION, id="less than is asked for"),
    ],
)
def test_a_number_is_texted_if_it_is_vouched_for_as_far_as_the_shop_wants(
    least: str, found: str | None, expected: Why
) -> None:
    policy = replace(POLICY, attestation=Attestation[least])
    assert asked(policy=policy, attestation=Attestation[found] if found else None).why is expected


def test_a_skip_says_which_number_until_when_or_since_when() -> None:
    assert asked(not_textable=NotTextable.PREMIUM).detail == "premium"
    assert asked(caller=Caller(last_text_at=NOON)).detail == "until 2026-03-03T12:00:00+00:00"
    assert asked(now=NOON + timedelta(hours=1)).detail == "the call ended at 2026-03-02T12:00:00+00:00"


# ---- caps


@pytest.mark.parametrize(
    ("full", "expected"),
    [
        pytest.param([], (Action.TEXT, before(seconds=-5)), id="there is room everywhere"),
        pytest.param(
            [Full(Scope.ALL, "10/1m", before(minutes=-1))],
            (Action.TEXT, before(minutes=-1)),
            id="room in a minute: it waits",
        ),
        pytest.param(
            [Full(Scope.ALL, "10/1m", before(minutes=-1)), Full(Scope.DID, "3/5m", before(minutes=-4))],
            (Action.TEXT, before(minutes=-4)),
            id="two are full: it waits for both",
        ),
        pytest.param(
            [Full(Scope.ALL, "10/1m", before(minutes=-10))],
            (Action.TEXT, before(minutes=-10)),
            id="room at the last moment",
        ),
        pytest.param(
            [Full(Scope.DID, "30/1h", before(minutes=-11))],
            (Action.SKIP, None),
            id="room only when it would have expired",
        ),
        pytest.param([Full(Scope.SPEND, "5/1d", None)], (Action.SKIP, None), id="no room that matters"),
    ],
)
def test_a_full_cap_lets_a_text_wait_while_it_lives_and_else_turns_it_down(
    full: list[Full], expected: tuple[Action, datetime | None]
) -> None:
    decision = asked(standing=Standing(full=full))
    assert (decision.action, decision.due) == expected


def test_a_cap_that_turns_down_is_named_as_the_configuration_writes_it() -> None:
    assert asked(standing=Standing(full=[Full(Scope.PREFIX, "5/1h", None)])).detail == "prefix 5/1h"


# ---- the night


def at(clock: str, **changes: Any) -> Decision:
    """Decide on a call that ended at this time of the day, and of which we learn at once."""
    ended = datetime.combine(NOON.date(), time.fromisoformat(clock), UTC)
    return asked(**{"ended_at": ended, "now": ended, "night": NIGHT, **changes})


def clock(moment: datetime | None) -> str | None:
    return moment.strftime("%d %H:%M:%S") if moment else None


@pytest.mark.parametrize(
    ("policy", "ended", "why", "due", "until"),
    [
        pytest.param(POLICY, "12:00", Why.MISSED, "02 12:00:05", "02 12:10:00", id="by day it goes at once"),
        pytest.param(HOLDING, "12:00", Why.MISSED, "02 12:00:05", "02 12:10:00", id="by day there is nothing to hold"),
        pytest.param(SKIPPING, "12:00", Why.MISSED, "02 12:00:05", "02 12:10:00", id="nor to skip"),
        pytest.param(POLICY, "23:00", Why.MISSED, "02 23:00:05", "02 23:05:05", id="at night the answer may go, soon"),
        pytest.param(HOLDING, "23:00", Why.HELD, "03 08:00:00", "03 10:00:00", id="held until the morning"),
        pytest.param(HOLDING, "07:59:54", Why.HELD, "02 08:00:00", "02 10:00:00", id="held for a second"),
        pytest.param(HOLDING, "07:59:55", Why.MISSED, "02 08:00:00", "02 08:09:55", id="due as the night ends"),
        pytest.param(HOLDING, "20:59:54", Why.MISSED, "02 20:59:59", "02 21:04:59", id="due before it begins"),
        pytest.param(HOLDING, "20:59:55", Why.HELD, "03 08:00:00", "03 10:00:00", id="due as it begins"),
        pytest.param(SKIPPING, "23:00", Why.NIGHT, None, None, id="skipped"),
        pytest.param(SKIPPING, "20:59:55", Why.NIGHT, None, None, id="what would go at night is skipped"),
    ],
)
def test_the_immediate_answer_keeps_the_night_as_the_shop_wants_it(
    policy: Policy, ended: str, why: Why, due: str | None, until: str | None
) -> None:
    decision = at(ended, policy=policy)
    assert (decision.why, clock(decision.due), clock(decision.until)) == (why, due, until)


PATIENT = replace(POLICY, expire=timedelta(hours=1))


@pytest.mark.parametrize(
    ("ended", "learnt_after", "why", "due"),
    [
        pytest.param("23:00", LATE_AFTER + POLICY.delay, Why.MISSED, "02 23:05:05", id="on the dot it is still prompt"),
        pytest.param("23:00", timedelta(minutes=6), Why.HELD, "03 08:00:00", id="what is late is held"),
        pytest.param("20:58", timedelta(minutes=6), Why.HELD, "03 08:00:00", id="also if the call was by day"),
        pytest.param("12:00", timedelta(minutes=50), Why.MISSED, "02 12:50:00", id="by day late ones go"),
    ],
)
def test_what_is_late_is_held_at_night_even_if_answers_are_sent(
    ended: str, learnt_after: timedelta, why: Why, due: str
) -> None:
    moment = datetime.combine(NOON.date(), time.fromisoformat(ended), UTC)
    decision = at(ended, policy=PATIENT, now=moment + learnt_after)
    assert (decision.why, clock(decision.due)) == (why, due)


def full_until(moment: str) -> Standing:
    return Standing(full=[Full(Scope.ALL, "60/1h", datetime.fromisoformat(f"2026-03-{moment}+00:00"))])


@pytest.mark.parametrize(
    ("policy", "free_at", "why", "due"),
    [
        pytest.param(PATIENT, "02 21:02", Why.MISSED, "02 21:02:00", id="a little later, into the night: still prompt"),
        pytest.param(PATIENT, "02 21:30", Why.HELD, "03 08:00:00", id="later, into the night: held like all late ones"),
        pytest.param(HOLDING, "02 21:02", Why.HELD, "03 08:00:00", id="held, since answers are"),
        pytest.param(POLICY, "02 21:30", Why.CAP, None, id="past its life: the cap turns it down"),
    ],
)
def test_a_text_that_a_cap_delays_into_the_night_is_held(
    policy: Policy, free_at: str, why: Why, due: str | None
) -> None:
    decision = at("20:58", policy=policy, standing=full_until(free_at))
    assert (decision.why, clock(decision.due)) == (why, due)


@pytest.mark.parametrize(
    ("free_at", "why", "due"),
    [
        pytest.param("02 23:30", Why.HELD, "03 08:00:00", id="a cap that frees before the morning matters not"),
        pytest.param("03 09:00", Why.HELD, "03 09:00:00", id="one that frees in the morning delays"),
        pytest.param("03 10:30", Why.CAP, None, id="one that frees too late turns down"),
    ],
)
def test_a_held_text_finds_its_room_in_the_morning(free_at: str, why: Why, due: str | None) -> None:
    decision = at("23:00", policy=HOLDING, standing=full_until(free_at))
    assert (decision.why, clock(decision.due)) == (why, due)


def test_a_held_text_says_until_when_and_where_it_is_night() -> None:
    assert at("23:00", policy=HOLDING).detail == "until 2026-03-03T08:00:00+00:00, night in UTC"
    assert at("23:00", policy=SKIPPING).detail == "in UTC"


def test_a_caller_whose_zones_never_wake_together_is_not_texted_late() -> None:
    night = Night(QuietHours(time(20), time(9)), (ZoneInfo("Europe/London"), ZoneInfo("Pacific/Auckland")))
    decision = at("23:00", policy=HOLDING, night=night)
    assert (decision.why, decision.detail) == (
        Why.NIGHT,
        "in Europe/London, Pacific/Auckland, which are never awake together",
    )


def test_a_held_text_ends_before_the_next_night() -> None:
    short_day = Night(QuietHours(time(9), time(8)), (UTC,))
    assert timedelta(hours=1) < HELD_LASTS
    assert clock(at("23:00", policy=HOLDING, night=short_day).until) == "03 09:00:00"
