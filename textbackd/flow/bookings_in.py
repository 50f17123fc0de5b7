"""An appointment that a caller made, moved or called off by themselves.   web/bookings.py → here → store

It ends the caller's matter as if they had been called back. Called off while it still lay ahead, it brings the matter back: the shop
would want to know. An appointment of somebody with whom there is no conversation is written down and nothing else.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import sqlite_utils

from textbackd.core.conversation import Happening, Turn
from textbackd.core.phone import E164, mask, read_number
from textbackd.flow.bell import Bell
from textbackd.store import acts, bookings, conversations, journal
from textbackd.store.acts import Act, ActKind
from textbackd.store.bookings import Booking
from textbackd.store.conversations import Conversation, News
from textbackd.store.database import Store, to_text, writing
from textbackd.store.journal import Resolution

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one message of a calendar says; untrusted."""

    event: str  # the same when the message comes again
    booking: str  # the calendar's id of the appointment
    phone: str  # as it was typed; "": not told
    name: str
    starts_at: datetime | None
    cancelled: bool
    replaces: str | None = None  # the id of the appointment that was moved here


class BookingsIn:
    """Takes in what calendars tell."""

    def __init__(self, country: str, *, store: Store, bell: Bell, clock: Callable[[], datetime]) -> None:
        self._country, self._store, self._bell, self._clock = country, store, bell, clock

    async def take(self, source: str, told: Told) -> None:
        """Keep what a calendar tells; what it told before changes nothing. Raises sqlite3.Error when the disk does not take it."""
        number = read_number(told.phone, self._country).e164 if told.phone else None
        is_new, whose = await self._store.run(lambda db: self._keep(db, source, told, number))
        if is_new:
            said = {"source": source, "from": mask(whose) if whose else "no number", "cancelled": told.cancelled}
            log.info("a calendar told of an appointment", extra=said)
            self._bell.ring(whose)

    def _keep(
        self, db: sqlite_utils.Database, source: str, told: Told, number: E164 | None
    ) -> tuple[bool, E164 | None]:
        """Store a message with what follows from it, in one transaction; return whether it is new, and whose it is."""
        now = self._clock()
        with writing(db):
            if not bookings.is_new_within(db, source, told.event, now):
                return False, None
            whose = number or _whose(db, source, told)
            if told.replaces:
                _move_away(db, source, told.replaces, whose, now)
            bookings.put_within(db, _booking(source, told, whose, now))
            kept = bookings.find(db, source, told.booking)
            conversation = conversations.find(db, whose) if whose is not None else None
            if kept is not None and conversation is not None:
                _follow(db, conversation, kept, now)
            return True, whose


def _whose(db: sqlite_utils.Database, source: str, told: Told) -> E164 | None:
    """Return the number of an appointment that is known, or of the one that was moved here: a later message may tell none."""
    known = (bookings.find(db, source, booking) for booking in (told.booking, told.replaces) if booking)
    return next((one.number for one in known if one is not None and one.number is not None), None)


def _booking(source: str, told: Told, number: E164 | None, now: datetime) -> Booking:
    return Booking(
        source=source,
        booking=told.booking,
        number=number,
        name=told.name,
        starts_at=told.starts_at,
        cancelled=told.cancelled,
        changed_at=now,
    )


def _move_away(db: sqlite_utils.Database, source: str, booking: str, number: E164 | None, now: datetime) -> None:
    """End an appointment whose place another one takes."""
    moved = Booking(
        source=source, booking=booking, number=number, name="", starts_at=None, cancelled=True, changed_at=now
    )
    bookings.put_within(db, moved)


def _follow(db: sqlite_utils.Database, conversation: Conversation, booking: Booking, now: datetime) -> None:
    """Let an appointment end the caller's matter, or one that was called off bring it back, inside the caller's transaction."""
    number = conversation.number
    kind = ActKind.BOOKING_CANCELLED if booking.cancelled else ActKind.BOOKED
    acts.add_within(db, Act(at=now, kind=kind, staff=None, number=number, detail=to_text(booking.starts_at) or ""))
    if not booking.cancelled:
        journal.resolve_within(db, number, Resolution.BOOKED, now)
    elif _is_open_again(conversation, booking, now):
        happening = News(number=number, happening=Happening.TAKEN_UP, at=now, unread=True)
        conversations.happen(db, happening)
    standing = bookings.next_of(db, number, now)
    conversations.note_booking(db, number, standing.starts_at if standing else None)


def _is_open_again(conversation: Conversation, booking: Booking, now: datetime) -> bool:
    lies_ahead = booking.starts_at is not None and booking.starts_at > now
    return lies_ahead and conversation.turn is Turn.DONE and conversation.booked_at == booking.starts_at
