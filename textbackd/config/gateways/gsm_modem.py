"""The settings of a USB modem.   common.py → here → gateways/gsm_modem.py"""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from textbackd.config import readers
from textbackd.config.gateways.common import Kind
from textbackd.config.section import DEFAULT, Number, Rate, Secret, Text
from textbackd.core.limits import Limit


class GsmModem(Kind):
    """A USB modem with a SIM card."""

    type: Literal["gsm_modem"] = Field(description="Which kind of gateway this is.", examples=["gsm_modem"])
    imei: Annotated[str, BeforeValidator(readers.imei)] | None = Field(
        default=None,
        description="The modem's own number, by which it is found wherever it is plugged in; `textbackd modem scan` "
        "tells it.",
        examples=["004999010640000"],
        json_schema_extra={DEFAULT: "none, but then `port` is needed"},
    )
    port: Text | None = Field(
        default=None, min_length=1,
        description="Its serial port, where it is not to be looked for; the names under by-id stay when it is unplugged.",
        examples=["/dev/serial/by-id/usb-HUAWEI_Mobile-if00-port0"],
        json_schema_extra={DEFAULT: "none, but then `imei` is needed"},
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

    @model_validator(mode="after")
    def _is_named(self) -> "GsmModem":
        if self.port is None and self.imei is None:
            raise ValueError("neither `imei` nor `port` is written. `textbackd modem scan` tells what to write.")
        return self
