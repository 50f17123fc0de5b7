"""What a real Asterisk writes of a call is read alike from Master.csv and SQLite, with queue_log beside it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from textbackd.core.call import Call
from textbackd.core.find_trunks import Why
from textbackd.core.from_records import CdrRow, calls_from_records
from textbackd.core.missed import Circumstances, Verdict, judge
from textbackd.core.trunk import Trunks
from textbackd.pbx.records import read_cdr, read_queue_log, usual_queue_log
from textbackd.report.measure import Question, measure

from .asterisk import Asterisk
from .scenarios import SCENARIOS, play

pytestmark = pytest.mark.lab

STORIES = ["direct_noanswer", "direct_answered", "group_answered", "queue_abandon", "vm_no_message"]
ZONE = ZoneInfo("UTC")  # of the lab's roots
PATIENCE = 20.0  # seconds until the last row must have been written


@pytest.fixture(scope="module")
def played(asterisk: Asterisk) -> Iterator[tuple[Asterisk, datetime]]:
    """Play the stories on an Asterisk, and tell when they began."""
    began = datetime.now(UTC).replace(microsecond=0)
    for story in STORIES:
        play(SCENARIOS[story], asterisk)
    yield asterisk, began


def calls_in(source: Callable[[], Iterator[CdrRow]], pbx: Asterisk, since: datetime) -> list[Call]:
    """Return the calls of a source when it has as many as were played."""
    until = time.monotonic() + PATIENCE
    while True:
        events = read_queue_log(pbx.queue_log, since=since)
        calls = calls_from_records(source(), events, pbx="office", trunks=Trunks())
        if len(calls) >= len(STORIES) or time.monotonic() > until:
            return calls
        time.sleep(0.2)


@pytest.mark.parametrize("kind", ["Master.csv", "SQLite"])
def test_the_records_of_a_real_call_give_the_verdict_of_its_story(played: tuple[Asterisk, datetime], kind: str) -> None:
    pbx, began = played
    source = str(pbx.master_csv) if kind == "Master.csv" else f"sqlite://{pbx.cdr_sqlite}"
    calls = calls_in(lambda: read_cdr(source, since=began, tz=ZONE), pbx, began)
    verdicts = {}
    for call in calls:
        judgement = judge(call, Circumstances(min_wait=timedelta(0)))
        verdicts[call.caller_presented, call.did_presented] = (judgement.verdict, judgement.reason)
    truths = [SCENARIOS[story].truth for story in STORIES]
    assert verdicts == {(truth.caller, truth.did): (truth.verdict, truth.reason) for truth in truths}


@pytest.mark.parametrize("kind", ["Master.csv", "SQLite"])
def test_the_leak_counts_what_was_played(played: tuple[Asterisk, datetime], kind: str) -> None:
    pbx, began = played
    source = str(pbx.master_csv) if kind == "Master.csv" else f"sqlite://{pbx.cdr_sqlite}"
    calls_in(lambda: read_cdr(source, since=began, tz=ZONE), pbx, began)  # waits until all is written
    question = Question(
        cdr=source, queue_log=pbx.queue_log, trunks=(), country="US", zone=ZONE, since=began, until=None
    )  # fmt: skip
    answer = measure(question, lambda *_: None)
    truths = Counter(Verdict(SCENARIOS[story].truth.verdict) for story in STORIES)
    total = answer.leak.total
    assert {Verdict.ANSWERED: total.answered, Verdict.MISSED: total.missed, Verdict.UNCERTAIN: total.uncertain} == {
        verdict: truths[verdict] for verdict in (Verdict.ANSWERED, Verdict.MISSED, Verdict.UNCERTAIN)
    }
    assert total.calls == len(STORIES)
    assert [trunk.why for trunk in answer.trunks] == [Why.CONTEXT]


def test_both_sources_name_the_same_calls_and_only_sqlite_knows_the_linkedid(played: tuple[Asterisk, datetime]) -> None:
    pbx, began = played
    csv = {c.linkedid for c in calls_in(lambda: read_cdr(str(pbx.master_csv), since=began, tz=ZONE), pbx, began)}
    rows = list(read_cdr(f"sqlite://{pbx.cdr_sqlite}", since=began, tz=ZONE))
    assert csv == {row.linkedid for row in rows if row.uniqueid == row.linkedid} != set()
    assert {row.linkedid for row in read_cdr(str(pbx.master_csv), since=began, tz=ZONE)} == {""}


def test_the_queue_log_is_where_it_is_looked_for(played: tuple[Asterisk, datetime]) -> None:
    pbx, began = played
    assert usual_queue_log(str(pbx.master_csv)) == pbx.queue_log
    assert "ABANDON" in [event.what for event in read_queue_log(pbx.queue_log, since=began)]
