"""Recordings read back: comments, banners, cuts, other line ends, and files that are none."""

import random
import tracemalloc
from pathlib import Path

import pytest

from tests.traces import HERE
from textbackd.core.trunk import Trunks
from textbackd.errors import TextbackdError
from textbackd.pbx.trace import calls_of, read_trace

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
HANGUP = b"Event: Hangup\r\nUniqueid: 1\r\nChannel: x\r\n\r\n"
STORY = HERE / "asterisk22" / "direct_noanswer.ami"


def names(tmp_path: Path, data: bytes) -> list[str | None]:
    """Return the names of the events in a trace, None for a connection."""
    trace = tmp_path / "trace.ami"
    trace.write_bytes(data)
    return [event and event.name for event in read_trace(trace)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(b"", [], id="an empty file"),
        pytest.param(HANGUP, ["Hangup"], id="an event"),
        pytest.param(HANGUP.rstrip(), ["Hangup"], id="its last blank line is missing"),
        pytest.param(HANGUP.replace(b"\r\n", b"\n") * 2, ["Hangup"] * 2, id="line feeds only"),
        pytest.param(BANNER + b"\r\n" + HANGUP, [None, "Hangup"], id="a banner begins a connection"),
        pytest.param(BANNER + HANGUP, [None, "Hangup"], id="a banner without a blank line after it"),
        pytest.param(b"# recorded\r\n# at home\r\n" + BANNER + HANGUP, [None, "Hangup"], id="comments before a banner"),
        pytest.param(BANNER + b"Response: Success\r\n\r\n" + HANGUP, [None, "Hangup"], id="an answer is no event"),
        pytest.param((BANNER + HANGUP) * 2, [None, "Hangup"] * 2, id="two connections"),
        pytest.param(HANGUP[:-10] + BANNER + HANGUP, [None, "Hangup"], id="cut in the middle, then a new connection"),
        pytest.param(b"\x7fELF\x00\xff" * 100, [], id="a program"),
        pytest.param(b"Event: Hangup", ["Hangup"], id="nothing but a name"),
    ],
)
def test_a_trace_is_read_as_far_as_it_goes(tmp_path: Path, data: bytes, expected: list[str | None]) -> None:
    assert names(tmp_path, data) == expected


def test_a_frame_across_two_chunks_is_read(tmp_path: Path) -> None:
    padding = b"Event: Unheard\r\nX: y\r\n\r\n" * 15_000
    assert names(tmp_path, padding + HANGUP + padding) == ["Hangup"]


def test_a_trace_that_is_cut_leaves_its_call_open(tmp_path: Path) -> None:
    cut = tmp_path / "cut.ami"
    cut.write_bytes(STORY.read_bytes()[:-400])
    assert [call.ended_by for call in calls_of(cut, pbx="office", trunks=Trunks())] == ["open"]


def test_line_feeds_only_give_the_same_calls(tmp_path: Path) -> None:
    unix = tmp_path / "unix.ami"
    unix.write_bytes(STORY.read_bytes().replace(b"\r\n", b"\n"))
    whole = list(calls_of(STORY, pbx="office", trunks=Trunks()))
    assert list(calls_of(unix, pbx="office", trunks=Trunks())) == whole


@pytest.mark.parametrize("missing", ["nothing.ami", ""], ids=["no such file", "a folder"])
def test_what_cannot_be_read_is_a_sentence(tmp_path: Path, missing: str) -> None:
    with pytest.raises(TextbackdError, match=r"cannot be read \(.*\)\. Give the path"):
        list(read_trace(tmp_path / missing))


def test_twenty_megabytes_of_noise_are_read_in_little_memory(tmp_path: Path) -> None:
    trace = tmp_path / "noise.ami"
    trace.write_bytes((random.Random(1).randbytes(10_000).replace(b"\n", b" ") + b"\r\n") * 2_000)
    tracemalloc.start()
    assert list(read_trace(trace)) == []
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16_000_000
