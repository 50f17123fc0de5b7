"""Whose turn it is, row by row; and what holds after anything that can happen."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textbackd.core.conversation import Happening, Standing, Turn, after, of_missed_call, why_no_text
from textbackd.core.decide import Action, Decision, Why
from textbackd.core.phone import NotTextable

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)
NEW, OURS, THEIRS, DONE = Turn
H = Happening


@pytest.mark.parametrize(
    ("before", "happening", "turn"),
    [
        pytest.param(None, H.MISSED, NEW, id="a missed caller is new"),
        pytest.param(None, H.WANTS_CALL, OURS, id="a missed caller whom no text reaches waits for us"),
        pytest.param(None, H.WROTE, OURS, id="a stranger who writes waits for us"),
        pytest.param(None, H.LEAD, OURS, id="so does one who fills in a form"),
        pytest.param(None, H.ANSWERED, THEIRS, id="whom we write to first has the turn"),
        pytest.param(None, H.TALKED, None, id="a talk alone makes no conversation"),
        pytest.param(None, H.BOOKED, None, id="a booking alone makes none"),
        pytest.param(NEW, H.MISSED, NEW, id="missed again and texted stays new"),
        pytest.param(NEW, H.WROTE, OURS, id="the answer to the automatic text waits for a person"),
        pytest.param(NEW, H.TALKED, DONE, id="a missed caller who gets through is done"),
        pytest.param(NEW, H.ANSWERED, THEIRS, id="a person writes before the caller does"),
        pytest.param(NEW, H.LAPSED, DONE, id="nothing more was heard"),
        pytest.param(OURS, H.MISSED, OURS, id="who waits and calls in vain still waits"),
        pytest.param(OURS, H.ANSWERED, THEIRS, id="an answer passes the turn"),
        pytest.param(OURS, H.TALKED, DONE, id="a call back ends it"),
        pytest.param(OURS, H.BOOKED, DONE, id="an appointment ends it"),
        pytest.param(OURS, H.PUT_AWAY, DONE, id="a person ends it"),
        pytest.param(OURS, H.LAPSED, OURS, id="who waits for us never lapses"),
        pytest.param(NEW, H.NOT_REACHED, OURS, id="a text that never got there leaves it to us"),
        pytest.param(None, H.NOT_REACHED, None, id="a text to a stranger begins nothing"),
        pytest.param(THEIRS, H.WROTE, OURS, id="their answer gives the turn back"),
        pytest.param(THEIRS, H.MISSED, OURS, id="who was answered and calls in vain wants more than a text"),
        pytest.param(THEIRS, H.TAKEN_UP, OURS, id="a person wants to answer once more"),
        pytest.param(DONE, H.MISSED, NEW, id="a new matter is new"),
        pytest.param(DONE, H.WROTE, OURS, id="thank you comes back to us"),
        pytest.param(DONE, H.TALKED, DONE, id="done stays done"),
        pytest.param(DONE, H.TAKEN_UP, OURS, id="a person takes it up again"),
    ],
)
def test_what_happens_passes_the_turn(before: Turn | None, happening: Happening, turn: Turn | None) -> None:
    assert after(Standing(turn=before), happening, NOON).turn is turn


@pytest.mark.parametrize(
    ("before", "happening", "staff", "assignee"),
    [
        pytest.param(Standing(turn=OURS), H.ANSWERED, "anna", "anna", id="the first answer claims it"),
        pytest.param(
            Standing(turn=OURS, assignee="ben"), H.ANSWERED, "anna", "ben", id="an answer takes it from nobody"
        ),
        pytest.param(Standing(turn=THEIRS, assignee="ben"), H.WROTE, None, "ben", id="it stays whose it is"),
        pytest.param(Standing(turn=DONE, assignee="ben"), H.WROTE, None, None, id="a new matter belongs to nobody"),
        pytest.param(
            Standing(turn=DONE, assignee="ben"), H.TAKEN_UP, "ben", "ben", id="what is taken up stays whose it was"
        ),
    ],
)
def test_whose_it_is(before: Standing, happening: Happening, staff: str | None, assignee: str | None) -> None:
    assert after(before, happening, NOON, staff).assignee == assignee


@pytest.mark.parametrize(
    ("before", "happening", "minutes", "turn"),
    [
        pytest.param(OURS, H.TALKED, -5, OURS, id="a talk that was over before they wrote does not answer it"),
        pytest.param(THEIRS, H.MISSED, -5, THEIRS, id="a miss from before the answer asks for no other"),
        pytest.param(DONE, H.WANTS_CALL, -5, DONE, id="nor does one from before the talk"),
        pytest.param(DONE, H.WROTE, -5, OURS, id="what they wrote waits, however late it came in"),
        pytest.param(OURS, H.TALKED, -0.5, DONE, id="within what clocks differ, a talk is a talk"),
    ],
)
def test_a_call_that_is_found_late_changes_nothing_that_came_after_it(
    before: Turn, happening: Happening, minutes: float, turn: Turn
) -> None:
    standing = Standing(turn=before, waiting_since=NOON if before is OURS else None, last_at=NOON)
    assert after(standing, happening, NOON + timedelta(minutes=minutes)).turn is turn


def test_the_clock_starts_with_the_first_word_that_waits_and_not_with_the_last() -> None:
    waiting = after(Standing(turn=NEW), H.WROTE, NOON)
    assert after(waiting, H.WROTE, LATER).waiting_since == NOON


def test_an_answer_stops_the_clock_and_the_next_word_starts_it_anew() -> None:
    answered = after(after(Standing(), H.WROTE, NOON), H.ANSWERED, NOON, "anna")
    assert answered.waiting_since is None
    assert after(answered, H.WROTE, LATER).waiting_since == LATER


@given(st.lists(st.tuples(st.sampled_from(Happening), st.sampled_from([None, "anna", "ben"])), max_size=30))
def test_whatever_happens_a_clock_runs_exactly_while_it_is_our_turn(life: list[tuple[Happening, str | None]]) -> None:
    standing = Standing()
    for minutes, (happening, staff) in enumerate(life):
        standing = after(standing, happening, NOON + timedelta(minutes=minutes), staff)
        assert (standing.waiting_since is not None) is (standing.turn is OURS)


def skip(why: Why, detail: str = "") -> Decision:
    return Decision(Action.SKIP, why, detail)


@pytest.mark.parametrize(
    ("decision", "misses", "happening"),
    [
        pytest.param(Decision(Action.TEXT, Why.MISSED), 1, H.MISSED, id="texted"),
        pytest.param(skip(Why.COOLDOWN), 2, H.MISSED, id="texted an hour ago"),
        pytest.param(skip(Why.COOLDOWN), 3, H.WANTS_CALL, id="missed for the third time: a text has not helped"),
        pytest.param(skip(Why.NOT_TEXTABLE, NotTextable.LANDLINE), 1, H.WANTS_CALL, id="a landline"),
        pytest.param(
            skip(Why.RECENT_TALK), 1, H.WANTS_CALL, id="calls again after a talk and gets neither text nor person"
        ),
        pytest.param(skip(Why.CAP), 1, H.WANTS_CALL, id="a cap was full"),
        pytest.param(skip(Why.SHORT), 1, None, id="gave up at once"),
    ],
)
def test_what_a_missed_call_means(decision: Decision, misses: int, happening: Happening | None) -> None:
    assert of_missed_call(decision, misses) is happening


@pytest.mark.parametrize(
    ("decision", "why"),
    [
        pytest.param(skip(Why.NOT_TEXTABLE, "landline"), "landline", id="what kind of number it is"),
        pytest.param(skip(Why.OPTED_OUT), "opted_out", id="STOP"),
        pytest.param(skip(Why.UNREACHABLE, "absent subscriber"), "unreachable_number", id="no text ever arrived"),
        pytest.param(skip(Why.CAP, "all 10/1m"), None, id="a person may text whom a cap kept from the machine"),
    ],
)
def test_why_somebody_has_to_call(decision: Decision, why: str | None) -> None:
    assert why_no_text(decision) == why
