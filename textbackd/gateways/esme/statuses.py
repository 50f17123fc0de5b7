"""What an SMSC's command_status means for the text or the bind that it answers. Data.   gateways/smpp.py → here

Source: SMPP Protocol Specification v3.4, §5.1.3. A status other than 0 is no acceptance, but not each proves that nothing left:
"system error" and its kin are what a hub says when *its* supplier did not answer. Vendors' own (0x400 to 0x4FF) prove nothing
either, unless the shop writes in `statuses` what their document says.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from textbackd.gateways.base import Fate
from textbackd.gateways.web.meaning import Meaning

NOT_SENT, REFUSED, UNFIT, UNKNOWN = Fate.NOT_SENT, Fate.REFUSED, Fate.GATEWAY_UNFIT, Fate.UNKNOWN

OK: Final = 0x00
TRY_LATER: Final = 0x64  # ESME_RX_T_APPN: ours for a deliver_sm that cannot be kept now
INVALID_COMMAND: Final = 0x03

_NO_ACCOUNT: Final = "it does not accept this system_id with this password"
_SENDER: Final = "it does not accept the sender of our texts; see `number`, `sender_id` and `source_ton`"
_LENGTH: Final = "it calls the text too long; see `long_texts`"
_OURS: Final = "it does not understand how the text is written"

SUBMIT: Final[Mapping[int, Meaning]] = MappingProxyType({
    0x01: Meaning(REFUSED, _LENGTH),  # RINVMSGLEN
    0x02: Meaning(NOT_SENT, _OURS),  # RINVCMDLEN
    0x03: Meaning(UNFIT, "it does not let this account send"),  # RINVCMDID
    0x04: Meaning(NOT_SENT, "it has forgotten that we are bound"),  # RINVBNDSTS
    0x05: Meaning(NOT_SENT, "it has another connection of ours"),  # RALYBND
    0x06: Meaning(UNFIT, _OURS),  # RINVPRTFLG
    0x07: Meaning(UNFIT, "it gives no delivery receipts; set `delivery_reports: false`"),  # RINVREGDLVFLG
    0x08: Meaning(UNKNOWN, "it failed, the text may have gone out"),  # RSYSERR
    0x0A: Meaning(UNFIT, _SENDER),  # RINVSRCADR
    0x0B: Meaning(REFUSED, "it calls the number invalid"),  # RINVDSTADR
    0x0E: Meaning(UNFIT, _NO_ACCOUNT),  # RINVPASWD
    0x0F: Meaning(UNFIT, _NO_ACCOUNT),  # RINVSYSID
    0x14: Meaning(NOT_SENT, "its queue is full"),  # RMSGQFUL
    0x15: Meaning(UNFIT, _OURS),  # RINVSERTYP
    0x43: Meaning(UNFIT, "it takes no long texts in this form; see `long_texts`"),  # RINVESMCLASS
    0x45: Meaning(NOT_SENT, "it could not take the text"),  # RSUBMITFAIL
    0x48: Meaning(UNFIT, _SENDER),  # RINVSRCTON
    0x49: Meaning(UNFIT, _SENDER),  # RINVSRCNPI
    0x50: Meaning(UNFIT, "it does not accept how numbers are typed; see `dest_ton`"),  # RINVDSTTON
    0x51: Meaning(UNFIT, "it does not accept how numbers are typed; see `dest_npi`"),  # RINVDSTNPI
    0x53: Meaning(UNFIT, "it does not accept the `system_type`"),  # RINVSYSTYP
    0x58: Meaning(NOT_SENT, "it takes no more texts for now"),  # RTHROTTLED
    0x61: Meaning(NOT_SENT, _OURS),  # RINVSCHED
    0x62: Meaning(NOT_SENT, "it calls the text's validity period wrong"),  # RINVEXPIRY
    0x64: Meaning(NOT_SENT, "it is out of order for the moment"),  # RX_T_APPN
    0x65: Meaning(REFUSED, "it refuses this text for good"),  # RX_P_APPN
    0x66: Meaning(REFUSED, "it rejects this text"),  # RX_R_APPN
    0xC0: Meaning(UNFIT, _OURS),  # RINVOPTPARSTREAM
    0xC1: Meaning(UNFIT, "it takes no long texts in this form; see `long_texts`"),  # ROPTPARNOTALLWD
    0xC2: Meaning(REFUSED, _OURS),  # RINVPARLEN
    0xC3: Meaning(UNFIT, _OURS),  # RMISSINGOPTPARAM
    0xC4: Meaning(UNFIT, _OURS),  # RINVOPTPARAMVAL
    0xFE: Meaning(REFUSED, "it says that the text cannot be delivered"),  # RDELIVERYFAILURE
    0xFF: Meaning(UNKNOWN, "it does not say why, the text may have gone out"),  # RUNKNOWNERR
})  # fmt: skip
BIND: Final[Mapping[int, Meaning]] = MappingProxyType({
    0x0D: Meaning(UNFIT, "it refuses the bind"),  # RBINDFAIL
    0x0E: Meaning(UNFIT, _NO_ACCOUNT),  # RINVPASWD
    0x0F: Meaning(UNFIT, _NO_ACCOUNT),  # RINVSYSID
    0x53: Meaning(UNFIT, "it does not accept the `system_type`"),  # RINVSYSTYP
})  # fmt: skip
ODD: Final = Meaning(UNKNOWN, "its manual may say what that means, the text may have gone out")
NO_BIND: Final = Meaning(NOT_SENT, "it takes no bind now")


def of_submit(status: int, own: Mapping[int, Fate]) -> Meaning:
    """Return what a submit_sm_resp's status means; `own` are the vendor's codes as the shop has written them."""
    if status in own:
        return Meaning(own[status], "see `statuses`")
    return SUBMIT.get(status, ODD)


def of_bind(status: int) -> Meaning:
    """Return what a bind's status means. What may pass by itself, an older connection of ours for one, is tried again."""
    return BIND.get(status, NO_BIND)


def named(status: int) -> str:
    """Return a status as manuals write it, "SMPP 0x58"."""
    return f"SMPP {status:#04x}"
