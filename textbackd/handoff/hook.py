"""Signed webhooks to other programs, such as a CRM.   flow/staff/notices_out.py → here → the network

`Textbackd-Signature: t=SECONDS,v1=HEX` is HMAC-SHA256 over "SECONDS.BODY" with the shared secret, as Stripe and others do it: the time
is signed, too, so that a recording can be told. `Textbackd-Event` is the same however often an event is told. Only a 2xx is a success,
a 410 (RFC 9110 §15.5.11) ends it until the daemon is started again, redirects are not followed.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from yarl import URL

from textbackd.config.sections.handoff import HookOut
from textbackd.gateways.web.exchange import Exchange, NoAnswer, Request
from textbackd.gateways.web.signatures import mac
from textbackd.handoff.base import Message, NotTold

ANSWER_WITHIN: Final = timedelta(seconds=15)
GONE: Final = 410


class Hooks:
    """The programs of the configuration, by name."""

    def __init__(self, hooks: Mapping[str, HookOut], clock: Callable[[], datetime]) -> None:
        self._hooks, self._clock = hooks, clock
        self._gone: set[str] = set()
        self._exchange: Exchange | None = None

    async def tell(self, message: Message) -> None:
        """Make one request. Raises NotTold."""
        hook = self._hooks.get(message.target)
        if hook is None:
            raise NotTold(f"hooks_out.{message.target} is not configured any more.", permanent=True)
        if message.target in self._gone:
            raise NotTold(f"hooks_out.{message.target} wanted no more (410).", permanent=True)
        try:
            answer = await self._open().ask(self._request(hook, message))
        except NoAnswer as no_answer:
            raise NotTold(f"hooks_out.{message.target}: {no_answer}.") from None
        self._judge(message.target, answer.status)

    def _open(self) -> Exchange:
        if self._exchange is None:
            self._exchange = Exchange(ANSWER_WITHIN)
        return self._exchange

    def _request(self, hook: HookOut, message: Message) -> Request:
        body = json.dumps(message.event).encode()
        headers = {
            "Content-Type": "application/json",
            "Textbackd-Event": str(message.event.get("id", "")),
            "Textbackd-Signature": signature(hook.secret.get_secret_value(), body, self._clock()),
        }
        return Request(method="POST", url=URL(hook.url), headers=headers, body=body)

    def _judge(self, name: str, status: int) -> None:
        if 200 <= status < 300:
            return
        if status == GONE:
            self._gone.add(name)
            raise NotTold(f"hooks_out.{name} wants no more (410).", permanent=True)
        redirected = ". Write the address that it redirects to" if 300 <= status < 400 else ""
        raise NotTold(f"hooks_out.{name} answered {status}{redirected}.")

    async def close(self) -> None:
        """Let go of the connections."""
        if self._exchange is not None:
            await self._exchange.close()


def signature(secret: str, body: bytes, at: datetime) -> str:
    """Return the signature of a body that is sent at a moment."""
    seconds = str(int(at.timestamp()))
    return f"t={seconds},v1={mac(secret, seconds.encode() + b'.' + body, 'sha256').hex()}"
