"""The settings of Plivo.   common.py → here → gateways/plivo.py"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from textbackd.config import readers
from textbackd.config.gateways.common import WebKind
from textbackd.config.section import Secret, Text


class Plivo(WebKind):
    """Plivo."""

    type: Literal["plivo"] = Field(description="Which kind of gateway this is.", examples=["plivo"])
    account: Text = Field(
        min_length=1, description="The auth id of the account or subaccount.", examples=["MA0123456789ABCDEF"]
    )
    token: Secret = Field(description="Its auth token, which also signs the webhooks.", examples=["file:plivo.token"])
    powerpack: Text | None = Field(
        default=None,
        description="Id of a Powerpack that chooses the sender, instead of `number`.",
        examples=["86bbb125-97bb-4d72-89fd-81d5c515b015"],
    )
    url: Annotated[Text, AfterValidator(readers.web_address)] | None = Field(
        default=None,
        description="Another address of the service, for tests and proxies.",
        examples=["http://127.0.0.1:4010"],
    )
