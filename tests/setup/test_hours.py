"""Opening hours as people say them."""

import pytest

from textbackd.config.hours import weekly_hours
from textbackd.setup.hours import Hours, read_hours, say_hours


@pytest.mark.parametrize(("said", "hours"), [
    ("mon-fri 8-17", {"mon-fri": ["08:00-17:00"]}),
    ("mon-fri 8-12 13-17:30, sat 9-12", {"mon-fri": ["08:00-12:00", "13:00-17:30"], "sat": ["09:00-12:00"]}),
    ("Mon, Tue and Thu 9am-5pm; fri 9am - 1.30pm", {"mon,tue,thu": ["09:00-17:00"], "fri": ["09:00-13:30"]}),
    ("sat 1-5pm", {"sat": ["13:00-17:00"]}),
    ("sat 9-5pm", {"sat": ["09:00-17:00"]}),
    ("fri 12pm-12am", {"fri": ["12:00-00:00"]}),
    ("daily 8–20", {"mon-sun": ["08:00-20:00"]}),
    ("weekdays 8-17, weekend closed", {"mon-fri": ["08:00-17:00"], "sat,sun": "closed"}),
    ("fri 22-2", {"fri": ["22:00-02:00"]}),
    (" Always ", "always"),
    ("closed", "closed"),
])  # fmt: skip
def test_hours_are_read_as_people_say_them(said: str, hours: Hours) -> None:
    assert read_hours(said) == hours
    weekly_hours(hours)  # the configuration takes them


@pytest.mark.parametrize(("said", "why"), [
    ("", "no opening hours"),
    ("8-17", "before their days"),
    ("mon-fri", "mon-fri has no times"),
    ("mon 8-17, tue", "tue has no times"),
    ("mon 8 to 5", "'8 to 5' is neither"),
    ("mon 8-17 \x1b[2J", "is neither days nor times"),
])  # fmt: skip
def test_what_is_no_hours_is_told_with_an_example(said: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as told:
        read_hours(said)
    assert "mon-fri 8-17" in str(told.value)


@pytest.mark.parametrize("said", ["mon-fri 8-12 13-17:30, sat 9-12", "sat,sun closed", "always", "mon 0-24"])
def test_hours_that_are_shown_can_be_typed_again(said: str) -> None:
    assert say_hours(read_hours(said)) == said
