"""CDR in a CSV file: Asterisk's Master.csv, or a table exported with a header row.

Column order without a header: Asterisk's cdr_csv.c and configs/samples/cdr.conf.sample (`loguniqueid`, `loguserfield`,
`newcdrcolumns`). A caller's name may hold line feeds (story: name_newline), so a row may have several lines; quotes are doubled
inside a field, so a row has an even number of them.
"""

import csv
import gzip
import zlib
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate, islice, repeat
from pathlib import Path
from typing import BinaryIO, Final, cast

from textbackd.core.from_records import born
from textbackd.errors import TextbackdError
from textbackd.pbx.records.cdr import Fields
from textbackd.pbx.records.log_file import LONGEST_LINE, advice, as_text, read_backwards, with_rotated
from textbackd.pbx.records.texts import BLOCK_ROWS, Block, Texts, chooser

ALWAYS: Final = (
    "accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata", "start", "answer", "end",
    "duration", "billsec", "disposition", "amaflags",
)  # fmt: skip
NEW: Final = ("peeraccount", "linkedid", "sequence")  # newcdrcolumns
HEADER: Final = frozenset({"channel", "dstchannel", "disposition"})  # names that only a header holds, all at once
MOST_LINES: Final = 40  # of one row; more means that a row was cut and its quotes do not match
LONGEST_HEADER: Final = 1 << 12  # bytes
AT_ONCE: Final = 1 << 16  # bytes that are read forward at once, some 250 rows: they stay in the processor's cache
SAMPLED: Final = 1 << 18  # bytes at each place of a sample
DAMAGED: Final = ["damaged"]  # in the place of a row


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


def blocks_backwards(path: Path, since: datetime) -> Iterator[Block]:
    """Yield the rows of a file from its last to its first: an export may begin with the newest. Raises TextbackdError."""
    if path.suffix == ".gz" or len(with_rotated(path, since)) > 1:
        raise TextbackdError(
            f"{path}: begins with the newest row. Such a file can be read if it is not packed and has no rotated ones beside it; "
            "or sort it by calldate, the oldest first."
        )
    header = _header(path)
    records = filter(None, _rows(path, cut=header is None))
    while some := list(islice(records, BLOCK_ROWS)):
        yield _block([_split(as_text(record)) or DAMAGED for record in some], header)


# ---- forward, for whoever reads all of it


def blocks(path: Path, since: datetime) -> Iterator[Block]:
    """Yield the rows of a file and its rotated elders, oldest first. Raises TextbackdError."""
    files = with_rotated(path, since)[::-1]
    sizes = [_size(file) for file in files]
    for number, file in enumerate(files):
        for place, block in _file_blocks(file):
            yield block._replace(done=min((sum(sizes[:number]) + place) / (sum(sizes) or 1), 1.0))


@dataclass(frozen=True, slots=True)
class Files:
    """A file and its rotated elders as one long text, which can be read from anywhere; none of them is packed."""

    paths: tuple[Path, ...]  # oldest first
    starts: tuple[int, ...]  # where each begins, and where the last one ends

    @property
    def size(self) -> int:
        """Return how many bytes there are."""
        return self.starts[-1]

    def line_at(self, place: int) -> int:
        """Return where the first line begins that begins there or later."""
        number = self._file_at(place)
        if place in (self.starts[number], self.size):
            return place
        with self.paths[number].open("rb") as opened:
            opened.seek(place - 1 - self.starts[number])
            return min(place - 1 + len(opened.readline()), self.size)

    def blocks(self, begin: int, end: int) -> Iterator[Block]:
        """Yield the rows between two places at which lines begin."""
        number = self._file_at(begin)
        while begin < end:
            start, stop = self.starts[number], min(self.starts[number + 1], end)
            yield from (block for _, block in _file_blocks(self.paths[number], begin - start, stop - start))
            begin, number = stop, number + 1

    def _file_at(self, place: int) -> int:
        return max(bisect_right(self.starts, place) - 1, 0) if place < self.size else len(self.paths) - 1


def files(path: Path, since: datetime) -> Files | None:
    """Return the file and its elders as one text; None if one of them is packed, and can only be read from its beginning."""
    paths = with_rotated(path, since)[::-1]
    if any(file.suffix == ".gz" for file in paths):
        return None
    return Files(tuple(paths), tuple(accumulate(map(_size, paths), initial=0)))


