"""Parts of a long text that a vendor hands over one by one: kept until they are a text.   a vendor's file → here

A part is on disk before the vendor hears that we have it, and stays there until its text is stored: a restart loses nothing.
Parts that stay alone are told as they are after `PATIENCE`, for half a text is better than none. Blocking.
"""

import hashlib
import json
import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from textbackd.gateways.base import InboundText

PATIENCE: Final = timedelta(minutes=10)  # the modem's inbox waits as long
MISSING: Final = "[…]"
MOST_PARTS: Final = 1000  # that wait at the same time; what comes beyond them is told as it is
MOST_TOLD: Final = 5000  # ids of parts remembered, because a vendor hands over again what it did not hear us take
MOST_NUMBERS: Final = 255  # parts of one text: an octet (3GPP TS 23.040 §9.2.3.24.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a long text."""

    id: str  # the vendor's
    sender: str
    recipient: str | None
    reference: str  # the same for all parts of a text; soon used again for another
    number: int  # from 1
    total: int
    body: str
    received_at: datetime  # aware UTC

    @property
    def key(self) -> tuple[str, str | None, str, int]:
        """What all parts of one text share."""
        return (self.sender, self.recipient, self.reference, self.total)

    @property
    def place(self) -> object:
        """What no two parts share, unless a reference was used again too soon."""
        return (*self.key, self.number)

    @property
    def is_possible(self) -> bool:
        """Whether there can be such a part."""
        return 1 <= self.number <= self.total <= MOST_NUMBERS


@dataclass(frozen=True, slots=True)
class Joined:
    """A text, and the parts that it was made of."""

    text: InboundText
    parts: tuple[Part, ...]


class Parts:
    """The parts that wait for others, in memory and, where there is a folder, on disk."""

    def __init__(self, folder: Path | None) -> None:
        """Read what a former run left in `folder`."""
        self._folder = folder
        self._waiting: dict[str, Part] = {part.id: part for part in _left(folder)}
        self._told: deque[str] = deque(maxlen=MOST_TOLD)

    def keep(self, part: Part) -> bool:
        """Keep a part for good; False if there is no room, or no place for it in a text. Raises OSError."""
        if part.id in self._waiting or part.id in self._told:
            return True
        if not part.is_possible or len(self._waiting) >= MOST_PARTS or part.place in self._places():
            return False
        if self._folder is not None:
            _write(_file(self._folder, part), _as_json(part))
        self._waiting[part.id] = part
        return True

    def _places(self) -> set[object]:
        return {part.place for part in tuple(self._waiting.values())}

    def joined(self, now: datetime) -> list[Joined]:
        """Return the texts that are whole, or will hardly be any more, oldest first."""
        found: dict[object, list[Part]] = {}
        for part in tuple(self._waiting.values()):  # a copy, for another thread may keep one meanwhile
            found.setdefault(part.key, []).append(part)
        texts = [_joined(parts) for parts in found.values() if _is_due(parts, now)]
        return sorted(texts, key=lambda joined: joined.text.received_at)

    def forget(self, joined: Joined) -> None:
        """Let go of the parts of a text that is stored."""
        for part in joined.parts:
            self._told.append(part.id)
            self._waiting.pop(part.id, None)
            if self._folder is not None:
                # A file that stays is joined again after a restart, under the same id.
                with suppress(OSError):
                    _file(self._folder, part).unlink()


def _is_due(parts: list[Part], now: datetime) -> bool:
    is_whole = len({part.number for part in parts}) == parts[0].total
    return is_whole or now - min(part.received_at for part in parts) > PATIENCE


def _joined(parts: Iterable[Part]) -> Joined:
    ordered = sorted(parts, key=lambda part: part.number)
    by_number = {part.number: part.body for part in ordered}
    first = ordered[0]
    text = InboundText(
        id=hashlib.sha256("\n".join(part.id for part in ordered).encode()).hexdigest()[:32],
        sender=first.sender,
        recipient=first.recipient,
        body="".join(by_number.get(number, MISSING) for number in range(1, first.total + 1)),
        received_at=min(part.received_at for part in ordered),
    )
    return Joined(text, tuple(ordered))


# ---- on disk


def _file(folder: Path, part: Part) -> Path:
    # An id may hold anything, so its hash is the name.
    return folder / f"part-{hashlib.sha256(part.id.encode('utf-8', 'replace')).hexdigest()[:32]}.json"


def _as_json(part: Part) -> bytes:
    fields = {name: getattr(part, name) for name in Part.__slots__}
    return json.dumps(fields | {"received_at": part.received_at.isoformat()}).encode()


def _write(path: Path, content: bytes) -> None:
    if not path.parent.is_dir():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sync(path.parent.parent)
    unfinished = path.with_suffix(".unfinished")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Make the names in a folder last (fsync(2): a file's own does not)."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _left(folder: Path | None) -> Iterator[Part]:
    for path in sorted(folder.glob("part-*.json")) if folder is not None else ():
        with suppress(OSError, ValueError, TypeError, KeyError):
            yield _from_json(json.loads(path.read_bytes()))


def _from_json(fields: Mapping[str, object]) -> Part:
    recipient = fields["recipient"]
    return Part(
        id=str(fields["id"]),
        sender=str(fields["sender"]),
        recipient=None if recipient is None else str(recipient),
        reference=str(fields["reference"]),
        number=int(str(fields["number"])),
        total=int(str(fields["total"])),
        body=str(fields["body"]),
        received_at=datetime.fromisoformat(str(fields["received_at"])),
    )
