"""What Asterisk wrote down of a call gives the verdict that people know to be true, as far as records can show it."""

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.traces import HERE, IGNORED_DIDS, REASONS, Story, Truth, stories
from textbackd.core.call import Call, Direction, EndedBy
from textbackd.core.from_records import (
    CdrRow,
    Disposition,
    QueueEvent,
    calls_from_records,
    has_name,
    trunks_in,
)
from textbackd.core.missed import Circumstances, Judgement, Reason, Verdict, judge
from textbackd.core.trunk import Trunks
from textbackd.pbx.records import read_cdr, read_queue_log
from textbackd.pbx.records.cdr import CdrRows
from textbackd.pbx.records.queue_log import event_of

EVER = datetime(2000, 1, 1, tzinfo=UTC)
ZONE = ZoneInfo("UTC")  # where the recordings were made
TRUNK = frozenset({"PJSIP/trunk"})  # as other calls would have shown it

# What records cannot show, and what they give instead. None: no call at all.
CANNOT = {
    "blacklisted": (None, "rejected without an answer or a dial: no row (`unanswered = no`)"),
    "unregistered": (None, "no phone to dial, so no channel and no row"),
    "internal_noanswer": (None, "not from outside, so not a call of ours"),
    "outbound_noanswer": (None, "not from outside, so not a call of ours"),
    "click_to_call_answered": (None, "not from outside, so not a call of ours"),
    "click_to_call_noanswer": (None, "not from outside, so not a call of ours"),
    "woken_phone_connects": (None, "not from outside, so not a call of ours"),
    "phone_declines": ("missed gave_up", "a phone that declines and a caller who hangs up both end the ringing early"),
    "vm_message": ("missed voicemail_hangup", "the row of VoiceMail is the same with and without a message"),
    "followme_app_accepted": ("uncertain maybe_mobile_voicemail", "the row does not tell that the mobile pressed 1"),
    "followme_app_unconfirmed": ("uncertain maybe_mobile_voicemail", "the row does not tell that nobody pressed 1"),
}
STORIES = [story for story in stories() if story.path.is_relative_to(HERE)]


def records_of(story: Story) -> tuple[list[CdrRow], list[QueueEvent]]:
    cdr, queue_log = story.path.with_suffix(".cdr.csv"), story.path.with_suffix(".queue_log")
    rows = list(read_cdr(str(cdr), since=EVER, tz=ZONE)) if cdr.exists() else []
    return rows, list(read_queue_log(queue_log, since=EVER)) if queue_log.exists() else []


def verdict(call: Call) -> Judgement:
    return judge(call, Circumstances(ignored_did=call.did_presented in IGNORED_DIDS, min_wait=timedelta(0)))


def in_words(judgement: Judgement) -> str:
    return f"{judgement.verdict.value} {judgement.reason.value if judgement.reason else ''}".strip()


def agrees(judgement: Judgement, truth: Truth) -> bool:
    reason = judgement.reason.value if judgement.reason else ""
    return judgement.verdict.value in truth.verdicts and (truth.reasons is None or reason in truth.reasons)


@pytest.mark.parametrize("story", STORIES, ids=lambda s: s.name)
def test_the_records_of_a_call_give_its_verdict_or_what_the_table_says_they_can(story: Story) -> None:
    rows, events = records_of(story)
    calls = calls_from_records(rows, events, pbx="office", trunks=Trunks(), known_trunks=TRUNK)
    instead = CANNOT.get(story.path.stem)
    for truth in story.truths:
        found = [call for call in calls if call.caller_presented == truth.caller]
        fitting = [call for call in found if agrees(verdict(call), truth)]
        if instead is not None:
            assert [in_words(verdict(call)) for call in found] == ([instead[0]] if instead[0] else []), instead[1]
            assert not fitting, "the records can show it after all: take it out of CANNOT"
            calls = [call for call in calls if call not in found]
        else:
            assert fitting, [in_words(verdict(call)) for call in found]
            calls.remove(fitting[0])
    assert not calls, "a call that nobody made"


