"""What is heard of a text after it was handed over: which text is meant, and what becomes of it."""

from datetime import datetime, timedelta

import pytest
import sqlite_utils

from tests.store.rows import CALLER, NOON, a_text, after
from textbackd.core.phone import E164
from textbackd.store import outbox, reports
from textbackd.store.outbox import DueText
from textbackd.store.reports import Heard
from textbackd.store.states import State

OTHER = E164("+13035550199")


def handed_over(db: sqlite_utils.Database, recipient: E164 = CALLER, at: datetime = NOON) -> DueText:
    """Return a text that is with its gateway, without an answer."""
    outbox.add(db, a_text(recipient=recipient, at=at), case_id=None, call_id=None, now=at)
    text = outbox.claim(db, "stick", at)
    assert text is not None
    return text


def taken(
    db: sqlite_utils.Database, reference: str | None = "12", recipient: E164 = CALLER, at: datetime = NOON
) -> DueText:
    text = handed_over(db, recipient, at)
    outbox.accepted(db, text, reference, at)
    return text


def cut_off(db: sqlite_utils.Database, recipient: E164 = CALLER) -> DueText:
    text = handed_over(db, recipient)
    outbox.mark_cut_off(db)
    return text


def heard(state: State = State.DELIVERED, reference: str | None = "12", **about: str | None) -> Heard:
    return Heard(
        gateway=about.get("gateway") or "stick",
        reference=reference,
        text_id=about.get("text_id"),
        recipient=about.get("recipient", CALLER),
        state=state,
        detail="the network's words",
    )


def state_of(db: sqlite_utils.Database, text: DueText) -> str:
    row = outbox.find(db, text.id)
    assert row is not None
    return str(row["state"])


# ---- what a report makes of an accepted text


@pytest.mark.parametrize(
    ("told", "state"),
    [
        pytest.param([heard(State.ACCEPTED)], "accepted", id="still trying"),
        pytest.param([heard(State.DELIVERED)], "delivered", id="delivered"),
        pytest.param([heard(State.UNDELIVERED)], "undelivered", id="given up"),
        pytest.param([heard(State.DELIVERED), heard(State.UNDELIVERED)], "delivered", id="delivered stays delivered"),
        pytest.param([heard(State.DELIVERED), heard(State.ACCEPTED)], "delivered", id="an old report comes late"),
        pytest.param([heard(State.UNDELIVERED), heard(State.DELIVERED)], "delivered", id="it arrived after all"),
        pytest.param([heard(reference="99")], "accepted", id="of another text"),
        pytest.param([heard(gateway="web")], "accepted", id="of another gateway"),
        pytest.param([heard(recipient=OTHER)], "accepted", id="the reference was used again for another number"),
        pytest.param([heard(recipient="3035550142")], "delivered", id="the number as the network writes it"),
        pytest.param([heard(recipient=None)], "delivered", id="the network names no number"),
    ],
)
def test_a_report_settles_the_text_that_it_is_about(db: sqlite_utils.Database, told: list[Heard], state: str) -> None:
    text = taken(db)
    for one in told:
        reports.report(db, one, after(minutes=1))
    assert state_of(db, text) == state


def test_a_report_may_name_our_own_id(db: sqlite_utils.Database) -> None:
    text = taken(db, "SM1")
    settled = reports.report(db, heard(reference=None, text_id=text.id), NOON)
    assert settled is not None
    assert (settled.text_id, settled.before, settled.state) == (text.id, State.ACCEPTED, State.DELIVERED)


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ([heard(reference="12")], "accepted"),
        ([heard(reference="12"), heard(reference="13")], "delivered"),
        ([heard(reference="12"), heard(State.UNDELIVERED, "13")], "undelivered"),
        ([heard(reference="12"), heard(reference="12")], "accepted"),
    ],
    ids=["one of two", "both", "one is lost", "one of two, told twice"],
)
def test_a_long_text_is_delivered_when_every_part_is(db: sqlite_utils.Database, told: list[Heard], state: str) -> None:
    text = taken(db, "12,13")
    for one in told:
        reports.report(db, one, NOON)
    assert state_of(db, text) == state


def test_a_reference_that_was_used_before_means_the_newest_text(db: sqlite_utils.Database) -> None:
    old, new = taken(db), taken(db, at=after(hours=1))
    reports.report(db, heard(), after(hours=1, minutes=1))
    assert (state_of(db, old), state_of(db, new)) == ("accepted", "delivered")


def test_what_was_given_up_says_why(db: sqlite_utils.Database) -> None:
    text = taken(db)
    reports.report(db, heard(State.UNDELIVERED), after(minutes=1))
    row = outbox.find(db, text.id)
    assert row is not None
    assert row["explanation"] == "the network's words"
    assert row["settled_at"] is not None


