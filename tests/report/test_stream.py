"""The quick way says of every call what the careful way says, on all recordings and on calls that nobody would think of."""

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.report.records import NOON, blocks, carefully, quickly, row, trunks_of, written
from tests.traces import HERE, Story, stories
from textbackd.core.from_records import QueueEvent
from textbackd.core.trunk import Trunks
from textbackd.pbx.records import stream_cdr, stream_queue_log
from textbackd.pbx.records.queue_log import event_of
from textbackd.pbx.records.texts import END_AT, START_AT, Texts, chooser, row_of
from textbackd.report.quick_calls import Office
from textbackd.report.stream import WINDOW, Stream

EVER = datetime(2000, 1, 1, tzinfo=UTC)
ZONE = ZoneInfo("UTC")
STORIES = [story for story in stories() if story.path.is_relative_to(HERE)]


def records_of(story: Story) -> tuple[list[Texts], list[QueueEvent]]:
    cdr, queue_log = story.path.with_suffix(".cdr.csv"), story.path.with_suffix(".queue_log")
    rows = [r for block in stream_cdr(str(cdr), since=EVER, tz=ZONE) for r in block.rows] if cdr.exists() else []
    return rows, list(stream_queue_log(queue_log, since=EVER)) if queue_log.exists() else []


def freepbx() -> list[Path]:
    folder = os.environ.get("TEXTBACKD_TRACES", "")
    return sorted(Path(folder).glob("freepbx*/*.truth.json")) if folder else []


@pytest.mark.skipif(
    not freepbx(), reason="set TEXTBACKD_TRACES to the folder with recordings of FreePBX to try their rows"
)
@pytest.mark.parametrize("path", freepbx(), ids=lambda p: f"{p.parent.name}/{p.name.split('.')[0]}")
def test_a_recorded_call_of_freepbx_is_judged_alike(path: Path) -> None:
    recorded = json.loads(path.read_text())
    events = [event for line in recorded["queue_log"] if (event := event_of(line))]
    rows = [chooser(list(fields))([*map(str, fields.values()), ""]) for fields in recorded["cdr"]]
    names = trunks_of(rows)
    assert quickly(rows, events, names) == carefully(rows, events, names)


@pytest.mark.parametrize("story", STORIES, ids=lambda s: s.name)
@pytest.mark.parametrize("with_queue_log", [True, False])
def test_a_recorded_call_is_judged_alike(story: Story, with_queue_log: bool) -> None:
    rows, events = records_of(story)
    events = events if with_queue_log else []
    assert quickly(rows, events, {"PJSIP/trunk"}) == carefully(rows, events, {"PJSIP/trunk"})


def test_all_recordings_in_one_go_are_judged_alike() -> None:
    rows = sorted({r for story in STORIES for r in records_of(story)[0]}, key=lambda r: r[END_AT])
    assert len(rows) > 100
    assert quickly(rows, [], {"PJSIP/trunk"}) == carefully(rows, [], {"PJSIP/trunk"})


# ---- calls that nobody would think of

TRUNKS: Final = {"PJSIP/trunk", "PJSIP/trunk2"}
CALLERS: Final = ["+12015550100", "2015550100", "+12015550111", "anonymous", "", "101"]
NUMBERS: Final = ["+13035550101", "101", "s", "600", "3035550102", "h", "*672015550100"]
CONTEXTS: Final = [
    "from-trunk",
    "ext-local",
    "ivr-1",
    "from-internal",
    "from-sip-external",
    "app-blackhole",
    "closed",
    "from-queue",
]
DATA: Final = ["PJSIP/101,30", "PJSIP/101,10,tk", "sales,t,,,20", "sales", "21", "PJSIP/102|15", "", "x,5^y"]
APPS: Final = ["Dial", "Queue", "VoiceMail", "BackGround", "Hangup", "Playback", "Busy", "Park", "dial", "AGI", ""]
DISPOSITIONS: Final = ["ANSWERED", "NO ANSWER", "BUSY", "FAILED", "CONGESTION", "8", "nonsense"]
FAR: Final = ["PJSIP/101-{}", "PJSIP/alice-{}", "PJSIP/trunk-{}", "Local/101@x-{};1", "Bridge/x-{}", ""]
OWN: Final = ["PJSIP/trunk-{}", "PJSIP/trunk-{}", "PJSIP/trunk2-{}", "PJSIP/101-{}", "Local/101@x-{};2", "DAHDI/1-1"]