@pytest.mark.parametrize("story", STORIES, ids=lambda s: s.name)
def test_the_number_that_was_called_is_told_or_left_open_but_never_wrong(story: Story) -> None:
    rows, events = records_of(story)
    calls = calls_from_records(rows, events, pbx="office", trunks=Trunks(), known_trunks=TRUNK)
    dids = {truth.did for truth in story.truths}
    assert {call.did_presented for call in calls} <= dids | {""}


@pytest.mark.parametrize("story", STORIES, ids=lambda s: s.name)
def test_without_linkedid_and_uniqueid_the_verdicts_stay_the_same(story: Story) -> None:
    rows, _ = records_of(story)
    nameless = [replace(row, uniqueid="", linkedid="") for row in rows]
    named = calls_from_records(rows, pbx="office", trunks=Trunks(), known_trunks=TRUNK)
    found = calls_from_records(nameless, pbx="office", trunks=Trunks(), known_trunks=TRUNK)
    assert sorted((c.caller_presented, in_words(verdict(c))) for c in found) == sorted(
        (c.caller_presented, in_words(verdict(c))) for c in named
    )
    assert not any(has_name(call) for call in found)


def test_the_order_of_the_rows_does_not_matter() -> None:
    for story in STORIES:
        rows, events = records_of(story)
        there = calls_from_records(rows, events, pbx="office", trunks=Trunks(), known_trunks=TRUNK)
        back = calls_from_records(rows[::-1], events, pbx="office", trunks=Trunks(), known_trunks=TRUNK)
        assert [(c.linkedid, verdict(c)) for c in there] == [(c.linkedid, verdict(c)) for c in back]


# ---- FreePBX, whose recordings are not ours to copy


def freepbx() -> list[Path]:
    folder = os.environ.get("TEXTBACKD_TRACES", "")
    return sorted(Path(folder).glob("freepbx*/*.truth.json")) if folder else []


@pytest.mark.skipif(
    not freepbx(), reason="set TEXTBACKD_TRACES to the folder with recordings of FreePBX to try their rows"
)
@pytest.mark.parametrize("queue_log", [True, False], ids=["with queue_log", "without"])
@pytest.mark.parametrize("path", freepbx(), ids=lambda p: f"{p.parent.name}/{p.name.split('.')[0]}")
def test_the_rows_of_freepbx_give_the_verdict_that_people_know_to_be_true(path: Path, queue_log: bool) -> None:
    told = json.loads(path.read_text())
    events = [event for line in told["queue_log"] if queue_log and (event := event_of(line))]
    rows = CdrRows(iter(told["cdr"]), since=EVER, tz=ZONE)
    (call,) = calls_from_records(rows, events, pbx="office", trunks=Trunks())
    truth: dict[str, Any] = told["calls"][0]
    judgement = verdict(call)
    assert judgement.verdict.value == {"not_applicable": "ignored"}.get(truth["truth"], truth["truth"])
    if truth["truth"] != "answered":
        assert judgement.reason is not None
        assert judgement.reason.value in REASONS[truth["reason"]]
    assert (call.caller_presented, call.did_presented) == (truth["caller"], truth["did"])
    assert not call.withheld, "records tell nothing of a caller who wants to be hidden; the live side has to ask"


# ---- the rules, one by one

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


