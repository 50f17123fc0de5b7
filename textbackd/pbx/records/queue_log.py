"""Asterisk's queue_log: what happened to each caller of a queue, one line per step.

Format: app_queue and logger.c, `epoch|uniqueid|queue|agent|event|details…`; FreePBX adds an event DID.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from textbackd.core.from_records import QueueEvent
from textbackd.pbx.records.log_file import as_text, read_backwards, read_forward, with_rotated

# Seconds since 1970: ten digits until the year 2286. A line that a power cut left unfinished is fused with the next one, and its time
# has more of them.
MOMENT: Final = re.compile(r"\d{9,10}(\.\d{1,9})?", re.ASCII)
EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)  # nine years before there was an Asterisk
ENOUGH_OLD: Final = 100  # lines in a row; they are written in the order of their times, unless the clock was set back


def read_queue_log(path: Path, *, since: datetime) -> Iterator[QueueEvent]:
    """Yield what happened at or after `since` (aware), in the order of the file; damaged lines are skipped. Raises TextbackdError."""
    return reversed(list(_backwards(path, since)))


def stream_queue_log(path: Path, *, since: datetime) -> Iterator[QueueEvent]:
    """Yield the same without holding it all, from the oldest file that was written since then. Raises TextbackdError."""
    for file in reversed(with_rotated(path, since)):
        for line in read_forward(file):
            event = event_of(as_text(line))
            if event is not None and event.at >= since:
                yield event


def _backwards(path: Path, since: datetime) -> Iterator[QueueEvent]:
    old_in_a_row = 0
    for file in with_rotated(path, since):
        for line in read_backwards(file):
            event = event_of(as_text(line))
            if event is None:
                continue
            if event.at >= since:
                old_in_a_row = 0
                yield event
            elif (old_in_a_row := old_in_a_row + 1) >= ENOUGH_OLD:
                return


def event_of(line: str) -> QueueEvent | None:
    """Return what a line says; None for a damaged one."""
    at, *rest = line.split("|")
    if len(rest) < 4 or not MOMENT.fullmatch(at):
        return None
    moment = datetime.fromtimestamp(float(at), UTC)
    uniqueid, queue, agent, what, *details = rest
    if moment < EARLIEST:
        return None
    return QueueEvent(at=moment, uniqueid=uniqueid, queue=queue, agent=agent, what=what, details=tuple(details))
