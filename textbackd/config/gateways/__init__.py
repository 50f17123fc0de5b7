"""The settings of each kind of gateway. A new kind is a file here, and a place in `Gateway`.   section.py → here → settings.py"""

from typing import Annotated

from pydantic import Field

from textbackd.config.gateways.android_sms_gateway import AndroidSmsGateway
from textbackd.config.gateways.asterisk_dongle import AsteriskDongle
from textbackd.config.gateways.asterisk_message import AsteriskMessage
from textbackd.config.gateways.bandwidth import Bandwidth
from textbackd.config.gateways.common import BasicAuth, FromCalled, Kind, WebKind
from textbackd.config.gateways.flowroute import Flowroute
from textbackd.config.gateways.gammu_smsd import GammuServer, GammuSmsd
from textbackd.config.gateways.gsm_modem import GsmModem
from textbackd.config.gateways.http import HttpGateway
from textbackd.config.gateways.kannel import Kannel
from textbackd.config.gateways.modemmanager import ModemManager
from textbackd.config.gateways.plivo import Plivo
from textbackd.config.gateways.smpp import Smpp
from textbackd.config.gateways.smstools import SmsTools
from textbackd.config.gateways.telnyx import Telnyx
from textbackd.config.gateways.twilio import Twilio
from textbackd.config.gateways.voipms import VoipMs
from textbackd.config.gateways.vonage import Vonage

# The first is what somebody who forgot the type is told to write.
Gateway = Annotated[
    GsmModem
    | HttpGateway
    | AndroidSmsGateway
    | AsteriskDongle
    | AsteriskMessage
    | Bandwidth
    | Flowroute
    | GammuSmsd
    | Kannel
    | ModemManager
    | Plivo
    | Smpp
    | SmsTools
    | Telnyx
    | Twilio
    | VoipMs
    | Vonage,
    Field(discriminator="type"),
]

__all__ = [
    "AndroidSmsGateway",
    "AsteriskDongle",
    "AsteriskMessage",
    "Bandwidth",
    "BasicAuth",
    "Flowroute",
    "FromCalled",
    "GammuServer",
    "GammuSmsd",
    "Gateway",
    "GsmModem",
    "HttpGateway",
    "Kannel",
    "Kind",
    "ModemManager",
    "Plivo",
    "Smpp",
    "SmsTools",
    "Telnyx",
    "Twilio",
    "VoipMs",
    "Vonage",
    "WebKind",
]
