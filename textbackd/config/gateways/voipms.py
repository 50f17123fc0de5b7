"""The settings of VoIP.ms.   common.py → here → gateways/voipms.py"""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from textbackd.config import readers
from textbackd.config.gateways.common import WebKind
from textbackd.config.section import DEFAULT, Duration, Rate, Secret, Text
from textbackd.core.limits import Limit


class VoipMs(WebKind):
    """VoIP.ms, for numbers in the US and Canada."""

    type: Literal["voipms"] = Field(description="Which kind of gateway this is.", examples=["voipms"])
    username: Text = Field(min_length=1, description="The account's e-mail address.", examples=["you@example.com"])
    password: Secret = Field(
        description="The API password, which is not the account's own.", examples=["file:voipms.password"]
    )
    poll: Duration = Field(
        default=timedelta(seconds=30), description="How often VoIP.ms is asked for replies, if there is no `webhook`."
    )
    rate: Rate = Field(
        default=Limit(10, timedelta(minutes=1)),
        description="How many texts in how long.",
        json_schema_extra={DEFAULT: "10/min"},
    )
    url: Annotated[Text, AfterValidator(readers.web_address)] = Field(
        default="https://voip.ms/api/v1/rest.php", description="Address of the service; another for tests and proxies."
    )
