"""CDR rows as texts in a fixed order, the oldest first, in blocks: for whoever reads millions of them.   files → here → report/

A row that is read forward and counted needs no object, as long as everybody agrees where its texts stand. `read_cdr` makes a `CdrRow`
of the same texts (`row_of`), newest first, for whoever wants the last hour.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import tzinfo
from operator import itemgetter
from typing import Final, NamedTuple, cast

from textbackd.core.from_records import CdrRow
from textbackd.pbx.records.cdr import ANSWER, END, START, BadRow, read_row, zone_of

Texts = tuple[str, ...]  # one row: a text for each of NAMES, "" for what its source does not have

NAMES: Final = (
    "uniqueid", "linkedid", "channel", "dstchannel", "src", "clid", "dst", "dcontext", "did", "lastapp", "lastdata",
    "start", "answer", "end", "duration", "billsec", "disposition", "sequence", "cnum",
)  # fmt: skip
(
    UNIQUEID, LINKEDID, CHANNEL, DSTCHANNEL, SRC, CLID, DST, DCONTEXT, DID, LASTAPP, LASTDATA,
    START_AT, ANSWER_AT, END_AT, DURATION, BILLSEC, DISPOSITION, SEQUENCE, CNUM,
) = range(len(NAMES))  # fmt: skip
OTHER_NAMES: Final = {"start": START, "answer": ANSWER, "end": END}
BLOCK_ROWS: Final = 2000  # that a database hands over at once


class Block(NamedTuple):
    """Some rows, in the order in which they were written."""

    rows: Sequence[Texts]
    skipped: int = 0  # rows that could not be read
    done: float | None = None  # how much of the source has been read, 0 to 1; None where nobody knows its size


def chooser(columns: Sequence[str]) -> Callable[[Sequence[str]], Texts]:
    """Return what puts a row's texts in order. The row needs one empty text more than there are columns, for those that are missing."""
    places = {name: place for place, name in enumerate(columns)}
    found = (next((places[n] for n in OTHER_NAMES.get(name, (name,)) if n in places), len(columns)) for name in NAMES)
    return cast("Callable[[Sequence[str]], Texts]", itemgetter(*found))


def row_of(texts: Texts, zone: tzinfo) -> CdrRow | None:
    """Return a row as a value; None for one that is damaged."""
    try:
        return read_row(dict(zip(NAMES, texts, strict=True)), zone)
    except (BadRow, ValueError, OverflowError):
        return None


def zone_in(rows: Iterable[Texts], tz: tzinfo) -> tzinfo:
    """Return the zone of the times in some rows: `tz`, or UTC if their uniqueids say so."""
    return zone_of((dict(zip(NAMES, row, strict=True)) for row in rows), tz)
