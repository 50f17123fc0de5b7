"""Who is told what a caller wants: the assignee, the queue, the rota, the line; never nobody."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from textbackd.core.conversation import Happening
from textbackd.core.handoff import Member, Shift, is_told, logged_in, receivers
from textbackd.core.opening_hours import DAYS, Interval, OpeningHours
from textbackd.core.timetable import KeptDays, Timetable

DENVER = ZoneInfo("America/Denver")
MONDAY_NOON = datetime(2026, 3, 2, 19, 0, tzinfo=UTC)  # in Denver


class NoDays(KeptDays):
    def __contains__(self, day: object) -> bool:
        return False

    def name(self, day: object) -> str | None:
        return None


def shift(*staff: str, opens: int, closes: int, days: Collection[str] = DAYS) -> Shift:
    hours = Interval(timedelta(hours=opens), timedelta(hours=closes))
    week = tuple((hours,) if day in days else () for day in DAYS)
    return Shift(staff=staff, times=Timetable(hours=OpeningHours(week), zone=DENVER, kept=NoDays()))


LINE = ("anna", "ben", "cleo")


@pytest.mark.parametrize(
    ("assignee", "there", "rota", "expected"),
    [
        pytest.param(None, None, (), LINE, id="all of the line, in its order"),
        pytest.param("ben", None, (), ("ben",), id="the assignee alone"),
        pytest.param("dora", {"anna"}, (), ("dora",), id="the assignee, even of another line, before the queue"),
        pytest.param(None, {"cleo", "anna"}, (), ("anna", "cleo"), id="whoever is logged in to the queue"),
        pytest.param(None, set(), (), LINE, id="all, when nobody is logged in"),
        pytest.param(None, {"dora"}, (), ("dora",), id="a member of the queue whom the line does not list"),
        pytest.param(None, None, (shift("ben", opens=8, closes=16),), ("ben",), id="whoever is on duty"),
        pytest.param(None, None, (shift("ben", opens=13, closes=16),), LINE, id="all, when nobody is on duty"),
        pytest.param(
            None, None, (shift("ben", opens=8, closes=12), shift("anna", opens=12, closes=20)), ("anna",),
            id="at the change of shifts the next one",
        ),
        pytest.param(
            None, None, (shift("ben", opens=8, closes=16), shift("anna", "ben", opens=9, closes=13)), ("anna", "ben"),
            id="both of two shifts, once each",
        ),
        pytest.param(None, None, (shift("dora", opens=8, closes=16),), ("dora",), id="on duty though not listed"),
        pytest.param(
            None, None, (shift("ben", opens=8, closes=16, days=["tue"]),), LINE, id="a shift of another day is none"
        ),
        pytest.param(
            None, {"anna"}, (shift("ben", opens=8, closes=16),), ("anna",), id="the queue before the rota"
        ),
        pytest.param(
            None, set(), (shift("ben", opens=8, closes=16),), ("ben",), id="the rota, when nobody is logged in"
        ),
    ],
)  # fmt: skip
def test_who_is_told(
    assignee: str | None, there: Collection[str] | None, rota: tuple[Shift, ...], expected: tuple[str, ...]
) -> None:
    assert receivers(LINE, assignee=assignee, logged_in=there, rota=rota, at=MONDAY_NOON) == expected


@pytest.mark.parametrize(
    ("names", "available", "expected"),
    [
        pytest.param({"PJSIP/anna"}, True, {"anna"}, id="as plain Asterisk names it"),
        pytest.param({"pjsip/ANNA"}, True, {"anna"}, id="in other letters"),
        pytest.param({"Local/anna@from-queue/n", "hint:anna@ext-local"}, True, {"anna"}, id="as FreePBX names it"),
        pytest.param({"PJSIP/anna"}, False, set(), id="paused, or a phone that is not there"),
        pytest.param({"PJSIP/annabel"}, True, set(), id="somebody else"),
        pytest.param(set(), True, set(), id="nothing told"),
    ],
)
def test_who_is_logged_in_to_a_queue(names: set[str], available: bool, expected: set[str]) -> None:
    member = Member(interfaces=frozenset(names), is_available=available)
    assert logged_in([member], {"anna": "PJSIP/anna", "ben": "PJSIP/ben"}) == expected


@pytest.mark.parametrize(
    ("happening", "by_default", "all_told"),
    [
        pytest.param(Happening.WROTE, True, True, id="a text"),
        pytest.param(Happening.LEAD, True, True, id="a form"),
        pytest.param(Happening.WANTS_CALL, True, True, id="whom only a call back helps"),
        pytest.param(Happening.MISSED, False, True, id="a missed call"),
        pytest.param(Happening.ANSWERED, False, False, id="a colleague's answer"),
        pytest.param(Happening.TALKED, False, False, id="that they got through"),
    ],
)
def test_what_is_told(happening: Happening, by_default: bool, all_told: bool) -> None:
    assert (is_told(happening, tell_all=False), is_told(happening, tell_all=True)) == (by_default, all_told)
