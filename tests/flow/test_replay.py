"""Recorded calls decided by a configuration: nothing carried from file to file, nothing too big or too broken."""

import random
import tracemalloc
from pathlib import Path

import pytest

from tests.flow.settings import configured
from tests.traces import HERE
from textbackd.config import Settings
from textbackd.core.call import EndedBy
from textbackd.core.decide import Why
from textbackd.errors import TextbackdError
from textbackd.flow.replay import conclusions

STORIES = HERE / "asterisk22"
SETTINGS = configured(policy="{min_wait: 0s}")


def decided(path: Path, settings: Settings = SETTINGS) -> list[str]:
    return [conclusion.decision.why.value for _, conclusion in conclusions(path, settings, pbx="office")]


def test_within_a_file_the_cooldown_applies() -> None:
    assert decided(STORIES / "three_misses.ami") == ["missed", "cooldown", "cooldown"]


def test_a_cooldown_of_nothing_texts_every_miss() -> None:
    settings = configured(policy="{min_wait: 0s, cooldown: 0s}")
    assert decided(STORIES / "three_misses.ami", settings) == ["missed"] * 3


def test_nothing_is_remembered_from_one_file_to_the_next() -> None:
    assert [decided(STORIES / "direct_noanswer.ami") for _ in range(2)] == [["missed"]] * 2


def _joined(tmp_path: Path, *stories: str) -> Path:
    path = tmp_path / "joined.ami"
    path.write_bytes(b"".join((STORIES / f"{story}.ami").read_bytes() for story in stories))
    return path


def test_without_times_a_second_miss_is_still_within_the_cooldown(tmp_path: Path) -> None:
    path = _joined(tmp_path, "three_misses")
    lines = path.read_bytes().split(b"\r\n")
    path.write_bytes(b"\r\n".join(line for line in lines if not line.startswith(b"Timestamp: ")))
    assert decided(path) == ["missed", "cooldown", "cooldown"]


def test_who_was_answered_just_before_is_not_texted(tmp_path: Path) -> None:
    path = _joined(tmp_path, "direct_answered", "direct_busy")
    answered, busy = b"+12035550100", b"+12075550100"
    assert decided(path) == ["answered", "missed"]
    path.write_bytes(path.read_bytes().replace(busy, answered))
    assert decided(path) == ["answered", "recent_talk"]


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00" * 1000, b"Asterisk Call Manager/11.0.0\r\n", b"Event: \r\n\r\n" * 100],
    ids=["empty", "zeros", "banner", "events"],
)
def test_a_file_without_calls_has_none(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.ami").write_bytes(data)
    assert decided(tmp_path / "x.ami") == []


def test_a_cut_file_s_open_call_is_uncertain_and_not_texted(tmp_path: Path) -> None:
    path = tmp_path / "cut.ami"
    path.write_bytes((STORIES / "direct_noanswer.ami").read_bytes()[:-400])
    ((call, conclusion),) = conclusions(path, SETTINGS, pbx="office")
    assert (call.ended_by, conclusion.judgement.reason, conclusion.decision.why) == (
        (EndedBy.OPEN, "still_open", Why.UNCERTAIN)
    )


def test_noise_around_a_call_changes_nothing(tmp_path: Path) -> None:
    noise = b"\r\n\r\n" + random.Random(3).randbytes(5000) + b"\r\n\r\n"
    path = tmp_path / "noisy.ami"
    path.write_bytes(noise + (STORIES / "direct_noanswer.ami").read_bytes() + noise)
    assert decided(path) == ["missed"]


@pytest.mark.parametrize("name", ["nothing.ami", "."])
def test_what_is_no_file_is_a_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(TextbackdError, match="cannot be read"):
        decided(tmp_path / name)


def test_a_file_of_twenty_megabytes_is_replayed_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "big.ami"
    path.write_bytes(random.Random(5).randbytes(1_000_000) * 20)
    tracemalloc.start()
    assert decided(path) == []
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16_000_000


def test_times_at_the_end_of_all_time_are_no_reason_to_stop(tmp_path: Path) -> None:
    path = _joined(tmp_path, "three_misses")
    lines = path.read_bytes().split(b"\r\n")
    path.write_bytes(
        b"\r\n".join(b"Timestamp: 253402300799" if line.startswith(b"Timestamp: ") else line for line in lines)
    )
    assert decided(path) == ["missed", "cooldown", "cooldown"]
