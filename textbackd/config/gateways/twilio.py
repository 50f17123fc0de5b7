"""The settings of Twilio, and of SignalWire, which speaks like it.   common.py → here → gateways/twilio.py"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from textbackd.config import readers
from textbackd.config.gateways.common import WebKind
from textbackd.config.section import Secret, Text


class Twilio(WebKind):
    """Twilio, and SignalWire with its `space`."""

    type: Literal["twilio"] = Field(description="Which kind of gateway this is.", examples=["twilio"])
    account: Text = Field(
        min_length=1, description="The account's SID; at SignalWire the project's id.", examples=["AC0123456789abcdef"]
    )
    token: Secret = Field(description="The auth token, which also signs the webhooks.", examples=["file:twilio.token"])
    key: Text | None = Field(
        default=None,
        description="SID of an API key, to send with that instead of the token.",
        examples=["SK0123456789abcdef"],
    )
    key_secret: Secret | None = Field(default=None, description="The API key's secret.", examples=["file:twilio.key"])
    messaging_service: Text | None = Field(
        default=None, description="SID of a messaging service that chooses the sender.", examples=["MG0123456789abcdef"]
    )
    space: Text | None = Field(
        default=None,
        description="SignalWire only: the space, `NAME.signalwire.com`.",
        examples=["example.signalwire.com"],
    )
    url: Annotated[Text, AfterValidator(readers.web_address)] | None = Field(
        default=None,
        description="Another address of the service, for tests and proxies.",
        examples=["http://127.0.0.1:4010"],
    )
