"""Have a desk phone rung and connected with a caller.   flow/desk.py, escalation.py → here → pbx/control.py

A click rings the phone of whoever clicked, and dials the caller when it is picked up. An escalation rings a phone whose owner asked
for nothing: there the dialplan of config/extensions-textbackd.conf asks for a 1 first. Either way the shop's own outbound route
makes the call, and the events of it close the case like those of any other call.

Where nothing is written under `pbx.*.dial` nothing is ever dialled. A caller's number reaches the PBX only as digits; a name only
as letters, and only on the display of our own phone.
"""

import asyncio
import re
import unicodedata
from typing import Final

from textbackd.config import Dial, Settings
from textbackd.core.phone import E164, NotTextable, as_dialled, read_number
from textbackd.errors import TextbackdError
from textbackd.pbx.client import AmiClient, PbxError
from textbackd.pbx.control import NotAllowed, Originator, PhoneCall, Picked

WAKE: Final = "textbackd-wake"  # the context of config/extensions-textbackd.conf that asks for a 1
LONGEST_NAME: Final = 30  # characters; what a desk phone's display has room for
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_NEVER: Final = frozenset({NotTextable.INVALID, NotTextable.SHORT_CODE, NotTextable.PREMIUM})


class CannotRing(TextbackdError):
    """The phone does not ring; one sentence that says why, and what to do."""


class RingBack:
    """Rings desk phones."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._originators: dict[str, Originator] = {}
        self._ringing: dict[str, asyncio.Future[Picked]] = {}  # by phone: what was last promised of it
        # The first PBX that may dial has the desk phones.
        self._at = next(((name, pbx.dial) for name, pbx in settings.pbx.items() if pbx.dial is not None), None)

    def take_over(self, before: "RingBack") -> None:
        """Know of the phones that ring."""
        self._ringing = before._ringing

    def attach(self, pbx: str, client: AmiClient) -> None:
        """Use the connection to one PBX, if it may dial."""
        if self._settings.pbx[pbx].dial is not None:
            self._originators[pbx] = Originator(client)

    def phone_of(self, staff: str) -> str | None:
        """Return the desk phone from which one of the staff can call back; None if nothing can be dialled from there."""
        person = self._settings.staff.get(staff)
        return person.phone if person and self._at else None

    async def connect(self, number: E164, staff: str) -> str:
        """Ring the desk phone of one of the staff and then the caller; return the phone as soon as it rings. Raises CannotRing."""
        phone = self.phone_of(staff)
        pbx, dial = self._dialling()
        if phone is None:
            raise CannotRing(
                f"No desk phone is known for {staff}: write `phone` under their name in the configuration."
            )
        if (ringing := self._ringing.get(phone)) is not None and not ringing.done():
            raise CannotRing("Your desk phone is ringing already. Pick it up, or wait until it stops.")
        call = PhoneCall(
            phone=phone,
            context=dial.context,
            extension=self._dialled(number, dial),
            caller_id=_caller_id(number, phone),
            rings_for=dial.rings_for,
        )
        await self._ring(pbx, call)
        return call.phone

    async def wake(self, number: E164, name: str, phone: str) -> "asyncio.Future[Picked]":
        """Ring a phone to say that a caller waits; return the promise of what becomes of it. Raises CannotRing."""
        pbx, dial = self._dialling()
        call = PhoneCall(
            phone=phone,
            context=WAKE,
            extension="s",
            caller_id=_caller_id(f"textbackd: {_shown(name) or number} waits", phone),
            rings_for=dial.rings_for,
            variables={"TEXTBACKD_CONTEXT": dial.context, "TEXTBACKD_NUMBER": self._dialled(number, dial)},
        )
        return await self._ring(pbx, call)

    def _dialling(self) -> tuple[str, Dial]:
        if self._at is None:
            raise CannotRing("Calling back is not set up: write `dial` under the PBX in the configuration.")
        return self._at

    def _dialled(self, number: E164, dial: Dial) -> str:
        """Return what is dialled to call a number: digits, maybe after a plus or what gets a line."""
        country = self._settings.business.country
        if not _E164.fullmatch(number) or read_number(number, country).not_textable in _NEVER:
            raise CannotRing("This number is not called: it is no ordinary phone number.")
        forms = {"national": as_dialled(number, country), "e164": number, "digits": number.removeprefix("+")}
        return dial.prefix + forms[dial.number_format]

    async def _ring(self, pbx: str, call: PhoneCall) -> "asyncio.Future[Picked]":
        if pbx not in self._originators:
            raise CannotRing(f"pbx.{pbx}: not connected.")
        asked = self._ringing[call.phone] = asyncio.get_running_loop().create_future()
        try:
            self._ringing[call.phone] = promise = await self._originators[pbx].ring(call)
        except (PbxError, NotAllowed) as error:
            raise CannotRing(str(error)) from error
        finally:
            asked.cancel()
        return promise


def _caller_id(shown: str, phone: str) -> str:
    """Return what the phone shows. The number is its own, so that the outbound route takes the call for one dialled there."""
    return f'"{shown}" <{_own_extension(phone)}>'


def _own_extension(phone: str) -> str:
    """Return 101 for PJSIP/101@office."""
    return phone.partition("/")[2].partition("@")[0]


def _shown(name: str) -> str:
    """Return a stranger's name as letters, digits and spaces: it can end neither the quotes nor the line."""
    letters = (c if unicodedata.category(c)[0] in "LN" or c == " " else " " for c in name[:200])
    return " ".join("".join(letters).split())[:LONGEST_NAME].strip()