def row(
    app: str = "Dial",
    to: str = "PJSIP/101-00000002",
    disposition: Disposition = Disposition.NO_ANSWER,
    *,
    begins: int = 0,
    lasts: int = 10,
    **changed: Any,
) -> CdrRow:
    """Return a row of a caller's channel; times in seconds after noon."""
    start = NOON + timedelta(seconds=begins)
    end = start + timedelta(seconds=lasts)
    facts: dict[str, Any] = {
        "uniqueid": "1795435200.1", "linkedid": "1795435200.1", "channel": "PJSIP/trunk-00000001", "dstchannel": to,
        "src": "+12015550100", "clid": '"Ann" <+12015550100>', "dst": "+13035550101", "dcontext": "from-trunk", "did": "",
        "lastapp": app, "lastdata": "PJSIP/101,30", "started_at": start, "ended_at": end,
        "answered_at": start if disposition is Disposition.ANSWERED else None, "lasted": end - start,
        "disposition": disposition, "sequence": 0,
    }  # fmt: skip
    return CdrRow(**(facts | changed))


def said(rows: Iterable[CdrRow], events: Iterable[QueueEvent] = ()) -> list[str]:
    return [in_words(verdict(call)) for call in calls_from_records(rows, events, pbx="office", trunks=Trunks())]


ANSWERED, NO_ANSWER, BUSY, FAILED = (
    Disposition.ANSWERED,
    Disposition.NO_ANSWER,
    Disposition.BUSY,
    Disposition.FAILED,
)
MOBILE: dict[str, Any] = {"lastdata": "PJSIP/trunk/0711,30", "to": "PJSIP/trunk-00000009"}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([row()], "missed gave_up", id="rings shorter than the dial may last"),
        pytest.param([row(lasts=30)], "missed no_answer", id="rings until the dial's time is up"),
        pytest.param(
            [row(lastdata="PJSIP/101")], "missed gave_up", id="a dial without a time-out is ended by the caller"
        ),
        pytest.param([row(lastdata="PJSIP/101|10|tk")], "missed no_answer", id="old dialplans separate by bars"),
        pytest.param([row(disposition=BUSY)], "missed busy", id="the phone is busy"),
        pytest.param([row(disposition=FAILED)], "missed unreachable", id="the phone cannot be reached"),
        pytest.param([row(disposition=ANSWERED)], "answered", id="a person answers"),
        pytest.param([row(disposition=ANSWERED, lasts=1)], "answered very_short", id="a person answers and it is cut"),
        pytest.param(
            [row(lasts=30), row("VoiceMail", "", ANSWERED, begins=30)],
            "missed voicemail_hangup",
            id="an ANSWERED row without dstchannel is a machine",
        ),
        pytest.param([row("WaitExten", "", ANSWERED)], "missed menu_gave_up", id="the caller leaves in a menu"),
        pytest.param([row("Hangup", "", ANSWERED)], "missed closed", id="an announcement to its end"),
        pytest.param(
            [row("Queue", "", ANSWERED, lastdata="sales")], "missed queue_gave_up", id="nobody in the queue rang"
        ),
        pytest.param(
            [row("Queue", lastdata="sales,t,,,10")],
            "missed queue_timeout",
            id="the queue's time is up and nothing follows",
        ),
        pytest.param([row("Busy", "", BUSY)], "missed busy", id="the dialplan says busy"),
        pytest.param([row("Hangup", "", NO_ANSWER, lastdata="21")], "ignored blacklisted", id="the dialplan rejects"),
        pytest.param(
            [row(disposition=ANSWERED), row(begins=10)],
            "lost_after_answer transfer_unanswered",
            id="a phone that rings after the talk is a transfer",
        ),
        pytest.param(
            [row(disposition=ANSWERED), row("Park", "", ANSWERED, begins=10), row(begins=20)],
            "lost_after_answer park_timeout",
            id="nobody takes the parked call",
        ),
        pytest.param(
            [row(disposition=ANSWERED), row(to="PJSIP/102-00000003", lasts=10)],
            "answered",
            id="a phone that rang together with the one that answered is no transfer",
        ),
        pytest.param(
            [row("Queue", disposition=ANSWERED), row("Queue", "PJSIP/102-00000003", begins=3, lasts=2)],
            "answered",
            id="a queue's agent who was rung later and lost is no transfer",
        ),
        pytest.param(
            [row(disposition=ANSWERED, lasts=0), row(to="PJSIP/102-00000003", lasts=0)],
            "answered very_short",
            id="all in one second is no transfer",
        ),
        pytest.param(
            [
                row(to="Local/1@x-00000001;1", disposition=ANSWERED, lasts=30, lastdata="sales"),
                row(
                    disposition=ANSWERED, begins=15, lasts=15, channel="Local/1@x-00000001;2", uniqueid="2.2", **MOBILE
                ),
            ],
            "uncertain maybe_mobile_voicemail",
            id="a wait with music does not make the talk with a mobile longer",
        ),
        pytest.param(
            [row(disposition=ANSWERED, **MOBILE)], "uncertain maybe_mobile_voicemail", id="a mobile answers for 10 s"
        ),
        pytest.param([row(disposition=ANSWERED, lasts=20, **MOBILE)], "answered", id="a mobile answers for 20 s"),
        pytest.param(
            [
                row(to="Local/1@x-00000001;1", disposition=ANSWERED),
                row(disposition=ANSWERED, channel="Local/1@x-00000001;2", uniqueid="2.2", **MOBILE),
            ],
            "uncertain maybe_mobile_voicemail",
            id="a mobile behind a Local channel answers",
        ),
        pytest.param([row(dcontext="from-sip-external")], None, id="FreePBX's strangers are no customers"),
        pytest.param(
            [row(dcontext="from-sip-external"), row(begins=10)], None, id="strangers stay strangers wherever they go on"
        ),
        pytest.param([row(channel="PJSIP/101-00000007", dcontext="from-internal")], None, id="a phone's own call"),
        pytest.param([row(channel="Local/1@from-trunk-00000001;2")], None, id="a Local channel is nobody"),
    ],
)
def test_a_call_is_read_from_its_own_rows(rows: Sequence[CdrRow], expected: str | None) -> None:
    assert said(rows) == ([expected] if expected else [])


