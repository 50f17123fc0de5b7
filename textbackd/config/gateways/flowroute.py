"""The settings of Flowroute, and of siptrunk.com, which speaks like it.   common.py → here → gateways/flowroute.py"""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from textbackd.config import readers
from textbackd.config.gateways.common import WebKind
from textbackd.config.section import Duration, Secret, Text


class Flowroute(WebKind):
    """Flowroute, and siptrunk.com with its `url`."""

    type: Literal["flowroute"] = Field(description="Which kind of gateway this is.", examples=["flowroute"])
    key: Text = Field(min_length=1, description="The API access key.", examples=["0a1b2c3d"])
    secret: Secret = Field(description="The API secret key.", examples=["file:flowroute.secret"])
    poll: Duration = Field(
        default=timedelta(seconds=30),
        description="How often Flowroute is asked what arrived, if there is no `webhook`.",
    )
    url: Annotated[Text, AfterValidator(readers.web_address)] = Field(
        default="https://api.flowroute.com/v2.2/messages",
        description="Address of the messages; siptrunk.com's is `https://messaging.siptrunk.com`.",
    )
