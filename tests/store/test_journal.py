"""Calls, their cases and their texts: recorded once, in one transaction, whatever happens twice."""

import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlite_utils

from tests.core.calls import a_call
from tests.store.rows import ANSWERED, CALLER, DAY, DID, MISSED, NOON, a_text, after, judged
from textbackd.core.call import Direction, Moment
from textbackd.core.decide import Action, Decision, Why
from textbackd.core.phone import E164
from textbackd.store import journal, outbox
from textbackd.store.journal import JudgedCall, Recorded, Resolution, record
from textbackd.store.outbox import NewText
from textbackd.store.states import State, TextOf

OTHER = E164("+13035550177")


def write(db: sqlite_utils.Database, call: JudgedCall, text: NewText | None = None) -> Recorded:
    return record(db, call, text, same_case_within=DAY, now=call.ended_at)


def rows(db: sqlite_utils.Database, table: str) -> list[dict[str, Any]]:
    return list(db[table].rows)


def test_a_call_its_case_and_its_text_are_written_together(db: sqlite_utils.Database) -> None:
    done = write(db, judged(), a_text())
    (call,), (case,), (text,) = (rows(db, table) for table in ("calls", "cases", "outbox"))
    assert done == Recorded(call_id=call["id"], new=True, case_id=case["id"], text_id=text["id"])
    assert (call["verdict"], call["reason"], call["decision"], call["decision_reason"]) == (
        ("missed", "no_answer", "text", "missed")
    )
    assert (text["call_id"], text["case_id"], text["state"], text["gateway"]) == (
        call["id"],
        case["id"],
        "queued",
        "stick",
    )


def test_recording_a_call_again_changes_nothing(db: sqlite_utils.Database) -> None:
    first = write(db, judged(), a_text())
    again = write(db, judged(ended_at=after(hours=30)), a_text())
    assert again == Recorded(call_id=first.call_id, new=False, case_id=first.case_id, text_id=None)
    assert [len(rows(db, table)) for table in ("calls", "cases", "outbox")] == [1, 1, 1]
    assert rows(db, "cases")[0]["misses"] == 1


def test_the_same_linkedid_on_two_pbxs_is_two_calls(db: sqlite_utils.Database) -> None:
    assert [write(db, judged(pbx=pbx)).new for pbx in ("office", "branch")] == [True, True]


def test_a_text_that_cannot_be_written_leaves_no_call_without_it(db: sqlite_utils.Database) -> None:
    with pytest.raises(sqlite3.Error):
        write(db, judged(), a_text(body=None))
    assert [rows(db, table) for table in ("calls", "cases", "outbox")] == [[], [], []]


@pytest.mark.parametrize(
    ("second", "misses"),
    [
        pytest.param({"ended_at": after(hours=23, minutes=59)}, [2], id="within the cooldown: the same case"),
        pytest.param({"ended_at": after(hours=24)}, [1, 1], id="on the dot: a new case"),
        pytest.param({"caller": OTHER}, [1, 1], id="another caller"),
        pytest.param({"line": "second"}, [2], id="another line of ours: the same case"),
        pytest.param({"judgement": ANSWERED}, [1], id="answered: no miss"),
        pytest.param({"caller": None}, [1], id="withheld: nobody's case"),
    ],
)
def test_misses_of_one_caller_are_one_case(
    db: sqlite_utils.Database, second: dict[str, Any], misses: list[int]
) -> None:
    write(db, judged())
    write(db, judged("1.2", **second))
    assert [case["misses"] for case in rows(db, "cases")] == misses


def test_a_call_that_is_written_down_late_does_not_turn_the_case_s_clock_back(db: sqlite_utils.Database) -> None:
    write(db, judged(ended_at=after(hours=2)))
    write(db, judged("1.2", ended_at=after(hours=1)))
    assert [datetime.fromisoformat(case["last_miss_at"]) for case in rows(db, "cases")] == [after(hours=2)]


def test_a_case_cannot_have_two_texts_not_even_by_force(db: sqlite_utils.Database) -> None:
    done = write(db, judged(), a_text())
    with pytest.raises(sqlite3.IntegrityError):
        outbox.add(db, a_text(), case_id=done.case_id, call_id=done.call_id, now=NOON)


