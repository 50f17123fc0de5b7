"""What an SMSC's receipt says of a text. Pure.   esme/inbox.py → here

Sources: SMPP Protocol Specification v3.4, §5.2.28 (message_state) and appendix B (the receipt's text, which is only an example
there, and every vendor's own). ACCEPTD is a hub's word for "passed on" and no end, whatever the appendix meant by it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from textbackd.gateways.base import DeliveryReport
from textbackd.gateways.esme.pdus import Incoming, receipt_fields


@dataclass(frozen=True, slots=True)
class State:
    """One state of a text at the SMSC."""

    word: str  # as receipts abbreviate it
    delivered: bool
    final: bool


STATES: Final[Mapping[int, State]] = MappingProxyType({
    0: State("SCHEDULED", delivered=False, final=False),  # 0 and 9 came with SMPP 5.0, §4.7.15
    1: State("ENROUTE", delivered=False, final=False),
    2: State("DELIVRD", delivered=True, final=True),
    3: State("EXPIRED", delivered=False, final=True),
    4: State("DELETED", delivered=False, final=True),
    5: State("UNDELIV", delivered=False, final=True),
    6: State("ACCEPTD", delivered=False, final=False),
    7: State("UNKNOWN", delivered=False, final=True),
    8: State("REJECTD", delivered=False, final=True),
    9: State("SKIPPED", delivered=False, final=True),
})  # fmt: skip
_IN_FULL: Final = {"DELIVERED": STATES[2], "UNDELIVERABLE": STATES[5], "ACCEPTED": STATES[6], "REJECTED": STATES[8]}
_BY_WORD: Final = {state.word: state for state in STATES.values()} | _IN_FULL
# A word that nobody knows ends nothing: it may be "still trying" in another language.
_ODD: Final = State("", delivered=False, final=False)
LONGEST_WORD: Final = 40

Ids = Literal["same", "decimal", "hex"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipts:
    """How this SMSC writes its receipts."""

    ids: Ids  # in which of the two number systems it writes the id there, if not as in its answer to the text
    permanent: frozenset[str]  # its errors that say that no text will ever reach the number

    def answered(self, message_id: str) -> str | None:
        """Return the reference of a text whose submit_sm_resp named `message_id`."""
        return _rewritten(message_id, {"same": None, "decimal": 16, "hex": 10}[self.ids])

    def report(self, said: Incoming) -> DeliveryReport:
        """Return what a receipt says."""
        fields = receipt_fields(said.body)
        word = fields.get("stat", "")[:LONGEST_WORD].upper()
        state = _BY_WORD.get(word) or (STATES.get(said.state, _ODD) if said.state is not None else _ODD)
        error = fields.get("err", "")[:LONGEST_WORD]
        message_id = said.message_id or fields.get("id", "")
        return DeliveryReport(
            reference=_rewritten(message_id, {"same": None, "decimal": 10, "hex": 16}[self.ids]),
            recipient=said.sender or None,
            delivered=state.delivered,
            final=state.final and not said.is_intermediate,
            detail=_detail(state.word or word or "a receipt without a state", error),
            permanent=state.final and not state.delivered and error in self.permanent,
        )


def _rewritten(message_id: str, base: int | None) -> str | None:
    """Return an id in decimal, so that both ways to write it are one; as it is where it is no number."""
    try:
        return str(int(message_id, base)) if base else message_id or None
    except ValueError:
        return message_id or None


def _detail(word: str, error: str) -> str:
    return word if error.strip("0") == "" else f"{word}, error {error}"