def test_a_menu_changes_the_context_and_the_trunk_is_still_known_from_other_calls() -> None:
    in_menu = row("BackGround", "", ANSWERED, dcontext="ivr-1", dst="s", uniqueid="3.3", linkedid="3.3")
    assert said([in_menu]) == []
    assert sorted(said([in_menu, row()])) == ["missed gave_up", "missed menu_gave_up"]


def test_a_did_gives_the_trunk_away_but_not_when_a_phone_dialled_it() -> None:
    from_outside = row(dcontext="ext-local", did="+13035550101")
    from_phone = row(dcontext="ext-local", did="+13035550101", channel="PJSIP/101-00000004")
    assert trunks_in([from_outside, from_phone], Trunks()) == {"PJSIP/trunk"}


def test_what_a_dialled_leg_of_the_trunk_does_is_not_a_call_from_outside() -> None:
    dialled = row("ConfBridge", "PJSIP/102-00000009", ANSWERED, channel="PJSIP/trunk-00000005", uniqueid="9.9")
    rows = [
        row(disposition=ANSWERED),
        row(to="PJSIP/trunk-00000005", channel="PJSIP/101-2", uniqueid="8.8", dcontext="from-internal"),
        dialled,
    ]
    assert said(rows) == ["answered"]


def test_a_caller_whose_call_was_joined_to_an_older_one_is_still_answered() -> None:
    older: dict[str, Any] = {"linkedid": "1795430000.1"}  # an agent who has been logged in for hours
    assert said([row(disposition=ANSWERED, **older)]) == ["answered"]
    assert said([row(**older)]) == [], "without a talk nothing is sure of it"


