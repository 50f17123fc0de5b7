"""To text or not to text: which rule says no, in which order, and where each one ends."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from textbackd.core.caps import Full, Scope
from textbackd.core.decide import Action, Caller, Decision, Policy, Question, Standing, Why, decide
from textbackd.core.missed import Judgement, Reason, Verdict
from textbackd.core.phone import NotTextable

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
POLICY = Policy(
    delay=timedelta(seconds=5),
    cooldown=timedelta(hours=24),
    recent_talk=timedelta(minutes=10),
    expire=timedelta(minutes=10),
)
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
    assert asked() == Decision(Action.TEXT, Why.MISSED)


# What makes each rule say no, in the order of the rules.
NO: list[tuple[Why, dict[str, Any]]] = [
    (Why.UNCERTAIN, {"judgement": Judgement(Verdict.UNCERTAIN, Reason.SHORT)}),
    (Why.SHORT, {"judgement": Judgement(Verdict.MISSED, Reason.SHORT)}),
    (Why.NO_LINE, {"line": None}),
    (Why.PAUSED, {"standing": Standing(paused="by a person")}),
    (Why.NOT_TEXTABLE, {"not_textable": NotTextable.LANDLINE}),
    (Why.OPTED_OUT, {"caller": Caller(opted_out_at=before(days=900))}),
    (Why.ASKED_TO_STOP, {"caller": Caller(asked_to_stop_at=before(days=900))}),
    (Why.UNREACHABLE, {"caller": Caller(unreachable="landline")}),
    (Why.RECENT_TALK, {"caller": Caller(last_talk_at=before(minutes=1))}),
    (Why.COOLDOWN, {"caller": Caller(last_text_at=before(hours=1))}),
    (Why.LINE_OFF, {"has_text": False}),
    (Why.EXPIRED, {"now": NOON + timedelta(hours=1)}),
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


def test_a_skip_says_which_number_until_when_or_since_when() -> None:
    assert asked(not_textable=NotTextable.PREMIUM).detail == "premium"
    assert asked(caller=Caller(last_text_at=NOON)).detail == "until 2026-03-03T12:00:00+00:00"
    assert asked(now=NOON + timedelta(hours=1)).detail == "the call ended at 2026-03-02T12:00:00+00:00"


# ---- caps


@pytest.mark.parametrize(
    ("full", "expected"),
    [
        pytest.param([], (Action.TEXT, None), id="there is room everywhere"),
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
    assert (decision.action, decision.not_before) == expected


def test_a_cap_that_turns_down_is_named_as_the_configuration_writes_it() -> None:
    assert asked(standing=Standing(full=[Full(Scope.PREFIX, "5/1h", None)])).detail == "prefix 5/1h"
