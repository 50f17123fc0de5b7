"""Cells of a CSV file that a spreadsheet takes for text, whoever wrote them.   here → web/reports.py, cli/report.py      Pure.

A spreadsheet runs a cell that begins with = + - @, a tab or a line end as a formula (OWASP, "CSV Injection"). Such a cell gets an
apostrophe in front; with it an E.164 number stays as it is, too, instead of becoming 1.3E+10.

Where the decimal mark is a comma, Excel splits such a file at semicolons instead, and finds a cell behind each: they become commas.
"""

import csv
import io
from collections.abc import Iterable
from typing import Final

BYTE_ORDER_MARK: Final = "\ufeff"  # without it Excel takes UTF-8 for the code page of the machine
# The full-width ones are read as the others by some spreadsheets.
DANGEROUS: Final = tuple("=+-@\t\r\n＝＋－＠")


def cell(value: object) -> str:
    """Return a value as a harmless cell: on one line, without characters that cannot be seen."""
    if value is None:
        return ""
    written = str(value)
    shown = "".join(character if character.isprintable() else " " for character in written).strip().replace(";", ",")
    return f"'{shown}" if written.startswith(DANGEROUS) or shown.startswith(DANGEROUS) else shown


def lines(rows: Iterable[Iterable[object]]) -> str:
    """Return rows as CSV (RFC 4180), every cell quoted."""
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([cell(value) for value in row] for row in rows)
    return out.getvalue()