def test_an_answered_call_to_outside_is_told_on_request_and_settles_nothing_else() -> None:
    out: dict[str, Any] = {"channel": "PJSIP/101-00000007", "dcontext": "from-internal", "to": "PJSIP/trunk-00000009"}
    called_back = row(disposition=ANSWERED, dst="+12015550100", src="101", uniqueid="7.7", linkedid="7.7", **out)
    in_vain = row(dst="+12025550100", src="101", uniqueid="8.8", linkedid="8.8", **out)
    rows = [row(), called_back, in_vain]
    calls = calls_from_records(rows, pbx="office", trunks=Trunks(), call_backs=True)
    told = {call.did_presented: (call.direction, bool(call.talks)) for call in calls}
    assert told == {
        "+13035550101": (Direction.INBOUND, False),
        "+12015550100": (Direction.OUTBOUND, True),
    }
    assert said(rows) == ["missed gave_up"]


def test_a_number_that_was_dialled_with_a_service_code_is_told_as_dialled() -> None:
    out: dict[str, Any] = {"channel": "PJSIP/101-00000007", "dcontext": "from-internal", "to": "PJSIP/trunk-00000009"}
    hidden = row(disposition=ANSWERED, dst="*672015550100", src="101", uniqueid="7.7", linkedid="7.7", **out)
    calls = calls_from_records([row(), hidden], pbx="office", trunks=Trunks(), call_backs=True)
    assert [call.did_presented for call in calls if call.direction is Direction.OUTBOUND] == ["*672015550100"]


def event(what: str, second: int, *details: str, uniqueid: str = "1795435200.7") -> QueueEvent:
    at = NOON + timedelta(seconds=second)
    return QueueEvent(at=at, uniqueid=uniqueid, queue="sales", agent="NONE", what=what, details=details)


def test_a_caller_who_has_no_row_and_gave_up_in_a_queue_is_missed() -> None:
    entered, gave_up = event("ENTERQUEUE", 0, "", "+12015550100", "1"), event("ABANDON", 9, "1", "1", "9")
    (call,) = calls_from_records([], [entered, gave_up], pbx="office", trunks=Trunks())
    assert in_words(verdict(call)) == "missed queue_gave_up"
    assert (call.caller_presented, call.waited) == ("+12015550100", timedelta(seconds=9))
    assert calls_from_records([], [entered, gave_up], pbx="office", trunks=Trunks(), queue_alone=False) == []


@pytest.mark.parametrize(
    "events",
    [
        pytest.param([event("ENTERQUEUE", 0, "", "102", "1"), event("ABANDON", 9)], id="a phone of the office"),
        pytest.param(
            [event("ENTERQUEUE", 0, "", "+12015550100"), event("EXITWITHTIMEOUT", 9)],
            id="who leaves may be answered elsewhere",
        ),
        pytest.param(
            [event("ENTERQUEUE", 0, "", "+12015550100"), event("CONNECT", 5), event("ABANDON", 9)],
            id="who was connected",
        ),
    ],
)
def test_the_queue_log_alone_does_not_make_a_missed_call_of(events: list[QueueEvent]) -> None:
    assert said([], events) == []


def test_the_queue_log_says_how_a_wait_ended_when_the_rows_do_not() -> None:
    waits = row("Queue", lastdata="sales", uniqueid="1795435200.7", linkedid="1795435200.7")
    assert said([waits], [event("ENTERQUEUE", 0), event("EXITEMPTY", 9)]) == ["missed queue_timeout"]
    assert said([waits], [event("ENTERQUEUE", 0), event("ABANDON", 9)]) == ["missed queue_gave_up"]


def test_a_call_that_ends_as_asterisk_restarts_was_not_given_up() -> None:
    restart = event("QUEUESTART", 12, uniqueid="NONE")
    (call,) = calls_from_records([row()], [restart], pbx="office", trunks=Trunks())
    assert call.ended_by is EndedBy.PBX
    assert verdict(call) == Judgement(Verdict.MISSED, Reason.NO_ANSWER)


def test_after_a_restart_a_channel_name_that_comes_again_is_another_call() -> None:
    nameless: dict[str, Any] = {"uniqueid": "", "linkedid": ""}
    assert len(said([row(**nameless), row(begins=10, **nameless), row(begins=120, **nameless)])) == 2
