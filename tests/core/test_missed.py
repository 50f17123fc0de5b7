"""What a missed call is, row by row of the definition, and at its boundaries."""

from datetime import timedelta

import pytest

from tests.core.calls import IN_QUEUE, OUT_OF_QUEUE, a_call, met_machine, mobile, nobody_rang, rang, seconds, talked
from textbackd.core.call import Call, Direction, EndedBy, HandedOnBy
from textbackd.core.missed import Circumstances, Judgement, Verdict, judge

CALLER, PBX = EndedBy.CALLER, EndedBy.PBX


def told(call: Call, circumstances: Circumstances | None = None) -> str:
    """Return verdict and reason in one word: "missed busy"."""
    judgement = judge(call, circumstances or Circumstances())
    return " ".join(filter(None, (judgement.verdict.value, judgement.reason and judgement.reason.value)))


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        pytest.param(a_call(), "missed no_answer", id="1 rings out and the PBX ends it"),
        pytest.param(a_call(rings=(rang(None),)), "missed no_answer", id="1 a dial whose end was never told"),
        pytest.param(a_call(ended_by=CALLER, ringing_at_end=True, waited=10), "missed gave_up", id="2 gives up"),
        pytest.param(a_call(ended_by=CALLER, ringing_at_end=True, waited=3), "missed short", id="3 gives up at once"),
        pytest.param(a_call(rings=(rang("BUSY"), rang("BUSY"))), "missed busy", id="4 every phone is busy"),
        pytest.param(a_call(rings=(rang("BUSY"), rang("CHANUNAVAIL"))), "missed busy", id="4 busy, the rest away"),
        pytest.param(a_call(rings=(rang("BUSY"), rang())), "missed no_answer", id="4 one busy, one rang out"),
        pytest.param(a_call(rings=(rang("BUSY"), rang(None))), "missed no_answer", id="4 one busy, one still rang"),
        pytest.param(nobody_rang(cause=17), "missed busy", id="4 busy without a phone"),
        pytest.param(
            a_call(rings=(rang("BUSY", forwarded=True), rang())), "missed no_answer", id="4 busy and diverted"
        ),
        pytest.param(a_call(cause=21), "missed no_answer", id="5 rejected, reported as no answer"),
        pytest.param(a_call(cause=21, rings=(rang("BUSY"),)), "missed busy", id="5 rejected, reported as busy"),
        pytest.param(a_call(rings=(rang("CHANUNAVAIL"),)), "missed unreachable", id="6 no phone is registered"),
        pytest.param(a_call(rings=(rang("CONGESTION"),)), "missed unreachable", id="6 congestion"),
        pytest.param(
            a_call(rings=(rang("NOANSWER", "Local/101@x-1;1"), rang("CHANUNAVAIL"))),
            "missed unreachable",
            id="6 unregistered behind a Local channel that rang",
        ),
        pytest.param(nobody_rang(cause=34), "missed unreachable", id="6 no circuit"),
        pytest.param(nobody_rang(cause=16), "missed unreachable", id="6 there was no phone that could have rung"),
        pytest.param(nobody_rang(ended_by=CALLER), "missed gave_up", id="gives up before any phone is dialled"),
        pytest.param(nobody_rang(ended_by=CALLER, waited=2), "missed short", id="gives up at once before any phone"),
    ],
)
def test_a_call_that_rang_and_was_not_taken_is_missed_for_this_reason(call: Call, expected: str) -> None:
    assert told(call) == expected


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        pytest.param(
            met_machine("ext-queues", queue=IN_QUEUE, ended_by=CALLER), "missed queue_gave_up", id="7 gives up waiting"
        ),
        pytest.param(
            met_machine("ext-queues", queue=IN_QUEUE, ended_by=CALLER, waited=2),
            "missed short",
            id="7 gives up at once",
        ),
        pytest.param(
            met_machine("ext-queues", queue=IN_QUEUE, rings=(rang(),), ended_by=CALLER),
            "missed queue_gave_up",
            id="7 gives up while no agent's phone rings",
        ),
        pytest.param(met_machine("ext-queues", queue=IN_QUEUE), "missed queue_timeout", id="8 ends in the queue"),
        pytest.param(met_machine("ext-queues", queue=OUT_OF_QUEUE), "missed queue_timeout", id="8 ends after it"),
        pytest.param(
            met_machine("ext-queues", queue=OUT_OF_QUEUE, ended_in="app-announcement-1"),
            "missed closed",
            id="8 times out into an announcement",
        ),
        pytest.param(
            met_machine("ext-queues", queue=OUT_OF_QUEUE, ended_in="ivr-1", ended_by=CALLER),
            "missed menu_gave_up",
            id="8 times out into a menu",
        ),
        pytest.param(
            met_machine("ext-queues", queue=OUT_OF_QUEUE, rings=(rang(None),), ringing_at_end=True, ended_by=CALLER),
            "missed gave_up",
            id="8 times out into a ringing phone",
        ),
        pytest.param(
            met_machine("ext-queues", queue=OUT_OF_QUEUE, message_left=True),
            "missed voicemail_left",
            id="8 times out into voicemail and leaves a message",
        ),
        pytest.param(
            met_machine("ext-queues", queue=OUT_OF_QUEUE, talks=(talked(),)), "answered", id="9 a second group answers"
        ),
    ],
)
def test_a_queue_counts_where_the_call_ended(call: Call, expected: str) -> None:
    assert told(call) == expected


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        pytest.param(met_machine("ivr-1", ended_by=CALLER), "missed menu_gave_up", id="10 hangs up in a menu"),
        pytest.param(met_machine("ivr-1", ended_by=CALLER, waited=2), "missed short", id="10 hangs up at once"),
        pytest.param(met_machine("ivr-1"), "missed menu_gave_up", id="10 the menu ends the call"),
        pytest.param(
            met_machine("office", application="WaitExten", ended_by=CALLER),
            "missed menu_gave_up",
            id="10 by application",
        ),
        pytest.param(met_machine("app-announcement-2"), "missed closed", id="11 closed announcement to its end"),
        pytest.param(met_machine("app-announcement-2", ended_by=CALLER), "missed closed", id="11 does not hear it out"),
        pytest.param(met_machine("timeconditions"), "missed closed", id="11 a machine of no telling name"),
        pytest.param(
            met_machine("macro-vm", rings=(rang(),), ended_by=CALLER), "missed voicemail_hangup", id="12 leaves nothing"
        ),
        # FreePBX plays "not available" in the same context where an extension has no voicemail (story: ext_noanswer_novm).
        pytest.param(
            met_machine("macro-vm", rings=(rang(),)), "missed no_answer", id="1 the PBX hangs up after a message"
        ),
        pytest.param(
            met_machine("office", application="VoiceMail"), "missed voicemail_hangup", id="12 told by the application"
        ),
        pytest.param(
            met_machine("office", rings=(rang(),), ended_by=CALLER),
            "missed voicemail_hangup",
            id="12 the PBX answered when the phones had stopped",
        ),
        pytest.param(
            met_machine("office", rings=(rang(None),), ringing_at_end=True, ended_by=CALLER),
            "missed gave_up",
            id="2 answered with music, gives up while it rings",
        ),
        pytest.param(met_machine("macro-vm", message_left=True), "missed voicemail_left", id="13 leaves a message"),
        pytest.param(
            met_machine("macro-vm", message_left=True, talks=(talked(),)), "answered", id="14 presses 0, is answered"
        ),
        pytest.param(
            nobody_rang(ended_at_extension="busy", ended_in="app-blackhole"), "missed busy", id="blackhole busy"
        ),
        pytest.param(
            nobody_rang(ended_at_extension="congestion", ended_in="app-blackhole"),
            "missed unreachable",
            id="blackhole congestion",
        ),
    ],
)
def test_a_machine_is_no_person(call: Call, expected: str) -> None:
    assert told(call) == expected


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        pytest.param(a_call(talks=(talked(),), rings=(rang("ANSWER"), rang("CANCEL"))), "answered", id="15 ring group"),
        pytest.param(a_call(talks=(talked(channel="PJSIP/105-7"),)), "answered", id="16 picked up by another phone"),
        pytest.param(a_call(talks=(mobile(10, picked_up_for=1),)), "answered", id="17 the mobile confirmed"),
        pytest.param(
            a_call(talks=(mobile(10, picked_up_for=0.999),)),
            "uncertain maybe_mobile_voicemail",
            id="17 a second is what a confirmation takes",
        ),
        pytest.param(
            a_call(talks=(mobile(10, picked_up_for=None),)),
            "uncertain maybe_mobile_voicemail",
            id="18 a mobile whose pick-up was not seen",
        ),
        pytest.param(a_call(talks=(mobile(19.999),)), "uncertain maybe_mobile_voicemail", id="18 just under 20 s"),
        pytest.param(a_call(talks=(mobile(20),)), "answered", id="19 20 s with the mobile"),
        pytest.param(a_call(talks=(mobile(2), talked(4, since=9))), "answered", id="19 mobile, then the office"),
        pytest.param(a_call(talks=(talked(2.999),)), "answered very_short", id="20 cut within 3 s"),
        pytest.param(a_call(talks=(talked(3),)), "answered", id="20 3 s are a talk"),
        pytest.param(a_call(talks=(talked(2), talked(2, since=9))), "answered", id="20 two short talks are 4 s"),
        pytest.param(
            a_call(talks=(talked(),), handed_on=HandedOnBy.TRANSFER),
            "lost_after_answer transfer_unanswered",
            id="21 transferred to nobody",
        ),
        pytest.param(
            a_call(talks=(talked(),), handed_on=HandedOnBy.PARKING),
            "lost_after_answer park_timeout",
            id="21 parked and forgotten",
        ),
        pytest.param(a_call(talks=(talked(), talked(9, since=80))), "answered", id="22 back with the first person"),
    ],
)
def test_a_caller_who_heard_a_person_is_not_missed(call: Call, expected: str) -> None:
    assert told(call) == expected


