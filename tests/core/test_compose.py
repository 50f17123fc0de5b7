"""The words of a text: which of a line's sentences, and what its fields may bring in."""

import pytest

from textbackd.core.compose import DEFAULT_TEXTS, FIELDS, Fields, TextKind, fill, kind_for, text_for
from textbackd.core.missed import Reason

BIDI = "\u202e\u2066\u200f"
EVERY = Fields(
    business="Anderson Roofing",
    line="main",
    called_number="+13035550101",
    caller_name="Ann",
    opens_next="tomorrow at 8",
    booking_url="https://example.com/book",
    on_call="+13035550199",
)


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_is_filled_in(name: str) -> None:
    assert fill(f"<{{{name}}}>", EVERY) == f"<{getattr(EVERY, name)}>"


@pytest.mark.parametrize(
    ("template", "fields", "expected"),
    [
        pytest.param(
            "Hi, {business}.", Fields(business="A & B {line}", line="x"), "Hi, A & B {line}.", id="no second look"
        ),
        pytest.param(
            "{caller_name}", Fields(business="B", caller_name="{business}"), "{business}", id="a caller's braces"
        ),
        pytest.param("Hi {caller_name}!", Fields(business="B", caller_name="A\r\nnn\x00\x1b"), "Hi Ann!", id="control"),
        pytest.param(
            "Hi {caller_name}!", Fields(business="B", caller_name=f"{BIDI}Ann"), "Hi Ann!", id="bidi overrides"
        ),
        pytest.param("Hi {caller_name}!", Fields(business="B", caller_name="Ann Öz"), "Hi Ann Öz!", id="letters stay"),
        pytest.param("{caller_name}: hello", Fields(business="B"), ": hello", id="an empty field is nothing"),
        pytest.param("{nobody}", EVERY, "{nobody}", id="no field of ours"),
        pytest.param("{__doc__}{__class__}", EVERY, "{__doc__}{__class__}", id="what Python knows is no field"),
        pytest.param(" {business}\n", Fields(business="B"), "B", id="no space around"),
        pytest.param("{business!r} {business.x}", EVERY, "{business!r} {business.x}", id="no format language"),
    ],
)
def test_a_template_knows_its_fields_and_nothing_else(template: str, fields: Fields, expected: str) -> None:
    assert fill(template, fields) == expected


@pytest.mark.parametrize("kind", TextKind)
def test_every_kind_has_words_that_name_the_business(kind: TextKind) -> None:
    assert "Anderson Roofing" in fill(DEFAULT_TEXTS[kind], EVERY)
    assert "{" not in fill(DEFAULT_TEXTS[kind], EVERY)


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        (Reason.BUSY, TextKind.BUSY),
        (Reason.CLOSED, TextKind.CLOSED),
        (Reason.VOICEMAIL_LEFT, TextKind.VOICEMAIL),
        (Reason.NO_ANSWER, TextKind.MISSED),
        (Reason.VOICEMAIL_HANGUP, TextKind.MISSED),
        (None, TextKind.MISSED),
    ],
)
def test_the_reason_tells_which_text_fits(reason: Reason | None, kind: TextKind) -> None:
    assert kind_for(reason) is kind


@pytest.mark.parametrize(
    ("kind", "texts", "expected"),
    [
        pytest.param(TextKind.BUSY, {}, DEFAULT_TEXTS[TextKind.BUSY], id="nothing worded: ours"),
        pytest.param(TextKind.BUSY, {"busy": "B"}, "B", id="worded"),
        pytest.param(TextKind.BUSY, {"missed": "M"}, "M", id="their own missed beats our busy"),
        pytest.param(TextKind.BUSY, {"missed": "M", "busy": "B"}, "B", id="both worded"),
        pytest.param(TextKind.BUSY, {"missed": "M", "busy": None}, None, id="none for this kind"),
        pytest.param(TextKind.CLOSED, {"missed": None}, None, id="none for missed is none for its kin"),
        pytest.param(
            TextKind.VOICEMAIL, {"missed": "M"}, DEFAULT_TEXTS[TextKind.VOICEMAIL], id="voicemail has its own"
        ),
        pytest.param(TextKind.VOICEMAIL, {"missed": None}, DEFAULT_TEXTS[TextKind.VOICEMAIL], id="voicemail goes on"),
    ],
)
def test_a_line_words_its_texts_or_says_none(
    kind: TextKind, texts: dict[str, str | None], expected: str | None
) -> None:
    assert text_for(kind, texts) == expected
