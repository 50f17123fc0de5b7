"""A month of 200 calls, every number worked out by hand.

Anderson Roofing in Denver, March 2026; the clocks go forward on the 8th. Its week is the same four times over (from the 2nd to the
29th), and on Monday the 30th there are eight calls more. So every number below is four times what the week's plan shows, and the rest.
Capital letters call every week; a small letter is somebody new each week.
"""

import gzip
import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from tests.report.shop import DENVER, MASTER, Rung, all_rows, day, weekly, write_csv, write_with_header
from textbackd.core.leak import worth
from textbackd.errors import TextbackdError
from textbackd.report.figures import figures
from textbackd.report.measure import Answer, Question, measure
from textbackd.report.words import period

OFFICE, SALES = "+13035550101", "+13035550102"
FIRST: Final = date(2026, 3, 1)
WORKDAYS: Final = ("mon", "tue", "wed", "thu", "fri")
WEEK: Final = [
    ("mon", "08:00", "A", "answered", OFFICE),
    ("mon", "09:00", "B", "answered", OFFICE),
    ("mon", "09:10", "a", "gave up", OFFICE),  # never reached
    ("mon", "10:00", "b", "no answer", OFFICE),
    ("mon", "10:30", "b", "answered", OFFICE),  # answered later
    ("mon", "11:00", "c", "busy", SALES),
    ("mon", "11:20", "c", "out", ""),  # called back
    ("mon", "12:05", "C", "voicemail", OFFICE),  # answered later, on Tuesday
    ("mon", "13:00", "anonymous", "gave up", OFFICE),
    ("mon", "13:30", "A", "answered", OFFICE),
    ("tue", "08:30", "C", "answered", OFFICE),
    ("tue", "09:00", "D", "answered", OFFICE),
    ("tue", "10:00", "E", "answered", OFFICE),
    ("tue", "11:00", "d", "queue", SALES),
    ("tue", "11:02", "d", "queue", SALES),
    ("tue", "11:05", "d", "answered", SALES),  # answered later
    ("tue", "12:00", "e", "menu", OFFICE),  # never reached; nothing tells which number was called
    ("tue", "15:00", "B", "answered", OFFICE),
    ("tue", "16:00", "f", "mobile", OFFICE),  # uncertain
    ("wed", "09:00", "A", "lost", OFFICE),  # answered, then transferred to nobody
    ("wed", "10:00", "g", "short", OFFICE),  # never reached
    ("wed", "11:00", "E", "gave up", OFFICE),  # answered later, on the next Tuesday
    ("wed", "11:30", "E", "out, in vain", ""),
    ("wed", "14:00", "B", "answered", OFFICE),
    ("thu", "08:15", "D", "answered", OFFICE),
    ("thu", "09:45", "h", "unreachable", SALES),  # never reached
    ("thu", "13:00", "C", "answered", OFFICE),
    ("thu", "17:45", "i", "closed", OFFICE),  # never reached
    ("thu", "20:00", "j", "closed", OFFICE),
    ("fri", "08:05", "j", "answered", OFFICE),  # answered later
    ("fri", "10:00", "A", "answered", OFFICE),
    ("fri", "11:00", "D", "answered", SALES),
    ("fri", "15:30", "k", "gave up", SALES),
    ("fri", "15:31", "k", "gave up", SALES),  # never reached, in spite of a second try
    ("sat", "10:00", "l", "closed", OFFICE),  # never reached
    *((weekday, clock, "S", "answered", OFFICE) for weekday in WORKDAYS for clock in ("08:45", "10:45", "14:45")),
]  # fmt: skip
LAST_MONDAY: Final = [
    Rung(day(30, "09:00"), "answered", "+13035550201", OFFICE),
    Rung(day(30, "09:05"), "gave up", "+13035550202", OFFICE),  # B, whom nobody reaches after that
    Rung(day(30, "09:10"), "gave up", "+13035550177", OFFICE),
    Rung(day(30, "09:40"), "answered", "3035550177", OFFICE),  # the same, as another carrier writes it: answered later
    Rung(day(30, "10:00"), "blacklisted", "+13035550178", OFFICE),  # does not count
    Rung(day(30, "11:00"), "busy", "", OFFICE),  # withheld
    Rung(day(30, "14:00"), "unreachable", "+13035550179", OFFICE),
    Rung(day(30, "15:00"), "out", "+13035550179"),  # called back
    Rung(day(30, "16:00"), "gave up", "+447400123456", OFFICE),  # never reached
    Rung(day(30, "16:30"), "answered", "anonymous", OFFICE),
]