@pytest.mark.parametrize(
    ("call", "circumstances", "expected"),
    [
        pytest.param(a_call(direction=Direction.INTERNAL), Circumstances(), "ignored internal", id="30 phone to phone"),
        pytest.param(a_call(direction=Direction.OUTBOUND), Circumstances(), "ignored outbound", id="30 outbound"),
        pytest.param(a_call(), Circumstances(own_number=True), "ignored own_number", id="31 one of our numbers"),
        pytest.param(
            a_call(talks=(talked(),)), Circumstances(own_number=True), "ignored own_number", id="31 even if answered"
        ),
        pytest.param(a_call(), Circumstances(never_list=True), "ignored never_list", id="31 on the never-list"),
        pytest.param(
            a_call(talks=(talked(),)), Circumstances(never_list=True), "ignored never_list", id="31 even if answered"
        ),
        pytest.param(a_call(), Circumstances(ignored_did=True), "ignored service", id="32 the fax's number"),
        pytest.param(a_call(fax=True, up=True), Circumstances(), "ignored service", id="32 a fax tone"),
        pytest.param(
            met_machine("app-dialvm"), Circumstances(), "ignored service", id="32 voicemail access by context"
        ),
        pytest.param(
            met_machine("x", application="VoiceMailMain"), Circumstances(), "ignored service", id="32 by application"
        ),
        pytest.param(
            met_machine("door-opener"),
            Circumstances(ignored_contexts=("door*",)),
            "ignored service",
            id="a context that the shop ignores",
        ),
        pytest.param(
            met_machine("office", ended_in="door-opener", ended_by=CALLER, rings=(rang(),)),
            Circumstances(ignored_contexts=("door*",)),
            "missed voicemail_hangup",
            id="a context that the shop ignores, only passed through",
        ),
        pytest.param(
            met_machine("app-blacklist-check"), Circumstances(), "ignored blacklisted", id="33 the blacklist answered"
        ),
        pytest.param(
            nobody_rang(ended_in="app-blacklist-check"), Circumstances(), "ignored blacklisted", id="33 it hung up"
        ),
        pytest.param(
            met_machine("ivr-1", ended_in="app-blacklist-check", ended_by=CALLER),
            Circumstances(),
            "missed menu_gave_up",
            id="33 passing through the blacklist check counts for nothing",
        ),
        pytest.param(nobody_rang(cause=21), Circumstances(), "ignored blacklisted", id="33 rejected by the PBX"),
        pytest.param(
            nobody_rang(cause=21, ended_by=CALLER), Circumstances(), "missed gave_up", id="33 not if the caller went"
        ),
    ],
)
def test_what_is_no_call_for_the_shop_is_ignored(call: Call, circumstances: Circumstances, expected: str) -> None:
    assert told(call, circumstances) == expected


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        pytest.param(a_call(ended_by=EndedBy.GAP), "uncertain not_seen", id="35 ended while nobody was listening"),
        pytest.param(a_call(gap=True, up=True), "uncertain not_seen", id="35 up during a gap"),
        pytest.param(a_call(gap=True), "missed no_answer", id="35 never up, so a gap can hide no talk"),
        pytest.param(a_call(ended_by=EndedBy.RESTART), "uncertain pbx_restarted", id="36 restarted in the middle"),
        pytest.param(a_call(ended_by=EndedBy.RESTART, talks=(talked(),)), "answered", id="36 restarted in a talk"),
        pytest.param(a_call(start_seen=False, up=True), "uncertain not_seen", id="38 up when we came"),
        pytest.param(a_call(start_seen=False), "missed no_answer", id="38 ringing when we came"),
        pytest.param(a_call(unseen_company=True, up=True), "uncertain not_seen", id="in a bridge with an unseen one"),
        pytest.param(a_call(ended_by=EndedBy.OPEN), "uncertain still_open", id="its end has not come"),
        pytest.param(a_call(ended_by=EndedBy.OPEN, talks=(talked(),)), "uncertain still_open", id="a talk goes on"),
        pytest.param(
            met_machine("macro-vm", message_left=True, start_seen=False),
            "uncertain not_seen",
            id="a message was left, but somebody may have talked before we came",
        ),
    ],
)
def test_what_was_not_seen_is_not_guessed(call: Call, expected: str) -> None:
    assert told(call) == expected


