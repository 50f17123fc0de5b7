"""A configuration that is put together answer by answer: it can be read at any time, and says what was answered."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from textbackd.config import GsmModem, Twilio
from textbackd.config.yaml_source import parse
from textbackd.setup.document import document, scalar
from textbackd.setup.draft import EMPTY, Draft

PATH = Path("/etc/textbackd/textbackd.yaml")
STICK = {"type": "gsm_modem", "imei": "004999010640000"}
ANSWERED: dict[str, Any] = {
    "mode": "live",
    "business": {"name": "Müller & Söhne: Dächer", "country": "DE", "timezone": "Europe/Berlin"},
    "pbx": {"office": {"host": "192.0.2.5", "secret": "file:ami.secret", "trunks": {"channels": ["PJSIP/telekom-*"]}}},
    "lines": {"main": {"dids": ["+4930123456", "*"], "hours": {"mon-fri": ["08:00-17:00"]}, "texts": {"missed": "Hi?\nYes"}}},
    "gateways": {"stick": {**STICK, "price": "0.07", "pin": "file:stick.pin"}},
    "staff": {"anna": {"name": "Anna", "mobile": "+49 151 23456789"}},
    "policy": {"caps": {"number": ["1/12h"]}},
}  # fmt: skip


def test_nothing_answered_is_a_configuration_that_watches() -> None:
    settings = Draft(PATH).settings()
    assert settings.mode == "observe"
    assert not settings.hooks_out


def test_a_document_says_what_was_answered_and_nothing_else() -> None:
    assert parse(document(ANSWERED)).data == ANSWERED
    assert Draft(PATH, ANSWERED).faults() == []


def test_each_key_that_was_answered_is_explained_and_each_other_named() -> None:
    text = document(ANSWERED)
    assert "  # IANA time zone of opening hours and reports.\n  timezone: Europe/Berlin\n" in text
    assert "    # More: port, smsc, baud, rate, number.\n" in text
    assert "# retention: How long things are kept.\n" in text
    assert "# policy:" not in text
    assert all(len(line) <= 100 for line in text.splitlines() if line.lstrip().startswith("#"))


ODD = [
    "NO",
    "off",
    "0123",
    "8:30",
    "null",
    "~",
    "",
    " x ",
    "a: b",
    "# c",
    "{business}",
    "'\"\\",
    "\u2028\x85\x07",
    "😀",
    "- a",
    "<<",
]
values = st.recursive(
    st.sampled_from(ODD) | st.text(max_size=20) | st.integers(0, 10**9) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(ODD[:-3]) | st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@example(["\n"])
@example({"\n": 5, "a": True})
@example({"<<": 5})
@given(values)
def test_any_value_comes_back_from_its_one_line_as_it_was(value: Any) -> None:
    line = scalar([value, value])
    assert "\n" not in line
    assert parse(f"key: {line}\n").data == {"key": [value, value]}


@pytest.mark.parametrize(("loc", "value", "fault"), [
    (("business", "country"), "XX", "'XX' is not a country"),
    (("business", "timezone"), "Denver", "is not a time zone"),
    (("business", "name"), "", "this is empty"),
    (("lines", "main", "hours"), {"mo": ["08:00-17:00"]}, "names no day"),
    (("staff", "you", "mobile"), "12", "is not a phone number in US"),
    (("gateways", "none"), {"type": "twilio", "account": "AC1"}, "token: this key is missing"),
    (("lines", "main", "texts", "missed"), "Sorry {nobody}", "nobody"),
])  # fmt: skip
def test_an_answer_is_judged_by_the_configuration_itself(loc: tuple[str, ...], value: Any, fault: str) -> None:
    draft = Draft(PATH).put(value, *loc)
    assert fault in " ".join(draft.faults(*loc))
    assert Draft(PATH).faults(*loc) == []


def test_a_fault_elsewhere_is_not_held_against_an_answer() -> None:
    assert Draft(PATH).put("XX", "business", "country").faults("business", "name") == []


def test_an_answer_taken_back_leaves_nothing() -> None:
    assert Draft(PATH).put("5s", "policy", "delay").put(None, "policy").data == EMPTY


def test_a_secret_is_in_its_file_only_but_can_be_tried_before() -> None:
    secret = "p${a}ss: file:x"
    draft = Draft(PATH).put(None, "gateways", "none").put({"type": "twilio", "account": "AC1"}, "gateways", "twilio")
    draft = (
        draft.put("file:twilio.secret", "gateways", "twilio", "token")
        .hide("twilio.secret", secret)
        .hide("ami.secret", "x")
    )
    assert secret not in draft.text
    assert secret not in repr(draft)
    gateway = draft.resolved().gateways["twilio"]
    assert isinstance(gateway, Twilio)
    assert gateway.token.get_secret_value() == secret


def test_a_pin_keeps_its_zeros() -> None:
    gateway = Draft(PATH).put({**STICK, "pin": "0042"}, "gateways", "none").settings().gateways["none"]
    assert isinstance(gateway, GsmModem)
    assert gateway.pin is not None
    assert gateway.pin.get_secret_value() == "0042"
