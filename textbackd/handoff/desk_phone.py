"""Messages to desk phones: SIP MESSAGE (RFC 3428), sent by the PBX.   flow/staff/notices_out.py → here → Asterisk's manager

AMI's MessageSend says "Success" before the phone has said anything (tests/lab/test_messages.py), so what is told here may have reached no
screen: a desk phone is a convenience beside another way. `config/extensions-textbackd.conf` has the way back.
"""

import base64
from collections.abc import Mapping
from typing import Final

from textbackd.errors import TextbackdError
from textbackd.gateways.base import Manager
from textbackd.handoff.base import Message, NotTold

MOST: Final = 740  # bytes: Asterisk reads 1,022 of a line, and Base64 takes a third more


class DeskPhones:
    """The phones at all PBXs."""

    def __init__(self, managers: Mapping[str, Manager]) -> None:
        self._managers = managers

    async def tell(self, message: Message) -> None:
        """Have the PBX that knows the phone send one message. Raises NotTold."""
        connected = [manager for manager in self._managers.values() if manager.is_connected]
        if not connected:
            raise NotTold("there is no connection to the PBX.")
        refusals = [refusal for manager in connected if (refusal := await _refusal(manager, message)) is not None]
        if len(refusals) == len(connected):
            raise NotTold(refusals[0])

    async def close(self) -> None:
        """The connection is the daemon's own."""


async def _refusal(manager: Manager, message: Message) -> str | None:
    """Return why a PBX did not take a message; None: it did."""
    action = {
        "Action": "MessageSend",
        "To": message.target,
        "From": SENDER,
        "Base64Body": base64.b64encode(_cut(message.words)).decode(),
    }
    try:
        answer = (await manager.ask(action))[0]
    except TextbackdError as error:
        return str(error)
    if answer.get("Response") == "Success":
        return None
    said = str(answer.get("Message", "")).lower()
    return next((words for phrase, words in _REFUSED.items() if phrase in said), "the PBX did not take the message.")


SENDER: Final = (
    "textbackd"  # Asterisk makes <sip:textbackd@its-own-address> of it (16.28, 22.10), which a phone can answer to
)
_REFUSED: Final = {
    "permission denied": "our manager account may not send messages: add `message` to its `write` in manager.conf.",
    "technology not found": "Asterisk has not loaded res_pjsip_messaging.",
    "failed to send": "the PBX knows no such phone, or it is not registered.",
}


def _cut(words: str) -> bytes:
    """Return words as bytes that fit, without half a character at the end."""
    octets = words.encode("utf-8", "replace")
    return octets if len(octets) <= MOST else octets[: MOST - 3].decode("utf-8", "ignore").encode() + "…".encode()