def sampled(path: Path, since: datetime, *, places: int) -> Iterator[Block]:
    """Yield rows from so many places all over the files, whole files if they are short. Raises TextbackdError."""
    files = with_rotated(path, since)[::-1]
    each = max(places // len(files), 1)
    for file in files:
        if file.suffix == ".gz" or _size(file) <= each * SAMPLED:
            yield from (block for _, block in _file_blocks(file))
        else:
            yield from _places_in(file, each)


def _places_in(file: Path, places: int) -> Iterator[Block]:
    header, step = _header(file), _size(file) // places
    with file.open("rb") as opened:
        for place in range(places):
            opened.seek(place * step)
            yield _block(_parsed(opened.read(SAMPLED).partition(b"\n")[2].rpartition(b"\n")[0])[0], header)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError as error:
        raise TextbackdError(f"{file}: cannot be read ({error.strerror or error}). {advice(error)}") from error


def _file_blocks(file: Path, begin: int = 0, end: int | None = None) -> Iterator[tuple[int, Block]]:
    """Yield how many bytes have been read and the rows in them; of a damaged .gz those before the damage."""
    header = _header(file)
    try:
        with file.open("rb") as opened:
            opened.seek(begin)
            packed = file.suffix == ".gz"
            source = cast("BinaryIO", gzip.GzipFile(fileobj=opened)) if packed else opened
            for rows in _rows_forward(source, end, cut=header is None and not packed):
                # A packed file's header is met here, where its first line is read.
                header = header or next((_names(row) for row in rows[:1] if packed and _is_header(row)), None)
                yield opened.tell(), _block(rows, header)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return
    except OSError as error:
        raise TextbackdError(f"{file}: cannot be read ({error.strerror or error}). {advice(error)}") from error


def _rows_forward(file: BinaryIO, end: int | None, *, cut: bool) -> Iterator[list[list[str]]]:
    """Yield rows as they stand in the file, up to a place; one that is damaged has no columns."""
    rest = b""
    while data := file.read(AT_ONCE if end is None else min(AT_ONCE, end - file.tell())):
        data = rest + data.replace(b"\0", b"")
        whole = data.rfind(b"\n") + 1
        rows, open_row = _parsed(data[: whole - 1]) if whole else ([], b"")
        rest = (open_row + data[whole:])[-LONGEST_LINE:]
        yield rows
    # Lines that are left have a row among them that was cut, and whose quotes never matched.
    *lines, last = rest.split(b"\n")
    rows = [row for line in lines for row in _parsed(line)[0] or [DAMAGED]]
    if last:
        # Asterisk writes a row and its end at once, so a last line without an end was cut.
        rows += [DAMAGED] if cut else _parsed(last)[0]
    yield rows


def _parsed(lines: bytes) -> tuple[list[list[str]], bytes]:
    """Return the rows in some lines, and the beginning of one that goes on after them."""
    try:
        texts = lines.decode().split("\n")
        rows = list(csv.reader(texts, strict=True))
    except (UnicodeDecodeError, csv.Error):
        return _parsed_one_by_one(lines.split(b"\n"))
    # As many rows as lines: no name holds a line feed, which is nearly always so and costs nothing to know.
    return (rows, b"") if len(rows) == len(texts) else _parsed_one_by_one(lines.split(b"\n"))


def _parsed_one_by_one(lines: list[bytes]) -> tuple[list[list[str]], bytes]:
    rows: list[list[str]] = []
    held: list[bytes] = []
    quotes = 0
    for line in lines:
        held.append(line)
        quotes += line.count(b'"')
        if quotes % 2 == 0 or len(held) > MOST_LINES:
            whole = [b"\n".join(held)] if quotes % 2 == 0 else held
            rows += [_split(as_text(record)) or DAMAGED for r in whole if (record := r.rstrip(b"\r"))]
            held, quotes = [], 0
    return rows, b"\n".join([*held, b""]) if held else b""


def _block(rows: Sequence[list[str]], header: tuple[str, ...] | None) -> Block:
    whole = [row for row in rows if row and not (header and row[0].lower() == header[0] and _is_header(row))]
    by_layout = _by_layout(whole, header)
    found = [texts for columns, some in by_layout if columns for texts in _ordered(some, columns)]
    return Block(found, skipped=len(whole) - len(found))


def _by_layout(
    rows: Sequence[list[str]], header: tuple[str, ...] | None
) -> Iterable[tuple[tuple[str, ...] | None, Sequence[list[str]]]]:
    """Return rows with the columns that they have: all the same, unless cdr.conf was changed or rows are damaged."""
    layout = _layout_of(header)
    if len(set(map(len, rows))) == 1 and layout(rows[0]) == layout(rows[-1]):
        return [(layout(rows[0]), rows)]
    return [(layout(row), [row]) for row in rows]


def _layout_of(header: tuple[str, ...] | None) -> Callable[[list[str]], tuple[str, ...] | None]:
    if header is None:
        return _columns
    return lambda row: header if len(row) == len(header) else None


def _ordered(rows: Sequence[list[str]], columns: tuple[str, ...]) -> Iterable[Texts]:
    deque(map(list.append, rows, repeat("")), maxlen=0)
    return map(chooser(columns), rows)


def _names(row: list[str]) -> tuple[str, ...]:
    return tuple(name.strip("\ufeff ").lower() for name in row)