def test_a_decision_that_another_has_overtaken_becomes_a_skip(db: sqlite_utils.Database) -> None:
    write(db, judged(), a_text())
    second = write(db, judged("1.2", pbx="branch"), a_text())
    assert second.text_id is None
    assert [(call["decision"], call["decision_reason"]) for call in rows(db, "calls")][1] == ("skip", "cooldown")


@pytest.mark.parametrize("state", [State.EXPIRED, State.CANCELLED, State.SUPPRESSED])
def test_a_text_that_certainly_never_went_out_makes_room_for_another(db: sqlite_utils.Database, state: State) -> None:
    done = write(db, judged(), a_text(state=state))
    outbox.add(db, a_text(), case_id=done.case_id, call_id=done.call_id, now=NOON)
    assert len(rows(db, "outbox")) == 2


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(seconds=10), timedelta(seconds=-10)])
def test_a_pbx_whose_clock_is_wrong_never_stops_the_record(db: sqlite_utils.Database, ahead: timedelta) -> None:
    for number, ours in enumerate([NOON, NOON + DAY - timedelta(seconds=5), NOON + DAY + timedelta(seconds=5)]):
        call = judged(f"1.{number}", ended_at=ours + ahead)
        record(db, call, a_text(at=call.ended_at), same_case_within=DAY, now=ours)
    assert len(rows(db, "calls")) == 3


# ---- what is known of a caller


def known(db: sqlite_utils.Database, *, observing: bool = False) -> tuple[datetime | None, datetime | None]:
    caller = journal.history(db, CALLER, now=NOON, observing=observing)
    return caller.last_text_at, caller.last_talk_at


@pytest.mark.parametrize(
    ("state", "observing", "counts"),
    [
        (State.QUEUED, False, True),
        (State.SUBMITTING, False, True),
        (State.ACCEPTED, False, True),
        (State.UNKNOWN, False, True),
        (State.FAILED, False, True),
        (State.EXPIRED, False, False),
        (State.CANCELLED, False, False),
        (State.SUPPRESSED, False, False),
        pytest.param(State.SUPPRESSED, True, True, id="while observing, what would have gone out counts"),
        pytest.param(State.EXPIRED, True, False, id="but not what would have expired"),
    ],
)
def test_a_text_counts_for_the_cooldown_if_it_may_have_gone_out(
    db: sqlite_utils.Database, state: State, observing: bool, counts: bool
) -> None:
    write(db, judged(), a_text(state=state))
    assert known(db, observing=observing) == (NOON if counts else None, None)


def test_a_text_that_a_person_wrote_starts_no_cooldown(db: sqlite_utils.Database) -> None:
    outbox.add_manual(db, a_text(kind=TextOf.MANUAL), now=NOON)
    assert known(db) == (None, None)


def test_the_newest_text_and_the_newest_talk_count(db: sqlite_utils.Database) -> None:
    for number, hours in enumerate((30, 0, 60)):
        at = after(hours=hours)
        write(db, judged(f"1.{number}", ended_at=at), a_text(at=at))
        write(db, judged(f"2.{number}", ended_at=at, judgement=ANSWERED))
    assert known(db) == (after(hours=60), after(hours=60))


def test_the_cooldown_counts_from_when_a_held_text_goes_and_not_from_the_call(db: sqlite_utils.Database) -> None:
    write(db, judged(), a_text(due_at=after(hours=-1), hung_up_at=after(hours=-11), state=State.DELIVERED, held=True))
    assert known(db) == (after(hours=-1), None)


@pytest.mark.parametrize("state", [State.QUEUED, State.SUBMITTING])
@pytest.mark.parametrize(("due", "counts_as"), [(-1, 0), (9, 9)], ids=["due for an hour", "due in nine hours"])
def test_a_text_that_waits_counts_as_one_that_goes_now_or_when_it_is_due(
    db: sqlite_utils.Database, state: State, due: int, counts_as: int
) -> None:
    write(db, judged(), a_text(due_at=after(hours=due), hung_up_at=after(hours=-2), state=state))
    assert known(db) == (after(hours=counts_as), None)


def test_nothing_is_known_of_a_stranger(db: sqlite_utils.Database) -> None:
    write(db, judged(caller=OTHER), a_text(recipient=OTHER))
    assert known(db) == (None, None)


