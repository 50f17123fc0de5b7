"""How the pages say things."""

from datetime import UTC, date, datetime, timedelta

import pytest

from textbackd.web.inbox import words

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)  # a Wednesday


@pytest.mark.parametrize(
    ("minutes", "told"),
    [
        pytest.param(-1, "0 min", id="a clock that was set back"),
        (0, "0 min"),
        (59.9, "59 min"),
        (60, "1 h"),
        (47 * 60 + 59, "47 h"),
        (48 * 60, "2 days"),
    ],
)
def test_a_wait_is_told_in_its_largest_unit(minutes: float, told: str) -> None:
    assert words.how_long(timedelta(minutes=minutes)) == told


@pytest.mark.parametrize(
    ("at", "told"),
    [
        (datetime(2026, 3, 4, 0, 5, tzinfo=UTC), "00:05"),
        (datetime(2026, 3, 3, 23, 59, tzinfo=UTC), "Tue"),
        (datetime(2026, 2, 26, 8, 0, tzinfo=UTC), "Thu"),
        (datetime(2026, 2, 25, 8, 0, tzinfo=UTC), "25 Feb"),
        (datetime(2025, 12, 31, 8, 0, tzinfo=UTC), "31 Dec 2025"),
        pytest.param(datetime(2026, 3, 5, 8, 0, tzinfo=UTC), "08:00", id="of tomorrow, by a clock that was set"),
    ],
)
def test_the_list_tells_no_more_of_a_moment_than_is_needed(at: datetime, told: str) -> None:
    assert words.when(at, NOON) == told


@pytest.mark.parametrize(
    ("at", "told"),
    [
        (date(2026, 3, 4), "Today"),
        (date(2026, 3, 3), "Yesterday"),
        (date(2026, 3, 2), "Monday, 2 March"),
        (date(2025, 3, 2), "Sunday, 2 March 2025"),
    ],
)
def test_a_day_is_told_as_people_do(at: date, told: str) -> None:
    assert words.day(at, NOON.date()) == told


@pytest.mark.parametrize(
    ("typed", "hundredths"),
    [
        ("", None),
        ("  ", None),
        ("0", 0),
        ("1250", 125_000),
        ("1250.5", 125_050),
        ("1,250.50", 125_050),
        ("1.250,50", 125_050),
        ("1.250", 125_000),
        ("1,250,000", 125_000_000),
        ("1 250,-".removesuffix(",-"), 125_000),
        ("$1,250", 125_000),
        ("1’250.00", 125_000),
        ("1'250", 125_000),
        ("1 250 505,5 €", 125_050_550),
        ("1\u202f250", 125_000),
        ("0.5", 50),
        ("007", 700),
        ("1.250.505", 125_050_500),
        ("9999999999.99", 999_999_999_999),
    ],
)
def test_an_amount_is_understood_as_it_is_typed(typed: str, hundredths: int | None) -> None:
    assert words.amount(typed) == hundredths


@pytest.mark.parametrize(
    "typed",
    [
        *("-5", "a lot", "1e9", "１２", "9" * 11, "9" * 5000, "=1+1", "1.2.3x"),
        *("1250.505", "0.125", "0,125", "12,3456", "1.2.3", ".", ",", ".5", "5.", "1,25,000", "1.250.50", "1.250,505"),
        *("12 34", "1,,250", "1.250’505", "1250,505.00", "$", "1$2"),
    ],
)
def test_what_is_no_amount_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        words.amount(typed)


@pytest.mark.parametrize(("hundredths", "told"), [(125_000, "1,250"), (125_050, "1,250.50"), (5, "0.05")])
def test_money_is_told_without_cents_that_are_none(hundredths: int, told: str) -> None:
    assert words.money(hundredths) == told


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Jane\r\nKowalski\t", "Jane Kowalski"),
        ("\u202eenaJ\u202c", "enaJ"),
        ("\u2067Jane\u2069", "Jane"),
        ("J\x00a\x1b[31mne", "J a [31mne"),
        ("أحمد", "أحمد"),
        pytest.param("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧", id="a family stays one"),
    ],
)
def test_a_name_turns_nothing_around(name: str, shown: str) -> None:
    assert words.plain(name) == shown


def test_a_sentence_for_the_shop_names_no_settings() -> None:
    assert words.without_keys("No text: a cap is full (`policy.caps`).") == "No text: a cap is full."