@st.composite
def a_call(draw: st.DrawFn, number: int, naming: str) -> list[dict[str, Any]]:
    """Return the rows of a call, whose channels have names that no other call has."""
    own, begins = draw(st.sampled_from(OWN)).format(f"{number:07x}0"), number * 40 + draw(st.integers(0, 60))
    src, clid = draw(st.sampled_from(CALLERS)), draw(st.sampled_from(['"Ann" <+12015550177>', "Ann", ""]))
    rows = []
    for place in range(draw(st.integers(1, 4))):
        other = draw(st.integers(0, 4)) == 0 and naming != "none"
        channel = draw(st.sampled_from(OWN)).format(f"{number:07x}{place}") if other else own
        name = f"{1795435200 + number}.{number}"
        rows.append({
            "channel": channel if channel != "DAHDI/1-1" or naming == "none" else own,
            "uniqueid": "" if naming == "none" else f"{name}{place}" if other else name,
            "linkedid": name if naming == "linkedid" else "",
            "app": draw(st.sampled_from(APPS)), "lastdata": draw(st.sampled_from(DATA)),
            "to": draw(st.sampled_from(FAR)).format(f"{number:07x}{draw(st.integers(0, 2))}"),
            "disposition": draw(st.sampled_from(DISPOSITIONS)), "dcontext": draw(st.sampled_from(CONTEXTS)),
            "dst": draw(st.sampled_from(NUMBERS)), "did": draw(st.sampled_from(["", "", "3035550199"])), "src": src, "clid": clid,
            "begins": begins + draw(st.integers(0, 40)), "lasts": draw(st.integers(0, 45)),
            "answered": draw(st.sampled_from([None, None, 0, 1, 7])), "sequence": draw(st.sampled_from(["", str(place), "7"])),
        })  # fmt: skip
    return rows


@st.composite
def an_office(draw: st.DrawFn) -> list[Texts]:
    """Return the rows of some calls, which overlap."""
    naming = draw(st.sampled_from(["linkedid", "uniqueid", "none"]))
    base = draw(st.sampled_from([NOON, NOON + timedelta(hours=9)]))
    calls = [draw(a_call(number, naming)) for number in range(draw(st.integers(1, 6)))]
    rows = [
        row(fields.pop("app"), fields.pop("to"), fields.pop("disposition"), base=base, **fields)
        for call in calls
        for fields in call
    ]
    return sorted(rows, key=lambda r: r[END_AT])


ENDS: Final = ["CONNECT", "ABANDON", "EXITWITHTIMEOUT", "COMPLETECALLER", "RINGNOANSWER"]


@st.composite
def a_queue_log(draw: st.DrawFn, rows: Sequence[Texts]) -> list[QueueEvent]:
    """Return what a queue may have written of these calls and of one that has no rows."""
    names = sorted({r[0] for r in rows if r[0]})
    began = min((read.started_at for r in rows if (read := row_of(r, ZONE))), default=NOON)
    events = [event(began, "NONE", "QUEUESTART")] if draw(st.booleans()) else []
    alone = f"{int(began.timestamp()) + 1}.99"
    for name in draw(st.lists(st.sampled_from([*names, alone]), max_size=3, unique=True)):
        at = began + timedelta(seconds=draw(st.integers(0, 120)))
        steps = draw(st.permutations(["DID", "ENTERQUEUE", *draw(st.lists(st.sampled_from(ENDS), max_size=2))]))
        events += [event(at + timedelta(seconds=5 * place), name, what) for place, what in enumerate(steps)]
    return sorted(events, key=lambda one: one.at)


def event(at: datetime, name: str, what: str) -> QueueEvent:
    details = {"DID": ("+13035550188",), "ENTERQUEUE": ("", "+12015550166", "1")}.get(what, ())
    return QueueEvent(at=at, uniqueid=name, queue="sales", agent="NONE", what=what, details=details)


@given(an_office(), st.integers(1, 7))
@settings(max_examples=300, deadline=None)
def test_any_rows_are_judged_alike(rows: list[Texts], at_once: int) -> None:
    names = TRUNKS | trunks_of(rows)
    assert sorted(quickly(rows, [], names, at_once=at_once)) == carefully(rows, [], names)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_any_rows_with_a_queue_log_are_judged_alike(data: st.DataObject) -> None:
    rows = [r for r in data.draw(an_office()) if r[0]]
    events, names = data.draw(a_queue_log(rows)), TRUNKS | trunks_of(rows)
    assert sorted(quickly(rows, events, names, at_once=3)) == carefully(rows, events, names)


@given(an_office())
@settings(max_examples=50, deadline=None)
def test_times_around_the_change_of_the_clocks_are_read_alike(rows: list[Texts]) -> None:
    # Denver, 1 November 2026: from 02:00 to 01:00. NOON's rows are written as if they began at 00:59:30 that day.
    moved = [
        r[:START_AT] + tuple(_moved(r[place]) for place in (START_AT, START_AT + 1, END_AT)) + r[END_AT + 1 :]
        for r in rows
    ]
    zone, names = ZoneInfo("America/Denver"), TRUNKS | trunks_of(rows)
    assert sorted(quickly(moved, [], names, zone=zone)) == carefully(moved, [], names, zone)


