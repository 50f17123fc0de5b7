"""Have Asterisk ring a phone, and say what became of it.   flow/staff/ring_back.py → here → client.py

The phone rings; once it is picked up it runs a piece of dialplan, and until then nobody else is called. Source: docs.asterisk.org,
AMI action Originate and event OriginateResponse; tried on 16.28 and 22.10 (tests/lab/test_ring_back.py).
"""

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import partial
from types import MappingProxyType
from typing import Final

from textbackd.errors import TextbackdError
from textbackd.pbx.client import AmiClient

PATIENCE: Final = timedelta(seconds=10)  # longer than it rings, for the word of what became of it


class Picked(StrEnum):
    """What became of a phone that was rung."""

    UP = "picked_up"
    NOBODY = "nobody_came"
    BUSY = "busy"
    REFUSED = "refused"  # busy, rejected, or there is no such phone: chan_pjsip tells these apart no further
    UNKNOWN = "unknown"  # the connection to the PBX was lost meanwhile


# `Reason` of OriginateResponse: the control frame that ended the ringing (frame.h of Asterisk); 0 is none at all, which on
# 16 and 22 is what 486, 603, 480, 404 and a phone that is not registered all come to.
REASONS: Final[Mapping[str, Picked]] = MappingProxyType({
    "0": Picked.REFUSED,
    "1": Picked.NOBODY,  # hung up
    "3": Picked.NOBODY,  # still ringing at the end
    "4": Picked.UP,
    "5": Picked.BUSY,
    "8": Picked.REFUSED,  # congestion
})  # fmt: skip


class NotAllowed(TextbackdError):
    """Asterisk does not make the call; one sentence that says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneCall:
    """A phone to be rung, and what it does when it is picked up."""

    phone: str  # as Asterisk names it, "PJSIP/101"
    context: str
    extension: str
    caller_id: str  # what the phone shows, `"name" <number>`; nothing in it is a stranger's word unless it was cleaned
    rings_for: timedelta
    variables: Mapping[str, str] = field(default_factory=dict)  # for the dialplan; no commas in them


class Originator:
    """Has one PBX make calls. It listens for what becomes of them only while one is under way."""

    def __init__(self, client: AmiClient) -> None:
        self._client = client

    @property
    def is_connected(self) -> bool:
        """Return whether the PBX would hear of a call now."""
        return self._client.is_connected

    async def ring(self, call: PhoneCall) -> "asyncio.Future[Picked]":
        """Have a phone rung; return, as soon as Asterisk has begun, the promise of what becomes of it.

        Raises NotAllowed if Asterisk refuses, PbxError if it cannot be asked, and ValueError for a value with a line end in it.
        """
        number = uuid.uuid4().hex
        told: asyncio.Future[Picked] = asyncio.get_running_loop().create_future()
        end = self._client.subscribe("OriginateResponse", partial(_heard, number, told))
        told.add_done_callback(lambda _: end())
        longest = (call.rings_for + PATIENCE).total_seconds()
        asyncio.get_running_loop().call_later(longest, _settle, told, Picked.UNKNOWN)
        answer = (await self._client.ask(_action(call, number)))[0]
        if not answer.success:
            raise _refusal(self._client.name, str(answer.get("Message", "")))
        return told


def _heard(number: str, told: "asyncio.Future[Picked]", headers: Mapping[str, str]) -> None:
    if headers.get("ActionID") == number:
        failed = headers.get("Response") != "Success"
        picked = REASONS.get(headers.get("Reason", ""), Picked.REFUSED) if failed else Picked.UP
        _settle(told, picked)


def _settle(told: "asyncio.Future[Picked]", picked: Picked) -> None:
    if not told.done():
        told.set_result(picked)


def _action(call: PhoneCall, number: str) -> dict[str, str]:
    return {
        "Action": "Originate",
        "ActionID": number,
        "Channel": call.phone,
        "Context": call.context,
        "Exten": call.extension,
        "Priority": "1",
        "CallerID": call.caller_id,
        "Timeout": str(round(call.rings_for.total_seconds() * 1000)),
        "Async": "true",
        **({"Variable": ",".join(f"{k}={v}" for k, v in call.variables.items())} if call.variables else {}),
    }


def _refusal(name: str, message: str) -> NotAllowed:
    if "permission" in message.lower():
        return NotAllowed(
            f"pbx.{name}: Asterisk does not let textbackd make calls. Add `originate` to `write` of our user in manager.conf."
        )
    return NotAllowed(f"pbx.{name}: Asterisk does not make the call: {message or 'no reason given'}.")
