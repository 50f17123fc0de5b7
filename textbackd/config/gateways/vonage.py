"""The settings of Vonage.   common.py → here → gateways/vonage.py"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from textbackd.config import readers
from textbackd.config.gateways.common import WebKind
from textbackd.config.section import Number, Secret, Section, Text


class VonageSignature(Section):
    """How Vonage signs its webhooks."""

    secret: Secret = Field(description="The account's signature secret.", examples=["file:vonage.signature"])
    method: Literal["md5hash", "md5", "sha1", "sha256", "sha512"] = Field(
        default="sha256",
        description="The account's signature method; `md5hash` is a plain MD5, the others are HMACs.",
    )


class Vonage(WebKind):
    """Vonage's SMS API, formerly Nexmo."""

    type: Literal["vonage"] = Field(description="Which kind of gateway this is.", examples=["vonage"])
    number: Number = Field(description="The number that its texts come from, never texted.", examples=["+13125550142"])
    key: Text = Field(min_length=1, description="The API key.", examples=["abcd1234"])
    secret: Secret = Field(description="The API secret.", examples=["file:vonage.secret"])
    signature: VonageSignature | None = Field(
        default=None,
        description="How the account signs its webhooks; others are then refused.",
        examples=[{"secret": "file:vonage.signature", "method": "sha256"}],
    )
    url: Annotated[Text, AfterValidator(readers.web_address)] | None = Field(
        default=None,
        description="Another address of the service, for tests and proxies.",
        examples=["http://127.0.0.1:4010"],
    )
