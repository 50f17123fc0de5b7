"""One CDR row out of the texts that a file or a database holds, whatever it names and leaves out.

Column names: Asterisk's own (`start`, `end`, `answer`) and those of its SQL examples and FreePBX (`calldate` = start). Codes of
`disposition` in a numeric column: Asterisk's include/asterisk/cdr.h.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import chain, islice
from typing import Final, Self
from zoneinfo import ZoneInfo

from textbackd.core.from_records import CdrRow, Disposition, born

Fields = Mapping[str, str]  # lower-case column name → text

START: Final = ("start", "calldate", "starttime", "start_time")
ANSWER: Final = ("answer", "answerdate", "answertime", "answer_time")
END: Final = ("end", "enddate", "hangupdate", "endtime", "end_time")
DISPOSITIONS: Final[Mapping[str, Disposition]] = {
    "ANSWERED": Disposition.ANSWERED,
    "NOANSWER": Disposition.NO_ANSWER,
    "BUSY": Disposition.BUSY,
    "FAILED": Disposition.FAILED,
    "CONGESTION": Disposition.CONGESTION,
    "0": Disposition.NO_ANSWER,
    "1": Disposition.NO_ANSWER,
    "2": Disposition.FAILED,
    "4": Disposition.BUSY,
    "8": Disposition.ANSWERED,
    "16": Disposition.CONGESTION,
}
# Rows are written when a call ends, so going back in time one may stop soon after the first that is too old; but a batch is
# written in any order, and the rows of one call may have ended hours before its last.
ENOUGH_OLD: Final = 500
SAMPLE: Final = 200  # rows that decide whether the times are local
MOMENT_DIGITS: Final = 10  # of seconds since 1970, until the year 2286
SAME_MOMENT: Final = timedelta(seconds=60)
ROUNDING: Final = timedelta(seconds=2)


class BadRow(ValueError):
    """A row that is not one: cut, damaged, or of another table."""


class CdrRows(Iterator[CdrRow]):
    """Rows since a moment, out of fields that come newest first; None stands for a row that could not be read at all.

    Fields that come in another order than that of their ends have to be `bounded`: then they are read to the last.
    """

    def __init__(
        self, fields: Iterator[Fields | None], *, since: datetime, tz: ZoneInfo, bounded: bool = False
    ) -> None:
        self.skipped = 0
        self._bounded = bounded
        self._rows = self._since(self._written(fields), since, tz)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> CdrRow:
        return next(self._rows)

    def _written(self, fields: Iterator[Fields | None]) -> Iterator["_Written"]:
        for row in fields:
            try:
                yield _written(row)
            except (BadRow, ValueError, OverflowError):
                self.skipped += 1

    def _since(self, rows: Iterator["_Written"], since: datetime, tz: ZoneInfo) -> Iterator[CdrRow]:
        head = list(islice(rows, SAMPLE))
        zone = _zone_of(head, tz)
        old_in_a_row = 0
        for written in chain(head, rows):
            row = written.in_zone(zone)
            if row.ended_at >= since:
                old_in_a_row = 0
                yield row
            elif (old_in_a_row := old_in_a_row + 1) >= ENOUGH_OLD and not self._bounded:
                return


@dataclass(frozen=True, slots=True)
class _Written:
    """A row whose times are still as they were written, mostly without a zone."""

    fields: Fields
    disposition: Disposition
    start: datetime
    answer: datetime | None
    end: datetime | None
    duration: timedelta | None
    billsec: timedelta | None

    @property
    def born(self) -> datetime | None:
        return born(self.fields.get("uniqueid", ""))

    def in_zone(self, zone: tzinfo) -> CdrRow:
        started_at = moment(self.start, zone, self.born)
        lasted = self.duration or timedelta(0)
        ended_at = started_at + lasted if self.end is None else moment(self.end, zone, started_at)
        text = self.fields.get
        return CdrRow(
            uniqueid=text("uniqueid", ""),
            linkedid=text("linkedid", ""),
            channel=text("channel", ""),
            dstchannel=text("dstchannel", ""),
            src=text("src", "") or text("cnum", ""),
            clid=text("clid", ""),
            dst=text("dst", ""),
            dcontext=text("dcontext", ""),
            did=text("did", ""),
            lastapp=text("lastapp", ""),
            lastdata=text("lastdata", ""),
            started_at=started_at,
            answered_at=self._answered_at(zone, started_at, ended_at),
            ended_at=ended_at,
            lasted=self.duration if self.duration is not None else ended_at - started_at,
            disposition=self.disposition,
            sequence=int(_number(text("sequence", "")) or 0),
        )

    def _answered_at(self, zone: tzinfo, started_at: datetime, ended_at: datetime) -> datetime | None:
        if self.answer is not None:
            return moment(self.answer, zone, started_at)
        # A channel that was up already (in a queue, after a menu) has billable seconds in a row that is NO ANSWER.
        if self.disposition is Disposition.ANSWERED or self.billsec:
            return ended_at - (self.billsec or timedelta(0))
        return None


def _written(fields: Fields | None) -> _Written:
    """Raises BadRow or ValueError for a row without channel, start or disposition."""
    if fields is None or not fields.get("channel"):
        raise BadRow("a row names its channel")
    disposition = DISPOSITIONS.get(fields.get("disposition", "").upper().replace(" ", ""))
    start = _time(_first(fields, START))
    if disposition is None or start is None:
        raise BadRow("a row says how it ended, and when it began")
    return _Written(
        fields,
        disposition,
        start,
        _time(_first(fields, ANSWER)),
        _time(_first(fields, END)),
        _seconds(fields.get("duration", "")),
        _seconds(fields.get("billsec", "")),
    )


def read_row(fields: Fields, zone: tzinfo) -> CdrRow:
    """Return a row whose times are written in `zone`. Raises BadRow, ValueError or OverflowError for what is none."""
    return _written(fields).in_zone(zone)


def zone_of(rows: Iterable[Fields], tz: tzinfo) -> tzinfo:
    """Return the zone of the times in some rows: `tz`, or UTC if their uniqueids say so."""
    written = []
    for row in rows:
        try:
            written.append(_written(row))
        except (BadRow, ValueError, OverflowError):
            continue
    return _zone_of(written, tz)


def _first(fields: Fields, names: tuple[str, ...]) -> str:
    return next((fields[name] for name in names if fields.get(name)), "")


def _time(text: str) -> datetime | None:
    """Return a written time, naive if it names no zone; None for nothing. Raises ValueError for what is no time."""
    if not text or text.startswith("0000"):
        return None
    if text.replace(".", "", 1).isdigit():
        return datetime.fromtimestamp(_epoch(text), UTC)
    return datetime.fromisoformat(text).replace(microsecond=0)


def _epoch(text: str) -> float:
    whole, _, _ = text.partition(".")
    if len(whole) > MOMENT_DIGITS:
        raise ValueError("more digits than a moment has")
    return float(text)


def _seconds(text: str) -> timedelta | None:
    number = _number(text)
    return timedelta(seconds=number) if number is not None and number >= 0 else None


def _number(text: str) -> float | None:
    return float(text) if text.isascii() and text.replace(".", "", 1).isdigit() else None


def moment(written: datetime, zone: tzinfo, not_before: datetime | None) -> datetime:
    """Return a written time as aware UTC. An hour that the clocks repeat is the first one that is not before `not_before`."""
    if written.tzinfo is not None:
        return written.astimezone(UTC)
    first = written.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if not_before is None or first >= not_before - ROUNDING:
        return first
    second = written.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return second if second >= not_before - ROUNDING else first


def _zone_of(rows: list[_Written], tz: tzinfo) -> tzinfo:
    """Return the zone of the written times: `tz`, or UTC if the uniqueids, which are always UTC, say so.

    A call's first row begins when its channel was made; later ones begin later, so the majority decides.
    """
    local = sum(_is_moment(row, tz) for row in rows)
    universal = sum(_is_moment(row, UTC) for row in rows)
    return UTC if universal > local else tz


def _is_moment(row: _Written, zone: tzinfo) -> bool:
    return row.born is not None and abs(moment(row.start, zone, row.born) - row.born) < SAME_MOMENT
