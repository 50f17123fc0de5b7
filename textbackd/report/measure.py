"""The leak of a PBX's records, from their source to the figures.   pbx/records → stream → core/leak.py → here → cli, page, figures"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from textbackd.core.find_trunks import Found, Glimpse, find_trunks
from textbackd.core.leak import Leak, Tally
from textbackd.core.trunk import Trunks, trunk_of
from textbackd.errors import TextbackdError
from textbackd.pbx.records import Block, csv_file, sample_cdr, stream_cdr, stream_queue_log, usual_queue_log
from textbackd.pbx.records.cdr import SAMPLE
from textbackd.pbx.records.texts import CHANNEL, DCONTEXT, DID, DST, DSTCHANNEL, SRC, Texts, row_of, zone_in
from textbackd.report.quick_calls import NOTHING, Office, heard
from textbackd.report.shares import Share, cores, judged, shares
from textbackd.report.stream import NO_TIME, Span, Stream

EVER: Final = datetime(1990, 1, 1, tzinfo=UTC)  # nine years before there was an Asterisk
BEFORE: Final = timedelta(
    days=1
)  # rows of a call that began in the period may have been written before, in another zone
NEVER: Final = 1 << 40
MOST_NAMES: Final = 1_000  # of channels that are counted; records may hold anything
SHOWN: Final = 5  # channel names, where nobody can tell which is a trunk

Progress = Callable[
    [str, int, float | None], None
]  # what is done, rows so far, how much of all (0 to 1) where that is known


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked."""

    cdr: str
    queue_log: Path | None  # None: where Asterisk puts it, if it is there
    trunks: Sequence[str]  # patterns of channels ("PJSIP/provider*") or contexts; none: they are found
    country: str
    zone: ZoneInfo
    since: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The figures, and what was assumed for them."""

    leak: Leak
    country: str
    zone: ZoneInfo
    written_in: tzinfo  # of the times in the records: the same, or UTC
    trunks: Sequence[Found]
    queue_log: Path | None
    rows: int
    skipped: int  # rows that could not be read


@dataclass(slots=True)
class _Sample:
    """What a look at some rows has shown."""

    head: list[Texts] = field(default_factory=list)  # the first ones
    last: Texts = ()
    seen: Counter[str] = field(default_factory=Counter)  # names of channels, without their numbers

    def glimpses(self, rows: Iterable[Texts]) -> Iterator[Glimpse]:
        """Yield what tells of trunks, and remember the rest."""
        for row in rows:
            if len(self.head) < SAMPLE:
                self.head.append(row)
            self.last, name = row, trunk_of(row[CHANNEL])
            if name in self.seen or len(self.seen) < MOST_NAMES:
                self.seen[name] += 1
            yield Glimpse(row[CHANNEL], row[DSTCHANNEL], row[SRC], row[DST], row[DCONTEXT], row[DID])

    def begins_with_newest(self, zone: tzinfo) -> bool:
        """Return whether they come as in an export that was sorted so; Asterisk's own are only a little out of order."""
        starts = [row.started_at for texts in (*self.head, self.last) if texts and (row := row_of(texts, zone))]
        steps = Counter((after > before) - (after < before) for before, after in pairwise(starts))
        return steps[-1] > steps[1] and starts[0] > starts[-1]


class _Read(NamedTuple):
    """What was read."""

    rows: int
    skipped: int
    span: Span


def measure(question: Question, progress: Progress) -> Answer:
    """Return the leak. Raises TextbackdError for a source that cannot be read, and where no trunk can be told."""
    patterns = _patterns(question.trunks)
    since = question.since - BEFORE if question.since else EVER
    sample = _Sample()
    glimpses = sample.glimpses(_sample(question, since, progress))
    found = find_trunks(glimpses, patterns, guess=not question.trunks)
    if sample.head and not found:
        raise TextbackdError(_no_trunk(question, sample.seen))
    queue_log = question.queue_log or usual_queue_log(question.cdr)
    names, zone = frozenset(trunk.name for trunk in found), zone_in(sample.head, question.zone)
    is_turned = "://" not in question.cdr and sample.begins_with_newest(zone)
    cut = [] if queue_log or "://" in question.cdr else _shares(question, since, patterns, names, zone)
    tally = Tally(question.zone, question.country, _seconds(question.since, 0), _seconds(question.until, NEVER))
    if cut:
        read = _shared(cut, tally, progress)
    else:
        events = stream_queue_log(queue_log, since=since) if queue_log else NOTHING
        stream = Stream(Office(patterns, names, zone), events)
        blocks = (
            csv_file.blocks_backwards(Path(question.cdr), since)
            if is_turned
            else stream_cdr(question.cdr, since=since, tz=question.zone)
        )
        read = _streamed(stream, blocks, tally, progress)
    return Answer(
        leak=tally.leak(read.span),
        country=question.country,
        zone=question.zone,
        written_in=zone,
        trunks=found,
        queue_log=queue_log,
        rows=read.rows,
        skipped=read.skipped,
    )


def _shares(question: Question, since: datetime, trunks: Trunks, names: frozenset[str], zone: tzinfo) -> list[Share]:
    """Return how a large file is cut; nothing where one process has to read it."""
    files = csv_file.files(Path(question.cdr), since)
    return shares(files, trunks, names, zone) if files and cores() > 1 else []


def _shared(cut: list[Share], tally: Tally, progress: Progress) -> _Read:
    read = _Read(0, 0, NO_TIME)
    for part in judged(cut):
        tally.add(part.calls)
        read = _Read(read.rows + part.rows, read.skipped + part.skipped, read.span.with_row(*part.span))
        progress("reading", read.rows, part.done)
    return read


def _streamed(stream: Stream, blocks: Iterable[Block], tally: Tally, progress: Progress) -> _Read:
    rows = Counter[str]()
    for calls in stream.calls(_counted(blocks, rows, progress)):
        tally.add(map(heard, calls))
    return _Read(rows["read"], stream.skipped, stream.span)


def _patterns(trunks: Sequence[str]) -> Trunks:
    """Return what was given: with a slash it is a channel, else a context."""
    if not trunks:
        return Trunks()
    channels = [pattern for pattern in trunks if "/" in pattern]
    contexts = [pattern for pattern in trunks if "/" not in pattern]
    return Trunks(tuple(contexts), (*channels, *(f"{one}-*" for one in channels)))


def _sample(question: Question, since: datetime, progress: Progress) -> Iterator[Texts]:
    rows = 0
    for block in sample_cdr(question.cdr, since=since, tz=question.zone):
        rows += len(block.rows)
        progress("looking for trunks", rows, None)
        yield from block.rows


def _no_trunk(question: Question, seen: Counter[str]) -> str:
    names = ", ".join(name for name, _ in seen.most_common(SHOWN))
    if question.trunks:
        return f"--trunk {' '.join(question.trunks)}: no call came in over it. The records have calls of {names}."
    return (
        f"No trunk can be told from these records, which have calls of {names}. "
        "Name the one that calls from outside come in over: --trunk 'PJSIP/provider*'."
    )


def _counted(blocks: Iterable[Block], rows: Counter[str], progress: Progress) -> Iterator[Block]:
    for block in blocks:
        rows["read"] += len(block.rows)
        progress("reading", rows["read"], block.done)
        yield block


def _seconds(at: datetime | None, otherwise: int) -> int:
    return int(at.timestamp()) if at else otherwise
