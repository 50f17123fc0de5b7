"""`textbackd replay`: needs nothing, says what it found, and tells in a sentence what it could not read."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.traces import HERE

pytestmark = pytest.mark.slow

STORIES = HERE / "asterisk22"
STORY = STORIES / "direct_noanswer.ami"
FIELDS = [
    "file", "pbx", "linkedid", "direction", "caller", "did", "caller_presented", "did_presented", "verdict", "reason",
    "not_textable", "started_at", "ended_at", "talked_s", "decision", "decision_reason",
]  # fmt: skip


def objects(out: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.splitlines()]


def test_the_fields_are_those_of_the_design_in_its_order(shell: Shell) -> None:
    found = objects(shell("replay", "--json", STORY).out)
    assert [list(call) for call in found] == [FIELDS]


def test_a_missed_call_as_json(shell: Shell) -> None:
    (call,) = objects(shell("replay", "--json", STORY).out)
    assert call == call | {
        "file": str(STORY),
        "pbx": "office",
        "direction": "inbound",
        "caller": "+12015550100",
        "did": "+13035550101",
        "verdict": "missed",
        "reason": "no_answer",
        "not_textable": None,
        "talked_s": 0.0,
        "decision": "text",
        "decision_reason": "missed",
    }
    assert str(call["started_at"]).endswith("+00:00")


def test_numbers_are_told_as_read_and_as_they_came(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "national.ami"
    path.write_bytes(STORY.read_bytes().replace(b"+1", b""))
    (call,) = objects(shell("replay", "--json", path).out)
    assert (call["caller"], call["caller_presented"]) == ("+12015550100", "2015550100")
    assert (call["did"], call["did_presented"]) == ("+13035550101", "3035550101")


def test_a_withheld_number_is_null_and_what_was_presented_is_kept(shell: Shell) -> None:
    (call,) = objects(shell("replay", "--json", STORIES / "cid_anonymous.ami").out)
    assert (call["caller"], call["not_textable"], call["decision"]) == (None, "withheld", "skip")
    assert call["caller_presented"] is not None


def test_files_come_in_the_order_in_which_they_were_named(shell: Shell) -> None:
    names = [STORIES / f"{name}.ami" for name in ("direct_noanswer", "direct_busy", "direct_noanswer")]
    done = shell("replay", "--json", *names)
    assert [call["file"] for call in objects(done.out)] == [str(name) for name in names]
    assert [call["decision"] for call in objects(done.out)] == ["text"] * 3


def test_a_configuration_decides_and_needs_neither_secret_nor_storage(shell: Shell, config: Path) -> None:
    config.write_text(config.read_text().replace("${AMI_SECRET}", "${NOT_SET}") + "policy: {min_wait: 60s}\n")
    done = shell("replay", "--config", config, STORIES / "direct_caller_hangup.ami")
    assert done.code == 0
    assert "missed short; skip (short)" in done.out
    assert not (config.parent / "textbackd.db").exists()


def test_an_open_call_is_uncertain_and_no_fault(shell: Shell, tmp_path: Path) -> None:
    cut = tmp_path / "cut.ami"
    cut.write_bytes(STORY.read_bytes()[:-400])
    done = shell("replay", "--json", cut)
    assert (done.code, [(c["verdict"], c["reason"]) for c in objects(done.out)]) == (0, [("uncertain", "still_open")])


@pytest.mark.parametrize(
    "data", [b"", b"\x7fELF\x00\xff\xfe" * 500, b"just words\n"], ids=["empty", "a program", "words"]
)
def test_a_file_without_events_has_no_calls_and_is_no_fault(shell: Shell, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.ami"
    path.write_bytes(data)
    done = shell("replay", path)
    assert (done.code, done.out, done.err) == (0, "", "")


@pytest.mark.parametrize(("name", "why"), [("nothing.ami", "No such file"), (".", "Is a directory")])
def test_what_cannot_be_read_is_a_sentence(shell: Shell, tmp_path: Path, name: str, why: str) -> None:
    done = shell("replay", tmp_path / name)
    assert (done.code, done.out) == (1, "")
    assert why in done.sentence


def test_what_was_read_before_is_told_all_the_same(shell: Shell, tmp_path: Path) -> None:
    done = shell("replay", STORY, tmp_path / "nothing.ami")
    assert (done.code, len(done.out.splitlines())) == (1, 1)


def test_control_characters_of_a_caller_do_not_reach_the_terminal(shell: Shell, tmp_path: Path) -> None:
    evil = tmp_path / "evil.ami"
    evil.write_bytes(STORY.read_bytes().replace(b"+12015550100", b"a\x1b[2Jb\x07\xe2\x80\xae"))
    done = shell("replay", evil)
    assert "a[2Jb" in done.out
    assert done.out.strip().isprintable()


def test_a_file_name_that_is_no_text_can_be_told(shell: Shell, tmp_path: Path) -> None:
    path = Path(str(tmp_path), "x\udcff.ami")
    path.write_bytes(STORY.read_bytes())
    done = shell("replay", "--json", path)
    assert (done.code, done.err, len(objects(done.out))) == (0, "", 1)


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["lines", "json"])
def test_a_reader_that_has_gone_is_no_reason_for_a_traceback(shell: Shell, options: list[str]) -> None:
    done = shell("replay", *options, *[STORY] * 3, reader=False)
    assert done.err == ""
    assert done.code in (0, 1)
