"""A call of which too little was seen is corrected once by what the records tell; nothing else is ever written twice."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlite_utils

from textbackd.core.call import Call, Moment
from textbackd.core.decide import Action, Decision, Why
from textbackd.core.from_records import CdrRow, Disposition, calls_from_records
from textbackd.core.missed import Judgement, Reason, Verdict
from textbackd.core.phone import E164, NotTextable
from textbackd.core.trunk import Trunks
from textbackd.store import journal, outbox
from textbackd.store.database import open_database
from textbackd.store.journal import JudgedCall, Recorded
from textbackd.store.outbox import NewText
from textbackd.store.states import State, TextOf

NOW = datetime(2026, 11, 23, 12, 5, tzinfo=UTC)
CALLER = E164("+12015550100")
UNSEEN, RESTART = Judgement(Verdict.UNCERTAIN, Reason.NOT_SEEN), Judgement(Verdict.UNCERTAIN, Reason.PBX_RESTARTED)
MISSED, ANSWERED = Judgement(Verdict.MISSED, Reason.NO_ANSWER), Judgement(Verdict.ANSWERED)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite_utils.Database]:
    opened = open_database(tmp_path / "textbackd.db")
    yield opened
    opened.close()


def call() -> Call:
    began = NOW - timedelta(minutes=1)
    row = CdrRow(
        uniqueid="1795435200.1", linkedid="1795435200.1", channel="PJSIP/trunk-00000001", dstchannel="PJSIP/101-00000002",
        src=CALLER, clid="", dst="+13035550101", dcontext="from-trunk", did="", lastapp="Dial", lastdata="PJSIP/101,20",
        started_at=began, answered_at=None, ended_at=NOW, lasted=NOW - began, disposition=Disposition.NO_ANSWER, sequence=0,
    )  # fmt: skip
    return calls_from_records([row], pbx="office", trunks=Trunks())[0]


def record(db: sqlite_utils.Database, judgement: Judgement, not_textable: NotTextable | None = None) -> Recorded:
    """Record the call as judged; a missed one gets a text."""
    missed = judgement.verdict is Verdict.MISSED
    judged = JudgedCall(
        call=replace(call(), way=(Moment(NOW, judgement.verdict.value),)),
        caller=None if not_textable else CALLER,
        did=E164("+13035550101"),
        line="main",
        judgement=judgement,
        not_textable=not_textable,
        decision=Decision(Action.TEXT, Why.MISSED) if missed else Decision(Action.SKIP, Why.UNCERTAIN),
        ended_at=NOW,
    )
    text = NewText(
        kind=TextOf.MISSED, recipient=CALLER, did=None, body="Sorry", gateways=("web",), due_at=NOW,
        expires_at=NOW + timedelta(minutes=10), hung_up_at=NOW, segments=1, state=State.QUEUED,
    )  # fmt: skip
    return journal.record(db, judged, text if missed else None, same_case_within=timedelta(hours=24), now=NOW)


def the_call(db: sqlite_utils.Database) -> dict[str, Any]:
    (row,) = db.query("SELECT * FROM calls")
    return row


@pytest.mark.parametrize("before", [UNSEEN, RESTART], ids=["not seen", "restarted"])
def test_an_unexplained_call_that_was_missed_gets_its_verdict_its_case_and_its_text(
    db: sqlite_utils.Database, before: Judgement
) -> None:
    record(db, before)
    corrected = record(db, MISSED)
    row = the_call(db)
    assert (corrected.new, row["verdict"], row["reason"], row["decision"]) == (True, "missed", "no_answer", "text")
    assert row["decision_detail"] == f"uncertain ({before.reason}) before"
    assert [step.what for step in journal.way_from_json(row["way"])] == ["uncertain", "missed"]
    assert row["case_id"] == corrected.case_id is not None
    assert [text["to"] for text in outbox.listing(db)] == [CALLER]


def test_a_correction_is_made_once(db: sqlite_utils.Database) -> None:
    record(db, UNSEEN)
    record(db, MISSED)
    assert not record(db, MISSED).new
    assert len(outbox.listing(db)) == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(ANSWERED, MISSED, id="what was seen is not overruled"),
        pytest.param(
            Judgement(Verdict.UNCERTAIN, Reason.MAYBE_MOBILE_VOICEMAIL), MISSED, id="a doubt about a person stays"
        ),
        pytest.param(UNSEEN, RESTART, id="one doubt does not replace another"),
    ],
)
def test_other_calls_stay_as_they_were_recorded(db: sqlite_utils.Database, before: Judgement, after: Judgement) -> None:
    record(db, before)
    assert not record(db, after).new
    assert (the_call(db)["verdict"], the_call(db)["reason"]) == (before.verdict, before.reason)
    assert outbox.listing(db) == []


def test_a_caller_who_wanted_to_be_hidden_stays_hidden_though_the_records_show_the_number(
    db: sqlite_utils.Database,
) -> None:
    record(db, UNSEEN, NotTextable.WITHHELD)
    record(db, MISSED)
    row = the_call(db)
    assert (row["verdict"], row["caller"], row["not_textable"]) == ("missed", None, "withheld")
    assert (row["decision"], row["decision_reason"]) == ("skip", "not_textable")
    assert outbox.listing(db) == []
