"""The settings of a Kannel gateway.   common.py → here → gateways/kannel.py"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from textbackd.config import readers
from textbackd.config.gateways.common import WebKind
from textbackd.config.section import Secret, Text


class Kannel(WebKind):
    """A Kannel gateway of the shop's own, through its smsbox."""

    type: Literal["kannel"] = Field(description="Which kind of gateway this is.", examples=["kannel"])
    url: Annotated[Text, AfterValidator(readers.web_address)] = Field(
        default="http://127.0.0.1:13013/cgi-bin/sendsms", description="Address of smsbox's sendsms."
    )
    username: Text = Field(
        min_length=1, description="`username` of the `sendsms-user` group in kannel.conf.", examples=["textbackd"]
    )
    password: Secret = Field(description="`password` of the same group.", examples=["file:kannel.password"])
    smsc: Text | None = Field(
        default=None, description="The `smsc-id` to send through; without it Kannel chooses.", examples=["modem1"]
    )
