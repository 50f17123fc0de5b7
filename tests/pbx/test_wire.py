"""AMI bytes to events, however they arrive and whatever they hold."""

import random
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from textbackd.core.events import TRACKED
from textbackd.pbx.wire import LARGEST_FRAME, FrameSplitter, parse, read_event, read_time, tracked

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
FRAMES = [b"Event: Hangup\r\nUniqueid: 1", b"Response: Success\r\nPing: Pong", "Event: Newstate\r\nName: Zoë".encode()]
STREAM = b"\r\n\r\n".join([*FRAMES, b""])


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """Return what a splitter makes of `data` when it comes in pieces."""
    splitter, ends = FrameSplitter(), sorted(place % (len(data) + 1) for place in places)
    pieces = [data[a:b] for a, b in zip([0, *ends], [*ends, len(data)], strict=True)]
    return [frame for piece in pieces for frame in splitter.feed(piece)]


@given(st.lists(st.integers(0, 10_000), max_size=12))
def test_frames_are_the_same_wherever_the_stream_is_cut(places: list[int]) -> None:
    assert cut(STREAM, places) == FRAMES


def test_frames_are_the_same_if_every_byte_comes_alone() -> None:
    assert cut(STREAM, list(range(len(STREAM)))) == FRAMES


def test_a_frame_without_its_blank_line_is_not_one_yet() -> None:
    splitter = FrameSplitter()
    assert splitter.feed(b"Event: Hangup\r\n") == []
    assert splitter.feed(b"\r\n") == [b"Event: Hangup"]


def test_garbage_between_two_frames_costs_neither() -> None:
    noise = random.Random(7).randbytes(1000).replace(b"\r\n", b"")
    frames = cut(FRAMES[0] + b"\r\n\r\n" + noise + b"\r\n\r\n" + FRAMES[2] + b"\r\n\r\n", [20, 300])
    assert [frame for frame in frames if tracked(frame)] == [FRAMES[0], FRAMES[2]]


def test_what_grows_larger_than_any_frame_is_thrown_away_and_the_next_frame_is_read() -> None:
    splitter = FrameSplitter()
    for _ in range(LARGEST_FRAME // 2**16 + 2):
        assert splitter.feed(b"x" * 2**16) == []
    assert FRAMES[0] in splitter.feed(b"\r\n\r\n" + STREAM)


def test_a_line_of_a_megabyte_is_read() -> None:
    name = "x" * 2**20
    assert parse(f"Event: Hangup\r\nCallerIDName: {name}".encode())["CallerIDName"] == name


@pytest.mark.parametrize(
    ("frame", "headers"),
    [
        pytest.param(b"A: 1\r\nB: 2", {"A": "1", "B": "2"}, id="as it should be"),
        pytest.param(b"A: 1\r\nA: 2", {"A": "1"}, id="of a repeated header the first counts"),
        pytest.param(b"A: 1\r\nnonsense\r\nA: 2", {"A": "1"}, id="also beside a line that is none"),
        pytest.param(b"A: 1\r\nno colon\r\nB: 2", {"A": "1", "B": "2"}, id="a line without colon"),
        pytest.param(b"A: \r\nB: 2", {"A": "", "B": "2"}, id="an empty value"),
        pytest.param(b"A:\r\nB: 2", {"A": "", "B": "2"}, id="an empty value without its space"),
        pytest.param(b"A:1\r\nB:  2", {"A": "1", "B": " 2"}, id="no space, and one too many"),
        pytest.param(b"A: b: c", {"A": "b: c"}, id="a colon in the value"),
        pytest.param(b"A: M\xfcller", {"A": "M\ufffdller"}, id="a Latin-1 byte"),
        pytest.param("A: Müller".encode(), {"A": "Müller"}, id="UTF-8"),
        pytest.param(b"", {}, id="nothing"),
        pytest.param(b":", {"": ""}, id="a colon"),
    ],
)
def test_a_frame_is_read_as_far_as_it_can_be(frame: bytes, headers: dict[str, str]) -> None:
    assert parse(frame) == headers


@settings(max_examples=100)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.lists(st.sampled_from([b"Event", b": ", b":", b"\r\n", b"\n", b"\xff", b"a"])).map(b"".join),
    )
)
@example(b"Event: Hangup\r\nTimestamp: nan")
@example(b"Event: Hangup\r\nTimestamp: 1e400")
def test_no_bytes_make_reading_raise(frame: bytes) -> None:
    assert all(isinstance(value, str) for value in parse(frame).values())
    event = read_event(frame, NOON)
    assert event is None or event.name in TRACKED


