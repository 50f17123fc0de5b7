"""A wait counts in opening hours; each step of the chain is taken once."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.test_opening_hours import BAR, BERLIN, CHICAGO, OFFICE, ZONES, interval, local, week
from tests.core.test_timetable import MONDAY, timetable
from textbackd.core.opening_hours import ALWAYS_OPEN, NEVER_OPEN, OpeningHours
from textbackd.core.reply_clock import PAGE, Step, Waiting, begun_by, due_steps, waited
from textbackd.core.timetable import Opening, Timetable

SUNDAY = week(sun="00:00-24:00")
TWICE = week(sun="01:00-02:00")  # on the first of November the wall of Chicago shows this hour twice
GONE = week(sun="02:00-03:00")  # and on the eighth of March never


@pytest.mark.parametrize(
    ("table", "since", "now", "minutes"),
    [
        pytest.param(timetable(OFFICE), f"{MONDAY} 09:00", f"{MONDAY} 09:10", 10, id="within the hours"),
        pytest.param(timetable(OFFICE), f"{MONDAY} 11:55", f"{MONDAY} 13:05", 10, id="lunch does not count"),
        pytest.param(timetable(OFFICE), f"{MONDAY} 16:55", "2026-11-27 08:05", 10, id="nor do nights and days off"),
        pytest.param(timetable(OFFICE), f"{MONDAY} 22:00", f"{MONDAY} 23:00", 0, id="nothing while it is closed"),
        pytest.param(timetable(OFFICE, CHICAGO, "2026-11-27"), f"{MONDAY} 16:50", "2026-11-30 08:05", 15, id="nor a holiday"),
        pytest.param(timetable(BAR), "2026-11-28 01:30", "2026-11-28 22:30", 60, id="hours that run into the next day"),
        pytest.param(timetable(ALWAYS_OPEN), f"{MONDAY} 22:00", "2026-11-26 22:00", 3 * 24 * 60, id="always open"),
        pytest.param(timetable(NEVER_OPEN), f"{MONDAY} 09:00", "2026-11-27 09:00", 0, id="never open"),
        pytest.param(timetable(SUNDAY), "2026-03-07 12:00", "2026-03-09 12:00", 23 * 60, id="a Sunday of 23 hours"),
        pytest.param(timetable(SUNDAY), "2026-10-31 12:00", "2026-11-02 12:00", 25 * 60, id="a Sunday of 25 hours"),
        pytest.param(timetable(TWICE), "2026-10-31 12:00", "2026-11-02 12:00", 120, id="an hour that comes twice"),
        pytest.param(timetable(GONE), "2026-03-07 12:00", "2026-03-09 12:00", 0, id="an hour that does not come"),
        pytest.param(
            timetable(week(sun="00:30-02:30"), BERLIN), "2026-10-24 06:00", "2026-10-25 20:00", 150,
            id="hours that end in one that comes twice: they end twice",
        ),
        pytest.param(timetable(OFFICE), f"{MONDAY} 09:10", f"{MONDAY} 09:00", 0, id="a clock that was set back"),
    ],
)  # fmt: skip
def test_a_wait_counts_in_opening_hours(table: Timetable, since: str, now: str, minutes: int) -> None:
    waiting = Waiting(since=local(since, CHICAGO), is_urgent=False)
    assert waited(waiting, local(now, CHICAGO), table) == timedelta(minutes=minutes)


FIRST = Step(after=timedelta(minutes=15), do="tell")
OWNER = Step(after=timedelta(minutes=30), do="tell", whom=("owner",))
RING = Step(after=timedelta(minutes=45), do="ring", whom=("PJSIP/101",))
CHAIN = (FIRST, OWNER, RING)


@pytest.mark.parametrize(
    ("now", "done", "steps"),
    [
        pytest.param("09:14:59", [], [], id="not yet"),
        pytest.param("09:15", [], [FIRST], id="on the minute"),
        pytest.param("09:29", [FIRST], [], id="not again"),
        pytest.param("09:30", [FIRST], [OWNER], id="the next"),
        pytest.param("10:00", [], [FIRST, OWNER, RING], id="after a while without us, all that is due, in order"),
        pytest.param("10:00", [OWNER], [FIRST, RING], id="what was done is not done again"),
        pytest.param("12:30", [], [], id="not over lunch"),
        pytest.param("13:00", [FIRST], [OWNER, RING], id="what was due by then when it opens"),
    ],
)
def test_a_step_is_due_once_when_its_time_has_come(now: str, done: list[Step], steps: list[Step]) -> None:
    waiting = Waiting(since=local(f"{MONDAY} 09:00", CHICAGO), is_urgent=False)
    at = local(f"{MONDAY} {now}", CHICAGO)
    assert due_steps(waiting, at, timetable(OFFICE), CHAIN, {step.key for step in done}) == steps


@pytest.mark.parametrize(
    ("since", "now", "done", "steps"),
    [
        pytest.param("22:00", "22:00", [], [PAGE], id="at night whoever is on call is paged at once"),
        pytest.param("22:00", "22:16", [PAGE], [FIRST], id="and the chain does not wait for the morning"),
        pytest.param("09:00", "09:01", [], [], id="by day there are people"),
        pytest.param("16:50", "17:00", [], [PAGE], id="until the line closes"),
    ],
)
def test_an_urgent_matter_has_no_hours(since: str, now: str, done: list[Step], steps: list[Step]) -> None:
    waiting = Waiting(since=local(f"{MONDAY} {since}", CHICAGO), is_urgent=True)
    at = local(f"{MONDAY} {now}", CHICAGO)
    assert due_steps(waiting, at, timetable(OFFICE), CHAIN, {step.key for step in done}) == steps


def test_steps_that_differ_are_known_apart_and_the_same_step_stays_itself() -> None:
    again = Step(after=timedelta(minutes=15), do="tell")
    assert again.key == FIRST.key
    assert len({step.key for step in (*CHAIN, PAGE, Step(after=FIRST.after, do="tell", whom=("anna",)))}) == 5


# ---- any hours, any moment

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
moments = st.integers(0, 365 * 24 * 60).map(lambda minutes: START + minutes * MINUTE)
# Around the nights in which clocks change as often as at any other time.
nights = st.sampled_from(
    [datetime(2026, month, day, 6, tzinfo=UTC) for month, day in ((3, 8), (3, 29), (10, 25), (11, 1))]
)
near = st.one_of(moments, st.builds(lambda night, minutes: night + minutes * MINUTE, nights, st.integers(-900, 900)))
days = st.lists(
    st.sampled_from(["08:00-17:00", "00:30-02:30", "22:00-03:00", "01:00-02:00", "00:00-24:00"]), max_size=2
)
hours = st.lists(days, min_size=7, max_size=7).map(
    lambda week: OpeningHours(week=tuple(tuple(interval(written) for written in day) for day in week))
)


@given(hours, near, st.integers(0, 3000), st.sampled_from(ZONES))
def test_a_wait_is_the_sum_of_the_minutes_in_which_the_line_is_open(
    hours: OpeningHours, since: datetime, minutes: int, zone: ZoneInfo
) -> None:
    now, step = (
        since + minutes * MINUTE,
        5 * MINUTE,
    )  # all hours and changes lie on multiples of five minutes, and of :00 UTC
    since, now = _rounded(since), _rounded(now)
    count = sum(hours.is_open(since + n * step, zone) for n in range((now - since) // step))
    assert waited(Waiting(since=since, is_urgent=False), now, timetable(hours, zone)) == count * step


def _rounded(moment: datetime) -> datetime:
    return moment.replace(minute=moment.minute // 15 * 15)


@given(hours, near, st.lists(st.integers(1, 600), min_size=1, max_size=30), st.booleans())
def test_every_step_is_taken_at_most_once_and_never_while_closed_unless_it_is_urgent(
    hours: OpeningHours, since: datetime, pauses: list[int], urgent: bool
) -> None:
    table, waiting, now = timetable(hours, BERLIN), Waiting(since=since, is_urgent=urgent), since
    taken: list[str] = []
    for pause in pauses:
        now += pause * MINUTE
        steps = due_steps(waiting, now, table, CHAIN, set(taken))
        assert urgent or not steps or table.state(now) is Opening.OPEN
        assert all(step.after <= now - since for step in steps)
        taken += [step.key for step in steps]
    assert len(taken) == len(set(taken))
    assert [key for key in taken if key != PAGE.key] == [step.key for step in CHAIN][: len(set(taken) - {PAGE.key})]


@given(hours, near, st.integers(1, 600), st.integers(0, 20_000), st.sampled_from(ZONES))
def test_who_began_to_wait_by_then_has_waited_so_long_and_nobody_else(
    hours: OpeningHours, now: datetime, span: int, ago: int, zone: ZoneInfo
) -> None:
    table, waiting = timetable(hours, zone), Waiting(since=now - ago * MINUTE, is_urgent=False)
    latest = begun_by(span * MINUTE, now, table)
    has_waited = waited(waiting, now, table) >= span * MINUTE
    assert has_waited == (latest is not None and waiting.since <= latest)
