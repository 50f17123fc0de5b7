"""The list of conversations as the page shows it.   store/conversations.py → here → templates/inbox/"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from textbackd.core.conversation import Turn
from textbackd.core.phone import written
from textbackd.store.conversations import Box, Conversation
from textbackd.store.database import to_text
from textbackd.web.inbox import words

TABS: Final = (Box.OPEN, Box.NEW, Box.OURS, Box.CALLBACK, Box.THEIRS, Box.DONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Eyes:
    """With whose eyes and at which moment a page is looked at."""

    now: datetime  # aware UTC
    zone: ZoneInfo
    country: str
    staff: str
    name_of: Callable[[str], str]
    patience_of: Callable[[str | None], timedelta | None]  # of a line's callers; None: however long

    def local(self, at: datetime) -> datetime:
        """Return a moment on the shop's clock."""
        return at.astimezone(self.zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Badge:
    """A word beside a conversation."""

    words: str
    mood: str  # a class of the style: urgent, good, bad, plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One conversation in the list."""

    id: int
    name: str  # untrusted; the number where nobody told a name
    number: str  # as people write it
    tel: str  # E.164
    last: str  # untrusted
    at: str
    iso: str
    turn: Turn
    waits: str  # "12 min"; "": for nobody
    is_late: bool
    owner: str  # "": nobody's
    unread: int
    badges: tuple[Badge, ...]
    is_namesake: bool = False  # another conversation in the list has the same name


def rows(listed: Sequence[Conversation], eyes: Eyes) -> list[Row]:
    """Return conversations for the list; those that share a name are told apart by their numbers."""
    shown = [row(conversation, eyes) for conversation in listed]
    names = Counter(each.name.casefold() for each in shown)
    return [replace(each, is_namesake=True) if names[each.name.casefold()] > 1 else each for each in shown]


def row(conversation: Conversation, eyes: Eyes) -> Row:
    """Return a conversation for the list."""
    waited = eyes.now - conversation.waiting_since if conversation.waiting_since else None
    patience = eyes.patience_of(conversation.line)
    number = written(conversation.number, eyes.country)
    last_at = eyes.local(conversation.last_at)
    return Row(
        id=conversation.id,
        name=words.plain(conversation.name) or number,
        number=number,
        tel=conversation.number,
        last=words.plain(conversation.last_words),
        at=words.when(last_at, eyes.local(eyes.now)),
        iso=to_text(conversation.last_at) or "",
        turn=conversation.turn,
        waits=words.how_long(waited) if waited is not None else "",
        is_late=waited is not None and patience is not None and waited >= patience,
        owner=_owner(conversation, eyes),
        unread=conversation.unread,
        badges=tuple(badges(conversation, eyes)),
    )


def _owner(conversation: Conversation, eyes: Eyes) -> str:
    if conversation.assignee is None:
        return ""
    return "You" if conversation.assignee == eyes.staff else words.plain(eyes.name_of(conversation.assignee))


def badges(conversation: Conversation, eyes: Eyes) -> Iterator[Badge]:
    """Yield what somebody should know before opening it."""
    if conversation.urgent:
        yield Badge(words="Urgent", mood="urgent")
    if conversation.no_text is not None:
        known = words.NO_TEXT.get(conversation.no_text)
        yield Badge(words=known[0] if known else "Cannot be texted", mood="bad")
    if conversation.booked_at is not None:
        booked = eyes.local(conversation.booked_at)
        yield Badge(words=f"Booked {booked:%a} {booked.day} {booked:%b}, {words.clock(booked)}", mood="good")
    if conversation.outcome == "won":
        value = f" {words.money(conversation.value)}" if conversation.value else ""
        yield Badge(words=f"Won{value}", mood="good")
    elif conversation.outcome == "lost":
        yield Badge(words="Lost", mood="plain")
