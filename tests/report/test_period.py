"""Which days are meant, and what is said where none are."""

from datetime import date, timedelta

import pytest

from tests.report.fortnight import DENVER, at
from textbackd.report.period import Period, Span, chosen, named, weeks_after, weeks_before

TODAY = date(2026, 3, 11)  # a Wednesday


def days(asked: Period) -> tuple[str, str]:
    return asked.first.isoformat(), asked.last.isoformat()


@pytest.mark.parametrize(
    ("span", "expected", "before"),
    [
        (Span.TODAY, ("2026-03-11", "2026-03-11"), ("2026-03-10", "2026-03-10")),
        (Span.WEEK, ("2026-03-09", "2026-03-11"), ("2026-03-02", "2026-03-08")),
        (Span.MONTH, ("2026-03-01", "2026-03-11"), ("2026-02-01", "2026-02-28")),
    ],
)
def test_a_stretch_has_a_name_and_one_before(span: Span, expected: tuple[str, str], before: tuple[str, str]) -> None:
    assert days(named(span, TODAY, DENVER)) == expected
    assert days(named(span, TODAY, DENVER).before()) == before


@pytest.mark.parametrize(
    ("first", "last", "expected", "before"),
    [
        ("2026-02-01", "2026-02-28", ("2026-02-01", "2026-02-28"), ("2026-01-01", "2026-01-31")),
        ("2026-03-02", "2026-03-08", ("2026-03-02", "2026-03-08"), ("2026-02-23", "2026-03-01")),
        ("2026-03-02", "", ("2026-03-02", "2026-03-11"), ("2026-02-20", "2026-03-01")),
        ("", "2026-03-02", ("2026-03-02", "2026-03-02"), ("2026-03-01", "2026-03-01")),
    ],
)
def test_days_are_chosen(first: str, last: str, expected: tuple[str, str], before: tuple[str, str]) -> None:
    asked = chosen(first, last, TODAY, DENVER)
    assert days(asked) == expected
    assert days(asked.before()) == before


@pytest.mark.parametrize(
    ("first", "last", "sentence"),
    [
        ("2026-03-02", "2026-03-01", "comes after"),
        ("2026-02-30", "", "is not a day"),
        ("<script>", "", "is not a day"),
        ("0001-01-01", "0001-01-02", "from 2000 on"),
        ("9999-12-31", "9999-12-31", "from 2000 on"),
        ("2001-01-01", "2026-01-01", "ten years"),
    ],
)
def test_what_is_no_period_is_told(first: str, last: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        chosen(first, last, TODAY, DENVER)


def test_the_day_on_which_the_clocks_go_forward_has_23_hours() -> None:
    sunday = chosen("2026-03-08", "2026-03-08", TODAY, DENVER)
    assert sunday.until - sunday.since == timedelta(hours=23)


def test_weeks_are_whole_and_begin_on_a_monday() -> None:
    assert list(weeks_before(at(11, "09:00"), DENVER, 1)) == [(at(2, "00:00"), at(9, "00:00"))]
    assert list(weeks_after(at(2, "00:00"), DENVER, 1)) == [(at(2, "00:00"), at(9, "00:00"))]
    assert list(weeks_after(at(2, "00:01"), DENVER, 1)) == [(at(9, "00:00"), at(16, "00:00"))]
