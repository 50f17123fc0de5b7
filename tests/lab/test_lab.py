"""The lab itself: both versions boot, AMI looks as docs/AMI.md says, calls happen, nothing is left behind."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from .ami import Frame, Listener
from .asterisk import Asterisk
from .scenarios import SCENARIOS, play
from .sipp import Stage, answers, talks

pytestmark = pytest.mark.lab

BANNERS = {16: "Asterisk Call Manager/5.0.4", 22: "Asterisk Call Manager/11.0.0"}


def named(events: list[Frame], name: str) -> list[Frame]:
    return [event for event in events if event["Event"] == name]


def recorded(pbx: Asterisk, scenario: str) -> list[Frame]:
    """Play a scenario and return what a shop's AMI user saw of it."""
    with Listener(pbx) as ami:
        ami.events()
        play(SCENARIOS[scenario], pbx)
        return ami.events()


@pytest.fixture
def own_asterisk(asterisk: Asterisk) -> Iterator[Asterisk]:
    """A second instance of the same version, which a test may break."""
    instance = Asterisk(asterisk.version, f"own-{os.getpid()}", timestamps=True)
    instance.start()
    yield instance
    instance.stop()


def test_it_is_the_version_that_was_asked_for(asterisk: Asterisk) -> None:
    assert f"Asterisk {asterisk.version}." in asterisk.cli("core show version")


def test_ami_greets_with_the_banner_of_its_version(asterisk: Asterisk) -> None:
    with Listener(asterisk) as ami:
        assert ami.banner == BANNERS[asterisk.version]
        assert ami.login["Response"] == "Success"
        assert named(ami.events(), "FullyBooted")


def test_the_shops_ami_user_may_ask_for_channels_but_not_run_commands(asterisk: Asterisk) -> None:
    with Listener(asterisk) as ami:
        assert ami.act("CoreShowChannels")[-1]["Response"] == "Success"
        assert ami.act("Command", Command="core show version")[-1]["Response"] == "Error"


def test_a_call_that_nobody_takes_has_the_shape_of_the_ami_notes(asterisk: Asterisk) -> None:
    truth = SCENARIOS["direct_noanswer"].truth
    events = recorded(asterisk, "direct_noanswer")
    caller = named(events, "Newchannel")[0]
    assert caller["Channel"].startswith("PJSIP/trunk-")
    assert caller["Uniqueid"] == caller["Linkedid"]
    wanted = {"ChannelStateDesc": "Ring", "Context": "from-trunk", "Exten": truth.did, "CallerIDNum": truth.caller}
    assert wanted.items() <= caller.items()
    assert [end["DialStatus"] for end in named(events, "DialEnd")] == ["NOANSWER"]
    assert not named(events, "BridgeEnter")
    assert caller["Uniqueid"] in [end["Uniqueid"] for end in named(events, "Hangup")]
    assert not named(events, "Newexten")
    assert "Timestamp" not in caller


def test_an_answered_caller_enters_a_basic_bridge(asterisk: Asterisk) -> None:
    events = recorded(asterisk, "direct_answered")
    caller = named(events, "Newchannel")[0]["Uniqueid"]
    entered = [event for event in named(events, "BridgeEnter") if event["Uniqueid"] == caller]
    assert [event["BridgeType"] for event in entered] == ["basic"]


def test_an_abandoned_queue_is_in_events_queue_log_and_cdr(asterisk: Asterisk) -> None:
    events = recorded(asterisk, "queue_abandon")
    abandon = named(events, "QueueCallerAbandon")[0]
    assert f"{abandon['Uniqueid']}|support|NONE|ABANDON" in asterisk.queue_log.read_text()
    with asterisk.master_csv.open(newline="") as rows:
        assert abandon["Uniqueid"] in [row[16] for row in csv.reader(rows)]
    assert asterisk.cdr_sqlite.stat().st_size > 0


def test_no_sipp_is_left_behind(asterisk: Asterisk) -> None:
    with Stage(asterisk) as stage:
        stage.phone("101", answers())
        stage.phone("104", answers())
        stage.call("+12015550199", "+13035550101", talks(0.5))
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not [command for command in commands if b"sipp\0" in command and asterisk.network.encode() in command]


def test_two_instances_of_one_version_run_side_by_side(asterisk: Asterisk, own_asterisk: Asterisk) -> None:
    assert own_asterisk.host != asterisk.host
    assert recorded(own_asterisk, "short_hangup")[0]["Timestamp"]
    assert own_asterisk.folder != asterisk.folder
    assert not asterisk.channels()


def test_a_restart_ends_the_call_and_a_crash_says_nothing(own_asterisk: Asterisk) -> None:
    with Listener(own_asterisk) as ami:
        play(SCENARIOS["restart_while_ringing"], own_asterisk)
        events = ami.until_closed()
    assert named(events, "Hangup")
    assert named(events, "Shutdown")
    with Listener(own_asterisk) as ami:
        play(SCENARIOS["crash_while_ringing"], own_asterisk)
        events = ami.until_closed()
    assert named(events, "Newchannel")
    assert not named(events, "Hangup")
