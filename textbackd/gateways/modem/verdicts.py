"""What a modem's error means for the text that it was about. Data, because vendors change theirs.   modem/link.py → here

Sources: 3GPP TS 27.005 §3.2.5 (+CMS ERROR: 0 to 127 are the network's RP causes of 3GPP TS 24.011 §8.2.5.4, 128 to 255 the
service centre's TP-FCS of 3GPP TS 23.040 §9.2.3.22, 300 to 511 the modem's own, 512 and above the vendor's);
3GPP TS 27.007 §9.2 (+CME ERROR).
"""

from dataclasses import dataclass
from typing import Final

from textbackd.gateways.base import Fate, SendFailed

NOT_SENT, REFUSED, UNFIT, UNKNOWN = Fate.NOT_SENT, Fate.REFUSED, Fate.GATEWAY_UNFIT, Fate.UNKNOWN


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an error after the PDU proves, in words for the person who reads the outbox."""

    fate: Fate
    words: str
    sim: bool = False  # the SIM itself needs a person: the whole modem pauses
    taken: bool = False  # the text went out, for all that it is called an error
    full: bool = False  # reading and deleting what is stored helps


CMS: Final[dict[int, Verdict]] = {
    1: Verdict(REFUSED, "the number is not assigned"),
    8: Verdict(UNFIT, "the operator bars this SIM from sending"),
    10: Verdict(UNFIT, "sending is barred, often because the SIM has no credit"),
    17: Verdict(NOT_SENT, "the network failed"),
    21: Verdict(NOT_SENT, "the network rejected the text"),
    22: Verdict(NOT_SENT, "the network is congested"),
    27: Verdict(NOT_SENT, "the destination is out of service"),
    28: Verdict(REFUSED, "the network does not know the subscriber"),
    29: Verdict(NOT_SENT, "the network rejected the facility"),
    # 3GPP TS 24.011 lets it also mean that the service centre does not know *us*.
    30: Verdict(REFUSED, "the network does not know the subscriber"),
    38: Verdict(NOT_SENT, "the network is out of order"),
    41: Verdict(NOT_SENT, "the network failed for the moment"),
    42: Verdict(NOT_SENT, "the network is congested"),
    47: Verdict(NOT_SENT, "the network has no resources"),
    50: Verdict(UNFIT, "this SIM is not subscribed to texts"),
    69: Verdict(UNFIT, "the network has no texts for this SIM"),
    192: Verdict(NOT_SENT, "the service centre is busy"),
    193: Verdict(UNFIT, "the service centre knows no subscription of this SIM"),
    194: Verdict(NOT_SENT, "the service centre failed"),
    195: Verdict(REFUSED, "the service centre calls the number invalid"),
    196: Verdict(REFUSED, "the service centre bars the destination"),
    # The modem repeats a PDU by itself when the network does not acknowledge it: the first one had arrived.
    197: Verdict(UNKNOWN, "the service centre has this text already", taken=True),
    208: Verdict(NOT_SENT, "the SIM's storage is full", full=True),
    211: Verdict(NOT_SENT, "the modem's storage is full", full=True),
    301: Verdict(NOT_SENT, "the modem's text service is reserved"),
    302: Verdict(NOT_SENT, "the modem does not allow it now"),
    303: Verdict(NOT_SENT, "the modem does not support it"),
    304: Verdict(REFUSED, "the modem calls the text or the number invalid"),
    305: Verdict(REFUSED, "the modem calls the text or the number invalid"),
    310: Verdict(UNFIT, "there is no SIM in the modem", sim=True),
    311: Verdict(UNFIT, "the SIM wants its PIN", sim=True),
    312: Verdict(UNFIT, "the phone-to-SIM PIN is required", sim=True),
    313: Verdict(UNFIT, "the SIM failed", sim=True),
    314: Verdict(NOT_SENT, "the SIM is busy"),
    315: Verdict(UNFIT, "it is the wrong SIM", sim=True),
    316: Verdict(UNFIT, "the SIM is locked and wants its PUK", sim=True),
    317: Verdict(UNFIT, "the SIM wants its PIN2", sim=True),
    318: Verdict(UNFIT, "the SIM is locked and wants its PUK2", sim=True),
    320: Verdict(NOT_SENT, "the storage failed", full=True),
    322: Verdict(NOT_SENT, "the storage is full", full=True),
    330: Verdict(UNFIT, "the number of the service centre is not known; set `smsc`"),
    331: Verdict(NOT_SENT, "there is no network"),
    332: Verdict(UNKNOWN, "the network did not answer in time"),
    # A vendor's: met 135 s after the PDU, so it is a time-out by another name.
    350: Verdict(UNKNOWN, "the network did not answer in time"),
    500: Verdict(UNKNOWN, "the modem does not say why"),
}
CME: Final[dict[int, Verdict]] = {
    3: Verdict(NOT_SENT, "the modem does not allow it now"),
    4: Verdict(NOT_SENT, "the modem does not support it"),
    10: Verdict(UNFIT, "there is no SIM in the modem", sim=True),
    11: Verdict(UNFIT, "the SIM wants its PIN", sim=True),
    12: Verdict(UNFIT, "the SIM is locked and wants its PUK", sim=True),
    13: Verdict(UNFIT, "the SIM failed", sim=True),
    14: Verdict(NOT_SENT, "the SIM is busy"),
    15: Verdict(UNFIT, "it is the wrong SIM", sim=True),
    16: Verdict(UNFIT, "the PIN is wrong", sim=True),
    17: Verdict(UNFIT, "the SIM wants its PIN2", sim=True),
    18: Verdict(UNFIT, "the SIM is locked and wants its PUK2", sim=True),
    20: Verdict(NOT_SENT, "the storage is full", full=True),
    30: Verdict(NOT_SENT, "there is no network"),
    32: Verdict(NOT_SENT, "the network allows emergency calls only"),
}


def verdict(kind: str | None, number: int | None) -> Verdict:
    """Return what the error proves; `kind` is "CMS", "CME" or None for a bare ERROR, which proves nothing."""
    if kind is None or number is None:
        return Verdict(UNKNOWN, "the modem does not say why")
    known = (CMS if kind == "CMS" else CME).get(number)
    if known:
        return known
    if kind == "CMS" and number < 256:
        return Verdict(NOT_SENT, "the network or the service centre rejected it")
    return Verdict(UNKNOWN, "the modem does not say why")


def verdict_of(code: str | None) -> Verdict:
    """Return what an error proves, by the code of `SendFailed`: "CMS 38"."""
    kind, _, number = (code or "").partition(" ")
    return verdict(kind or None, int(number) if number else None)


def failure(kind: str | None, number: int | None, *, handed_over: bool) -> SendFailed:
    """Return the error for the outbox. Before the PDU was handed over, whatever it was, nothing was sent."""
    meant = verdict(kind, number)
    fate = NOT_SENT if meant.fate is UNKNOWN and not handed_over else meant.fate
    code = None if kind is None else f"{kind} {number}"
    named = "error without a number" if code is None else f"{code} error"
    return SendFailed(f"The modem answered with {named}: {meant.words}.", fate=fate, code=code)


def report_words(status: int) -> str:
    """Return what TP-ST says, with its number for the record (3GPP TS 23.040 §9.2.3.15)."""
    return f"{_REPORT_WORDS.get(status) or _REPORT_GROUPS[min(status >> 5, 3)]} ({status:#04x})"


_REPORT_WORDS: Final = {
    0x00: "delivered",
    0x01: "forwarded, the service centre cannot confirm",
    0x02: "replaced by the service centre",
    0x40: "remote procedure error",
    0x41: "incompatible destination",
    0x42: "rejected by the phone",
    0x43: "not obtainable",
    0x44: "the quality of service is not available",
    0x45: "no interworking with that network",
    0x46: "its time was over",
    0x47: "deleted by the sender",
    0x48: "deleted by the service centre",
    0x49: "it does not exist",
}
_REPORT_GROUPS: Final = ("delivered", "still trying", "given up", "given up for now")
# TP-ST that speaks of the number and not of the moment: incompatible destination, not obtainable, no interworking. Not "its
# time was over" (a phone that is off), not "rejected by the phone" (one that is full), not "remote procedure error".
NEVER: Final = frozenset({0x41, 0x43, 0x45})
