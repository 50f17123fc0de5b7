"""The settings of each kind of gateway. A new kind is a file here, and a place in `Gateway`.   section.py → here → settings.py"""

from typing import Annotated

from pydantic import Field

from textbackd.config.gateways.android_sms_gateway import AndroidSmsGateway
from textbackd.config.gateways.common import BasicAuth, FromCalled, Kind, WebKind
from textbackd.config.gateways.flowroute import Flowroute
from textbackd.config.gateways.gsm_modem import GsmModem
from textbackd.config.gateways.http import HttpGateway
from textbackd.config.gateways.kannel import Kannel
from textbackd.config.gateways.twilio import Twilio
from textbackd.config.gateways.voipms import VoipMs

Gateway = Annotated[
    GsmModem | HttpGateway | AndroidSmsGateway | Flowroute | Kannel | Twilio | VoipMs, Field(discriminator="type")
]

__all__ = [
    "AndroidSmsGateway",
    "BasicAuth",
    "Flowroute",
    "FromCalled",
    "Gateway",
    "GsmModem",
    "HttpGateway",
    "Kannel",
    "Kind",
    "Twilio",
    "VoipMs",
    "WebKind",
]
