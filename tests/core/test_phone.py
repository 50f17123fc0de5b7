"""Presented numbers, as carriers send them, and what may be texted."""

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from textbackd.core.phone import E164, WITHHELD, NotTextable, mask, read_dialled, read_number, written


@pytest.mark.parametrize(
    ("presented", "country", "e164"),
    [
        ("+13035550142", "US", "+13035550142"),
        ("13035550142", "US", "+13035550142"),
        ("3035550142", "US", "+13035550142"),
        ("(303) 555-0142", "US", "+13035550142"),
        (' "3035550142" ', "US", "+13035550142"),
        pytest.param("01113035550142", "US", "+13035550142", id="011, dialled from North America"),
        pytest.param("0013035550142", "US", "+13035550142", id="001, as European carriers hand it on"),
        pytest.param("٣٠٣٥٥٥٠١٤٢", "US", "+13035550142", id="arabic digits"),
        pytest.param("3035550142#5", "US", "+13035550142", id="an extension is left out"),
        ("07400123456", "GB", "+447400123456"),
        ("447400123456", "GB", "+447400123456"),
        ("00447400123456", "GB", "+447400123456"),
        ("7400123456", "GB", "+447400123456"),
        ("015112345678", "DE", "+4915112345678"),
        ("4915112345678", "DE", "+4915112345678"),
        ("004915112345678", "DE", "+4915112345678"),
        pytest.param("3123456789", "IT", "+393123456789", id="a national number that starts like a country code"),
    ],
)
def test_a_mobile_is_read_as_dialled_in_the_country_of_the_business(presented: str, country: str, e164: str) -> None:
    read = read_number(presented, country)
    assert (read.e164, read.region, read.not_textable) == (e164, country, None)


@pytest.mark.parametrize(
    ("dialled", "country", "e164"),
    [
        pytest.param("3035550142", "US", "+13035550142", id="nothing before it"),
        pytest.param("93035550142", "US", "+13035550142", id="9 for an outside line"),
        pytest.param("913035550142", "US", "+13035550142", id="9, and the 1 of a long-distance call"),
        pytest.param("9011447400123456", "US", "+447400123456", id="9, and abroad"),
        pytest.param("*673035550142", "US", "+13035550142", id="*67 hides the caller"),
        pytest.param("*8213035550142", "US", "+13035550142", id="*82 shows it; +82 would be Korea"),
        pytest.param("9*6713035550142", "US", "+13035550142", id="*67 on the outside line"),
        pytest.param("*6793035550142", "US", "+13035550142", id="9 after *67"),
        pytest.param("#31#07400123456", "GB", "+447400123456", id="#31# hides the caller elsewhere"),
        pytest.param("907400123456", "GB", "+447400123456", id="9 in Britain"),
        pytest.param("0015112345678", "DE", "+4915112345678", id="0 for an outside line"),
        pytest.param("015112345678", "DE", "+4915112345678", id="the 0 of a national number stays"),
        pytest.param("9876543210", "IN", "+919876543210", id="a mobile that begins with 9 stays whole"),
        pytest.param("101", "US", None, id="an extension"),
        pytest.param("9", "US", None, id="only a 9"),
        pytest.param("", "US", None, id="nothing"),
        pytest.param("*97", "US", None, id="voicemail"),
        pytest.param("9" * 300, "US", None, id="300 nines"),
    ],
)
def test_a_number_that_the_office_dialled_is_read_without_what_stands_before_it(
    dialled: str, country: str, e164: str | None
) -> None:
    assert read_dialled(dialled, country).e164 == e164


@pytest.mark.parametrize(
    ("presented", "country", "why"),
    [
        pytest.param("+441212345678", "GB", NotTextable.LANDLINE, id="Birmingham"),
        pytest.param("0301234567", "DE", NotTextable.LANDLINE, id="Berlin"),
        pytest.param("+18765550123", "US", NotTextable.FOREIGN, id="Jamaica shares country code 1"),
        pytest.param("+14165550142", "US", NotTextable.FOREIGN, id="so does Canada"),
        pytest.param("+4915112345678", "US", NotTextable.FOREIGN, id="another country"),
        pytest.param("+447012345678", "GB", NotTextable.PREMIUM, id="+44 70 looks like a mobile"),
        pytest.param("+447012345678", "US", NotTextable.PREMIUM, id="premium is worse than foreign"),
        pytest.param("+19005550199", "US", NotTextable.PREMIUM, id="1-900"),
        pytest.param("+881612345678", "US", NotTextable.PREMIUM, id="a satellite phone"),
        pytest.param("+18005550199", "US", NotTextable.TOLL_FREE, id="1-800"),
        pytest.param("+18005550199", "CA", NotTextable.TOLL_FREE, id="1-800, seen from Canada"),
        pytest.param("+447640123456", "GB", NotTextable.SERVICE, id="a pager"),
        pytest.param("+19995550142", "US", NotTextable.INVALID, id="an area code that does not exist"),
    ],
)
def test_a_number_that_is_nobodys_mobile_here_says_why(presented: str, country: str, why: NotTextable) -> None:
    read = read_number(presented, country)
    assert (read.e164 is not None, read.not_textable) == (True, why)


