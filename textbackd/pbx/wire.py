"""AMI bytes to events.   the socket or a trace → here → core/tracker.py

A frame is one block of `Name: value` lines up to a blank line. Of a busy PBX most frames are of no use here, so the name is looked
at before anything is parsed, and bytes are only decoded once a frame is whole: a character split over two chunks survives.
Sources: docs.asterisk.org, "AMI v2 Specification"; what Asterisk really sends is in docs/AMI.md.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

from textbackd.core.events import TRACKED, Event

LARGEST_FRAME: Final = 4 * 1024 * 1024  # bytes; no event comes near it, so what does is thrown away
YEAR_2000: Final = 946_684_800  # seconds since 1970
YEAR_2100: Final = 4_102_444_800
BLANK_LINE: Final = b"\r\n\r\n"
_TRACKED_NAMES: Final = frozenset(name.encode() for name in TRACKED if name != "VarSet")
_EVENT: Final = b"Event: "


class FrameSplitter:
    """Cuts a stream of bytes into frames, however the bytes arrive."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Return the frames that `data` completes, without their blank line."""
        frames = (self._rest + data).split(BLANK_LINE) if self._rest else data.split(BLANK_LINE)
        self._rest = frames.pop()
        if len(self._rest) > LARGEST_FRAME:
            self._rest = b""
        return frames


def tracked(frame: bytes) -> bool:
    """Return whether the tracker reads this frame; costs one look at its first line."""
    if not frame.startswith(_EVENT):
        # A stray line end, or an old Asterisk that puts the class first.
        return frame[:2] == b"\r\n" or frame.startswith((b"Privilege: ", b"Timestamp: "))
    end = frame.find(b"\r\n", 7)
    name = frame[7:end] if end > 0 else frame[7:]
    return name in _TRACKED_NAMES or (name == b"VarSet" and b"CALLINGNUMPRES" in frame)


def parse(frame: bytes) -> dict[str, str]:
    """Return the headers of a frame. Of a repeated header the first counts; bytes that are no UTF-8 become U+FFFD."""
    lines = frame.decode("utf-8", "replace").split("\r\n")
    lines.reverse()  # so that the first of two equal names is the one that stays
    try:
        return dict([line.split(": ", 1) for line in lines])  # a line without ": " raises
    except ValueError:
        return dict(_headers(lines))


def _headers(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            yield name.strip(), value.removeprefix(" ")


def read_event(frame: bytes, arrived_at: datetime | None) -> Event | None:
    """Return the event in a frame that is `tracked`, or None if it is none after all.

    Its time is Asterisk's own (`timestampevents = yes` in manager.conf adds a Timestamp header, epoch seconds), else `arrived_at`.
    """
    headers = parse(frame.strip(b"\r\n"))
    name = headers.get("Event")
    if name is None or name not in TRACKED:
        return None
    variables = headers.get("ChanVariable")
    if variables is not None:
        headers["ChanVariable"] = " ".join(_repeated(frame, "ChanVariable"))
    return Event(name, headers, read_time(headers.get("Timestamp")) or arrived_at)


def _repeated(frame: bytes, name: str) -> list[str]:
    start = f"{name}: "
    lines = frame.decode("utf-8", "replace").split("\r\n")
    return [line.removeprefix(start) for line in lines if line.startswith(start)]


def read_time(timestamp: str | None) -> datetime | None:
    """Return a Timestamp header as aware UTC; None where there is none or it is no time of this century."""
    if timestamp is None:
        return None
    try:
        seconds = float(timestamp)
    except ValueError:
        return None
    return datetime.fromtimestamp(seconds, UTC) if YEAR_2000 < seconds < YEAR_2100 else None