def who(caller: str, week: int) -> str:
    """Return the number of a letter: small ones have another each week."""
    if len(caller) > 1:
        return caller
    return f"+130355502{ord(caller) - 64:02}" if caller.isupper() else f"+17205550{week + 1}{ord(caller) - 96:02}"


MONTH: Final = [*weekly(WEEK, who, weeks=(2, 9, 16, 23)), *LAST_MONDAY]


def asked(source: str, **changed: Any) -> Answer:
    question = Question(cdr=source, queue_log=None, trunks=(), country="US", zone=DENVER, since=None, until=None)
    return measure(replace(question, **changed), lambda *_: None)


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory) -> Answer:
    return asked(str(write_csv(tmp_path_factory.mktemp("month") / "Master.csv", all_rows(MONTH))))


def part(calls: int, answered: int, missed: int, uncertain: int = 0) -> dict[str, int]:
    return {"calls": calls, "answered": answered, "missed": missed, "uncertain": uncertain}


def test_the_calls_are_counted(answer: Answer) -> None:
    told = figures(answer, None)
    # A week: 31 answered, 16 missed, 1 uncertain. The last Monday: 3 answered, 5 missed.
    assert {name: told[name] for name in ("calls", "answered", "missed", "uncertain")} == part(
        200, 4 * 31 + 3, 4 * 16 + 5, 4
    )
    assert told["lost_after_answer"] == 4
    assert (told["from"], told["to"]) == ("2026-03-02T08:00:00-07:00", "2026-03-30T16:30:00-06:00")
    assert told["days"] == 29


def test_the_reasons_are_counted(answer: Answer) -> None:
    told = figures(answer, None)
    assert told["missed_by_reason"] == {
        "gave_up": 4 * 5 + 3,  # a, anonymous, E, k twice
        "closed": 4 * 3,  # i, j, l
        "queue_gave_up": 4 * 2,  # d twice
        "busy": 4 + 1,
        "unreachable": 4 + 1,
        "menu_gave_up": 4,
        "no_answer": 4,
        "short": 4,
        "voicemail_hangup": 4,
    }
    assert list(told["missed_by_reason"])[:2] == ["gave_up", "closed"], "the most frequent first"
    assert told["uncertain_by_reason"] == {"maybe_mobile_voicemail": 4}


def test_the_callers_are_told_apart(answer: Answer) -> None:
    told = figures(answer, None)
    names = (
        "unique_callers",
        "withheld",
        "repeated",
        "answered_later",
        "called_back",
        "never_reached",
        "new_callers",
        "new_never_reached",
    )
    assert {name: told[name] for name in names} == {
        "unique_callers": 4 * 11 + 6,  # a to l without f; B, C, E and three on the last Monday
        "withheld": 4 + 1,
        "repeated": 4 * 2 + 3 + 3,  # d and k try again; C and E are missed in each of the three weeks after the first
        "answered_later": 4 * 3 + 3,  # b, d, j; C, E and the one with two spellings
        "called_back": 4 + 1,
        "never_reached": 4 * 7 + 2,  # a, e, g, h, i, k, l; B and the caller from abroad
        "new_callers": 4 * 11 + 4,  # C was new in the first week; B and E had been answered before
        "new_never_reached": 4 * 7 + 1,
    }
    assert told["answered_later"] + told["called_back"] + told["never_reached"] == told["unique_callers"]
    assert told["missed"] == told["unique_callers"] + told["repeated"] + told["withheld"]