@pytest.mark.parametrize(
    ("presented", "country", "why"),
    [
        ("911", "US", NotTextable.SHORT_CODE),
        ("101", "US", NotTextable.SHORT_CODE),
        ("101", "DE", NotTextable.SHORT_CODE),
        ("112", "DE", NotTextable.SHORT_CODE),
        ("85000", "GB", NotTextable.SHORT_CODE),
        ("262966", "US", NotTextable.SHORT_CODE),
        pytest.param("٠١٢", "US", NotTextable.SHORT_CODE, id="short in arabic digits"),
        pytest.param("5550123", "US", NotTextable.INVALID, id="a local number without its area"),
        ("Anderson", "US", NotTextable.INVALID),
        ("1-800-FLOWERS", "US", NotTextable.INVALID),
        ("sip:+13035550142", "US", NotTextable.INVALID),
        ("3035550142 ext 5", "US", NotTextable.INVALID),
        ("+", "US", NotTextable.INVALID),
        ("*97", "US", NotTextable.SHORT_CODE),
        pytest.param("3" * 300, "US", NotTextable.INVALID, id="300 digits"),
        pytest.param("+" * 300, "US", NotTextable.INVALID, id="300 plusses"),
    ],
)
def test_what_is_no_number_has_none(presented: str, country: str, why: NotTextable) -> None:
    read = read_number(presented, country)
    assert (read.e164, read.region, read.not_textable) == (None, None, why)


@pytest.mark.parametrize("word", sorted(WITHHELD))
def test_a_word_for_no_number_is_withheld_however_it_is_written(word: str) -> None:
    for told in (word, word.upper(), f' "{word}" '):
        assert read_number(told, "US").not_textable is NotTextable.WITHHELD


@settings(max_examples=100, deadline=None)
@given(presented=st.text(max_size=40), country=st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)))
@example(presented="\ud800", country="US")
@example(presented="²³¹", country="DE")
@example(presented="\x00", country="GB")
def test_whatever_is_presented_reading_it_never_raises(presented: str, country: str) -> None:
    read = read_number(presented, country)
    assert read.e164 is None or read.e164.startswith("+")
    assert read.e164 is not None or read.not_textable is not None


@settings(max_examples=100, deadline=None)
@given(
    presented=st.text("+0123456789 -().#*", max_size=20),
    country=st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)),
)
def test_a_number_that_was_read_is_read_the_same_again(presented: str, country: str) -> None:
    read = read_number(presented, country)
    assert read.e164 is None or len(read.e164) <= 16
    assert read.not_textable is not None or read_number(str(read.e164), country) == read


@pytest.mark.parametrize(
    ("number", "shown"),
    [("+13035550142", "+1303***0142"), ("+4930123", "***"), ("+49301234", "***"), ("", "withheld"), (None, "withheld")],
)
def test_a_masked_number_keeps_its_ends_only_if_something_stays_hidden(number: str | None, shown: str) -> None:
    assert mask(number) == shown


@pytest.mark.parametrize(
    ("number", "country", "shown"),
    [
        ("+13035550142", "US", "(303) 555-0142"),
        ("+442079460123", "US", "+44 20 7946 0123"),
        ("+442079460123", "GB", "020 7946 0123"),
        pytest.param("+18765550142", "US", "(876) 555-0142", id="within one country code as it is dialled there"),
        pytest.param("+999", "US", "+999", id="of no plan, as it is"),
    ],
)
def test_a_number_is_written_as_people_at_the_shop_write_it(number: str, country: str, shown: str) -> None:
    assert written(E164(number), country) == shown


@given(st.integers(1, 10**15 - 1), st.sampled_from(["US", "GB", "DE", "HU"]))
def test_a_number_that_is_written_keeps_its_digits(digits: int, country: str) -> None:
    shown = "".join(filter(str.isdigit, written(E164(f"+{digits}"), country)))
    assert str(digits).endswith(shown.lstrip("0")[-6:])
