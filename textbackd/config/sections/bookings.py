"""The settings of a calendar that tells of appointments.   section.py → here → settings.py, web/bookings.py

A name is a dotted path into the JSON: `payload.startTime`, `attendees.0.phone`.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from textbackd.config import readers
from textbackd.config.section import Listed, Secret, Section, Text

Path = Annotated[Text, Field(min_length=1, max_length=200)]
HookSecret = Annotated[Secret, AfterValidator(readers.hook_secret)]


class CalCom(Section):
    """Cal.com, or one that you host yourself: a webhook to `webhooks.url`/booking/NAME."""

    type: Literal["cal_com"] = Field(description="Cal.com.", examples=["cal_com"])
    secret: HookSecret = Field(
        description="The webhook's secret, with which Cal.com signs what it sends.", examples=["file:cal.secret"]
    )


class GenericBooking(Section):
    """Any calendar that posts JSON to `webhooks.url`/booking/NAME/SECRET."""

    type: Literal["generic"] = Field(description="Any other calendar.", examples=["generic"])
    secret: HookSecret = Field(description="The last part of its address.", examples=["file:calendar.hook"])
    phone: Path = Field(default="phone", description="Where the caller's number stands.")
    name: Path = Field(default="name", description="Where their name stands.")
    start: Path = Field(default="start", description="Where the time stands: ISO 8601, or seconds since 1970.")
    booking: Path = Field(
        default="id", description="Where the appointment's id stands, the same when it is moved or cancelled."
    )
    event: Path | None = Field(
        default=None,
        description="Where the id of this message stands; without one, the same content twice counts once.",
        examples=["event_id"],
    )
    status: Path = Field(default="status", description="Where it says what became of it.")
    cancelled: Listed[Annotated[Text, Field(min_length=1)]] = Field(
        default=("cancelled", "canceled", "rejected", "deleted"),
        description="Its words for an appointment that does not take place; any other means that it does.",
    )


Booking = Annotated[CalCom | GenericBooking, Field(discriminator="type")]
