"""What no recording shows: old Asterisks, odd channels, deep Local chains, lost and late events, coming in the middle."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.core.switchboard import BEGAN, CALLER, DID, Switchboard, bridge
from textbackd.core.call import Direction, EndedBy
from textbackd.core.events import TRACKED, Event
from textbackd.core.missed import Circumstances, judge
from textbackd.core.picture import MOST_CHANNELS
from textbackd.core.tracker import LONGEST_CALL, Tracker
from textbackd.core.trunk import Trunks

PHONE, OTHER_PHONE = "PJSIP/101-00000002", "PJSIP/102-00000003"


@pytest.fixture
def board() -> Switchboard:
    return Switchboard()


def talk_for(board: Switchboard, seconds: float, phone: str = "p") -> None:
    """The phone picks up and both hear each other."""
    board.state(phone, "Up")
    board.dial_ends(phone, "ANSWER")
    board.state("c", "Up")
    board.enters(phone)
    board.enters("c")
    board.wait(seconds)


# ---- what a channel's states tell


@pytest.mark.parametrize(
    ("first", "then", "direction"),
    [
        pytest.param("Down", "Ring", Direction.INBOUND, id="chan_sip: down, then it rings in"),
        pytest.param("Ring", "Up", Direction.INBOUND, id="chan_pjsip: it rings in at once"),
        pytest.param("Down", "Ringing", Direction.OUTBOUND, id="dialled by Originate: its far end rings"),
        pytest.param("Down", "Dialing", Direction.OUTBOUND, id="dialled over DAHDI"),
    ],
)
def test_a_trunk_channel_that_rings_in_is_a_caller_and_one_that_is_dialled_is_not(
    board: Switchboard, first: str, then: str, direction: Direction
) -> None:
    board.rings_in(first)
    board.state("c", then)
    board.hangs_up()
    assert [call.direction for call in board.ended] == [direction]


def test_a_phone_that_begins_a_call_is_inside_and_outbound_once_it_dials_a_trunk(board: Switchboard) -> None:
    board.appears("c", PHONE, "Ring")
    board.appears("t", "PJSIP/acme-00000009", Context="from-trunk")
    board._dial("DialBegin", "c", "t")
    board.hangs_up("t")
    board.hangs_up()
    assert [call.direction for call in board.ended] == [Direction.OUTBOUND]


@pytest.mark.parametrize(
    ("seen_later", "did"),
    [
        pytest.param("3035550101", "3035550101", id="the dialplan finds the number"),
        pytest.param("+13035550101", "+13035550101", id="with a plus"),
        pytest.param("101", "s", id="a phone's extension is no number of ours"),
        pytest.param("h", "s", id="nor is the hang-up extension"),
    ],
)
def test_an_analogue_call_arrives_at_s_and_its_number_is_seen_later(
    board: Switchboard, seen_later: str, did: str
) -> None:
    board.appears("c", "DAHDI/1-1", "Ring", Context="from-pstn", Exten="s", CallerIDNum=CALLER)
    board.state("c", "Up", Context="from-did-direct", Exten=seen_later)
    board.hangs_up()
    assert [(call.direction, call.did_presented) for call in board.ended] == [(Direction.INBOUND, did)]


def test_a_number_that_was_dialled_is_not_replaced_by_a_later_extension(board: Switchboard) -> None:
    board.rings_in()
    board.state("c", "Up", Context="ext-local", Exten="5550199999")
    board.hangs_up()
    assert board.ended[0].did_presented == DID


def test_the_context_of_the_answer_and_of_the_end_are_kept_apart(board: Switchboard) -> None:
    board.rings_in()
    board.state("c", "Up", Context="ivr-1", Exten="s")
    board.hangs_up(Context="app-blackhole", Exten="hangup")
    call = board.ended[0]
    assert (call.up_in, call.ended_in, call.ended_at_extension) == ("ivr-1", "app-blackhole", "hangup")


# ---- who hears whom


def test_a_talk_lasts_from_hearing_to_no_longer_hearing(board: Switchboard) -> None:
    board.rings_in()
    board.dials("p", PHONE)
    board.wait(6)
    talk_for(board, 30)
    board.leaves("p")
    board.wait(5)
    board.hangs_up()
    assert board.told() == ["answered"]
    assert (board.ended[0].waited, board.ended[0].talked) == (timedelta(seconds=41), timedelta(seconds=30))


def _three_deep(board: Switchboard) -> None:
    """The caller hears the phone through three Local pairs and four bridges."""
    board.rings_in()
    board.state("c", "Up")
    board.appears("p", PHONE)
    board.state("p", "Up")
    for depth in (1, 2, 3):
        board.appears(f"{depth}one", f"Local/10{depth}@x-0000000{depth};1")
        board.appears(f"{depth}two", f"Local/10{depth}@x-0000000{depth};2")
        board.enters(f"{depth}one", depth)
        board.enters(f"{depth}two", depth + 1)
    board.enters("c", 1)
    board.enters("p", 4)
    board.wait(10)


def test_a_person_three_local_pairs_away_is_heard(board: Switchboard) -> None:
    _three_deep(board)
    board.hangs_up()
    assert [talk.channel for talk in board.ended[0].talks] == [PHONE]


@pytest.mark.parametrize("cut", ["1two", "2one", "2two", "3one"])
def test_the_talk_ends_where_any_link_of_the_chain_is_cut(board: Switchboard, cut: str) -> None:
    _three_deep(board)
    board.leaves(cut)
    board.wait(100)
    board.hangs_up()
    assert board.ended[0].talked == timedelta(seconds=10)


def test_a_ring_of_local_pairs_ends(board: Switchboard) -> None:
    board.rings_in()
    for half, number in (("1", 1), ("2", 2)):
        board.appears(f"a{half}", f"Local/a@x-1;{half}")
        board.appears(f"b{half}", f"Local/b@x-2;{half}")
        board.enters(f"a{half}", number)
        board.enters(f"b{half}", number)
    board.enters("c", 1)
    board.hangs_up()
    assert board.ended[0].talks == ()


def test_nobody_hears_anybody_in_a_holding_bridge(board: Switchboard) -> None:
    board.rings_in()
    board.state("c", "Up")
    board.appears("p", PHONE, "Up")
    for channel in ("p", "c"):
        board.enters(channel, BridgeTechnology="holding_bridge")
    board.hangs_up()
    assert board.ended[0].talks == ()


@pytest.mark.parametrize("machine", ["CBAnn/conf-1;2", "Recorder/x-1", "Snoop/1-1", "Announcer/x-1"])
def test_a_machine_in_the_bridge_is_nobody(board: Switchboard, machine: str) -> None:
    board.rings_in()
    board.state("c", "Up")
    board.appears("m", machine, "Up")
    board.enters("m")
    board.enters("c")
    board.hangs_up()
    assert board.ended[0].talks == ()


def test_a_bridge_whose_name_asterisk_would_not_give_is_not_believed(board: Switchboard) -> None:
    board.rings_in()
    board.dials("p", PHONE)
    for channel in ("p", "c"):
        board.of(channel, "BridgeEnter", BridgeUniqueid="forged", BridgeType="basic")
    board.hangs_up()
    assert board.ended[0].talks == ()


def test_a_renamed_phone_is_still_the_same_phone(board: Switchboard) -> None:
    board.rings_in()
    board.dials("p", PHONE)
    talk_for(board, 10)
    board.says("Rename", Channel=PHONE, Newname=OTHER_PHONE, Uniqueid="p")
    board.says("Hangup", Channel=OTHER_PHONE, Uniqueid="p", Linkedid="c")
    board.wait(5)
    board.hangs_up()
    assert [(talk.channel, board.ended[0].talked) for talk in board.ended[0].talks] == [
        (OTHER_PHONE, timedelta(seconds=10))
    ]


def test_a_local_channel_that_is_renamed_finds_its_other_half_under_the_new_name(board: Switchboard) -> None:
    board.rings_in()
    board.appears("p", PHONE, "Up")
    board.appears("one", "Local/a@x-1;1")
    board.appears("two", "Local/b@x-2;2")
    board.says("Rename", Channel="Local/b@x-2;2", Newname="Local/a@x-1;2", Uniqueid="two")
    board.enters("one", 1)
    board.says("BridgeEnter", Channel="Local/a@x-1;2", Uniqueid="two", Linkedid="c", BridgeUniqueid=bridge(2))
    board.enters("c", 1)
    board.enters("p", 2)
    board.hangs_up()
    assert [talk.channel for talk in board.ended[0].talks] == [PHONE]


def test_a_queue_s_second_end_of_a_dial_does_not_overwrite_the_first(board: Switchboard) -> None:
    board.rings_in()
    board.dials("p", PHONE)
    board.dial_ends("p", "BUSY")
    board.dial_ends("p", "CANCEL")
    board.hangs_up()
    assert board.told() == ["missed busy"]


# ---- Asterisk 11 and older: no Linkedid, no DialBegin, one event for two in a bridge


class Old(Switchboard):
    """Speaks as Asterisk 11 does."""

    def appears(self, uniqueid: str, channel: str, state: str = "Down", **headers: str) -> None:
        self._names[uniqueid] = channel
        self.of(
            uniqueid, "Newchannel", **{"ChannelStateDesc": state, "Exten": "", "Context": "from-internal", **headers}
        )

    def of(self, uniqueid: str, name: str, **headers: str) -> None:
        self.says(name, **{"Channel": self._names[uniqueid], "Uniqueid": uniqueid, **headers})

    def dials(self, uniqueid: str, channel: str, by: str = "c", **headers: str) -> None:
        self.appears(uniqueid, channel, **headers)
        names = {"Channel": self._names[by], "UniqueID": by, "Destination": channel, "DestUniqueID": uniqueid}
        self.says("Dial", SubEvent="Begin", **names)

    def dial_is_over(self, status: str) -> None:
        self.says("Dial", SubEvent="End", Channel=self._names["c"], UniqueID="c", DialStatus=status)

    def links(self, phone: str = "p", state: str = "Link") -> None:
        self.says("Bridge", Bridgestate=state, Uniqueid1="c", Uniqueid2=phone, Channel1="", Channel2="")


@pytest.fixture
def old() -> Old:
    return Old()


@pytest.mark.parametrize(
    ("status", "expected"),
    [("NOANSWER", "missed no_answer"), ("BUSY", "missed busy"), ("CHANUNAVAIL", "missed unreachable")],
)
def test_an_old_asterisk_s_dial_that_fails_is_one_missed_call(old: Old, status: str, expected: str) -> None:
    old.rings_in()
    old.dials("p", "SIP/101-00000002")
    old.dials("q", "SIP/102-00000003")
    old.wait(20)
    old.dial_is_over(status)
    for channel in ("p", "q", "c"):
        old.hangs_up(channel)
    assert old.told() == [expected]


def test_an_old_asterisk_s_link_is_a_talk_until_it_is_unlinked(old: Old) -> None:
    old.rings_in()
    old.dials("p", "SIP/101-00000002")
    old.state("p", "Up")
    old.state("c", "Up")
    old.links()
    old.wait(30)
    old.links(state="Unlink")
    old.wait(3)
    old.hangs_up("p")
    old.hangs_up()
    assert (old.told(), old.ended[0].talked) == (["answered"], timedelta(seconds=30))


def test_an_old_asterisk_s_mobile_is_not_confirmed_by_being_linked_again(old: Old) -> None:
    old.rings_in()
    old.dials("m", "SIP/acme-00000002", Context="from-trunk")
    old.state("m", "Up")
    old.links("m")
    old.wait(2)
    old.links("m", "Unlink")
    old.links("m")
    old.wait(3)
    old.caller_hangs_up()
    assert old.told() == ["uncertain maybe_mobile_voicemail"]


@pytest.mark.parametrize(
    ("gives_up", "expected"),
    [(True, "missed queue_gave_up"), (False, "missed queue_timeout")],
    ids=["gives up", "times out"],
)
def test_an_old_asterisk_s_join_and_leave_are_a_queue(old: Old, gives_up: bool, expected: str) -> None:
    old.rings_in()
    old.state("c", "Up")
    old.of("c", "Join", Queue="sales")
    old.wait(30)
    if gives_up:
        old.of("c", "HangupRequest")
    old.of("c", "Leave", Queue="sales")
    old.hangs_up()
    assert (old.told(), old.ended[0].queue and old.ended[0].queue.queue) == ([expected], "sales")


# ---- events that are lost, late or doubled


def test_nothing_that_comes_after_the_end_revives_a_call(board: Switchboard) -> None:
    board.rings_in()
    board.dials("p", PHONE)
    board.hangs_up("p")
    board.hangs_up()
    board.state("c", "Up")
    board.dial_ends("p", "ANSWER")
    board.enters("p")
    board.enters("c")
    board.hangs_up()
    assert (board.told(), board.tracker.open_calls, board.tracker.close()) == (["missed no_answer"], 0, [])


def test_a_call_whose_first_event_was_lost_says_so(board: Switchboard) -> None:
    board._names["c"] = "PJSIP/acme-00000001"
    board.state("c", "Ring", Context="from-trunk", Exten=DID, CallerIDNum=CALLER)
    board.hangs_up()
    assert [(call.start_seen, call.direction) for call in board.ended] == [(False, Direction.INBOUND)]


@pytest.mark.parametrize("later", [False, True], ids=["at the limit it stays", "after it, it has ended"])
def test_a_call_whose_end_never_comes_is_let_go_when_it_is_older_than_any_call(board: Switchboard, later: bool) -> None:
    board.rings_in()
    ended = board.tracker.forget_unended(BEGAN + LONGEST_CALL + timedelta(seconds=later))
    assert [call.ended_by for call in ended] == [EndedBy.OPEN] * later
    assert board.tracker.open_calls == (not later)


def test_a_call_that_was_there_before_us_is_let_go_as_well(board: Switchboard) -> None:
    board.lists("c", "PJSIP/acme-1", "Up", Context="from-trunk")
    ended = board.tracker.forget_unended(BEGAN + 2 * LONGEST_CALL)
    assert [call.linkedid for call in ended] == ["c"]
    assert board.tracker.open_calls == 0


# ---- coming in the middle, and restarts


def test_a_talk_that_runs_when_we_come_is_a_talk(board: Switchboard) -> None:
    board.tracker.connection_opened()
    board.lists("c", "PJSIP/acme-1", "Up", Context="from-trunk", Exten=DID, BridgeId=bridge())
    board.lists("p", PHONE, "Up", BridgeId=bridge())
    board.says("CoreShowChannelsComplete")
    board.wait(60)
    board.hangs_up()
    assert board.told() == ["answered"]


def test_a_call_that_rings_when_we_come_can_be_missed(board: Switchboard) -> None:
    board.lists("c", "PJSIP/acme-1", "Ring", Context="from-trunk", Exten=DID)
    board.says("CoreShowChannelsComplete")
    board.caller_hangs_up()
    assert board.told() == ["missed gave_up"]


def test_a_call_that_is_up_when_we_come_and_hears_nobody_now_is_uncertain(board: Switchboard) -> None:
    board.lists("c", "PJSIP/acme-1", "Up", Context="from-trunk", Exten=DID)
    board.says("CoreShowChannelsComplete")
    board.hangs_up()
    assert board.told() == ["uncertain not_seen"]


def test_a_call_that_is_gone_when_we_come_back_ended_unseen(board: Switchboard) -> None:
    board.rings_in()
    board.tracker.connection_opened()
    board.says("CoreShowChannelsComplete")
    assert board.told() == ["uncertain not_seen"]


def test_a_call_that_is_still_there_when_we_come_back_goes_on(board: Switchboard) -> None:
    board.rings_in()
    board.dials("p", PHONE)
    board.tracker.connection_opened()
    board.lists("c", "PJSIP/acme-00000001", "Ring", Context="from-trunk")
    board.says("CoreShowChannelsComplete")
    board.dial_ends("p", "NOANSWER")
    board.hangs_up()
    assert board.told() == ["missed no_answer"]


@pytest.mark.parametrize("seen_from", ["Newchannel", "Newstate", "CoreShowChannel", "Hangup"])
def test_the_channel_on_which_texts_go_through_the_dialplan_is_no_call(board: Switchboard, seen_from: str) -> None:
    # As Asterisk 16 and 22 tell it at the first SIP MESSAGE, in whatever context.
    headers = {"Channel": "Message/ast_msg_queue", "ChannelStateDesc": "Up", "Context": "from-trunk", "Exten": "s"}
    board.says(seen_from, Uniqueid="m", Linkedid="m", **headers)
    board.says("Hangup", Uniqueid="m", Linkedid="m", **headers)
    assert board.tracker.close() == []
    assert board.told() == []


@pytest.mark.parametrize(
    ("uptime", "expected"),
    [
        pytest.param("3", ["uncertain pbx_restarted"], id="it was started after the call"),
        pytest.param("86400", [], id="it runs since yesterday"),
        pytest.param("9" * 12, ["uncertain pbx_restarted"], id="since before the year 1: as if just started"),
        pytest.param("9" * 5000, ["uncertain pbx_restarted"], id="more digits than a number has"),
        pytest.param("soon", ["uncertain pbx_restarted"], id="no number"),
    ],
)
def test_a_restart_is_known_by_the_uptime(board: Switchboard, uptime: str, expected: list[str]) -> None:
    board.rings_in()
    board.wait(60)
    board.says("FullyBooted", Uptime=uptime)
    assert board.told() == expected


def test_a_shutdown_ends_every_call_once(board: Switchboard) -> None:
    board.rings_in()
    board.says("Shutdown", Shutdown="Uncleanly", Restart="True")
    board.hangs_up()
    assert board.told() == ["uncertain pbx_restarted"]


def test_a_talk_before_a_shutdown_was_a_talk(board: Switchboard) -> None:
    board.rings_in()
    board.dials("p", PHONE)
    talk_for(board, 30)
    board.says("Shutdown")
    assert board.told() == ["answered"]


# ---- memory


def _callers(tracker: Tracker, number: int, *, hang_up: bool) -> None:
    for serial in range(number):
        name = {"Channel": f"PJSIP/acme-{serial:08x}", "Uniqueid": str(serial), "Linkedid": str(serial)}
        tracker.feed(Event("Newchannel", {**name, "Context": "from-trunk", "ChannelStateDesc": "Ring"}, BEGAN))
        if hang_up:
            tracker.feed(Event("Hangup", name, BEGAN))
    tracker.take_arrivals()


def test_calls_that_end_leave_nothing_behind() -> None:
    tracker = Tracker("office", Trunks())
    _callers(tracker, 3_000, hang_up=True)
    assert tracker.size == 0


@pytest.mark.slow
def test_more_calls_without_an_end_than_are_kept_are_bounded() -> None:
    tracker = Tracker("office", Trunks())
    _callers(tracker, MOST_CHANNELS + 1_000, hang_up=False)
    assert tracker.open_calls == MOST_CHANNELS
    assert tracker.size == 4 * MOST_CHANNELS


def test_the_memory_of_who_called_is_bounded_if_nobody_asks_for_it() -> None:
    board = Switchboard()
    for number in range(2_000):
        board.says("Newchannel", Uniqueid=str(number), Channel="PJSIP/acme-1", Context="from-trunk")
        board.says("Hangup", Uniqueid=str(number))
    assert len(board.tracker.take_arrivals()) == 1000


@pytest.mark.parametrize(
    ("name", "headers"),
    [
        pytest.param(
            "Bridge", {"Uniqueid1": "{}", "Uniqueid2": "x{}", "Bridgestate": "Link"}, id="unknown old bridges"
        ),
        pytest.param("BridgeEnter", {"Uniqueid": "c", "Channel": "PJSIP/acme-1", "BridgeUniqueid": ""}, id="no bridge"),
        pytest.param("DialEnd", {"Uniqueid": "c", "DestUniqueid": "{}", "DestChannel": "x"}, id="unknown dials"),
        pytest.param("Rename", {"Uniqueid": "c", "Newname": "PJSIP/acme-{}"}, id="a new name each time"),
    ],
)
def test_events_that_lead_nowhere_are_not_remembered(board: Switchboard, name: str, headers: dict[str, str]) -> None:
    board.rings_in()
    before = board.tracker.size
    for number in range(1000):
        board.says(name, **{key: value.format(number) for key, value in headers.items()})
    assert board.tracker.size == before


def test_a_list_of_channels_that_never_ends_is_bounded(board: Switchboard) -> None:
    for number in range(MOST_CHANNELS + 1000):
        board.says("CoreShowChannel", Uniqueid=str(number))
    assert board.tracker.size <= MOST_CHANNELS


def test_a_call_remembers_only_so_many_of_its_steps(board: Switchboard) -> None:
    board.rings_in()
    board.dials("p", PHONE)
    for _ in range(1000):
        talk_for(board, 1)
        board.leaves("p")
    board.hangs_up()
    assert len(board.ended[0].way) <= 200


# ---- anything


TEXTS = st.sampled_from([
    "", "c", "p", "1", "-1", "9" * 30, "9" * 5000, "s", DID, "Up", "Ring", "Ringing", "Success", "Link", "Begin", "End",
    "PJSIP/acme-1", PHONE, "Local/a@x-1;1", "Local/a@x-1;2", "Local/", ";", "from-trunk", bridge(1), bridge(2), "basic",
    "holding_bridge", "parking", "ANSWER", "CANCEL", "prohib", "CALLINGNUMPRES", "\x00\ud800{}",
])  # fmt: skip
HEADERS = st.sampled_from([
    "Channel", "Uniqueid", "Linkedid", "ChannelStateDesc", "Context", "Exten", "CallerIDNum", "BridgeUniqueid", "BridgeType",
    "BridgeTechnology", "BridgeNumChannels", "DestChannel", "DestUniqueid", "DestLinkedid", "DialStatus", "Forward", "Newname",
    "SubEvent", "UniqueID", "DestUniqueID", "Destination", "Bridgestate", "Uniqueid1", "Uniqueid2", "Queue", "Waiting",
    "Mailbox", "Result", "TransfereeUniqueid", "TransfererUniqueid", "OrigTransfererUniqueid", "SecondTransfererUniqueid",
    "ParkeeUniqueid", "Uptime", "BridgeId", "Application", "LocalOneUniqueid", "LocalTwoUniqueid", "Variable", "Value", "Cause",
    "ChanVariable", "CID-CallingPres",
])  # fmt: skip
# No other century comes out of pbx/wire.read_time.
TIMES = st.sampled_from(
    [None, BEGAN, BEGAN + timedelta(days=1), datetime(2000, 1, 2, tzinfo=UTC), datetime(2099, 12, 31, tzinfo=UTC)]
)
NAMES = st.sampled_from([*sorted(TRACKED), "Unheard", ""])
EVENTS = st.builds(Event, NAMES, st.dictionaries(HEADERS, TEXTS, max_size=8), TIMES)
# Events that know each other: of two channels and two bridges.
KNOWN = st.fixed_dictionaries(
    {
        "Uniqueid": st.sampled_from(["c", "p"]),
        "Channel": st.sampled_from(["PJSIP/acme-1", PHONE, "Local/a@x-1;1", "Local/a@x-1;2"]),
        "Linkedid": st.just("c"),
        "BridgeUniqueid": st.sampled_from([bridge(1), bridge(2)]),
        "ChannelStateDesc": st.sampled_from(["Down", "Ring", "Up"]),
        "Context": st.sampled_from(["from-trunk", "from-internal"]),
    },
    optional={"DestUniqueid": st.sampled_from(["p", "q"]), "DestChannel": TEXTS, "BridgeNumChannels": TEXTS},
)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(EVENTS, st.builds(Event, NAMES, KNOWN, TIMES)), max_size=20))
@example([Event("FullyBooted", {"Uptime": "9" * 30}, BEGAN)])
def test_no_sequence_of_events_makes_the_tracker_raise(events: list[Event]) -> None:
    tracker = Tracker("office", Trunks())
    calls = [call for event in events for call in tracker.feed(event)]
    tracker.connection_opened()
    calls += tracker.forget_unended(BEGAN + 3 * LONGEST_CALL) + tracker.close()
    for call in calls:
        judge(call, Circumstances())
    assert tracker.open_calls == 0


def test_an_attended_transfer_of_others_does_not_touch_a_caller_who_is_not_part_of_it(board: Switchboard) -> None:
    board.rings_in()
    board.dials("p", PHONE)
    # Only one of the two transferers is named, as when the second leg runs an application.
    board.says("AttendedTransfer", Result="Success", OrigTransfererUniqueid="other", TransfereeUniqueid="somebody")
    board.wait(9)
    board.caller_hangs_up()
    assert board.told() == ["missed gave_up"]
