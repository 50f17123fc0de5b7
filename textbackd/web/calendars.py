"""What a calendar's message says.   web/bookings.py → here → flow/bookings_in.py      Pure.

Cal.com: its guide "Webhooks" and `sendPayload.ts` of its source: a message is {"triggerEvent", "createdAt", "payload"}, and the header
X-Cal-Signature-256 holds the HMAC-SHA256 of the body in hexadecimal digits. A number stands where the shop's event type asks for it. An
appointment that is moved gets a new `uid`, with the old one in `rescheduleUid`.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from textbackd.config.sections.bookings import Booking, CalCom, GenericBooking
from textbackd.core.form import one_line
from textbackd.flow.bookings_in import Told
from textbackd.gateways.web.fields import moment, reference_at, text_at

CAL_SIGNATURE: Final = "X-Cal-Signature-256"
# The messages that matter, and whether the appointment is off. One that waits for the shop's yes (BOOKING_REQUESTED) is none yet.
CAL_EVENTS: Final[Mapping[str, bool]] = {
    "BOOKING_CREATED": False,
    "BOOKING_RESCHEDULED": False,
    "BOOKING_CANCELLED": True,
    "BOOKING_REJECTED": True,
}
# Where the number may stand: the field that Cal.com has for it, fields that shops add, reminders, and "call me at".
CAL_PHONES: Final = (
    "payload.responses.attendeePhoneNumber.value",
    "payload.responses.phone.value",
    "payload.responses.smsReminderNumber.value",
    "payload.attendees.0.phoneNumber",
    "payload.smsReminderNumber",
    "payload.responses.location.value.optionValue",
)
CAL_NAMES: Final = ("payload.attendees.0.name", "payload.responses.name.value")


def read(section: Booking, content: object, body: bytes) -> Told | None:
    """Return what a message says; None if it is about something else, or names no appointment."""
    return _cal_com(content, body) if isinstance(section, CalCom) else _generic(section, content, body)


def _cal_com(content: object, body: bytes) -> Told | None:
    what, uid = text_at(content, "triggerEvent"), reference_at(content, "payload.uid")
    if what not in CAL_EVENTS or uid is None:
        return None
    return Told(
        event=_fingerprint(body),
        booking=uid,
        phone=_first(content, CAL_PHONES, is_phone),
        name=_first(content, CAL_NAMES, bool),
        starts_at=_moment(text_at(content, "payload.startTime")),
        cancelled=CAL_EVENTS[what],
        replaces=reference_at(content, "payload.rescheduleUid") if what == "BOOKING_RESCHEDULED" else None,
    )


def _generic(section: GenericBooking, content: object, body: bytes) -> Told | None:
    booking = reference_at(content, section.booking)
    if booking is None:
        return None
    off = {word.casefold() for word in section.cancelled}
    return Told(
        event=(reference_at(content, section.event) if section.event else None) or _fingerprint(body),
        booking=booking,
        phone=one_line(text_at(content, section.phone)),
        name=one_line(text_at(content, section.name)),
        starts_at=_moment(text_at(content, section.start)),
        cancelled=text_at(content, section.status).strip().casefold() in off,
    )


def _first(content: object, paths: Sequence[str], is_fit: Callable[[str], bool]) -> str:
    said = (one_line(text_at(content, path)) for path in paths)
    return next((value for value in said if is_fit(value)), "")


def is_phone(written: str) -> bool:
    """Return whether this may be a number: "call me at" also holds addresses and links."""
    digits = sum(character.isdigit() for character in written)
    return digits >= 6 and not any(character.isalpha() for character in written)


def _moment(written: str) -> datetime | None:
    found = moment(written.strip())
    return found if found is None or 1970 <= found.year <= 9000 else None


def _fingerprint(body: bytes) -> str:
    # Cal.com has no id of a message, but the moment at which it was made stands in it.
    return hashlib.sha256(body).hexdigest()
