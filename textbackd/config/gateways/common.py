"""The keys that several kinds of gateway have.   section.py → here → one file per kind"""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from textbackd.config import readers, values
from textbackd.config.section import DEFAULT, Duration, Listed, Number, Rate, Secret, Section, Text
from textbackd.core.limits import MILLIONTHS, Limit
from textbackd.core.phone import E164

KnownPbx = Annotated[Text, AfterValidator(readers.known_pbx)]


class Kind(Section):
    """Every gateway."""

    type: str = Field(description="Which kind of gateway this is.")
    number: Number | None = Field(
        default=None, description="The number that its texts come from, never texted.", examples=["+13125550142"]
    )
    rate: Rate = Field(
        default=Limit(60, timedelta(minutes=1)),
        description="How many texts in how long.",
        json_schema_extra={DEFAULT: "60/min"},
    )
    price: Annotated[Decimal, BeforeValidator(values.price)] = Field(
        default=Decimal(0),
        description="What one segment costs, for `policy.caps.spend` and the reports.",
        examples=["0.0079"],
    )

    def cost(self, segments: int) -> int:
        """Return what so many segments cost, as estimated, in millionths of the currency that prices are written in."""
        return int(self.price * segments * MILLIONTHS)

    def own_numbers(self) -> tuple[E164, ...]:
        """Return the numbers of ours that its texts may come from."""
        return (self.number,) if self.number else ()

    def sender_for(self, called: E164 | None) -> E164 | None:
        """Return the number that a text about a call to `called` comes from; None: not known, or the vendor's choice."""
        del called
        return self.number


class FromCalled(Kind):
    """A gateway that can send from several numbers."""

    sender: Literal["called_did"] | None = Field(
        default=None,
        alias="from",
        description="`called_did` sends from the number that was called; without it, all texts come from `number`.",
        examples=["called_did"],
    )
    numbers: Listed[Number] = Field(
        default=(),
        description="The called numbers that can send here; for any other, `number` does.",
        examples=[["+13125550143"]],
        json_schema_extra={DEFAULT: "all"},
    )

    def own_numbers(self) -> tuple[E164, ...]:
        """Return the numbers of ours that its texts may come from."""
        return (*super().own_numbers(), *self.numbers)

    def sender_for(self, called: E164 | None) -> E164 | None:
        """Return the number to send from, for a call to `called`; None: the vendor's own choice."""
        if self.sender == "called_did" and called is not None and (not self.numbers or called in self.numbers):
            return called
        return self.number


class WebKind(FromCalled):
    """A gateway reached by HTTP."""

    timeout: Duration = Field(
        default=timedelta(seconds=30), description="How long to wait for an answer; then the text's fate is unknown."
    )
    webhook: Annotated[Secret, AfterValidator(readers.hook_secret)] | None = Field(
        default=None,
        description="Takes replies and delivery reports at `webhooks.url`/hook/NAME/SECRET; this is the secret.",
        examples=["file:web.hook"],
    )


class BasicAuth(Section):
    """A user name and a password."""

    username: Text = Field(min_length=1, description="The user name.", examples=["textbackd"])
    password: Secret = Field(description="The password.", examples=["file:sms.password"])