def test_hours_weekdays_and_lines_are_those_of_the_shop(answer: Answer) -> None:
    told = figures(answer, None)
    calls = {8: 36, 9: 24, 10: 44, 11: 25, 12: 8, 13: 12, 14: 25, 15: 12, 16: 6, 17: 4, 20: 4}
    missed = {9: 10, 10: 12, 11: 17, 12: 8, 13: 4, 14: 1, 15: 8, 16: 1, 17: 4, 20: 4}
    assert {hour: one["calls"] for hour, one in told["by_hour"].items()} == {str(h): calls.get(h, 0) for h in range(24)}
    assert {hour: one["missed"] for hour, one in told["by_hour"].items()} == {
        str(h): missed.get(h, 0) for h in range(24)
    }
    assert told["by_weekday"] == {
        "mon": part(56, 31, 25), "tue": part(48, 32, 12, 4), "wed": part(28, 20, 8), "thu": part(32, 20, 12),
        "fri": part(32, 24, 8), "sat": part(4, 0, 4), "sun": part(0, 0, 0),
    }  # fmt: skip
    assert told["by_line"] == {OFFICE: part(164, 119, 41, 4), SALES: part(32, 8, 24), "unknown": part(4, 0, 4)}


def test_the_heat_map_adds_up_to_the_hours(answer: Answer) -> None:
    grid = answer.leak.grid
    assert sum(cell.missed for cell in grid.values()) == 69
    assert (grid[0, 9].missed, grid[3, 20].missed, grid[5, 10].calls) == (4 + 2, 4, 4)


def test_the_calculator_shows_what_it_reckons_with(answer: Answer) -> None:
    told = figures(answer, worth(answer.leak, 400, 0.25))["calculator"]
    a_week = 29 / 7  # the period is 29 days
    assert told == {
        "missed_a_week": round(69 / a_week, 4),
        "at_most": round(69 / a_week * 400 * 50, 4),
        "job_value": 400,
        "new_never_reached_a_week": 7.0,
        "close_rate": 0.25,
        "likely": 7.0 * 0.25 * 400 * 50,
    }
    without = worth(answer.leak, 400, None)
    assert without is not None
    assert without.likely is None, "nobody told how many buy, and no figure is borrowed"


def test_what_was_assumed_is_told(answer: Answer) -> None:
    assert [(trunk.name, trunk.context) for trunk in answer.trunks] == [("PJSIP/trunk", "from-trunk")]
    # One a call; two for 4 voicemails and 4 transfers; the office called 9 times, and one caller was rejected.
    assert (answer.rows, answer.skipped) == (200 + 8 + 9 + 1, 0)


# ---- the same month out of other sources


def rotated(folder: Path) -> str:
    rows = all_rows(MONTH)
    write_csv(folder / "Master.csv", rows[150:])
    old = write_csv(folder / "Master.csv.1", rows[70:150])
    with gzip.open(folder / "Master.csv.2.gz", "wb") as file:
        file.write(write_csv(folder / "oldest", rows[:70]).read_bytes())
    for age, name in ((1, old.name), (2, "Master.csv.2.gz")):
        at = (folder / "Master.csv").stat().st_mtime - age * 86_400
        os.utime(folder / name, (at, at))
    return str(folder / "Master.csv")


def database(folder: Path) -> str:
    rows = all_rows(MONTH)
    with closing(sqlite3.connect(folder / "master.db")) as db:
        db.execute(f"CREATE TABLE cdr ({', '.join(rows[0])})")
        db.executemany(
            f"INSERT INTO cdr VALUES ({', '.join('?' * len(rows[0]))})",  # noqa: S608  # question marks
            [list(row.values()) for row in rows],
        )
        db.commit()
    return f"sqlite://{folder / 'master.db'}"


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(lambda d: str(write_csv(d / "Master.csv", all_rows(MONTH), MASTER)), id="without uniqueid"),
        pytest.param(
            lambda d: str(
                write_csv(
                    d / "m.csv",
                    all_rows(MONTH),
                    (*MASTER, "uniqueid", "userfield", "peeraccount", "linkedid", "sequence"),
                )
            ),
            id="with linkedid",
        ),
        pytest.param(lambda d: str(write_with_header(d / "cdr.csv", all_rows(MONTH))), id="a table with a header"),
        pytest.param(
            lambda d: str(write_with_header(d / "cdr.csv", all_rows(MONTH)[::-1])), id="exported with the newest first"
        ),
        pytest.param(lambda d: str(write_csv(d / "m.csv", all_rows(MONTH)[::-1])), id="so, without a header"),
        pytest.param(rotated, id="rotated and packed"),
        pytest.param(database, id="SQLite"),
    ],
)
def test_the_month_is_the_same_from_every_source(answer: Answer, tmp_path: Path, source: Callable[[Path], str]) -> None:
    assert asked(source(tmp_path)).leak == answer.leak


