"""What is kept about a number, what is left when it is forgotten, and what is let go with time."""

import json
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlite_utils

from tests.core.calls import a_call
from tests.store.rows import CALLER, DAY, DID, NOON, a_text, after, judged
from textbackd.core.call import Direction, Moment
from textbackd.core.decide import Action, Decision, Why
from textbackd.core.missed import Judgement, Reason, Verdict
from textbackd.core.phone import E164
from textbackd.store import acts, asks, bookings, halts, inbox, journal, leads, never, notices, optouts, outbox, reports
from textbackd.store.acts import Act, ActKind
from textbackd.store.bookings import Booking
from textbackd.store.database import open_database, writing
from textbackd.store.dossier import dossier, is_known
from textbackd.store.halts import HaltKind
from textbackd.store.inbox import Came, Incoming
from textbackd.store.leads import NewLead
from textbackd.store.notices import NewNotice, Way
from textbackd.store.optouts import OptedOutBy
from textbackd.store.reports import Heard
from textbackd.store.retention import Kept, compact, forget, let_go
from textbackd.store.states import State, TextOf

ANNAS = E164("+13035550113")
OTHER = E164("+13035550177")
SECRET = "about the roof of the chapel"
TABLES = (
    "calls",
    "cases",
    "outbox",
    "attempts",
    "parts",
    "inbox",
    "optouts",
    "asks",
    "never",
    "unreachable",
    "halts",
    "conversations",
    "acts",
    "news",
    "notices",
    "leads",
    "bookings",
)
KEPT = Kept(texts=timedelta(days=180), calls=timedelta(days=400))


def life_of(db: sqlite_utils.Database, number: E164, tag: str) -> None:
    """Let a number be missed, texted, answer, be called back, and opt out."""
    way = (Moment(NOON, "arrived", number),)
    call = a_call(linkedid=f"{tag}.1", way=way, caller_presented=number, caller_name="Jane")
    halts.halt(db, HaltKind.BRAKE, line=None, until=None, why=f"3 in a row, the last one {number}", now=NOON)
    text = a_text(recipient=number, body=SECRET)
    journal.record(db, judged(f"{tag}.1", call=call, caller=number), text, same_case_within=DAY, now=NOON)
    halts.resume(db, line=None, now=after(seconds=1))
    sent = outbox.claim(db, "stick", after(seconds=2))
    assert sent is not None
    outbox.accepted(db, sent, f"{tag}-ref", after(seconds=3))
    heard = Heard(gateway="stick", reference="early", text_id=None, recipient=number, state=State.DELIVERED, detail="")
    reports.report(db, heard, NOON)
    called_back(db, number, tag, way)
    wrote(db, number, tag)
    told(db, number, tag)
    with writing(db):
        optouts.note_unreachable(db, number, "a landline", NOON)
        acts.add_within(db, Act(at=NOON, kind=ActKind.NOTE, staff="anna", number=number, detail=SECRET))
        asked_by_itself(db, number, tag)


def asked_by_itself(db: sqlite_utils.Database, number: E164, tag: str) -> None:
    """Fill in a form, and make an appointment."""
    lead = NewLead(source="website", line="main", at=NOON, number=number, phone=number, name="Jane", words=SECRET)
    leads.add_within(db, lead, None, None, None)
    booking = Booking(
        source="cal",
        booking=tag,
        number=number,
        name="Jane",
        starts_at=after(hours=1),
        cancelled=False,
        changed_at=NOON,
    )
    bookings.put_within(db, booking)


def told(db: sqlite_utils.Database, number: E164, tag: str) -> None:
    """Let one of the staff be told by text, and answer."""
    body = f"#1 {number}: {SECRET}"
    text = a_text(kind=TextOf.STAFF, recipient=ANNAS, body=body, gateways=["told"])
    answer = Incoming(
        gateway="stick",
        reference=f"{tag}-anna",
        kind=Came.TEXT,
        sender=ANNAS,
        number=ANNAS,
        recipient=None,
        body=SECRET,
        media=0,
        received_at=NOON,
    )
    with writing(db):
        text_id = outbox.add(db, text, case_id=None, call_id=None, now=NOON)
        notice = NewNotice(
            number=number,
            matter="wrote",
            staff="anna",
            way=Way.MOBILE,
            payload={"words": SECRET},
            expires_at=NOON,
            text_id=text_id,
        )
        notices.add_within(db, notice, NOON)
        inbox_id = inbox.add_within(db, answer, NOON)
        assert inbox_id is not None
        inbox.note_about(db, inbox_id, number)
    claimed = outbox.claim(db, "told", NOON)
    assert claimed is not None
    outbox.accepted(db, claimed, f"{tag}-told", NOON)


