"""The morning digest and the pile-up alarm in words."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.store.rows import CALLER
from textbackd.report.digest import Digest, Waits, digest, pile_up, spoken
from textbackd.store.overnight import CameIn

NOTHING = CameIn(missed=0, texted=0, wrote=0, leads=0)
HOUR = timedelta(hours=1)
JANE = Waits(tag=7, number=CALLER, name="Jane", span=15 * HOUR)
NAMELESS = Waits(tag=8, number=CALLER, name="", span=2 * HOUR)
BURST = Waits(tag=9, number=CALLER, name="Zoe", span=HOUR / 2, is_urgent=True)


def told(came_in: CameIn = NOTHING, *waiting: Waits, to_call: int = 0) -> str | None:
    # A Tuesday, 17:00 in Denver.
    since, zone = datetime(2026, 11, 25, 0, tzinfo=UTC), ZoneInfo("America/Denver")
    return digest(
        Digest(business="Anderson", since=since, zone=zone, came_in=came_in, waiting=waiting, to_call=to_call)
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(told(), None, id="a quiet night with nobody waiting is no news"),
        pytest.param(
            told(CameIn(missed=5, texted=4, wrote=2, leads=1), JANE, NAMELESS, to_call=1),
            "Good morning, Anderson. Since Tue 17:00: 5 missed calls (4 texted), 2 callers wrote, 1 form filled in. "
            f"2 wait for an answer: #7 Jane {CALLER} (15 h), #8 {CALLER} (2 h). 1 to call, since no text reaches them.",
            id="all there can be",
        ),
        pytest.param(
            told(CameIn(missed=1, texted=1, wrote=0, leads=0)),
            "Good morning, Anderson. Since Tue 17:00: 1 missed call (1 texted). Nobody waits.",
            id="one of it",
        ),
        pytest.param(
            told(NOTHING, JANE, BURST),
            "Good morning, Anderson. Since Tue 17:00: nothing new. 2 wait for an answer: "
            f"#9 Zoe {CALLER} (URGENT, 30 min), #7 Jane {CALLER} (15 h).",
            id="what is urgent comes first",
        ),
        pytest.param(
            pile_up("Anderson", [NAMELESS] * 5, 7, HOUR),
            f"Anderson: 7 callers have waited 60 min or longer for an answer: {', '.join([f'#8 {CALLER} (2 h)'] * 5)}, 2 more.",
            id="a pile-up names the first five",
        ),
    ],
)  # fmt: skip
def test_it_is_told_in_a_few_plain_sentences(text: str | None, words: str | None) -> None:
    assert text == words


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("<b>Bob</b>\r\n=1+1", "b Bob b 1 1"),
        ("\u202eevil\u0000", "evil"),
        ("x" * 5000, "x" * 30),
        ("Zoë O'Neill-Ruiz Jr.", "Zoë O'Neill-Ruiz Jr."),
    ],
)
def test_of_a_name_only_what_is_a_name_is_shown(name: str, shown: str) -> None:
    text = told(NOTHING, Waits(tag=1, number=CALLER, name=name, span=HOUR))
    assert text is not None
    assert f"#1 {shown} {CALLER} (60 min)" in text


@pytest.mark.parametrize(
    ("minutes", "words"), [(0, "0 min"), (119, "119 min"), (120, "2 h"), (2879, "47 h"), (2880, "2 days")]
)
def test_a_span_is_told_in_words(minutes: int, words: str) -> None:
    assert spoken(timedelta(minutes=minutes)) == words
