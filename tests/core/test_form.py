"""What is kept of a form: what a person would read, whatever was typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textbackd.core.form import LONGEST_MESSAGE, LONGEST_VALUE, MOST_MORE, Names, read

NAMES = Names()


def words(*fields: tuple[str, str]) -> str:
    return read(fields, NAMES).words


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param([("message", "Leak\r\nin the roof")], "Leak\nin the roof", id="a message keeps its lines"),
        pytest.param([("email", "j@example.com")], "email: j@example.com", id="the address stands under its name"),
        pytest.param([("Roof", "flat"), ("message", "Hi")], "Hi\nRoof: flat", id="other fields follow the message"),
        pytest.param([("a", " "), ("b", "")], "", id="empty fields are left out"),
        pytest.param([("a", "1\n2")], "a: 1 2", id="other fields are one line"),
        pytest.param([("a", "\x00\x1b[2J\x07x")], "a: [2Jx", id="no control characters"),
        pytest.param([("message", "\ud83d!")], "!", id="no half characters"),
        pytest.param(
            [("phone", "1"), ("name", "J"), ("leave_empty", "")], "", id="what has a place of its own is no words"
        ),
    ],
)
def test_the_words_of_a_form_are_what_a_person_would_read(fields: list[tuple[str, str]], expected: str) -> None:
    assert words(*fields) == expected


def test_of_a_field_that_comes_twice_the_first_counts() -> None:
    assert read([("phone", "1"), ("phone", "2")], NAMES).phone == "1"


def test_what_people_do_not_see_is_filled_in_by_machines() -> None:
    assert read([("leave_empty", "x")], NAMES).by_machine
    assert not read([("leave_empty", " ")], NAMES).by_machine


def test_the_names_of_the_fields_are_the_shops_own() -> None:
    form = read([("tel", "1"), ("your-name", "J")], Names(phone="tel", name="your-name"))
    assert (form.phone, form.name, form.words) == ("1", "J", "")


def test_of_too_many_fields_the_rest_is_counted() -> None:
    said = words(*((f"f{number}", "x") for number in range(MOST_MORE + 7))).splitlines()
    assert len(said) == MOST_MORE + 1
    assert said[-1] == "and 7 more fields, which are not kept"


@given(st.lists(st.tuples(st.sampled_from(["phone", "name", "message", "x"]) | st.text(), st.text()), max_size=60))
def test_whatever_was_typed_stays_short_and_can_be_stored(fields: list[tuple[str, str]]) -> None:
    form = read(fields, NAMES)
    assert len(form.phone) <= LONGEST_VALUE
    assert len(form.words) <= LONGEST_MESSAGE + (MOST_MORE + 2) * (LONGEST_VALUE + 70)
    form.words.encode()
    assert "\x00" not in form.words + form.name + form.phone
