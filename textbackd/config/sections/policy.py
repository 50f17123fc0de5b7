"""When to text, how much, and how long things are kept.   → settings.py"""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, JsonValue

from textbackd.config import values
from textbackd.config.section import (
    DEFAULT,
    Counted,
    Duration,
    Kept,
    Limits,
    Listed,
    Number,
    Section,
    SpendLimits,
)
from textbackd.core.limits import Limit, Share, SpendLimit
from textbackd.core.opening_hours import QuietHours


class Caps(Section):
    """How many texts may go out at most; when one is full, texts wait or lapse. `off` lifts one, or all."""

    number: Limits = Field(
        default=(Limit(1, timedelta(hours=12)), Limit(4, timedelta(days=7))), description="To one number."
    )
    prefix: Limits = Field(
        default=(Limit(5, timedelta(hours=1)), Limit(20, timedelta(days=1))),
        description="To numbers that differ in their last four digits only, as pumping does.",
    )
    did: Limits = Field(default=(Limit(30, timedelta(hours=1)),), description="For calls to one DID.")
    all: Limits = Field(
        default=(Limit(10, timedelta(minutes=1)), Limit(60, timedelta(hours=1)), Limit(200, timedelta(days=1))),
        description="Altogether.",
    )
    spend: SpendLimits = Field(
        default=(SpendLimit(Decimal(5), timedelta(days=1)), SpendLimit(Decimal(50), timedelta(days=30))),
        description="Money, as estimated, in the currency of the gateways' prices.",
    )


class Brake(Section):
    """What stops all texting until a person looks. `off` lifts one, or both."""

    consecutive_numbers: Annotated[Counted | None, BeforeValidator(values.off_or)] = Field(
        default=Limit(3, timedelta(minutes=10)), description="So many calls from numbers in a row, in so long a time."
    )
    delivered_below: Annotated[
        Annotated[Share, BeforeValidator(values.share)] | None, BeforeValidator(values.off_or)
    ] = Field(default=Share(40, 50), description="Fewer than this share of so many last texts was delivered.")


class Policy(Section):
    """When to text."""

    min_wait: Duration = Field(
        default=timedelta(seconds=4),
        description="A caller who gives up sooner is not texted; the call counts as short.",
    )
    delay: Duration = Field(
        default=timedelta(seconds=5), description="From the end of the call to the text; dropped if they talk by then."
    )
    cooldown: Duration = Field(
        default=timedelta(hours=24), description="Shortest time between two texts to one caller."
    )
    recent_talk: Duration = Field(
        default=timedelta(minutes=10), description="Nobody is texted whom somebody talked with in this time."
    )
    conversation: Duration = Field(
        default=timedelta(hours=24),
        description="After a text that a person or the caller wrote, no automatic one for so long.",
    )
    expire: Duration = Field(
        default=timedelta(minutes=10), description="A text that cannot go out this soon after the call does not go out."
    )
    quiet_hours: Annotated[
        Annotated[QuietHours, BeforeValidator(values.quiet_hours)] | None, BeforeValidator(values.off_or)
    ] = Field(
        default=values.quiet_hours("21:00-08:00"),
        description="The night, in the caller's zone, in which nothing late is texted; `off`.",
    )
    night: Literal["send", "hold", "skip"] = Field(
        default="send",
        description="What becomes of the immediate answer in quiet hours: sent, held until they end, or skipped.",
    )
    attestation: Literal["none", "C", "B", "A"] = Field(
        default="none", description="Least attestation of a number that is texted; one found forged never is."
    )
    never: Listed[Number] = Field(
        default=(), description="Numbers that are never texted; their calls do not count.", examples=[["+13125550188"]]
    )
    caps: Annotated[Caps | None, BeforeValidator(values.off_or)] = Field(
        default=Caps(), description="How many texts may go out at most; `off`."
    )
    brake: Annotated[Brake | None, BeforeValidator(values.off_or)] = Field(
        default=Brake(), description="What stops all texting until a person looks; `off`."
    )


OF_ALL: Final[dict[str, JsonValue]] = {DEFAULT: "what `policy` says"}


class LinePolicy(Section):
    """What is otherwise for one line than `policy` says; the same keys with the same meaning."""

    min_wait: Duration | None = Field(
        default=None, description="Who gives up sooner is not texted.", examples=["10s"], json_schema_extra=OF_ALL
    )
    delay: Duration | None = Field(
        default=None, description="From the end of the call to the text.", examples=["30s"], json_schema_extra=OF_ALL
    )
    cooldown: Duration | None = Field(
        default=None,
        description="Shortest time between the last text to a caller and one for a call to this line.",
        examples=["1h"],
        json_schema_extra=OF_ALL,
    )
    recent_talk: Duration | None = Field(
        default=None, description="No text so soon after a talk.", examples=["1h"], json_schema_extra=OF_ALL
    )
    conversation: Duration | None = Field(
        default=None,
        description="No automatic text so soon after words of a person.",
        examples=["2d"],
        json_schema_extra=OF_ALL,
    )
    expire: Duration | None = Field(
        default=None, description="No text later after the call.", examples=["5m"], json_schema_extra=OF_ALL
    )
    quiet_hours: Annotated[
        Annotated[QuietHours, BeforeValidator(values.quiet_hours)] | None, BeforeValidator(values.off_or)
    ] = Field(
        default=None,
        description="The caller's night; `off`.",
        examples=["22:00-07:00"],
        json_schema_extra=OF_ALL,
    )
    night: Literal["send", "hold", "skip"] | None = Field(
        default=None,
        description="The immediate answer in quiet hours: send, hold or skip.",
        examples=["hold"],
        json_schema_extra=OF_ALL,
    )


class Retention(Section):
    """How long things are kept; `off` is for ever. Opt-outs outlive it, as hashes from which no number can be read."""

    texts: Annotated[Kept | None, BeforeValidator(values.off_or)] = Field(
        default=timedelta(days=180), description="Texts, what became of them, and what callers wrote."
    )
    calls: Annotated[Kept | None, BeforeValidator(values.off_or)] = Field(
        default=timedelta(days=400),
        description="Calls with their decisions; one that a kept text answers stays as long as the text.",
    )