def called_back(db: sqlite_utils.Database, number: E164, tag: str, way: tuple[Moment, ...]) -> None:
    call = a_call(
        linkedid=f"{tag}.2", direction=Direction.OUTBOUND, way=way, caller_presented=DID, did_presented=number
    )
    ignored = judged(
        f"{tag}.2",
        call=call,
        caller=DID,
        did=number,
        judgement=Judgement(Verdict.IGNORED, Reason.OUTBOUND),
        decision=Decision(Action.SKIP, Why.IGNORED),
    )
    journal.record(db, ignored, None, same_case_within=DAY, now=NOON)


def wrote(db: sqlite_utils.Database, number: E164, tag: str, body: str = SECRET) -> int:
    came = Incoming(
        gateway="stick", reference=tag, kind=Came.TEXT, sender=number, number=number, recipient=None, body=body, media=0,
        received_at=NOON,
    )  # fmt: skip
    with writing(db):
        inbox_id = inbox.add_within(db, came, NOON)
    assert inbox_id is not None
    return inbox_id


def counts(db: sqlite_utils.Database) -> dict[str, int]:
    return {table: db[table].count for table in TABLES if db[table].count}


def everything(db: sqlite_utils.Database) -> str:
    return json.dumps([list(db[table].rows) for table in TABLES])


def test_the_dossier_holds_every_trace_of_a_number_and_of_no_other(db: sqlite_utils.Database) -> None:
    life_of(db, CALLER, "a")
    life_of(db, OTHER, "b")
    optouts.add(db, CALLER, OptedOutBy.TEXT, "stick", NOON)
    kept = dossier(db, CALLER)
    assert {name: len(rows) for name, rows in kept.items() if name != "number"} == {
        "calls": 2, "cases": 1, "texts": 1, "incoming": 1, "staff_wrote": 1, "told_staff": 1,
        "opted_out": 1, "asked_to_stop": 0, "never": 0, "unreachable": 1, "halts": 2,
        "conversation": 1, "acts": 1, "news": 2, "notices": 1, "leads": 1, "bookings": 1,
    }  # fmt: skip
    (text,) = kept["texts"]
    assert [attempt["outcome"] for attempt in text["tried"]] == ["accepted"]
    assert [part["reference"] for part in text["parts"]] == ["a-ref"]
    assert OTHER not in json.dumps({**kept, "halts": []})


def test_of_a_number_that_never_called_nothing_is_known(db: sqlite_utils.Database) -> None:
    life_of(db, CALLER, "a")
    assert not is_known(dossier(db, OTHER))


def test_nothing_of_a_forgotten_number_is_left_in_the_file(db: sqlite_utils.Database, tmp_path: Path) -> None:
    life_of(db, CALLER, "a")
    optouts.add(db, CALLER, OptedOutBy.PERSON, "Jane asked", NOON)
    never.add(db, CALLER, "", "Jane sells adverts", NOON)
    assert forget(db, CALLER)
    assert compact(db)
    assert counts(db) == {"calls": 2, "halts": 1, "optouts": 1, "never": 1, "acts": 1}
    for file in tmp_path.glob("textbackd.db*"):
        content = file.read_bytes()
        for trace in (CALLER, CALLER[1:], SECRET, "Jane", "a-ref"):
            assert trace.encode() not in content, f"{trace} is in {file.name}"


def test_a_summary_for_staff_that_names_a_forgotten_number_goes_with_it(db: sqlite_utils.Database) -> None:
    for number in (CALLER, OTHER):
        said = f"1 waits for an answer: #7 Jane {number} (15 h)."
        outbox.add_manual(db, a_text(kind=TextOf.STAFF, recipient=ANNAS, body=said), now=NOON)
        notice = NewNotice(
            number=None, matter="summary", staff="anna", way=Way.EMAIL, payload={"text": said}, expires_at=after(days=1)
        )  # fmt: skip
        with writing(db):
            notices.add_within(db, notice, NOON)
    called_back(db, CALLER, "1", ())
    assert forget(db, CALLER)
    left = [*(row["body"] for row in db["outbox"].rows), *(row["payload"] for row in db["notices"].rows)]
    assert [OTHER in said and CALLER not in said for said in left] == [True, True]


def test_forgetting_one_number_leaves_the_others_alone(db: sqlite_utils.Database) -> None:
    life_of(db, OTHER, "b")
    before = dossier(db, OTHER)
    life_of(db, CALLER, "a")
    assert forget(db, CALLER)
    assert {**dossier(db, OTHER), "halts": []} == {**before, "halts": []}
    assert len(before["calls"]) == 2


def test_a_forgotten_call_still_counts_and_is_not_recorded_again(db: sqlite_utils.Database) -> None:
    life_of(db, CALLER, "a")
    before = journal.counts(db)
    forget(db, CALLER)
    assert journal.counts(db) == before
    again = journal.record(db, judged("a.1"), a_text(), same_case_within=DAY, now=NOON)
    assert (again.new, again.text_id) == (False, None)


