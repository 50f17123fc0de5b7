"""YAML 1.1 is full of surprises, and a file is full of ways not to be one; neither may reach the shop as such."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from textbackd.config import GsmModem, Settings, load, loads
from textbackd.config.yaml_source import MAX_BYTES, SourceError, parse
from textbackd.errors import ConfigError

Configured = Callable[..., Settings]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        pytest.param("NO", "NO", id="NO is Norway"),
        pytest.param("yes", "yes", id="yes is a word"),
        pytest.param("off", "off", id="off is a word"),
        pytest.param("0123", "0123", id="a leading zero stays"),
        pytest.param("0o17", "0o17", id="octal is text"),
        pytest.param("0x1F", "0x1F", id="hexadecimal is text"),
        pytest.param("8:30", "8:30", id="a time is no number in base 60"),
        pytest.param("1_000", "1_000", id="underscores stay"),
        pytest.param("1e3", "1e3", id="an exponent is text"),
        pytest.param("1.50", "1.50", id="a decimal keeps its zero"),
        pytest.param("+13125550123", "+13125550123", id="a number of a phone keeps its plus"),
        pytest.param("2026-12-24", "2026-12-24", id="a date is text"),
        pytest.param("=", "=", id="the value key of YAML 1.1 is text"),
        pytest.param("9" * 30, "9" * 30, id="a number that no integer type holds is text"),
        pytest.param("true", True, id="true is true"),
        pytest.param("False", False, id="False is false"),
        pytest.param("5038", 5038, id="a plain number is a number"),
        pytest.param("~", None, id="a tilde is nothing"),
        pytest.param("", None, id="nothing is nothing"),
        pytest.param('"true"', "true", id="in quotes everything is text"),
    ],
)
def test_a_scalar_is_what_it_looks_like(written: str, value: object) -> None:
    data = parse(f"key: {written}\n").data
    assert data == {"key": value}
    assert type(data["key"]) is type(value)


@pytest.mark.parametrize("key", ["NO", "yes", "on", "1", "0123", "null", "2026-12-24"])
def test_a_key_is_always_text(key: str) -> None:
    assert parse(f"{key}: x\n").data == {key: "x"}


def test_norway_a_pin_and_times_come_through_to_the_settings(configured: Configured) -> None:
    settings = configured(
        business="{name: 1848, country: NO}",
        gateways="{stick: {type: gsm_modem, port: /dev/null, pin: 0123}}",
        lines="{main: {hours: {mon: 8:30-12:00}}}",
    )
    stick = settings.gateways["stick"]
    assert isinstance(stick, GsmModem)
    assert (settings.business.country, settings.business.name) == ("NO", "1848")
    assert stick.pin == SecretStr("0123")
    assert str(settings.lines["main"].hours.week[0][0]) == "08:30-12:00"


@pytest.mark.parametrize("word", ["off", "Off", "false", '"off"'])
def test_off_is_the_word_for_off(configured: Configured, word: str) -> None:
    policy = configured(policy=f"{{quiet_hours: {word}, caps: {word}, brake: {word}}}").policy
    assert (policy.quiet_hours, policy.caps, policy.brake) == (None, None, None)


def test_one_cap_and_half_of_the_brake_can_be_off(configured: Configured) -> None:
    policy = configured(policy="{caps: {number: off}, brake: {delivered_below: off}}").policy
    assert policy.caps is not None
    assert policy.brake is not None
    assert policy.caps.number == ()
    assert policy.caps.did != ()
    assert policy.brake.delivered_below is None
    assert policy.brake.consecutive_numbers is not None


def test_a_section_whose_keys_are_all_commented_out_has_its_defaults(configured: Configured) -> None:
    assert configured(policy="\n  #delay: 1s").policy.delay == timedelta(seconds=5)


def test_a_key_that_stands_twice_is_a_fault_with_both_lines() -> None:
    with pytest.raises(ConfigError) as caught:
        loads("business:\n  name: A\n  country: US\n  name: B\n")
    sentence = "this key stands in line 2 already. Delete one of the two, or join them."
    assert caught.value.faults == [f"textbackd.yaml:4: business.name: {sentence}"]


LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
TEXTS = [
    pytest.param("", "1: the file is empty.", id="an empty file"),
    pytest.param("# nothing\n", "1: the file is empty.", id="only a comment"),
    pytest.param("- a\n", "1: the file is a list, not keys with values.", id="a list at the top"),
    pytest.param("hello\n", "1: the file is text, not keys with values.", id="text at the top"),
    pytest.param("a:\n\tb: 1\n", "2: there is a tab here. Use spaces to indent.", id="a tab for indentation"),
    pytest.param("a: 1\n b: 2\n", "2: a colon too many, or the indentation is off.", id="indented too far"),
    pytest.param("a:\n  b: 1\n c: 2\n", "3: the indentation is off.", id="indented between two levels"),
    pytest.param("a: b: c\n", "1: a colon too many", id="two colons in a line"),
    pytest.param("a: [1, 2\nb: 3\n", "a bracket stays open, or a comma is missing.", id="an open bracket"),
    pytest.param("a: {b: 1\n", "a bracket stays open, or a comma is missing.", id="an open brace"),
    pytest.param('a: "b\n', "a quote is not closed.", id="an open quote"),
    pytest.param('a: "C:\\Users"\n', "a backslash between double quotes starts an escape.", id="a path of Windows"),
    pytest.param('a: "\\UFFFFFFFF"\n', "an escape sequence or a % line is not YAML.", id="a character that is none"),
    pytest.param('a: "\\ud800"\n', "1: a: half a character", id="half a character"),
    pytest.param("a: *b\n", "text that starts with * is an alias in YAML. Put it in quotes.", id="an alias of nothing"),
    pytest.param("a: *\n", "text that starts with * or & has a meaning in YAML.", id="a star without quotes"),
    pytest.param("a: @b\n", "text may not start with this character.", id="an at sign without quotes"),
    pytest.param("a\n b\nc: d\n", "3: a colon too many", id="a key over two lines"),
    pytest.param("a: 1\nb\nc: 2\n", "a key has no colon.", id="a key without a colon"),
    pytest.param("a: 1\n---\nb: 2\n", "a second document starts here", id="two documents"),
    pytest.param("a: &x 1\nb: &x 2\n", "two anchors (&name) have the same name.", id="one anchor twice"),
    pytest.param("a: &a [*a]\n", "1: a[0][0]: this is nested too deeply, or an alias", id="an alias of itself"),
    pytest.param(LAUGHS, "there are more than 20000 values here", id="aliases that unfold to billions"),
    pytest.param("a: " + "[" * 5000, "brackets are nested too deeply.", id="brackets without end"),
    pytest.param("a: " + "{b: " * 40 + "}" * 40, "this is nested too deeply", id="braces forty deep"),
    pytest.param("a: !!python/object/apply:os.system [ls]\n", "not understood", id="a tag that runs programs"),
    pytest.param("a: !secret x\n", "1: a: tags (!name) are not understood. Write the value alone.", id="a tag"),
    pytest.param("a: !!int x\n", "1: a: tags (!name) are not understood.", id="a number that is none"),
    pytest.param("? [a]\n: b\n", "a key is a list or a block.", id="a list as a key"),
    pytest.param("b: &b {c: 1}\na: {<<: *b}\n", "2: a: merge keys (<<) are not understood.", id="a merge key"),
    pytest.param("a: \x07\n", "1: there is a control character here that no text has.", id="a control character"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "part"), TEXTS)
def test_what_cannot_be_read_is_one_clear_sentence_with_its_line(text: str, part: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loads(text)
    assert len(caught.value.faults) == 1
    assert part in caught.value.faults[0]
    assert caught.value.faults[0].startswith("textbackd.yaml:")


@pytest.mark.slow
def test_no_sentence_about_syntax_is_in_the_words_of_the_library() -> None:
    for row in TEXTS:
        text = row.values[0]
        with pytest.raises(SourceError) as caught:
            parse(str(text))
        words = " ".join(fault.sentence for fault in caught.value.faults)
        assert not any(word in words for word in ("while scanning", "while parsing", "expected", "token", "mapping"))


def test_an_alias_may_repeat_what_is_written_once(configured: Configured) -> None:
    lines = "{main: {hours: &office {mon: '08:00-12:00'}}, sales: {dids: ['+13035550142'], hours: *office}}"
    settings = configured(lines=lines)
    assert settings.lines["main"].hours == settings.lines["sales"].hours


def fault_of(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert len(caught.value.faults) == 1
    return caught.value.faults[0].removeprefix(f"{path}: ")


def test_a_file_that_is_not_there_is_a_fault_of_no_line(tmp_path: Path) -> None:
    assert fault_of(tmp_path / "none.yaml").startswith("there is no such file.")


def test_a_folder_is_a_fault(tmp_path: Path) -> None:
    assert fault_of(tmp_path).startswith("this is a folder, not a file.")


def test_a_name_that_no_file_can_have_is_a_fault() -> None:
    assert "cannot be read" in fault_of(Path("a\0b"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "textbackd.yaml"
    path.write_text("a: b")
    path.chmod(0)
    assert fault_of(path).startswith("this file may not be read.")


def test_a_file_below_a_file_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot be read (Not a directory)" in fault_of(tmp_path / "file" / "textbackd.yaml")


def test_a_file_that_is_too_large_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "textbackd.yaml"
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    assert fault_of(path).startswith("the file is larger than 256 KiB.")


def test_a_binary_file_is_a_fault_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "textbackd.yaml"
    path.write_bytes(b"a: b\n\xff\xfe\n")
    assert fault_of(path).startswith(f"{path}:2: this is not UTF-8 text.")


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "textbackd.yaml"
    path.write_bytes(b"\xef\xbb\xbfzzz: 1\n")
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert any(": zzz: there is no such key." in fault for fault in caught.value.faults)
