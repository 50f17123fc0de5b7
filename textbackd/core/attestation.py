"""How far does the carrier vouch for the caller's number?  Pure.   the PBX's channel variables → here → core/decide.py

STIR/SHAKEN (RFC 8224 to 8226, ATIS-1000074): the first carrier signs the number with a level, A it knows caller and number, B the
caller only, C neither; the last one verifies the signature. What reaches the PBX is a word, and there are several dialects:

- carriers: `verstat` in P-Asserted-Identity (3GPP TS 24.229), or a header with the same words (Twilio, Telnyx, Bandwidth); a
  `TN-Validation-Passed` without a level is an A
- Asterisk's own function STIR_SHAKEN: `attestation` gives the level and `verify_result` the words of its source, sentences up to
  Asterisk 20.6 (res_stir_shaken.c) and codes since (res_stir_shaken/verification.c)
"""

import re
from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Final


class Attestation(IntEnum):
    """What is known of a number, the worst first."""

    FAILED = 0  # somebody forged it
    NONE = 1  # nobody vouches for it, or it could not be verified
    C = 2
    B = 3
    A = 4


# Said by the PBX → what it means; None: it confirms what another variable says. All other words vouch for nothing.
MEANINGS: Final[Mapping[str, Attestation | None]] = {
    "a": Attestation.A,
    "b": Attestation.B,
    "c": Attestation.C,
    "tn-validation-passed": Attestation.A,
    "tn-validation-passed-a": Attestation.A,
    "tn-validation-passed-b": Attestation.B,
    "tn-validation-passed-c": Attestation.C,
    "tn-validation-failed": Attestation.FAILED,
    "tn-validation-failed-a": Attestation.FAILED,
    "tn-validation-failed-b": Attestation.FAILED,
    "tn-validation-failed-c": Attestation.FAILED,
    "verification passed": None,
    "success": None,
    "signature failed": Attestation.FAILED,
    "verification mismatch": Attestation.FAILED,
    "signature_validation": Attestation.FAILED,
    "cid_orig_tn_mismatch": Attestation.FAILED,
    "cert_not_trusted": Attestation.FAILED,
}
VERSTAT: Final = re.compile(r"verstat=([\w-]+)", re.IGNORECASE)  # in a whole P-Asserted-Identity


def attestation_of(said: Iterable[str]) -> Attestation:
    """Return what the values of the PBX's variables mean together: the worst that any of them says."""
    meanings = [_meaning(value) for value in said if value.strip()]
    return min((meaning for meaning in meanings if meaning is not None), default=Attestation.NONE)


def _meaning(value: str) -> Attestation | None:
    found = VERSTAT.search(value)
    word = (found[1] if found else value).strip().casefold()
    return MEANINGS.get(word, Attestation.NONE)
