"""The settings of SMS Server Tools.   common.py → here → gateways/smstools.py"""

from datetime import timedelta
from typing import Literal

from pydantic import Field

from textbackd.config.gateways.common import Kind
from textbackd.config.section import DEFAULT, Duration, Rate, Text
from textbackd.core.limits import Limit


class SmsTools(Kind):
    """SMS Server Tools 3 (smsd) with its spool folders."""

    type: Literal["smstools"] = Field(description="Which kind of gateway this is.", examples=["smstools"])
    spool: Text = Field(
        default="/var/spool/sms",
        min_length=1,
        description="The folder with smsd's outgoing, checked, sent, failed and incoming.",
    )
    delivery_reports: bool = Field(default=True, description="Whether to ask for delivery reports.")
    poll_every: Duration = Field(default=timedelta(seconds=2), description="How often to look into the folders.")
    rate: Rate = Field(
        default=Limit(6, timedelta(minutes=1)),
        description="How many texts in how long.",
        json_schema_extra={DEFAULT: "6/min"},
    )
