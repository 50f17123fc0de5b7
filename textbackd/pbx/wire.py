"""AMI bytes to events.   the socket or a trace → here → core/tracker.py

A frame is one block of `Name: value` lines up to a blank line. Of a busy PBX most frames are of no use here, and of a useful one
most headers: so the name is looked at before anything else, a header only when somebody asks for it, and bytes are only decoded
once a frame is whole: a character split over two chunks survives. What each of these is worth: docs/PERFORMANCE.md.
Sources: docs.asterisk.org, "AMI v2 Specification"; what Asterisk really sends is in docs/AMI.md.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final, TypeVar, overload

from textbackd.core.events import TRACKED, Event

LARGEST_FRAME: Final = 4 * 1024 * 1024  # bytes; no event comes near it, so what does is thrown away
YEAR_2000: Final = 946_684_800  # seconds since 1970
YEAR_2100: Final = 4_102_444_800
BLANK_LINE: Final = b"\r\n\r\n"
_EVENT: Final = b"Event: "
_NAMES: Final = {_EVENT + name.encode(): name for name in TRACKED}
# How a frame begins that may be worth a second look, cut to `_LOOK` bytes. Asterisk writes the name first; an old one the class or
# the time; after a stray line end either.
_LOOK: Final = 11
_FIRST_LINES: Final = (*_NAMES, b"Privilege: ", b"Timestamp: ")
_BEGINNINGS: Final = frozenset((stray + line + b"\r\n")[:_LOOK] for line in _FIRST_LINES for stray in (b"", b"\r\n"))
_VARSET: Final = b"Event: VarSet"[:_LOOK]
# Of the many variables only this one matters: whether the caller wants to be hidden.
_VARIABLE: Final = b"CALLINGNUMPRES"
_D = TypeVar("_D")


class FrameSplitter:
    """Cuts a stream of bytes into frames, however the bytes arrive."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Return the frames that `data` completes, without their blank line."""
        if not self._rest:
            frames = data.split(BLANK_LINE)
        elif BLANK_LINE in self._rest[-3:] + data:
            frames = bytes(self._rest + data).split(BLANK_LINE)
        else:  # nothing is complete: what came before is not looked at again, or a trickle would cost its length squared
            self._rest += data
            frames = [b""]
        if frames[-1]:
            self._rest = bytearray(frames[-1])
        elif len(frames) > 1:
            self._rest.clear()
        if len(self._rest) > LARGEST_FRAME:
            self._rest.clear()
        del frames[-1]
        return frames


def tracked(frame: bytes) -> bool:
    """Return whether the tracker reads this frame; costs one look at its beginning, for most frames no more."""
    beginning = frame[:_LOOK]
    if beginning not in _BEGINNINGS:
        return False
    # Not `in`, which is slower: it first tries whether it was given a number.
    if beginning == _VARSET and frame.find(_VARIABLE) < 0:
        return False
    return frame.partition(b"\r\n")[0] in _NAMES or not beginning.startswith(_EVENT)


def first_line(frame: bytes) -> bytes:
    """Return the line that names an event, "Event: Hangup"; a stray line end before it, as some drivers leave, does not count."""
    return frame.removeprefix(b"\r\n").partition(b"\r\n")[0]


def parse(frame: bytes) -> dict[str, str]:
    """Return all headers of a frame. Of a repeated header the first counts; bytes that are no UTF-8 become U+FFFD."""
    lines = frame.decode("utf-8", "replace").split("\r\n")
    lines.reverse()  # so that the first of two equal names is the one that stays
    return {name: value.removeprefix(" ") for name, colon, value in (line.partition(":") for line in lines) if colon}


class _Needles(dict[str, str]):
    """How a header's line begins in a frame, by the header's name. The names come from our own code, so there are few."""

    def __missing__(self, name: str) -> str:
        needle = self[name] = f"\r\n{name}:"
        return needle


_REPEATED: Final = "ChanVariable"  # the one header that Asterisk repeats on purpose
_NEEDLES: Final = _Needles()


class Headers(Mapping[str, str]):
    """The headers of a frame below its `Event:` line, each found when it is asked for: of forty the tracker reads five.

    Of a repeated header the first counts, so that nothing can be overwritten; only the values of `ChanVariable` come together, with
    a space between. Bytes that are no UTF-8 are U+FFFD.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        """`text` holds a line end before each header."""
        self._text = text

    @overload
    def get(self, name: str, /) -> str | None: ...
    @overload
    def get(self, name: str, /, default: str | _D) -> str | _D: ...
    def get(self, name: str, /, default: object = None) -> object:
        """Return a header's value, or `default` if the frame has no such header."""
        _, found, rest = self._text.partition(_NEEDLES[name])
        if not found:
            return default
        if name == _REPEATED:
            return " ".join(value.partition("\r\n")[0].removeprefix(" ") for value in rest.split(_NEEDLES[name]))
        return rest.partition("\r\n")[0].removeprefix(" ")

    def __getitem__(self, name: str) -> str:
        if (value := self.get(name)) is None:
            raise KeyError(name)
        return value

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def __iter__(self) -> Iterator[str]:
        lines = self._text.split("\r\n")[1:]
        return iter(dict.fromkeys(line.partition(":")[0] for line in lines if ":" in line))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return repr(dict(self))


def read_event(frame: bytes, arrived_at: datetime | None) -> Event | None:
    """Return the event in a frame that is `tracked`, or None if it is none after all.

    Its time is Asterisk's own (`timestampevents = yes` in manager.conf adds a Timestamp header, epoch seconds), else `arrived_at`.
    """
    name = _NAMES.get(frame.partition(b"\r\n")[0])
    if name is not None:
        headers = Headers(frame.decode("utf-8", "replace"))
    else:  # the name does not come first, or alone
        headers = Headers("\r\n" + frame.decode("utf-8", "replace"))
        name = headers.get("Event")
        if name is None or name not in TRACKED:
            return None
    return Event(name, headers, read_time(headers.get("Timestamp")) or arrived_at)


def read_time(timestamp: str | None) -> datetime | None:
    """Return a Timestamp header as aware UTC; None where there is none or it is no time of this century."""
    if timestamp is None:
        return None
    try:
        seconds = float(timestamp)
    except ValueError:
        return None
    return datetime.fromtimestamp(seconds, UTC) if YEAR_2000 < seconds < YEAR_2100 else None
