"""CDR in a CSV file: Asterisk's Master.csv, or a table exported with a header row.

Column order without a header: Asterisk's cdr_csv.c and configs/samples/cdr.conf.sample (`loguniqueid`, `loguserfield`,
`newcdrcolumns`). A caller's name may hold line feeds (story: name_newline), so a row may have several lines; quotes are doubled
inside a field, so a row has an even number of them.
"""

import csv
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from textbackd.core.from_records import born
from textbackd.errors import TextbackdError
from textbackd.pbx.records.cdr import Fields
from textbackd.pbx.records.log_file import as_text, read_backwards, with_rotated

ALWAYS: Final = (
    "accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata", "start", "answer", "end",
    "duration", "billsec", "disposition", "amaflags",
)  # fmt: skip
NEW: Final = ("peeraccount", "linkedid", "sequence")  # newcdrcolumns
HEADER: Final = frozenset({"channel", "dstchannel", "disposition"})  # names that only a header holds, all at once
MOST_LINES: Final = 40  # of one row; more means that a row was cut and its quotes do not match
LONGEST_HEADER: Final = 1 << 12  # bytes


def fields(path: Path, since: datetime) -> Iterator[Fields | None]:
    """Yield the rows of a file and its rotated elders, newest first; None for one that cannot be read. Raises TextbackdError."""
    for file in with_rotated(path, since):
        header = _header(file)
        for record in _rows(file, cut=header is None):
            if record and not (header is not None and _is_header(_split(as_text(record)) or [])):
                yield _named(record, header)


def _header(path: Path) -> tuple[str, ...] | None:
    if path.suffix == ".gz":
        return None
    try:
        with path.open("rb") as file:
            line = as_text(file.readline(LONGEST_HEADER).lstrip(b"\xef\xbb\xbf"))
    except OSError as error:
        raise TextbackdError(
            f"{path}: cannot be read ({error.strerror}). Check the path, and that the user that runs textbackd may read it; "
            "Asterisk makes the file at the first call."
        ) from error
    names = tuple(name.strip().lower() for name in _split(line) or ())
    return names if set(names) >= HEADER else None


def _rows(path: Path, *, cut: bool) -> Iterator[bytes]:
    lines = read_backwards(path)
    # Asterisk writes a row and its end at once, so a last line without an end was cut; it may look whole and lack its uniqueid.
    last = next(lines, b"")
    if last:
        yield b'"' if cut else last
    yield from records_backwards(lines)


def records_backwards(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Join the lines of each row: going back, a row is complete when its quotes are even."""
    held: list[bytes] = []
    quotes = 0
    for line in lines:
        held.append(line)
        quotes += line.count(b'"')
        if quotes % 2 == 0 or len(held) > MOST_LINES:
            # Quotes that never match come from a cut row: then each line stands for itself again.
            yield from [b"\n".join(reversed(held))] if quotes % 2 == 0 else held
            held, quotes = [], 0
    yield from held


def _named(record: bytes, header: tuple[str, ...] | None) -> Fields | None:
    values = _split(as_text(record))
    if values is None or (header is not None and len(values) != len(header)):
        return None
    if header is not None:
        return dict(zip(header, values, strict=True))
    names = _columns(values)
    return None if names is None else dict(zip(names, values, strict=True))


def _is_header(values: list[str]) -> bool:
    return {value.strip().lower() for value in values} >= HEADER


def _split(line: str) -> list[str] | None:
    try:
        return next(csv.reader([line], strict=True), None) if "\n" not in line else next(csv.reader(_parts(line)), None)
    except csv.Error:
        return None


def _parts(line: str) -> list[str]:
    return line.splitlines(keepends=True)


def _columns(values: list[str]) -> tuple[str, ...] | None:
    """Return the columns of a row without a header; only their number tells which ones were switched on."""
    new = NEW if len(values) - len(ALWAYS) >= len(NEW) else ()
    optional = len(values) - len(ALWAYS) - len(new)
    if optional == 0:
        return (*ALWAYS, *new)
    if optional == 1:
        return (*ALWAYS, "uniqueid" if born(values[len(ALWAYS)]) else "userfield", *new)
    return (*ALWAYS, "uniqueid", "userfield", *new) if optional == 2 else None
