"""Texts through a SIP trunk that carries them: SIP MESSAGE (RFC 3428), sent by Asterisk.   asterisk/gateway.py → here

Sources: docs.asterisk.org, AMI action MessageSend; what its answer proves was tried on 16.28 and 22.10 (tests/lab/test_messages.py):
"Success" comes before the trunk has said anything, and is the same whether it then accepts, refuses, stays silent or is not there.
What comes in is handed on by the dialplan in config/extensions-textbackd.conf, which says why it is written as it is.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import unquote

from textbackd.config.gateways import AsteriskMessage
from textbackd.core.phone import E164
from textbackd.gateways.asterisk.dialect import Headers, Read, refused
from textbackd.gateways.asterisk.gateway import AsteriskGateway, manager_for
from textbackd.gateways.base import Accepted, Fate, InboundText, Lent, OutboundText
from textbackd.gateways.web.meaning import Meaning

OUR_EVENT: Final = "TextbackdMessage"
# Phrases in an error's message, in lower case.
ERRORS: Final[Mapping[str, Meaning]] = {
    "permission denied": Meaning(
        Fate.GATEWAY_UNFIT, "our manager account may not send: add `message` to its `write` in manager.conf"
    ),
    "technology not found": Meaning(Fate.GATEWAY_UNFIT, "Asterisk has not loaded res_pjsip_messaging"),
    "failed to send": Meaning(
        Fate.NOT_SENT, "Asterisk could not make the message; compare `endpoint` and `domain` with pjsip.conf"
    ),
}
TOO_LONG: Final = "(An empty text, or one of more than 1,023 bytes, which Asterisk does not hand on.)"
_HIDDEN_BRACKET: Final = b"\x01"  # what the dialplan writes for `)`
_USER: Final = re.compile(r"\b(?:sips?|tel):([^@;>\s]+)", re.IGNORECASE)


class MessageDialect:
    """Asterisk's way with a SIP MESSAGE."""

    def __init__(self, section: AsteriskMessage) -> None:
        self._section = section

    @property
    def events(self) -> Mapping[str, Read]:
        """Return how each event is read."""
        return {"UserEvent": self._text}

    def action(self, text: OutboundText, *, now: datetime) -> Headers:
        """Return the action. Asterisk knows no validity; the time of one that is over is told before it is asked."""
        if text.valid_until is not None and text.valid_until <= now:
            raise ValueError("its time is over")
        sender = self._section.sender_for(text.sender)
        return {
            "Action": "MessageSend",
            "To": f"pjsip:{self._section.endpoint}/{self._uri(text.to)}",
            **({"From": self._uri(sender)} if sender else {}),
            "Base64Body": base64.b64encode(text.body.encode()).decode(),
        }

    def _uri(self, number: E164) -> str:
        user = number if self._section.number_format == "e164" else number.removeprefix("+")
        return f"sip:{user}@{self._section.domain}"

    def outcome(self, text: OutboundText, answer: Headers) -> Accepted | Meaning:
        """Return what Asterisk says; a success is its word that the message is on its way to the trunk, no more."""
        return refused(answer, ERRORS) or Accepted(reference=None)

    # ---- inwards

    def _text(self, headers: Headers, at: datetime) -> InboundText | None:
        """Return the text in an event of our dialplan's. A MESSAGE that comes twice has the same Call-ID and CSeq."""
        if headers.get("UserEvent") != OUR_EVENT:
            return None
        sender, recipient, told_id = (plain(headers, name) for name in ("From", "To", "Id"))
        body = plain(headers, "Body") or TOO_LONG
        parts = (told_id.strip() or at.isoformat(), sender, recipient, body)
        return InboundText(
            id=hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32],
            sender=_number(sender),
            recipient=recipient or None,
            body=body,
            received_at=at,
        )


def plain(headers: Headers, name: str) -> str:
    """Return a field as it was before the dialplan made Base64 of it, with a dot before."""
    written = headers.get(name, "")
    try:
        octets = base64.b64decode(written, validate=True)
    except ValueError:
        return f"(unreadable: {written})"
    return octets.removeprefix(b".").replace(_HIDDEN_BRACKET, b")").decode("utf-8", "replace")


def _number(address: str) -> str:
    """Return who stands in a From header, `"Zoë" <sip:+13035550126@carrier.example>`; all of it, if nobody is found."""
    found = list(_USER.finditer(address))  # the last: a name before the address may hold anything
    return unquote(found[-1][1]) if found else address


def build(name: str, section: AsteriskMessage, lent: Lent) -> AsteriskGateway:
    """Return the gateway of a section."""
    return AsteriskGateway(name=name, dialect=MessageDialect(section), manager=manager_for(name, section.pbx, lent))
