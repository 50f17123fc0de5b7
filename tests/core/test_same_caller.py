"""Callers are told apart quickly as they are told apart by reading each number."""

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textbackd.core.phone import read_dialled, read_number
from textbackd.core.same_caller import SameCaller

COUNTRIES = ["US", "GB", "DE", "FR", "AU", "IT", "MX", "BR", "AR", "ES", "NL", "IN"]


def carefully(presented: str, country: str) -> int | None:
    e164 = read_number(presented, country).e164
    return None if e164 is None else int(e164[1:])


def spellings(country: str) -> list[str]:
    """Return some numbers of a country as carriers and people write them, with their last digits changed."""
    kinds = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE)
    examples = [phonenumbers.example_number_for_type(country, kind) for kind in kinds]
    found = []
    for example in filter(None, examples):
        e164 = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
        national = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.NATIONAL)
        digits = "".join(character for character in national if character.isdigit())
        for written in (e164, e164[1:], "00" + e164[1:], digits):
            found += [written[:-2] + last for last in ("12", "34", "56")]
    return found


@pytest.mark.parametrize("country", COUNTRIES)
def test_a_number_is_the_same_in_all_spellings_of_its_country(country: str) -> None:
    same = SameCaller(country)
    for written in spellings(country) * 2:
        assert same(written) == carefully(written, country), written


@pytest.mark.parametrize("country", COUNTRIES)
@pytest.mark.parametrize("before", ["9", "0", "*67", "*679"])
def test_a_number_that_was_dialled_is_the_same_as_read_one_by_one(country: str, before: str) -> None:
    same = SameCaller(country, read_dialled)
    for written in spellings(country) * 2:
        e164 = read_dialled(before + written, country).e164
        assert same(before + written) == (None if e164 is None else int(e164[1:])), written


def test_what_tells_no_number_is_nobody() -> None:
    same = SameCaller("US")
    assert [same(written) for written in ("", "anonymous", "Restricted", "101", "+", "3035550ABC", "9" * 300)] == [
        None
    ] * 7


def test_one_number_in_three_spellings_is_one_caller() -> None:
    same = SameCaller("US")
    assert {same("+13035550142"), same("13035550142"), same("3035550142")} == {13035550142}


@given(st.lists(st.text("0123456789+ -()a", max_size=16), max_size=30), st.sampled_from(COUNTRIES))
@settings(max_examples=100, deadline=None)
def test_no_text_raises_and_what_is_no_number_stays_none(written: list[str], country: str) -> None:
    same = SameCaller(country)
    for presented in written:
        key = same(presented)
        assert key is None or 0 <= key < 10**17
