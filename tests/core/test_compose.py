"""The words of a text: which of a line's sentences, and what its fields may bring in."""

import pytest

from textbackd.core.compose import (
    DEFAULT_TEXTS,
    FIELDS,
    Fields,
    Language,
    Manner,
    TextKind,
    Wish,
    compose,
    fill,
    kind_for,
    text_for,
)
from textbackd.core.missed import Reason
from textbackd.core.timetable import Opening

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
        pytest.param(
            "Hi. We open {opens_next}. Bye?",
            Fields(business="B"),
            "Hi. Bye?",
            id="no sentence about an opening nobody knows",
        ),
        pytest.param("Hi.\nBook: {booking_url}.\nBye?", Fields(business="B"), "Hi.\nBye?", id="nor about a link"),
        pytest.param(
            "Urgent? Call {on_call}. Bye.", Fields(business="B"), "Urgent? Bye.", id="nor about nobody on call"
        ),
        pytest.param("We open {opens_next}", Fields(business="B"), "We open", id="unless it is all there is"),
        pytest.param("Hi.\n\nBye.", EVERY, "Hi.\n\nBye.", id="lines stay"),
        pytest.param("At 8.30, {on_call}.", EVERY, "At 8.30, +13035550199.", id="a point within a number ends nothing"),
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
        (Reason.QUEUE_GAVE_UP, TextKind.QUEUE),
        (Reason.QUEUE_TIMEOUT, TextKind.QUEUE),
        (Reason.VOICEMAIL_HANGUP, TextKind.MISSED),
        (None, TextKind.MISSED),
    ],
)
def test_the_reason_tells_which_text_fits(reason: Reason | None, kind: TextKind) -> None:
    assert kind_for(reason) is kind


OPEN, CLOSED, HOLIDAY = Opening.OPEN, Opening.CLOSED, Opening.HOLIDAY


@pytest.mark.parametrize(
    ("reason", "opening", "again", "late", "kind"),
    [
        pytest.param(Reason.NO_ANSWER, OPEN, False, False, TextKind.MISSED, id="open, first, at once"),
        pytest.param(Reason.NO_ANSWER, CLOSED, True, True, TextKind.CLOSED, id="closed is said first"),
        pytest.param(Reason.BUSY, HOLIDAY, True, True, TextKind.HOLIDAY, id="and so is the holiday"),
        pytest.param(Reason.CLOSED, OPEN, True, True, TextKind.CLOSED, id="the PBX's announcement is closed, whatever the hours"),
        pytest.param(Reason.CLOSED, HOLIDAY, False, False, TextKind.HOLIDAY, id="on a holiday it is the holiday's"),
        pytest.param(Reason.VOICEMAIL_LEFT, HOLIDAY, True, True, TextKind.VOICEMAIL, id="a message left beats all"),
        pytest.param(Reason.BUSY, OPEN, True, True, TextKind.LATE, id="late beats again and busy"),
        pytest.param(Reason.QUEUE_TIMEOUT, OPEN, True, False, TextKind.AGAIN, id="again beats the queue"),
        pytest.param(None, CLOSED, False, False, TextKind.CLOSED, id="no reason, closed"),
    ],
)  # fmt: skip
def test_the_first_that_is_true_of_a_call_chooses_its_words(
    reason: Reason | None, opening: Opening, again: bool, late: bool, kind: TextKind
) -> None:
    assert kind_for(reason, opening, again=again, late=late) is kind


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
        pytest.param(TextKind.HOLIDAY, {"closed": "C", "missed": "M"}, "C", id="closed serves for holidays"),
        pytest.param(TextKind.HOLIDAY, {"missed": "M"}, "M", id="and missed where closed is not worded"),
        pytest.param(TextKind.VOICEMAIL, {"missed": None}, DEFAULT_TEXTS[TextKind.VOICEMAIL], id="voicemail goes on"),
    ],
)
def test_a_line_words_its_texts_or_says_none(
    kind: TextKind, texts: dict[str, str | None], expected: str | None
) -> None:
    assert text_for(kind, texts) == expected


def test_what_a_line_does_not_word_comes_in_its_language() -> None:
    assert text_for(TextKind.MISSED, {}, Language.DE) == (
        "Entschuldigung, wir haben Ihren Anruf verpasst. Hier ist {business}. Wie können wir Ihnen helfen?"
    )


OURS, THEIRS = DEFAULT_TEXTS[TextKind.MISSED], "Anderson here. What is it?"
LONG = "Anderson here, " + "and sorry, " * 12 + "what?"  # 152 septets: no room for another sentence
HINT, CALLED = " Reply STOP for no more texts.", " (You called +13035550101.)"


@pytest.mark.parametrize(
    ("template", "hint", "first", "added"),
    [
        pytest.param(OURS, Wish.AUTO, True, HINT, id="our words to somebody new"),
        pytest.param(OURS, Wish.AUTO, False, "", id="once per caller"),
        pytest.param(THEIRS, Wish.AUTO, True, "", id="the shop's own words go out as they are"),
        pytest.param(THEIRS, Wish.ON, True, HINT, id="unless it asked"),
        pytest.param(THEIRS, Wish.ON, False, "", id="even then once"),
        pytest.param(OURS, Wish.OFF, True, "", id="off"),
        pytest.param(LONG, Wish.ON, True, HINT, id="asked for, it may cost a segment"),
        pytest.param("Hi. Reply STOP to stop.", Wish.ON, True, "", id="not twice"),
    ],
)
def test_a_caller_s_first_text_says_how_to_get_no_more(template: str, hint: Wish, first: bool, added: str) -> None:
    body = compose(template, EVERY, Manner(optout_hint=hint), first=first, other_sender=False)
    assert body == fill(template, EVERY) + added


@pytest.mark.parametrize(("expected", "added"), [(False, ""), (True, HINT)], ids=["elsewhere", "in the US and Canada"])
def test_a_hint_that_takes_a_segment_is_added_only_where_it_is_expected(expected: bool, added: str) -> None:
    long = Fields(business="Anderson" * 11)  # our words then take 157 septets
    body = compose(OURS, long, Manner(hint_expected=expected), first=True, other_sender=False)
    assert body == fill(OURS, long) + added


@pytest.mark.parametrize(
    ("template", "wish", "other_sender", "added"),
    [
        pytest.param(OURS, Wish.AUTO, True, CALLED, id="a text from another number says which was called"),
        pytest.param(OURS, Wish.AUTO, False, "", id="one from the same number need not"),
        pytest.param(OURS, Wish.OFF, True, "", id="off"),
        pytest.param(THEIRS, Wish.AUTO, True, "", id="the shop's own words go out as they are"),
        pytest.param(THEIRS, Wish.ON, True, CALLED, id="unless it asked"),
        pytest.param("You called {called_number}.", Wish.ON, True, "", id="not twice"),
    ],
)
def test_a_text_from_another_number_names_the_one_that_was_called(
    template: str, wish: Wish, other_sender: bool, added: str
) -> None:
    body = compose(template, EVERY, Manner(name_called=wish), first=False, other_sender=other_sender)
    assert body == fill(template, EVERY) + added


def test_a_line_that_transliterates_sends_gsm7_whatever_it_wrote() -> None:
    template, manner = "„Grüße“ – {caller_name}", Manner(transliterate=True)
    fields = Fields(business="B", caller_name="Zoë")
    assert compose(template, fields, manner, first=False, other_sender=False) == '"Grüße" - Zoe'
    assert compose(template, fields, Manner(), first=False, other_sender=False) == "„Grüße“ – Zoë"
