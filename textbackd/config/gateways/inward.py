"""How any HTTP gateway tells what arrived and what became of a text, by names of its own.   common.py → here → http.py

A name is a field of a form or of an address, or a dotted path into JSON: `From`, `data.from.phone_number`, `To.0`.
"""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from textbackd.config import readers
from textbackd.config.section import Duration, Listed, Secret, Section, Text
from textbackd.config.templates import poll_template

Name = Annotated[Text, Field(min_length=1)]
Words = Listed[Annotated[Text, Field(min_length=1)]]


class Incoming(Section):
    """Where a text that came in says what."""

    sender: Name = Field(alias="from", description="Who wrote it.", examples=["From"])
    to: Name | None = Field(default=None, description="To which number of ours.", examples=["To"])
    text: Name = Field(description="The text.", examples=["Body"])
    id: Name | None = Field(
        default=None, description="The gateway's id of it; without one, a text that comes twice is taken for two.",
        examples=["MessageId"],
    )  # fmt: skip
    at: Name | None = Field(
        default=None, description="When it came: ISO 8601, or seconds since 1970.", examples=["ReceivedAt"]
    )
    media: Name | None = Field(default=None, description="How many pictures, or the list of them.", examples=["Media"])
    encoding: Literal["plain", "url"] = Field(default="plain", description="`url`: the text is URL-encoded once more.")
    unless: Name | None = Field(
        default=None, description="What only something else has, such as a report at the same address; it is ignored.",
        examples=["DeliveryReceipt"],
    )  # fmt: skip


class Poll(Incoming):
    """A list of texts that is asked for, so that no port needs to be open."""

    url: Annotated[Text, AfterValidator(readers.web_address), AfterValidator(poll_template)] = Field(
        repr=False, description="Address of the list; `{since}` is the time from which it is wanted, as ISO 8601.",
        examples=["http://127.0.0.1:9000/inbox?since={since}"],
    )  # fmt: skip
    every: Duration = Field(default=timedelta(seconds=15), description="How often.")
    items: Text = Field(default="", description="Where in the answer the list stands; empty if it is all of it.")


class Reports(Section):
    """Where a delivery report says what."""

    reference: Name | None = Field(
        default=None, description="The gateway's id of the text, as in its answer.", examples=["MessageId"]
    )
    id: Name | None = Field(default=None, description="Our `{id}`, if the gateway gives it back.", examples=["ref"])
    to: Name | None = Field(default=None, description="Whose text it was.", examples=["To"])
    status: Name = Field(description="What became of it.", examples=["Status"])
    delivered: Words = Field(min_length=1, description="Its words for delivered.", examples=[["DELIVRD"]])
    failed: Words = Field(
        default=(), description="Its words for never delivered; all others mean that it still tries.",
        examples=[["UNDELIV", "REJECTD", "EXPIRED"]],
    )  # fmt: skip


class Signature(Section):
    """How a webhook is signed: an HMAC over its content."""

    header: Name = Field(description="The header with the signature.", examples=["X-Signature"])
    secret: Secret = Field(description="The key.", examples=["file:sms.key"])
    algorithm: Literal["hmac-sha256", "hmac-sha1"] = Field(default="hmac-sha256", description="The algorithm.")
    encoding: Literal["hex", "base64"] = Field(default="hex", description="How the signature is written.")


class Result(Section):
    """What an answer says in words, for gateways that answer 200 whatever happened. A word in none of the lists: unknown."""

    path: Annotated[Name, AfterValidator(readers.reference)] = Field(
        description="Where the word stands: a dotted path into JSON, or `/regular expression/` whose first group it is.",
        examples=["status"],
    )
    accepted: Words = Field(min_length=1, description="Words for accepted.", examples=[["ok"]])
    refused: Words = Field(default=(), description="This number will never take it.", examples=[["invalid_number"]])
    opted_out: Words = Field(default=(), description="The number told the gateway STOP.", examples=[["blocked"]])
    unfit: Words = Field(default=(), description="A person must mend the gateway.", examples=[["no_credit"]])
    later: Words = Field(default=(), description="Not now; nothing was sent.", examples=[["busy"]])
