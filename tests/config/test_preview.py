"""What a line's texts look like: as a caller would get them at that moment, with nothing invented."""

from datetime import UTC, datetime

import pytest

from tests.config.conftest import Configured
from textbackd.config.preview import preview
from textbackd.core.compose import TextKind

TUESDAY_10, SUNDAY_10 = datetime(2026, 11, 24, 16, tzinfo=UTC), datetime(2026, 11, 22, 16, tzinfo=UTC)  # in Chicago
HOLIDAYS = "holidays: [2026-11-25, 2026-11-26]"
OFFICE = "hours: {mon-fri: '08:30-12:00'}"


@pytest.mark.parametrize(
    ("line", "kind", "now", "said"),
    [
        pytest.param(OFFICE, TextKind.CLOSED, SUNDAY_10, "We open again tomorrow at 8:30 am.", id="closed now"),
        pytest.param(OFFICE, TextKind.CLOSED, TUESDAY_10, "We open again tomorrow at 8:30 am.", id="open now: once it has closed"),
        pytest.param(f"{OFFICE}, {HOLIDAYS}", TextKind.HOLIDAY, TUESDAY_10, "back on Friday at 8:30 am.", id="over holidays"),
        pytest.param(f"{OFFICE}, timezone: Europe/Berlin", TextKind.CLOSED, TUESDAY_10, "tomorrow at 8:30 am.", id="in its own zone"),
        pytest.param(HOLIDAYS, TextKind.HOLIDAY, TUESDAY_10, "We are back on Friday at 12:00 am.", id="always open but on holidays"),
        pytest.param(f"{OFFICE}, language: de", TextKind.CLOSED, SUNDAY_10, "Wir sind morgen um 8:30 Uhr wieder da.", id="in its language"),
    ],
)  # fmt: skip
def test_the_opening_that_is_shown_is_the_line_s_next(
    configured: Configured, line: str, kind: TextKind, now: datetime, said: str
) -> None:
    shown = preview(configured(lines=f"{{main: {{{line}}}}}"), "main", kind, now)
    assert shown is not None
    assert said in shown.body


@pytest.mark.parametrize("kind", [TextKind.CLOSED, TextKind.HOLIDAY])
def test_a_line_without_hours_has_no_sentence_on_when_it_opens(configured: Configured, kind: TextKind) -> None:
    shown = preview(configured(), "main", kind, TUESDAY_10)
    assert shown is not None
    assert "We open" not in shown.body
    assert "back" not in shown.body