LETTERS = st.text("ABCabc", min_size=1, max_size=8)
VALUES = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=20)


@given(st.dictionaries(LETTERS, VALUES, max_size=6))
def test_what_asterisk_writes_is_read_back(headers: dict[str, str]) -> None:
    frame = "\r\n".join(f"{name}: {value}" for name, value in headers.items())
    assert parse(frame.encode()) == headers


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        pytest.param(b"Event: Hangup\r\nCause: 16", True, id="a tracked event"),
        pytest.param(b"Event: Hangup", True, id="a tracked event of one line"),
        pytest.param(b"Event: RTCPSent\r\nFrom: x", False, id="another event"),
        pytest.param(b"Event: Hangups\r\nCause: 16", False, id="a name that only starts like one"),
        pytest.param(b"Response: Success\r\nEvent: Hangup", False, id="an answer"),
        pytest.param(b"Event: VarSet\r\nVariable: X", False, id="a variable"),
        pytest.param(b"Event: VarSet\r\nVariable: SIPCALLINGNUMPRES", True, id="the variable of the presentation"),
        pytest.param(b"\r\nEvent: Hangup", True, id="a stray line end in front"),
        pytest.param(b"Privilege: call,all\r\nEvent: Hangup", True, id="an old Asterisk that puts the class first"),
    ],
)
def test_the_first_line_tells_whether_a_frame_is_of_use(frame: bytes, expected: bool) -> None:
    assert tracked(frame) is expected


@pytest.mark.parametrize(
    ("frame", "name"),
    [
        (b"\r\nEvent: Hangup", "Hangup"),
        (b"Privilege: call,all\r\nEvent: Hangup", "Hangup"),
        (b"Privilege: call,all\r\nEvent: RTCPSent", None),
        (b"Privilege: call,all", None),
    ],
)
def test_what_might_be_an_event_is_one_only_if_it_says_so(frame: bytes, name: str | None) -> None:
    event = read_event(frame, None)
    assert (event.name if event else None) == name


@pytest.mark.parametrize(
    ("header", "at"),
    [
        pytest.param(
            "Timestamp: 1772452800.250000", datetime(2026, 3, 2, 12, 0, 0, 250000, UTC), id="Asterisk's clock"
        ),
        pytest.param("Cause: 16", NOON, id="none: the clock at arrival"),
        pytest.param("Timestamp: yesterday", NOON, id="no time: the clock at arrival"),
    ],
)
def test_an_event_s_time_is_asterisk_s_where_it_tells_one(header: str, at: datetime) -> None:
    event = read_event(f"Event: Hangup\r\n{header}".encode(), NOON)
    assert event is not None
    assert event.at == at


@pytest.mark.parametrize(
    "text", ["", "nan", "inf", "-inf", "1e400", "-1", "0", "253402300799", "-62135596800", "12:00"]
)
def test_a_time_of_another_century_is_none(text: str) -> None:
    assert read_time(text) is None


def test_repeated_channel_variables_are_all_kept() -> None:
    event = read_event(b"Event: Hangup\r\nChanVariable: A=1\r\nChanVariable: CALLERID(pres)=prohib", None)
    assert event is not None
    assert event.headers["ChanVariable"] == "A=1 CALLERID(pres)=prohib"