def _moved(text: str) -> str:
    if not text:
        return ""
    at = datetime.fromisoformat(text).replace(tzinfo=UTC) - NOON
    return written(datetime(2026, 11, 1, 0, 59, 30, tzinfo=UTC) + at)


# ---- hours and days


def a_day_of_calls(days: int) -> list[Texts]:
    """Return calls, one an hour, each of two rows that lie up to three hours apart."""
    rows = []
    for number in range(24 * days):
        name: dict[str, Any] = {"uniqueid": f"{number}.1", "linkedid": "", "channel": f"PJSIP/trunk-{number:08x}"}
        begins = 3600 * number
        rows.append(row(begins=begins, lasts=20, lastdata="PJSIP/101,20", **name))
        rows.append(
            row(to="PJSIP/102-9", disposition="ANSWERED", begins=begins + 20, lasts=300 * (number % 37), **name)
        )
    return sorted(rows, key=lambda r: r[END_AT])


@pytest.mark.parametrize("at_once", [1, 7, 1000])
def test_calls_that_last_for_hours_come_whole_and_in_the_order_of_their_ends(at_once: int) -> None:
    rows = a_day_of_calls(days=5)
    found = quickly(rows, [], {"PJSIP/trunk"}, at_once=at_once)
    assert found == carefully(rows, [], {"PJSIP/trunk"})
    assert len(found) == 120


def test_rows_of_a_batch_may_come_in_any_order() -> None:
    rows = a_day_of_calls(days=5)
    shuffled = [r for place in range(0, len(rows), 4) for r in reversed(rows[place : place + 4])]
    assert sorted(quickly(shuffled, [], {"PJSIP/trunk"}, at_once=7)) == carefully(rows, [], {"PJSIP/trunk"})


def test_what_is_held_does_not_grow_with_the_file() -> None:
    stream = Stream(Office(Trunks(), {"PJSIP/trunk"}, ZONE))
    held = []
    for _ in stream.calls(blocks(a_day_of_calls(days=40), 10)):
        held.append(stream.held)
    assert max(held) <= 4 * WINDOW // 3600 * 3, "three windows of one call and its two rows an hour"


def test_a_clock_that_was_set_wrong_for_a_while_does_no_harm() -> None:
    rows = a_day_of_calls(days=3)
    wrong = row(uniqueid="9999.1", linkedid="", channel="PJSIP/trunk-ffffffff", base=datetime(2099, 1, 1, tzinfo=UTC))
    found = quickly([*rows[:50], wrong, *rows[50:]], [], {"PJSIP/trunk"}, at_once=5)
    assert len({name for _, name, *_ in found}) == 24 * 3 + 1


def waits_in_queues(hours: int) -> tuple[list[Texts], list[QueueEvent]]:
    """Return calls that gave up in a queue, one an hour, as the CDR and as queue_log tell of them."""
    rows, events = [], []
    for number in range(hours):
        at, name = NOON + timedelta(hours=number), f"{int(NOON.timestamp()) + 3600 * number}.{number}"
        channel = f"PJSIP/trunk-{number:08x}"
        rows.append(
            row("Queue", lastdata="sales,t,,,60", base=at, lasts=40, channel=channel, uniqueid=name, linkedid="")
        )
        events += [event(at, name, "ENTERQUEUE"), event(at + timedelta(seconds=40), name, "ABANDON")]
    return rows, events


def test_a_line_of_queue_log_that_is_far_ahead_counts_no_call_twice() -> None:
    rows, events = waits_in_queues(100)
    events[0] = replace(events[0], at=datetime(2099, 1, 1, tzinfo=UTC))
    found = quickly(rows, events, {"PJSIP/trunk"}, at_once=5)
    assert len(found) == 100
    assert {said for _, _, _, said, _, _ in found} == {"missed queue_gave_up"}


@pytest.mark.parametrize(
    ("from_noon", "counts"),
    [
        pytest.param(timedelta(days=-60), False, id="before the rows"),
        pytest.param(timedelta(days=60), False, id="after the rows"),
        pytest.param(timedelta(hours=30, minutes=5), True, id="between them"),
        pytest.param(timedelta(hours=99, minutes=5), True, id="right after the last one, which a batch may hold back"),
    ],
)
def test_a_call_that_only_queue_log_knows_counts_in_the_time_of_the_rows(from_noon: timedelta, counts: bool) -> None:
    rows, events = waits_in_queues(100)
    at, name = NOON + from_noon, "1.7"
    alone = [event(at, name, "ENTERQUEUE"), event(at + timedelta(seconds=9), name, "ABANDON")]
    found = quickly(rows, sorted(events + alone, key=lambda one: one.at), {"PJSIP/trunk"}, at_once=5)
    assert len(found) == 100 + counts


def test_without_any_rows_queue_log_tells_of_its_calls() -> None:
    _, events = waits_in_queues(5)
    assert len(quickly([], events, {"PJSIP/trunk"})) == 5
