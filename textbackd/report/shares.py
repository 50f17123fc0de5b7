"""A large file, read by as many processes as there are cores.   report/measure.py → here → report/stream.py

Judging a million rows is pure and takes seconds, and most machines have more than one core. So the file is cut into shares. Whoever
reads one reads a window's time (`WINDOW`) before and after it, too, so that every call is there as a whole, but only tells of the calls
that ended in its own time: each belongs to exactly one share, and the shares' calls, one share after the other, are in the order of
their ends.

What cannot be read from anywhere (a packed file, a database) and what has a queue_log beside it is read by one process, as it comes.
"""

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import tzinfo
from functools import lru_cache
from itertools import chain
from typing import Final, NamedTuple

from textbackd.core.leak import Heard
from textbackd.core.trunk import Trunks
from textbackd.errors import TextbackdError
from textbackd.pbx.records import Block
from textbackd.pbx.records.csv_file import Files
from textbackd.pbx.records.texts import row_of
from textbackd.report.quick_calls import Office, heard
from textbackd.report.stream import LATE, WINDOW, Span, Stream

SHARE: Final = 1 << 24  # bytes; some 60,000 rows
BACK: Final = 1 << 18  # bytes that are gone back at once to find what a window's time before
EVER: Final = 1 << 40


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the rows, and whose calls are told: those that ended from `since` on and before `until`."""

    files: Files
    begin: int  # a place in the files at which a line begins
    end: int
    since: int  # seconds since 1970
    until: int
    trunks: Trunks
    names: frozenset[str]
    zone: tzinfo


class Judged(NamedTuple):
    """What came of a share."""

    calls: list[Heard]
    rows: int
    skipped: int
    span: Span  # that the rows cover, with those that were read before and after the share
    done: float  # how much of all has been read by then


def shares(files: Files, trunks: Trunks, names: frozenset[str], zone: tzinfo, size: int = SHARE) -> list[Share]:
    """Cut the files; none if they are small, or if their times go back, so that no call could be given to one share only."""
    places = sorted({files.line_at(place) for place in range(0, files.size, size)} | {files.size})
    times = [-EVER, *(_time_at(files, place, zone) for place in places[1:-1]), EVER]
    if len(places) < 3 or times != sorted(times):
        return []
    return [
        Share(files, begin, end, since, until, trunks, names, zone)
        for begin, end, since, until in zip(places, places[1:], times, times[1:], strict=False)
    ]


def cores() -> int:
    """Return how many processes can run at the same time here."""
    return len(os.sched_getaffinity(0))


def judged(cut: list[Share]) -> Iterator[Judged]:
    """Yield what came of each share, in order."""
    # Not forked: whoever calls may have threads, such as the one that moves the progress bar.
    context = multiprocessing.get_context("spawn")
    processes = min(cores(), len(cut))
    # Ctrl-C reaches all processes of a terminal; the one that was started ends the others.
    interrupts = (signal.SIGINT, signal.SIG_IGN)
    try:
        with ProcessPoolExecutor(processes, context, signal.signal, interrupts) as pool:
            yield from _in_order(pool, cut, ahead=processes)
    except BrokenProcessPool as error:
        raise TextbackdError(
            "A process that read the records was stopped, perhaps for want of memory. Try again."
        ) from error


def _in_order(pool: Executor, cut: list[Share], *, ahead: int) -> Iterator[Judged]:
    """Yield what came of each share; only a few are judged ahead, for what is not counted yet takes memory."""
    waiting: deque[Future[Judged]] = deque()
    for share in cut:
        waiting.append(pool.submit(judge_share, share))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def judge_share(share: Share) -> Judged:
    """Read and judge one share."""
    stream = Stream(_office(share.trunks, share.names, share.zone))
    own = _Counting(share.files.blocks(share.begin, share.end))
    before = share.files.blocks(_window_before(share), share.begin)
    found = stream.calls(chain(before, own, _window_after(share)))
    calls = [heard(call) for some in found for call in some if share.since <= call.ended < share.until]
    return Judged(calls, own.rows, own.skipped + stream.damaged, stream.span, share.end / share.files.size)


@lru_cache(maxsize=1)
def _office(trunks: Trunks, names: frozenset[str], zone: tzinfo) -> Office:
    """Return the office; what one share has taught about it, the next one of this process need not learn again."""
    return Office(trunks, names, zone)


class _Counting:
    """Passes blocks on, and counts."""

    def __init__(self, blocks: Iterable[Block]) -> None:
        self._blocks, self.rows, self.skipped = blocks, 0, 0

    def __iter__(self) -> Iterator[Block]:
        for block in self._blocks:
            self.rows += len(block.rows)
            self.skipped += block.skipped
            yield block


def _window_before(share: Share) -> int:
    """Return where to begin, so that every call that ended in the share's time is there as a whole."""
    place = share.begin
    while place > 0:
        place = share.files.line_at(max(place - BACK, 0))
        if _time_at(share.files, place, share.zone) < share.since - WINDOW - LATE:
            break
    return place


def _window_after(share: Share) -> Iterator[Block]:
    for block in share.files.blocks(share.end, share.files.size):
        yield block
        ends = _ends(block, share.zone)
        if ends and ends[-1] > share.until + WINDOW + LATE:
            return


def _time_at(files: Files, place: int, zone: tzinfo) -> int:
    """Return when the first row there ended that is whole."""
    for block in files.blocks(place, files.size):
        if ends := _ends(block, zone):
            return ends[0]
    return EVER


def _ends(block: Block, zone: tzinfo) -> list[int]:
    """Return the ends of the block's first and last row that are whole."""
    first = next((row for texts in block.rows if (row := row_of(texts, zone))), None)
    last = next((row for texts in reversed(block.rows) if (row := row_of(texts, zone))), None)
    return [int(row.ended_at.timestamp()) for row in (first, last) if row]
