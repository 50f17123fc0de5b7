"""The measurement itself works, and what it measures is right."""

import csv
import io
from itertools import islice

import pytest

from tests.bench.leak import main
from tests.bench.leak_rows import Shop
from tests.debian import need
from textbackd.pbx.records.csv_file import ALWAYS


def test_the_rows_that_are_measured_are_those_of_cdr_csv() -> None:
    rows = list(csv.reader(io.StringIO("".join(islice(Shop().rows(500), 500)))))
    assert {len(row) for row in rows} == {len(ALWAYS) + 2}
    places = {name: ALWAYS.index(name) for name in ("start", "answer", "end")}
    assert all(
        row[places["start"]] <= (row[places["answer"]] or row[places["end"]]) <= row[places["end"]] for row in rows
    )
    assert list(islice(Shop().rows(50), 50)) == list(islice(Shop().rows(50), 50)), "the same rows in every run"


@pytest.mark.slow
def test_both_are_measured(capfd: pytest.CaptureFixture[str]) -> None:
    need("sqlite3", "sqlite3")
    main(["--rows", "3000", "--rounds", "1"])
    assert "times as long" in capfd.readouterr().out
