"""The settings of each kind of gateway. A new kind is a file here, and a place in `Gateway`.   section.py → here → settings.py"""

from typing import Annotated

from pydantic import Field

from textbackd.config.gateways.asterisk_dongle import AsteriskDongle
from textbackd.config.gateways.asterisk_message import AsteriskMessage
from textbackd.config.gateways.common import BasicAuth, FromCalled, Kind, WebKind
from textbackd.config.gateways.gsm_modem import GsmModem
from textbackd.config.gateways.http import HttpGateway
from textbackd.config.gateways.modemmanager import ModemManager
from textbackd.config.gateways.twilio import Twilio

Gateway = Annotated[
    GsmModem | HttpGateway | Twilio | AsteriskDongle | AsteriskMessage | ModemManager, Field(discriminator="type")
]

__all__ = [
    "AsteriskDongle",
    "AsteriskMessage",
    "BasicAuth",
    "FromCalled",
    "Gateway",
    "GsmModem",
    "HttpGateway",
    "Kind",
    "ModemManager",
    "Twilio",
    "WebKind",
]