# ---- resolved


def test_a_resolved_case_is_closed_and_its_text_cancelled(db: sqlite_utils.Database) -> None:
    write(db, judged(), a_text())
    assert journal.resolve(db, CALLER, Resolution.CALLED_AGAIN, after(seconds=3)) == 1
    assert [text["state"] for text in rows(db, "outbox")] == ["cancelled"]
    assert outbox.claim(db, "stick", after(seconds=5)) is None


def test_a_text_that_comes_back_from_a_gateway_after_its_case_was_resolved_stays_unsent(
    db: sqlite_utils.Database,
) -> None:
    write(db, judged(), a_text())
    text = outbox.claim(db, "stick", NOON)
    assert text is not None
    journal.resolve(db, CALLER, Resolution.CALLED_AGAIN, after(seconds=3))
    outbox.put_back(
        db, text, gateway="web", due_at=NOON, outcome="not_sent", code=None, explanation="busy", now=after(seconds=4)
    )
    assert outbox.claim(db, "web", after(seconds=5)) is None


def test_after_a_resolution_a_miss_begins_a_new_case(db: sqlite_utils.Database) -> None:
    write(db, judged())
    journal.resolve(db, CALLER, Resolution.CALLED_BACK, after(seconds=3))
    write(db, judged("1.2", ended_at=after(minutes=1)))
    assert [case["misses"] for case in rows(db, "cases")] == [1, 1]


def test_only_the_caller_s_own_cases_are_resolved(db: sqlite_utils.Database) -> None:
    write(db, judged(caller=OTHER), a_text(recipient=OTHER))
    assert journal.resolve(db, CALLER, Resolution.CALLED_AGAIN, NOON) == 0
    assert [text["state"] for text in rows(db, "outbox")] == ["queued"]


# ---- looking things up


@pytest.mark.parametrize("wanted", ["1.2", CALLER, "anonymous"], ids=["linkedid", "number", "as presented"])
def test_a_call_is_found_by_what_a_person_may_know(db: sqlite_utils.Database, wanted: str) -> None:
    write(db, judged("9.9", caller=OTHER, call=a_call(linkedid="9.9", caller_presented="x")))
    write(db, judged(call=a_call(linkedid="1.2", caller_presented="anonymous")))
    found = journal.find_calls(db, wanted, CALLER if wanted == CALLER else None)
    assert [row["linkedid"] for row in found] == ["1.2"]


def test_the_newest_call_is_found_first_and_only_so_many(db: sqlite_utils.Database) -> None:
    for number in (2, 0, 1):
        write(db, judged(str(number), ended_at=after(hours=number)))
    assert [row["linkedid"] for row in journal.find_calls(db, "", CALLER, limit=2)] == ["2", "1"]


def test_the_way_of_a_call_comes_back(db: sqlite_utils.Database) -> None:
    way = (Moment(NOON, "arrived", DID), Moment(None, "rang", "PJSIP/1\n\x00é"))
    write(db, judged(call=a_call(way=way)))
    assert journal.way_from_json(rows(db, "calls")[0]["way"]) == way


def test_calls_are_counted_by_what_became_of_them(db: sqlite_utils.Database) -> None:
    skip = Decision(Action.SKIP, Why.ANSWERED)
    write(db, judged("1"))
    write(db, judged("2"))
    write(db, judged("3", judgement=ANSWERED, decision=skip))
    assert sorted(journal.counts(db)) == [
        ("answered", "", "skip", "answered", 1),
        ("missed", "no_answer", "text", "missed", 2),
    ]


def test_only_numbers_that_were_called_from_outside_are_ours(db: sqlite_utils.Database) -> None:
    write(db, judged("1"))
    write(db, judged("2", did=OTHER, call=a_call(linkedid="2", direction=Direction.OUTBOUND)))
    write(db, judged("3", did=None, call=a_call(linkedid="3")))
    assert journal.seen_dids(db) == [DID]


def test_a_call_without_times_is_kept_with_the_clock_s(db: sqlite_utils.Database) -> None:
    write(db, judged(call=a_call(started_at=None, ended_at=None), judgement=MISSED))
    row = rows(db, "calls")[0]
    assert (row["started_at"], datetime.fromisoformat(row["ended_at"])) == (None, NOON.astimezone(UTC))
