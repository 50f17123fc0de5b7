"""What an SMSC delivers, kept until it is stored.   esme/session.py → here → gateways/smpp.py

SMPP knows no id of an incoming text, and an SMSC brings again what we did not acknowledge in time, or what we did when the
connection broke under the answer. So each deliver_sm is kept first, in a file if there is a folder, then acknowledged, then told
and, when it is stored, deleted. Whatever comes again before the SMSC is known to have heard our answer is the same one.
Parts of a long text must be acknowledged one by one, for many an SMSC sends the next only then: they wait here for the rest.
"""

import asyncio
import hashlib
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from textbackd.gateways.base import DeliveryReport, InboundText
from textbackd.gateways.esme.pdus import HEADER, Alphabet, Incoming, UnreadableError, incoming
from textbackd.gateways.esme.receipts import Receipts
from textbackd.gateways.long_texts import LongTexts, Part, mended

SUFFIX: Final = ".deliver_sm"
COMES_AGAIN: Final = timedelta(minutes=10)  # how long after it came, at most, the same octets are the same text
MOST_KEPT: Final = 1000
SHOWN_OCTETS: Final = 200


class FullError(Exception):
    """Too much waits to be stored; the SMSC shall come again."""


@dataclass(slots=True, kw_only=True)
class Note:
    """One deliver_sm."""

    id: str
    digest: str  # of its body: what makes two the same
    came: datetime
    until: float  # monotonic; until then it may come again, if our answer is not heard before
    content: Incoming | None  # None: it could not be read
    raw: bytes
    stored: bool = False
    heard: bool = False


@dataclass(frozen=True, slots=True)
class Arrived:
    """Something for the store, and the notes to strike out when it is there."""

    item: InboundText | DeliveryReport
    notes: tuple[Note, ...]


class Inbox:
    """The notes, in memory and in `folder`; without a folder a restart forgets those that are not stored yet."""

    def __init__(self, folder: Path | None, *, alphabet: Alphabet, receipts: Receipts) -> None:
        self._folder, self._alphabet, self._receipts = folder, alphabet, receipts
        self._notes: dict[str, Note] = {}
        self._long: LongTexts[Note] = LongTexts()

    def load(self) -> None:
        """Take up what was kept before a restart. Raises OSError."""
        if self._folder is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in sorted(self._folder.glob(f"*{SUFFIX}")):
            note = self._note(path.name.removesuffix(SUFFIX), path.read_bytes(), path.stat().st_mtime)
            self._notes[note.id] = note

    async def keep(self, raw: bytes) -> Note:
        """Return the note of a deliver_sm, a new one or the one that it came as before. Raises FullError, OSError."""
        self._clear(time.monotonic())
        digest = _digest(raw)
        for note in self._notes.values():
            if note.digest == digest and not note.heard:
                return note
        if len(self._notes) >= MOST_KEPT:
            raise FullError
        note = self._note(f"{time.time_ns():x}-{digest[:16]}", raw, time.time())
        await asyncio.to_thread(self._write, note)
        self._notes[note.id] = note
        return note

    def heard(self, note: Note) -> None:
        """The SMSC has our answer, so the same octets from now on are another text."""
        note.heard = True
        self._strike(note)

    def stored(self, arrived: Arrived) -> None:
        """Nobody needs these notes any more, but to know them again."""
        for note in arrived.notes:
            note.stored = True
            self._strike(note)

    def arrived(self, at: float) -> list[Arrived]:
        """Return what can be told and is not stored, in the order in which it came; `at` is the monotonic clock."""
        waiting = [note for note in self._notes.values() if not note.stored]
        parts = [part for note in waiting if (part := _part(note))]
        alone = [Arrived(self._told(note), (note,)) for note in waiting if _part(note) is None]
        long = [
            Arrived(_text(text.kept[0], text.sender, text.body), text.kept) for text in self._long.told(parts, at=at)
        ]
        return sorted([*alone, *long], key=lambda arrived: arrived.notes[0].id)

    def _told(self, note: Note) -> InboundText | DeliveryReport:
        content = note.content
        if content is None:
            return _text(note, "unknown", f"(A message that could not be read: {note.raw[:SHOWN_OCTETS].hex()})")
        if content.is_receipt:
            return self._receipts.report(content)
        return _text(note, content.sender, mended(content.body))

    def _note(self, note_id: str, raw: bytes, came: float) -> Note:
        try:
            content = incoming(raw, self._alphabet)
        except UnreadableError:
            content = None
        until = time.monotonic() + COMES_AGAIN.total_seconds()
        at = datetime.fromtimestamp(came, UTC)
        return Note(id=note_id, digest=_digest(raw), came=at, until=until, content=content, raw=raw)

    def _write(self, note: Note) -> None:
        if self._folder is None:
            return
        path = self._path(self._folder, note)
        unfinished = path.with_suffix(".unfinished")
        with unfinished.open("wb") as file:
            file.write(note.raw)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
        _sync(self._folder)  # the name, too, must be on disk before the SMSC is told that we have it

    def _strike(self, note: Note) -> None:
        if note.stored and note.heard:
            self._notes.pop(note.id, None)
            if self._folder is not None:
                self._path(self._folder, note).unlink(missing_ok=True)

    def _clear(self, now: float) -> None:
        for note in [note for note in self._notes.values() if note.until < now]:
            self.heard(note)

    @staticmethod
    def _path(folder: Path, note: Note) -> Path:
        return folder / f"{note.id}{SUFFIX}"


def _digest(raw: bytes) -> str:
    # Without the header, whose sequence number is another one each time.
    return hashlib.sha256(raw[HEADER.size :]).hexdigest()


def _part(note: Note) -> Part[Note] | None:
    content = note.content
    if content is None or content.part is None or content.is_receipt or content.part[1] == 1:
        return None
    reference, total, number = content.part
    return Part(sender=content.sender, reference=reference, total=total, number=number, body=content.body, kept=note)


def _text(note: Note, sender: str, body: str) -> InboundText:
    recipient = note.content.recipient or None if note.content else None
    return InboundText(id=note.id, sender=sender, recipient=recipient, body=body, received_at=note.came)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
