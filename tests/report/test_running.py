"""The figures of a fortnight, each worked out by hand; and what must be true of any."""

from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlite_utils
from hypothesis import given
from hypothesis import strategies as st

from tests.report.fortnight import DENVER, JANE, Office, at, fill
from textbackd.config import loads
from textbackd.core.phone import E164
from textbackd.report import period
from textbackd.report.funnel import funnel
from textbackd.report.matters import Events, matters
from textbackd.report.running import Question, Running, Spans, TextSpans, measure
from textbackd.report.running_figures import figures
from textbackd.report.waits import Person, percentile, waits
from textbackd.store import journal
from textbackd.store.acts import ActKind
from textbackd.store.database import in_memory
from textbackd.store.figures import AutomaticText, Case, Mark, Word
from textbackd.store.journal import Resolution

CONFIG = """
business: {name: Anderson Roofing, country: US, timezone: America/Denver}
pbx: {office: {secret: x}}
lines:
  main: {dids: ["+13035550101"], hours: {mon-fri: "8:00-17:00"}}
  service: {dids: ["+13035550102"]}
gateways: {web: {type: http, url: "http://127.0.0.1:9/"}}
"""
LONG_AFTER = at(31, "12:00")
SETTINGS = loads(CONFIG, Path("fortnight.yaml"))


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def ask(
    db: sqlite_utils.Database,
    line: str | None = None,
    first: str = "2026-03-02",
    last: str = "2026-03-15",
    now: datetime = LONG_AFTER,
) -> Running:
    question = Question(
        period=period.chosen(first, last, date(2026, 3, 16), DENVER),
        country="US",
        line=line,
        now=now,
        timetables={name: SETTINGS.timetable(one) for name, one in SETTINGS.lines.items()},
    )
    return measure(db, question)


@pytest.fixture(scope="module")
def told() -> Running:
    db = in_memory()
    fill(db)
    return ask(db)


def steps(told: Running) -> dict[str, tuple[int | None, int | None]]:
    return {step.name: (step.count, step.altogether) for step in told.funnel}


def test_eleven_calls_came_from_outside(told: Running) -> None:
    total = told.leak.total
    # Jane twice, Tom twice, Ann, City Hall, nobody knows who, Eve, Ben, Finn, Cal
    assert (total.calls, total.answered, total.missed, total.uncertain) == (11, 3, 7, 1)


def test_calls_are_missed_for_five_reasons(told: Running) -> None:
    expected = {"no_answer": 3, "busy": 1, "closed": 1, "gave_up": 1, "unreachable": 1}
    assert told.leak.missed_by_reason == expected


def test_only_toms_call_came_while_closed(told: Running) -> None:
    assert (told.opening.open, told.opening.closed, told.opening.unknown) == (6, 1, 0)


def test_the_heat_map_goes_by_the_clock_on_the_wall(told: Running) -> None:
    missed = {slot: part.missed for slot, part in told.leak.grid.items() if part.missed}
    # The last is Eve's, on the day on which the clocks went forward.
    assert missed == {(0, 9): 2, (0, 18): 1, (1, 10): 1, (2, 11): 1, (4, 16): 1, (6, 12): 1}


def test_five_callers_were_missed_and_three_never_reached_on_the_phone(told: Running) -> None:
    leak = told.leak
    assert (leak.callers, leak.repeated, leak.withheld) == (5, 1, 1)
    assert (leak.answered_later, leak.called_back, leak.never_reached) == (1, 1, 3)


def test_the_funnel_of_six_matters(told: Running) -> None:
    assert steps(told) == {
        "missed": (6, 6),
        "textable": (4, 4),  # not City Hall's landline, not the withheld number
        "texted": (4, 4),
        "delivered": (2, 2),  # Jane, Finn; of Tom's nothing is known, Eve's never arrived
        "replied": (2, 2),  # Jane, Finn; Eve wrote STOP
        "handled": (1, 3),  # Jane; and without having written Tom and City Hall
        "booked": (1, 1),
        "won": (1, 1),
    }
    assert told.undelivered == 1


def test_the_text_that_waited_for_the_morning_is_not_slow(told: Running) -> None:
    eight, thirty = timedelta(seconds=8), timedelta(seconds=30)
    assert told.to_text == TextSpans(count=3, held=1, p50=eight, p95=thirty, p99=thirty)


def test_how_long_it_took_until_a_person_spoke(told: Running) -> None:
    # City Hall 20 minutes, Jane 25, Tom until half past eight; the withheld one is not among the five.
    assert told.to_person == Spans(count=3, of=5, median=minutes(25), high=minutes(14.5 * 60))
    # From Jane's first text, not her second, and to Anna's answer, not to what Bob added; Finn waits.
    assert told.to_answer == Spans(count=1, of=2, median=minutes(15), high=minutes(15))


def test_who_answered_and_who_won(told: Running) -> None:
    assert told.people == [
        Person(key="anna", answered=1, conversations=1, median=minutes(15), won=0, value=None),
        Person(key="bob", answered=0, conversations=0, median=None, won=1, value=40_000),
    ]


