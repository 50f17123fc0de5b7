"""The settings of a USB modem.   common.py → here → gateways/gsm_modem.py"""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from textbackd.config import readers
from textbackd.config.gateways.common import Kind
from textbackd.config.section import DEFAULT, Number, Rate, Secret, Text
from textbackd.core.limits import Limit


class GsmModem(Kind):
    """A USB modem with a SIM card."""

    type: Literal["gsm_modem"] = Field(description="Which kind of gateway this is.", examples=["gsm_modem"])
    port: Text = Field(
        min_length=1, description="Its serial port; the names under by-id stay when it is unplugged.",
        examples=["/dev/serial/by-id/usb-HUAWEI_Mobile-if00-port0"],
    )  # fmt: skip
    pin: Annotated[Secret, AfterValidator(readers.pin_code)] | None = Field(
        default=None, description="PIN of the SIM card, tried once.", examples=["file:sim.pin"]
    )
    smsc: Number | None = Field(
        default=None, description="Message centre, if the SIM card does not know it.", examples=["+13125550100"]
    )
    baud: Annotated[int, BeforeValidator(readers.baud_rate)] = Field(
        default=115200, description="Speed of the serial port in bits per second."
    )
    rate: Rate = Field(
        default=Limit(6, timedelta(minutes=1)),
        description="How many texts in how long.",
        json_schema_extra={DEFAULT: "6/min"},
    )
