"""The settings of a modem that Asterisk drives.   common.py → here → gateways/asterisk_dongle.py"""

from datetime import timedelta
from typing import Literal

from pydantic import Field

from textbackd.config.gateways.common import Kind, KnownPbx
from textbackd.config.section import DEFAULT, Rate, Text
from textbackd.core.limits import Limit


class AsteriskDongle(Kind):
    """A GSM modem that Asterisk drives itself, with chan_dongle or chan_quectel."""

    type: Literal["asterisk_dongle"] = Field(description="Which kind of gateway this is.", examples=["asterisk_dongle"])
    driver: Literal["dongle", "quectel"] = Field(
        default="dongle", description="The channel driver: chan_dongle or chan_quectel."
    )
    device: Text = Field(
        min_length=1, description="The modem's name in dongle.conf or quectel.conf.", examples=["dongle0"]
    )
    pbx: KnownPbx | None = Field(
        default=None,
        description="The PBX that has the modem, one of those under `pbx`.",
        examples=["office"],
        json_schema_extra={DEFAULT: "the only one"},
    )
    rate: Rate = Field(
        default=Limit(6, timedelta(minutes=1)),
        description="How many texts in how long.",
        json_schema_extra={DEFAULT: "6/min"},
    )
