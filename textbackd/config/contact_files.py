"""The numbers in a shop's contact files: CSV as spreadsheets and phones export it, and vCard.   files → here → flow/contacts.py

Only numbers are read; nobody's name is kept. vCard: RFC 6350, of which the lines TEL matter, and its elder versions, which write them
alike. A CSV may have a header row: then its columns for phones count, else the first column that holds a number.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from textbackd.core.phone import E164, NotTextable, read_number

MOST_BYTES: Final = 20_000_000  # some hundred thousand contacts; more is another file
MOST_FAULTS: Final = 20  # of one file; whoever mends these will meet the rest
DELIMITERS: Final = ";\t,"  # the first that occurs in the first row, since a comma may stand in a name
# Header cells of columns with numbers, in the languages of spreadsheets; "Phone 1 - Label" says what kind of phone.
PHONE_COLUMN: Final = re.compile(
    r"phone|tel|mobil|cell|handy|number|nummer|numero|número|numéro|gsm|whatsapp", re.IGNORECASE
)
NO_PHONE_COLUMN: Final = re.compile(r"label|type|typ\b|customer|account|house|street|order|tax", re.IGNORECASE)
SEVERAL: Final = re.compile(r":::|\n")  # Google's exports put several numbers into one cell
VCARD_BEGINS: Final = re.compile(r"\s*BEGIN:VCARD", re.IGNORECASE)
# [group.]TEL[;parameters]:[tel:]number[;ext=…], RFC 6350 §3.3 and §6.4.1
TEL: Final = re.compile(r"(?:[\w-]+\.)?TEL(?:;[^:]*)?:(?:tel:)?([^;]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ContactFile:
    """What a file of contacts holds."""

    numbers: frozenset[E164]
    faults: Sequence[str]  # "suppliers.csv:12: …", without the content, which is private; none: the file is good


def read_contacts(path: Path, country: str) -> ContactFile:
    """Return the numbers in a file, read as dialled in `country`, and what is wrong with it. Never raises."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        return ContactFile(frozenset(), [f"{path}: cannot be read ({error.strerror})."])
    if len(data) > MOST_BYTES:
        return ContactFile(
            frozenset(), [f"{path}: is larger than {MOST_BYTES // 1_000_000} MB, so no list of contacts."]
        )
    text = _decoded(data)
    try:
        cells = list(_of_vcard(text) if VCARD_BEGINS.match(text) else _of_csv(text, country))
    except csv.Error as error:
        return ContactFile(frozenset(), [f"{path}: is no CSV ({error}). Export it again as CSV or vCard."])
    return _read(cells, path, country)


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")  # numbers are the same in all that spreadsheets write


def _read(cells: Iterable[tuple[int, str]], path: Path, country: str) -> ContactFile:
    numbers, faults = set[E164](), list[str]()
    for line, cell in cells:
        for written in filter(None, map(str.strip, SEVERAL.split(cell))):
            read = read_number(written, country)
            if read.e164 is not None:
                numbers.add(read.e164)
            elif read.not_textable is not NotTextable.SHORT_CODE and len(faults) < MOST_FAULTS:  # an extension is fine
                faults.append(f"{path}:{line}: this is not a phone number. Write it as +13125550123.")
    return ContactFile(frozenset(numbers), faults)


def _of_vcard(text: str) -> Iterator[tuple[int, str]]:
    """Yield line and value of every TEL; a line that begins with a blank goes on the one before (RFC 6350 §3.2)."""
    whole, first = "", 1
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if line[:1] in (" ", "\t"):
            whole += line[1:]
            continue
        if found := TEL.fullmatch(whole) or TEL.match(whole):
            yield first, found[1]
        whole, first = line, number


def _of_csv(text: str, country: str) -> Iterator[tuple[int, str]]:
    """Yield line and content of every cell that should hold a number."""
    first_row = text.partition("\n")[0]
    delimiter = next((mark for mark in DELIMITERS if mark in first_row), ",")
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter)
    rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    columns, body = _columns([row for _, row in rows], country)
    for line, row in rows[body:]:
        for column in columns:
            if column < len(row):
                yield line, row[column]


def _columns(rows: Sequence[Sequence[str]], country: str) -> tuple[Sequence[int], int]:
    """Return which columns hold numbers, and the row at which the contacts begin."""
    if not rows:
        return (), 0
    if any(_is_number(cell, country) for cell in rows[0]):
        return _first_number(rows[0], country), 0
    named = [n for n, cell in enumerate(rows[0]) if PHONE_COLUMN.search(cell) and not NO_PHONE_COLUMN.search(cell)]
    guessed = next((found for row in rows[1:] if (found := _first_number(row, country))), [])
    return named or guessed or [0], 1


def _first_number(row: Sequence[str], country: str) -> list[int]:
    return [n for n, cell in enumerate(row) if _is_number(cell, country)][:1]


def _is_number(cell: str, country: str) -> bool:
    return read_number(SEVERAL.split(cell)[0], country).e164 is not None