def test_a_mark_that_was_mended_counts_once(told: Running) -> None:
    ended = told.ended
    assert (ended.won, ended.lost, ended.valued, ended.value) == (1, 1, 1, 40_000)


def test_what_it_cost(told: Running) -> None:
    assert told.spent == (6, 7, 7 * 7_900)  # four answers of one segment, Anna's of two, Bob's of one


def test_the_weeks_are_whole_ones(told: Running) -> None:
    rates = {week.monday.isoformat(): tuple(week.rate) for week in told.weeks if week.rate.calls}
    assert rates == {"2026-02-23": (1, 0), "2026-03-02": (8, 2), "2026-03-09": (3, 1)}
    assert told.fall is None


def test_a_week_that_is_not_over_is_not_whole() -> None:
    db = in_memory()
    fill(db)
    sunday = ask(db, first="2026-03-09", now=at(15, "20:00"))
    assert sunday.weeks[-1].monday.isoformat() == "2026-03-02"
    assert ask(db, first="2026-03-09", now=at(16, "00:00")).weeks[-1].monday.isoformat() == "2026-03-09"
    assert sunday.first_weeks[-1:] == sunday.weeks[-1:], "nor among the first ones"


def test_a_line_is_counted_alone() -> None:
    db = in_memory()
    fill(db)
    service = ask(db, "service")
    assert (service.leak.total.calls, service.leak.total.missed) == (1, 1)
    assert steps(service)["texted"] == (1, 1)
    assert (service.spent.texts, len(service.people)) == (1, 0)


def test_a_period_without_anything_is_noughts_and_unknowns() -> None:
    empty = ask(in_memory())
    assert steps(empty)["missed"] == (0, 0)
    assert (steps(empty)["delivered"], steps(empty)["booked"]) == ((None, None), (None, None))
    assert (empty.to_text.p50, empty.ended.value, empty.fall) == (None, None, None)


def test_the_figures_as_json_have_the_leaks_names(told: Running) -> None:
    found = figures(told)
    same = ("calls", "answered", "missed", "unique_callers", "answered_later", "called_back", "never_reached")
    assert [found[key] for key in same] == [11, 3, 7, 5, 1, 1, 3]
    assert (found["from"], found["to"], found["time_to_person"]["median"]) == ("2026-03-02", "2026-03-15", 1500.0)
    assert sum(sum(row) for row in found["by_weekday_and_hour"].values()) == found["missed"]


def test_what_staff_write_from_their_mobiles_is_no_caller_who_waits() -> None:
    db = in_memory()
    office = Office(db)
    office.missed(JANE, at(2, "09:00"), "no_answer")
    office.writes(JANE, at(2, "09:10"))
    office.writes(E164("+13035550123"), at(2, "09:20"), "#1 I am on my way")
    assert ask(db).to_answer.of == 1


# ---- talks on the phone


def handled(told: Running) -> int | None:
    return steps(told)["handled"][1]


def test_a_talk_of_months_later_is_about_something_else() -> None:
    db = in_memory()
    office = Office(db)
    office.missed(JANE, at(2, "09:00"), "no_answer")
    office.calls_back(JANE, at(2, "09:00") + timedelta(days=130))
    assert (handled(ask(db)), ask(db).to_person.count) == (0, 0)


def test_a_talk_is_about_the_last_matter_alone() -> None:
    db = in_memory()
    office = Office(db)
    office.missed(JANE, at(2, "09:00"), "no_answer")
    office.missed(JANE, at(9, "09:00"), "no_answer")
    office.calls_back(JANE, at(9, "09:30"))
    assert (handled(ask(db)), ask(db).to_person) == (1, Spans(count=1, of=2, median=minutes(30), high=minutes(30)))


def test_the_first_word_on_the_phone_is_the_beginning_of_the_talk() -> None:
    db = in_memory()
    office = Office(db)
    office.missed(JANE, at(2, "09:00"), "no_answer")
    office.writes(JANE, at(2, "09:01"))
    office.calls_back(JANE, at(2, "09:05"), lasts=30 * 60)
    assert (ask(db).to_person.median, ask(db).to_answer.median) == (minutes(5), minutes(4))


def test_who_is_lost_in_a_transfer_has_spoken_with_a_person() -> None:
    db = in_memory()
    office = Office(db)
    office.missed(JANE, at(2, "09:00"), "no_answer")
    office.writes(JANE, at(2, "09:01"))
    office.call(JANE, at(2, "10:01"), "lost_after_answer", "transfer_unanswered")
    assert (handled(ask(db)), ask(db).to_answer.median) == (1, minutes(60))


def test_an_appointment_does_not_hide_that_they_spoke() -> None:
    db = in_memory()
    office = Office(db)
    office.missed(JANE, at(2, "09:00"), "no_answer")
    office.marks(None, JANE, ActKind.BOOKED, at(2, "09:10"))
    journal.resolve(db, JANE, Resolution.BOOKED, at(2, "09:10"))
    office.calls_back(JANE, at(2, "09:30"))
    assert (handled(ask(db)), steps(ask(db))["booked"][1]) == (1, 1)


