"""Recorded AMI bytes: reading them back as events.   a file → here → core/tracker.py

A trace holds the bytes as they came from the socket. Lines that start with `#` may stand before a banner; a banner
(`Asterisk Call Manager/…`) begins a new connection. A trace may be cut anywhere.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from textbackd.core.call import Call
from textbackd.core.events import Event
from textbackd.core.merge import WITHIN, Merger, twins_among
from textbackd.core.tracker import Tracker
from textbackd.core.trunk import Trunks, trunk_of
from textbackd.errors import TextbackdError
from textbackd.pbx.wire import FrameSplitter, read_event, tracked

CHUNK: Final = (
    1 << 16
)  # bytes read at a time: a file of any size in little memory, and a chunk's frames stay in the cache
BANNER: Final = b"Asterisk Call Manager/"
# A caller's name may say the same; only a banner is followed by an answer or an event.
BANNER_LINE: Final = re.compile(BANNER + rb"[0-9.]+(?:\r\n(?=Response: |Event: |\Z)|\Z)")


def read_trace(path: Path) -> Iterator[Event | None]:
    """Yield the events of a trace that the tracker reads, and None where a connection begins.

    Raises TextbackdError for a file that cannot be read; whatever its content is, it is no error.
    """
    try:
        with path.open("rb") as file:
            splitter = FrameSplitter()
            while chunk := file.read(CHUNK):
                yield from _events(splitter.feed(modern_line_ends(chunk)))
            yield from _events(splitter.feed(b"\r\n\r\n"))
    except OSError as error:
        raise TextbackdError(
            f"{path}: cannot be read ({error.strerror}). Give the path of a recorded trace."
        ) from error


def modern_line_ends(chunk: bytes) -> bytes:
    """Return a chunk of a trace with Asterisk's line ends."""
    # Editors and version control may have turned CR LF into LF.
    return chunk if b"\r\n" in chunk else chunk.replace(b"\n", b"\r\n")


def _events(frames: list[bytes]) -> Iterator[Event | None]:
    for frame in frames:
        # Not `in`, which is slower: it first tries whether it was given a number.
        if frame.find(BANNER) >= 0 and (banner := BANNER_LINE.search(frame)):
            yield None
            frame = frame[banner.end() :]  # noqa: PLW2901  # what stands before was cut off by the end of its connection
        if tracked(frame) and (event := read_event(frame, None)) is not None:
            yield event


def calls_of(path: Path, *, pbx: str, trunks: Trunks) -> Iterator[Call]:
    """Yield the calls of a trace in the order of their ends; what is open at its end comes last."""
    tracker = Tracker(pbx, trunks)
    merger = Merger(WITHIN, lambda call: _twin_is_open(tracker, call), several_trunks=True)
    ready: list[Call] = []
    due: datetime | None = None  # when the merger may have something to give out though no call ends
    for event in read_trace(path):
        if event is None:
            tracker.connection_opened()
            continue
        finished = tracker.feed(event)
        is_due = due is not None and event.at is not None and event.at >= due
        if finished or is_due:
            ready += [complete for call in finished for complete in merger.add(call)]
            if is_due and event.at is not None:
                ready += merger.due(event.at)
            due = merger.next_due
            yield from _in_order(ready, merger.earliest_end)
    yield from sorted(ready + merger.flush(), key=_end)
    yield from tracker.close()


def _twin_is_open(tracker: Tracker, call: Call) -> bool:
    trunk = trunk_of(call.channel)
    return twins_among([other for other in tracker.open_callers() if trunk_of(other[0]) != trunk], call)


def _in_order(ready: list[Call], earliest_held: datetime | None) -> Iterator[Call]:
    """Yield, and take out, the calls that ended before any that is still held."""
    ready.sort(key=_end)
    while ready and (earliest_held is None or _end(ready[0]) <= earliest_held):
        yield ready.pop(0)


def _end(call: Call) -> datetime:
    return call.ended_at or _BEFORE_ALL  # without times, the order of the events is the order of the ends


_BEFORE_ALL: Final = datetime.min.replace(tzinfo=UTC)
