"""What an error of ModemManager means for the text that it was about.   mm/bus.py → here

Sources: ModemManager-errors.h, whose Message errors are the +CMS ERROR numbers of 3GPP TS 27.005 §3.2.5 and whose MobileEquipment
errors the +CME ERROR numbers of 3GPP TS 27.007 §9.2, so these are judged as a modem's own; the D-Bus Specification for the bus's.
"""

from collections.abc import Mapping
from typing import Final

from textbackd.gateways.base import Fate
from textbackd.gateways.modem.verdicts import Verdict, verdict

MM: Final = "org.freedesktop.ModemManager1.Error."
BUS: Final = "org.freedesktop.DBus.Error."
_NOT_SENT, _UNFIT, _UNKNOWN = Fate.NOT_SENT, Fate.GATEWAY_UNFIT, Fate.UNKNOWN

CMS: Final[Mapping[str, int]] = {
    "MeFailure": 300, "SmsServiceReserved": 301, "NotAllowed": 302, "NotSupported": 303, "InvalidPduParameter": 304,
    "InvalidTextParameter": 305, "SimNotInserted": 310, "SimPin": 311, "PhSimPin": 312, "SimFailure": 313, "SimBusy": 314,
    "SimWrong": 315, "SimPuk": 316, "SimPin2": 317, "SimPuk2": 318, "MemoryFailure": 320, "MemoryFull": 322,
    "SmscAddressUnknown": 330, "NoNetwork": 331, "NetworkTimeout": 332, "Unknown": 500,
}  # fmt: skip
CME: Final[Mapping[str, int]] = {
    "NotAllowed": 3, "NotSupported": 4, "SimNotInserted": 10, "SimPin": 11, "SimPuk": 12, "SimFailure": 13, "SimBusy": 14,
    "SimWrong": 15, "IncorrectPassword": 16, "SimPin2": 17, "SimPuk2": 18, "MemoryFull": 20, "NoNetwork": 30,
    "NetworkNotAllowed": 32,
}  # fmt: skip
OTHERS: Final[Mapping[str, Verdict]] = {
    f"{MM}Core.Unauthorized": Verdict(_UNFIT, "we may not use it: allow it with config/49-textbackd.rules"),
    f"{BUS}AccessDenied": Verdict(_UNFIT, "the bus does not let us talk to it"),
    f"{MM}Core.WrongState": Verdict(_NOT_SENT, "the modem is not ready"),
    f"{MM}Core.Unsupported": Verdict(_UNFIT, "the modem cannot text"),
    f"{MM}Core.InvalidArgs": Verdict(_NOT_SENT, "it calls the text or the number invalid"),
    f"{MM}Core.NotFound": Verdict(_NOT_SENT, "the modem went away"),
    f"{MM}Serial.OpenFailed": Verdict(_NOT_SENT, "the modem's port cannot be opened"),
    f"{MM}Serial.OpenFailedNoDevice": Verdict(_NOT_SENT, "the modem's port is gone"),
    f"{MM}Serial.NotOpen": Verdict(_NOT_SENT, "the modem's port is closed"),
    f"{MM}Serial.ResponseTimeout": Verdict(_UNKNOWN, "the modem did not answer in time"),
    f"{BUS}ServiceUnknown": Verdict(_NOT_SENT, "it is not running"),
    f"{BUS}NameHasNoOwner": Verdict(_NOT_SENT, "it is not running"),
    f"{BUS}UnknownObject": Verdict(_NOT_SENT, "the modem went away"),
    f"{BUS}UnknownMethod": Verdict(_NOT_SENT, "the modem went away"),
    f"{BUS}UnknownInterface": Verdict(_NOT_SENT, "the modem is not ready"),
    f"{BUS}InvalidArgs": Verdict(_NOT_SENT, "the bus cannot carry the text"),
    f"{BUS}NoServer": Verdict(_NOT_SENT, "the message bus is not running"),
    f"{BUS}NoReply": Verdict(_UNKNOWN, "it ended before it answered"),
}
NO_WORDS: Final = Verdict(_UNKNOWN, "it does not say why")
# These come before the first part of a text is tried; after any other, parts of a long text may be out.
BEFORE_ANYTHING: Final = frozenset({
    f"{MM}Core.Unauthorized", f"{MM}Core.WrongState", *(name for name in OTHERS if name.startswith(BUS))
})  # fmt: skip


def judged(name: str) -> Verdict:
    """Return what an error proves about a text whose sending it ended, by the error's D-Bus name."""
    kind, _, word = name.removeprefix(MM).partition(".")
    if kind == "Message" and word in CMS:
        return verdict("CMS", CMS[word])
    if kind == "MobileEquipment" and word in CME:
        return verdict("CME", CME[word])
    return OTHERS.get(name, NO_WORDS)


def named(name: str) -> str:
    """Return an error's name as people read it, "Message.NetworkTimeout"."""
    return name.removeprefix(MM).removeprefix("org.freedesktop.")