def test_a_report_of_nothing_that_we_know_changes_nothing(db: sqlite_utils.Database) -> None:
    assert reports.report(db, heard(reference="77", recipient=OTHER), NOON) is None
    assert reports.report(db, heard(text_id="no such id"), NOON) is None


# ---- reports that are quicker than the answer


@pytest.mark.parametrize("by_id", [False, True], ids=["by reference", "by our id"])
def test_a_report_that_comes_before_the_answer_is_not_lost(db: sqlite_utils.Database, by_id: bool) -> None:
    text = handed_over(db)
    early = heard(reference=None, text_id=text.id) if by_id else heard()
    assert reports.report(db, early, NOON) is None
    assert state_of(db, text) == "submitting"
    assert outbox.accepted(db, text, "12", after(seconds=1)) is State.DELIVERED
    assert state_of(db, text) == "delivered"


def test_a_text_without_an_answer_that_was_reported_is_not_unknown(db: sqlite_utils.Database) -> None:
    text = handed_over(db)
    reports.report(db, heard(text_id=text.id), NOON)
    state = outbox.ended(db, text, State.UNKNOWN, outcome="unknown", code=None, explanation="time-out", now=NOON)
    assert state is State.DELIVERED


# ---- texts whose fate was unknown


@pytest.mark.parametrize(
    ("told", "state"),
    [
        pytest.param(heard(reference="5"), "delivered", id="a report to the same number"),
        pytest.param(heard(State.ACCEPTED, "5"), "accepted", id="the network tries, so the gateway had it"),
        pytest.param(heard(reference="5", recipient=OTHER), "unknown", id="a report to another number"),
        pytest.param(heard(reference="5", recipient=None), "unknown", id="a report that names no number"),
    ],
)
def test_a_report_settles_a_text_whose_reference_we_never_learnt(
    db: sqlite_utils.Database, told: Heard, state: str
) -> None:
    text = cut_off(db)
    reports.report(db, told, after(minutes=9))
    assert state_of(db, text) == state


def test_a_report_much_later_is_not_about_a_text_that_was_cut_off(db: sqlite_utils.Database) -> None:
    text = cut_off(db)
    reports.report(db, heard(reference="5"), after(minutes=11))
    assert state_of(db, text) == "unknown"


def test_a_late_answer_settles_its_text(db: sqlite_utils.Database) -> None:
    text = cut_off(db)
    assert reports.late(db, "stick", text.id, "12", after(minutes=3)) == text.id
    assert state_of(db, text) == "accepted"
    reports.report(db, heard(), after(minutes=4))
    assert state_of(db, text) == "delivered"


@pytest.mark.parametrize(
    ("texts", "gateway", "at", "settled"),
    [
        pytest.param(1, "stick", timedelta(seconds=9), True, id="the only one that was cut off"),
        pytest.param(2, "stick", timedelta(seconds=9), False, id="two cannot be told apart"),
        pytest.param(1, "web", timedelta(seconds=9), False, id="another gateway's"),
        pytest.param(1, "stick", timedelta(minutes=10), False, id="too late to be its answer"),
        pytest.param(0, "stick", timedelta(seconds=9), False, id="none was"),
    ],
)
def test_a_late_answer_without_our_id_means_the_text_that_was_cut_off(
    db: sqlite_utils.Database, texts: int, gateway: str, at: timedelta, settled: bool
) -> None:
    for _ in range(texts):
        handed_over(db)
    outbox.mark_cut_off(db)
    assert (reports.late(db, gateway, None, "12", NOON + at) is not None) is settled


# ---- a person


@pytest.mark.parametrize("outcome", [State.UNKNOWN, State.FAILED])
def test_a_person_may_have_a_text_sent_again_and_old_reports_say_nothing_of_it(
    db: sqlite_utils.Database, outcome: State
) -> None:
    text = handed_over(db)
    outbox.ended(db, text, outcome, outcome=outcome.value, code=None, explanation="", now=NOON)
    assert outbox.try_again(db, text.id, after(hours=1), after(hours=2))
    again = outbox.claim(db, "stick", after(hours=1))
    assert again is not None
    assert (again.id, again.attempt) == (text.id, 2)


@pytest.mark.parametrize("state", [State.QUEUED, State.ACCEPTED, State.DELIVERED, State.CANCELLED])
def test_what_is_on_its_way_or_not_wanted_is_not_sent_again(db: sqlite_utils.Database, state: State) -> None:
    text = taken(db)
    db.execute("UPDATE outbox SET state = ?", [state.value])
    assert not outbox.try_again(db, text.id, NOON, after(hours=1))