# ---- money


def test_a_text_is_paid_for_on_the_day_on_which_a_gateway_took_it() -> None:
    db = in_memory()
    office = Office(db)
    office.missed(JANE, at(1, "23:00"), "no_answer", due=at(2, "08:00"))
    office.gateway_takes(at(2, "08:00:05"))
    assert (ask(db).spent.texts, ask(db, first="2026-03-01", last="2026-03-01").spent.texts) == (1, 0)


# ---- marks


def test_a_mark_that_is_mended_after_the_period_counts_in_it_as_it_stands() -> None:
    db = in_memory()
    office = Office(db)
    office.missed(JANE, at(13, "09:00"), "no_answer")
    office.marks("anna", JANE, ActKind.WON, at(15, "12:00"), "35000")
    office.marks("anna", JANE, ActKind.LOST, at(16, "12:00"))
    told, later = ask(db), ask(db, first="2026-03-16", last="2026-03-29")
    assert (told.ended.won, told.ended.lost, steps(told)["won"][1]) == (0, 1, 0)
    assert (later.ended.won, later.ended.lost) == (0, 0), "it was marked first in the fortnight before"


def test_an_older_matter_that_is_marked_anew_is_another() -> None:
    db = in_memory()
    office = Office(db)
    office.missed(JANE, at(2, "09:00") - timedelta(days=40), "no_answer")
    office.marks("anna", JANE, ActKind.WON, at(2, "12:00") - timedelta(days=38), "20000")
    office.missed(JANE, at(2, "09:00") - timedelta(days=20), "no_answer")
    office.marks("anna", JANE, ActKind.WON, at(3, "12:00"), "35000")
    assert (ask(db).ended.won, ask(db).ended.value) == (1, 35_000)


# ---- what must be true of any

CALLERS = st.sampled_from(["+13035550142", "+13035550143", "+13035550144"])
MOMENTS = st.integers(0, 14 * 24).map(lambda hours: at(2, "00:00") + timedelta(hours=hours))
STAFF = st.sampled_from([None, "anna", "bob"])


@st.composite
def cases(draw: st.DrawFn) -> list[Case]:
    drawn = draw(st.lists(st.tuples(CALLERS, MOMENTS, st.booleans()), max_size=8))
    return [
        Case(number, caller, opened, textable)
        for number, (caller, opened, textable) in enumerate(sorted(drawn, key=lambda one: one[1]))
    ]  # fmt: skip


def words(of_staff: Any) -> Any:
    return st.lists(st.builds(Word, CALLERS, MOMENTS, of_staff), max_size=8)


EVENTS = st.builds(
    Events,
    texts=st.lists(
        st.builds(AutomaticText, st.integers(0, 9), st.sampled_from(["accepted", "delivered", "undelivered"]), st.just(1.0), st.booleans()),
        max_size=8,
    ),
    theirs=words(st.none()),
    ours=words(STAFF),
    marks=st.lists(
        st.builds(Mark, CALLERS, MOMENTS, st.sampled_from(["won", "lost", "booked"]), st.none(), STAFF), max_size=8
    ),
)  # fmt: skip


@given(cases(), EVENTS, st.integers(0, 3))
def test_a_funnel_never_grows(opened: list[Case], events: Events, withheld: int) -> None:
    found = funnel(matters(opened, events), withheld)
    counts = [step.count for step in found if step.count is not None]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] == len(opened) + withheld
    assert all(
        step.count <= step.altogether for step in found if step.count is not None and step.altogether is not None
    )
    known = [step for step in found if step.count is not None]
    assert all(step.of == before.count for before, step in pairwise(known))


@given(cases(), EVENTS)
def test_nothing_belongs_to_two_matters(opened: list[Case], events: Events) -> None:
    found = matters(opened, events)
    outcomes = [matter.outcome for matter in found if matter.outcome is not None]
    assert len(outcomes) <= sum(mark.kind != "booked" for mark in events.marks)
    assert all(matter.took is None or matter.took >= timedelta(0) for matter in found)


@given(words(st.none()), words(STAFF))
def test_a_wait_is_ended_by_one_answer_at_most(theirs: list[Word], ours: list[Word]) -> None:
    found = waits(theirs, ours)
    assert sum(wait.ended is not None for wait in found) <= len(ours)
    assert {wait.number for wait in found} == {word.number for word in theirs}
    assert all(wait.lasted is None or wait.lasted >= timedelta(0) for wait in found)


@given(st.lists(st.floats(0, 1e6), min_size=1), st.integers(1, 100))
def test_a_percentile_is_a_value_that_occurred(values: list[float], percent: int) -> None:
    found = percentile(values, percent)
    assert found in values
    assert found is not None
    assert sum(value <= found for value in values) * 100 >= percent * len(values)