@pytest.mark.parametrize("asked", [False, True], ids=["STOP", "perhaps STOP"])
def test_who_wants_no_texts_is_remembered_without_the_number(db: sqlite_utils.Database, asked: bool) -> None:
    if asked:
        inbox_id = wrote(db, CALLER, "a", "please don't text me")
        with writing(db):
            asks.add_within(db, CALLER, inbox_id, NOON)
    else:
        optouts.add(db, CALLER, OptedOutBy.TEXT, "stick", NOON)
    assert forget(db, CALLER)
    assert CALLER not in everything(db)
    assert journal.history(db, CALLER, now=NOON, observing=False).opted_out_at == NOON


def test_a_number_that_is_being_texted_is_not_forgotten_now(db: sqlite_utils.Database) -> None:
    journal.record(db, judged(), a_text(), same_case_within=DAY, now=NOON)
    assert outbox.claim(db, "stick", NOON) is not None
    before = everything(db)
    assert not forget(db, CALLER)
    assert everything(db) == before


def test_a_file_that_is_in_use_is_not_made_smaller_and_that_is_no_fault(
    db: sqlite_utils.Database, tmp_path: Path
) -> None:
    with closing(open_database(tmp_path / "textbackd.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        db.execute("PRAGMA busy_timeout = 1")
        assert not compact(db)
        other.execute("ROLLBACK")
    assert compact(db)


@pytest.mark.parametrize(
    ("days", "kept", "left"),
    [
        pytest.param(
            179, KEPT,
            {"calls": 2, "cases": 1, "outbox": 2, "attempts": 2, "parts": 3, "inbox": 2, "optouts": 1, "unreachable": 1, "halts": 1,
             "conversations": 1, "acts": 1, "news": 2, "notices": 1, "leads": 1, "bookings": 1},
            id="all, for as long as it is kept",
        ),
        pytest.param(
            181, KEPT,
            {"calls": 2, "cases": 1, "optouts": 1, "unreachable": 1, "halts": 1, "conversations": 1, "bookings": 1},
            id="texts go first",
        ),
        pytest.param(401, KEPT, {"optouts": 1}, id="of a number long gone only the opt-out is left"),
        pytest.param(
            9999, Kept(texts=None, calls=None),
            {"calls": 2, "cases": 1, "outbox": 2, "attempts": 2, "parts": 3, "inbox": 2, "optouts": 1, "unreachable": 1, "halts": 1,
             "conversations": 1, "acts": 1, "news": 2, "notices": 1, "leads": 1, "bookings": 1},
            id="for ever",
        ),
        pytest.param(
            9999, replace(KEPT, texts=None),
            {"calls": 1, "cases": 1, "outbox": 2, "attempts": 2, "parts": 3, "inbox": 2, "optouts": 1,
             "conversations": 1, "acts": 1, "news": 2, "notices": 1, "leads": 1},
            id="a call stays as long as its text",
        ),
    ],
)  # fmt: skip
def test_what_is_older_than_it_is_kept_goes(
    db: sqlite_utils.Database, days: int, kept: Kept, left: dict[str, Any]
) -> None:
    life_of(db, CALLER, "a")
    optouts.add(db, CALLER, OptedOutBy.TEXT, "stick", NOON)
    let_go(db, kept, NOON + timedelta(days=days))
    assert counts(db) == left
    assert journal.history(db, CALLER, now=NOON, observing=False).opted_out_at == NOON


def test_the_opt_out_of_a_number_without_any_trace_is_a_hash(db: sqlite_utils.Database) -> None:
    life_of(db, CALLER, "a")
    optouts.add(db, CALLER, OptedOutBy.TEXT, "stick", NOON)
    let_go(db, KEPT, NOON + timedelta(days=399))
    assert [one.number for one in optouts.listing(db)] == [CALLER]
    let_go(db, KEPT, NOON + timedelta(days=401))
    assert [one.number for one in optouts.listing(db)] == [None]


def test_a_text_that_waits_is_never_too_old_to_keep(db: sqlite_utils.Database) -> None:
    journal.record(db, judged(), a_text(), same_case_within=DAY, now=NOON)
    let_go(db, KEPT, NOON + timedelta(days=9999))
    assert counts(db) == {"calls": 1, "cases": 1, "outbox": 1, "conversations": 1}


def test_what_a_person_has_to_read_is_asked_even_when_the_text_is_gone(db: sqlite_utils.Database) -> None:
    inbox_id = wrote(db, CALLER, "a", "please don't text me")
    with writing(db):
        asks.add_within(db, CALLER, inbox_id, NOON)
    let_go(db, KEPT, NOON + timedelta(days=200))
    assert [(one.number, one.body) for one in asks.listing(db)] == [(CALLER, "")]
