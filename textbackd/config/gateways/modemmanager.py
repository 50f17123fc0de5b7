"""The settings of a modem that ModemManager has.   common.py → here → gateways/modemmanager.py"""

import re
from datetime import timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from textbackd.config import readers
from textbackd.config.gateways.common import Kind
from textbackd.config.section import DEFAULT, Rate, Secret, Text
from textbackd.config.values import shown
from textbackd.core.limits import Limit

_MODEM: Final = re.compile(r"[0-9]{15}|/org/freedesktop/ModemManager1/Modem/[0-9]+")


def _modem(value: Any) -> Any:
    """Return an IMEI or a path; an IMEI without quotes is a number to YAML."""
    if isinstance(value, bool) or not _MODEM.fullmatch(str(value)):
        raise ValueError(f"{shown(value)} is no modem. Write its IMEI of 15 digits, which `mmcli -m any` shows.")
    return str(value)


class ModemManager(Kind):
    """A modem that ModemManager has."""

    type: Literal["modemmanager"] = Field(description="Which kind of gateway this is.", examples=["modemmanager"])
    modem: Annotated[Text, BeforeValidator(_modem)] | None = Field(
        default=None,
        description="Its IMEI, or its path in ModemManager.",
        examples=["490154203237518"],
        json_schema_extra={DEFAULT: "the only one"},
    )
    pin: Annotated[Secret, AfterValidator(readers.pin_code)] | None = Field(
        default=None, description="PIN of the SIM card, tried once.", examples=["file:sim.pin"]
    )
    rate: Rate = Field(
        default=Limit(6, timedelta(minutes=1)),
        description="How many texts in how long.",
        json_schema_extra={DEFAULT: "6/min"},
    )