def test_a_packed_export_with_the_newest_first_is_not_held_whole_in_memory(tmp_path: Path) -> None:
    plain = write_with_header(tmp_path / "cdr.csv", all_rows(MONTH)[::-1])
    (tmp_path / "packed.csv.gz").write_bytes(gzip.compress(plain.read_bytes()))
    with pytest.raises(TextbackdError, match="sort it by calldate, the oldest first"):
        asked(str(tmp_path / "packed.csv.gz"))


def test_only_the_calls_of_the_wanted_time_count(tmp_path: Path) -> None:
    source = str(write_csv(tmp_path / "Master.csv", all_rows(MONTH)))
    since, until = (
        datetime(2026, 3, 9, tzinfo=DENVER).astimezone(UTC),
        datetime(2026, 3, 16, tzinfo=DENVER).astimezone(UTC),
    )
    told = figures(asked(source, since=since, until=until), None)
    assert (told["calls"], told["missed"], told["unique_callers"]) == (48, 16, 13)
    assert (told["from"][:10], told["to"][:10]) == ("2026-03-09", "2026-03-14")
    assert told["days"] == 7, "nobody called on Sunday, and it is a day of that week"


@pytest.mark.parametrize(
    ("since", "until", "days", "words"),
    [
        pytest.param(1, 32, 30, "Sun 01 Mar 2026 to Mon 30 Mar 2026", id="no longer than the records reach"),
        pytest.param(2, 30, 28, "Mon 02 Mar 2026 to Sun 29 Mar 2026", id="no longer than was asked for"),
        pytest.param(None, None, 30, "Sun 01 Mar 2026 to Mon 30 Mar 2026", id="all that there is"),
    ],
)
def test_a_week_is_reckoned_from_the_days_asked_for(
    tmp_path: Path, since: int | None, until: int | None, days: int, words: str
) -> None:
    def midnight(number: int | None) -> datetime | None:
        return (
            None
            if number is None
            else datetime.combine(FIRST + timedelta(days=number - 1), time(), DENVER).astimezone(UTC)
        )

    two_calls = [
        Rung(day(10, "09:00"), "gave up", "+13035550142", OFFICE),
        Rung(day(11, "09:00"), "gave up", "+13035550143", OFFICE),
    ]
    own_calls = [Rung(day(number, "08:00"), "out", "+13035550179") for number in range(1, 31)]
    source = str(write_csv(tmp_path / "Master.csv", all_rows(sorted([*two_calls, *own_calls], key=lambda one: one.at))))
    told = asked(source, since=midnight(since), until=midnight(until)).leak
    value = worth(told, 350, None)
    assert value is not None
    assert (told.days, period(told), told.total.missed) == (days, words, 2)
    assert value.missed_a_week == pytest.approx(2 / (days / 7))


@pytest.mark.parametrize("dialled", ["3035550142", "913035550142", "93035550142", "*673035550142", "*6793035550142"])
def test_a_call_back_counts_whatever_is_dialled_first(tmp_path: Path, dialled: str) -> None:
    calls = [Rung(day(10, "09:00"), "gave up", "+13035550142", OFFICE), Rung(day(10, "09:10"), "out", dialled)]
    leak = asked(str(write_csv(tmp_path / "Master.csv", all_rows(calls)))).leak
    assert (leak.called_back, leak.never_reached) == (1, 0)


def test_figures_can_be_written_as_json(answer: Answer) -> None:
    assert json.loads(json.dumps(figures(answer, worth(answer.leak, 400, None))))["calls"] == 200
