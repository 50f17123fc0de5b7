"""What a report says about itself is true, and stands in its documentation, too."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.report.shop import DENVER, all_rows, write_csv
from tests.report.test_leak_month import MONTH, asked
from textbackd.report.words import NOT_SHOWN, assumptions, share

LEAK = Path(__file__).parents[2] / "docs" / "LEAK.md"


@pytest.mark.parametrize(
    ("part", "whole", "words"),
    [
        (0, 0, "—"),
        (0, 2000, "0 %"),
        (1, 2000, "under 1 %"),
        (20, 2000, "1 %"),
        (1980, 2000, "99 %"),
        (1999, 2000, "over 99 %"),
        (2000, 2000, "100 %"),
    ],
)
def test_only_nothing_is_nought_and_only_all_is_a_hundred_percent(part: int, whole: int, words: str) -> None:
    assert share(part, whole) == words


def test_the_documentation_names_what_the_report_says_that_records_cannot_show() -> None:
    _, _, after = LEAK.read_text("utf-8").partition("## What records cannot show")
    documented = [
        " ".join(bullet.split()) for bullet in re.findall(r"^- (.*?)(?=^- |^\n|\Z)", after, re.DOTALL | re.MULTILINE)
    ]
    assert len(documented) == len(NOT_SHOWN)
    for sentence, bullet in zip(NOT_SHOWN, documented, strict=True):
        assert bullet.startswith(sentence[:40])


def test_times_that_are_utc_are_told_to_be_so(tmp_path: Path) -> None:
    local, universal = (tmp_path / name for name in ("local.csv", "utc.csv"))
    rows = all_rows(MONTH)
    write_csv(local, rows)
    write_csv(universal, [row | {name: _as_utc(row[name]) for name in ("start", "answer", "end")} for row in rows])
    assert asked(str(universal)).leak == asked(str(local)).leak
    said = {path: " ".join(assumptions(asked(str(path)))) for path in (local, universal)}
    assert ["UTC" in said[path] for path in (local, universal)] == [False, True]


def _as_utc(written: str) -> str:
    return (
        f"{datetime.fromisoformat(written).replace(tzinfo=DENVER).astimezone(UTC):%Y-%m-%d %H:%M:%S}" if written else ""
    )