@pytest.mark.parametrize(
    ("waited", "min_wait", "expected"),
    [
        pytest.param(3.999, 4, "missed short", id="just under"),
        pytest.param(4, 4, "missed gave_up", id="on the dot, inclusive"),
        pytest.param(0, 0, "missed gave_up", id="0s: nobody is too short"),
        pytest.param(-3600, 4, "missed gave_up", id="the clock was set back meanwhile"),
    ],
)
def test_a_caller_who_waited_min_wait_was_there(waited: float, min_wait: float, expected: str) -> None:
    call = a_call(ended_by=CALLER, ringing_at_end=True, waited=waited)
    assert told(call, Circumstances(min_wait=seconds(min_wait))) == expected


def test_min_wait_is_for_those_who_give_up_and_not_for_those_whom_the_pbx_turns_away() -> None:
    assert told(a_call(waited=0.2, rings=(rang("BUSY"),))) == "missed busy"


@pytest.mark.parametrize(
    ("up_for", "ended_by", "expected"),
    [
        pytest.param(0.999, PBX, "missed unreachable", id="answered and dropped"),
        pytest.param(1, PBX, "missed closed", id="a second of announcement"),
        pytest.param(0.5, CALLER, "missed closed", id="the caller did not wait for it"),
    ],
)
def test_a_pbx_that_answers_and_drops_at_once_has_announced_nothing(
    up_for: float, ended_by: EndedBy, expected: str
) -> None:
    assert told(met_machine("office", up_for=up_for, ended_by=ended_by)) == expected


def test_without_times_every_wait_and_every_talk_is_long_enough() -> None:
    talk = talked(started_at=None, ended_at=None, outside=True)
    given_up = a_call(ended_by=CALLER, ringing_at_end=True, started_at=None, ended_at=None)
    assert told(given_up) == "missed gave_up"
    assert told(a_call(talks=(talk,), started_at=None, ended_at=None)) == "answered"


def test_what_was_heard_twice_at_once_counts_once() -> None:
    assert a_call(talks=(talked(10, since=0), talked(10, since=5))).talked == timedelta(seconds=15)
    assert a_call(talks=(talked(10, since=0), talked(2, since=3))).talked == timedelta(seconds=10)
    assert a_call().talked == timedelta(0)


def test_a_plain_answer_needs_no_reason() -> None:
    assert judge(a_call(talks=(talked(),)), Circumstances()) == Judgement(Verdict.ANSWERED, None)
