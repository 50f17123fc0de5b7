"""A desk phone dials a code, and texting is paused or goes on.   pbx/agi.py → here → pausing.py

The dialplan says what to do as the name of the script (`toggle`, `pause`, `resume`) and for which line as its first argument: the
line's name, or its place in the configuration, 1 for the first. Who may dial the code is the dialplan's to say, and a PIN's.
The phone hears "activated" or "de-activated", as texting is after the deed: the brake, or a pause of all lines, may hold on. It hears an
error tone for what could not be done.
"""

import asyncio
import hmac
import logging
import re
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import sqlite_utils

from textbackd.config import Settings
from textbackd.errors import TextbackdError
from textbackd.flow import pausing
from textbackd.flow.bell import Bell
from textbackd.flow.pausing import By
from textbackd.pbx.agi import Agi, Gone
from textbackd.store import halts
from textbackd.store.database import StorageError, Store
from textbackd.store.halts import Halt, HaltKind

log = logging.getLogger(__name__)

LONGEST_TALK: Final = 60.0  # seconds
MOST_AT_ONCE: Final = 10  # calls
TRIES: Final = 3  # of the PIN in one call
WRONG: Final = 6  # PINs in all, within the time below; then nobody is asked for a while
WRONG_WITHIN: Final = timedelta(minutes=15)
PIN: Final = re.compile(r"[0-9]{4,10}")
KEY_WITHIN: Final = 6.0  # seconds
# Asterisk's Playtones, where the sounds are not installed: two low ones for off, one high for on, a rattle for no.
ACTIVATED: Final = ("activated", "!880/400")
DEACTIVATED: Final = ("de-activated", "!440/200,!0/100,!440/200")
ASKS: Final = ("beep", "!1000/200")
NO: Final = ("beeperr", "!480+620/200,!0/100,!480+620/200,!0/100,!480+620/200")


class Denied(TextbackdError):
    """It is not done; one sentence that says why, for Asterisk's console and our log."""


class FeatureCode:
    """Answers the calls to the code."""

    def __init__(self, settings: Settings, *, store: Store, clock: Callable[[], datetime], bell: Bell) -> None:
        """Raises TextbackdError for a PIN that no phone can send."""
        section = settings.feature_code
        self._settings, self._store, self._clock, self._bell = settings, store, clock, bell
        self._lasts = section.lasts if section else None
        self._pin = section.pin.get_secret_value() if section and section.pin else None
        if self._pin is not None and not PIN.fullmatch(self._pin):
            raise TextbackdError("feature_code.pin: a phone sends 4 to 10 digits, and this is something else.")
        self._phones = {person.phone: key for key, person in settings.staff.items() if person.phone}
        self._wrong: deque[datetime] = deque(maxlen=WRONG)
        self._talks = 0

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one call, to its end."""
        self._talks += 1
        try:
            if self._talks <= MOST_AT_ONCE:
                async with asyncio.timeout(LONGEST_TALK):
                    await self._talk(Agi(reader, writer))
        except (Gone, TimeoutError):
            return
        finally:
            self._talks -= 1
            writer.close()

    async def _talk(self, agi: Agi) -> None:
        await agi.begin()
        await agi.do("ANSWER")
        try:
            await self._ask_pin(agi)
            is_paused, words = await self._do(agi)
        except (Denied, StorageError, sqlite3.Error) as error:
            log.warning("a feature code did nothing", extra={"phone": _phone(agi), "why": str(error)})
            await _tell(agi, "refused", str(error))
            await agi.say(*NO)
            return
        await _tell(agi, "paused" if is_paused else "on", words)
        await agi.say(*(DEACTIVATED if is_paused else ACTIVATED))

    async def _ask_pin(self, agi: Agi) -> None:
        """Raises Denied unless the right PIN is dialled."""
        if self._pin is None:
            return
        for _ in range(TRIES):
            self._require_patience()
            await agi.say(*ASKS)
            given = await agi.digits(len(self._pin) + 1, KEY_WITHIN)
            if hmac.compare_digest(given.encode(), self._pin.encode()):
                return
            self._wrong.append(self._clock())
        raise Denied("the PIN was wrong")

    def _require_patience(self) -> None:
        if len(self._wrong) == WRONG and self._clock() - self._wrong[0] < WRONG_WITHIN:
            raise Denied("too many wrong PINs; nobody is asked for a quarter of an hour")

    async def _do(self, agi: Agi) -> tuple[bool, str]:
        """Do what the dialplan wants; return whether texting is paused then, and that in a sentence. Raises Denied and sqlite3.Error."""
        script = agi.variables.get("agi_network_script", "").partition("?")[0].strip("/")
        line, by, now = self._line(agi.variables.get("agi_arg_1", "")), self._by(agi), self._clock()
        until = now + self._lasts if self._lasts is not None else None
        deeds: dict[str, Callable[[sqlite_utils.Database], object]] = {
            "toggle": lambda db: pausing.toggle(db, line, by, until=until, now=now),
            "pause": lambda db: pausing.pause(db, line, by, until=until, now=now),
            "resume": lambda db: pausing.resume(db, line, by, now=now, brake=False),
        }
        if script not in deeds:
            raise Denied("the dialplan asks for something else than agi://…/toggle, /pause or /resume")
        await self._store.run(deeds[script])
        active = await self._store.run(lambda db: halts.active(db, now))
        is_paused, words = bool(pausing.stopping(active, line)), _words(active, line)
        self._bell.ring(None)
        said = {"line": line or "all", "phone": _phone(agi), "staff": by.staff, "why": words}
        log.warning("texting is paused" if is_paused else "texting goes on", extra=said)
        return is_paused, words

    def _line(self, written: str) -> str | None:
        """Return the line of that name, or at that place in the configuration; None for all."""
        names = list(self._settings.lines)
        if written == "" or written in names:
            return written or None
        if re.fullmatch(r"[1-9][0-9]?", written) and int(written) <= len(names):
            return names[int(written) - 1]
        raise Denied(f"there is no line {written[:20]!r}")

    def _by(self, agi: Agi) -> By:
        phone = _phone(agi)
        staff = self._phones.get(phone)
        name = self._settings.staff[staff].name if staff else "somebody"
        return By(staff=staff, why=f"by {name}, from the phone {phone}", place=f"from {phone}")


def _words(active: Sequence[Halt], line: str | None) -> str:
    """Return in one sentence whether the texts of a line go out, or of all, and what of others keeps them back."""
    left = pausing.stopping(active, line)
    if any(halt.kind is HaltKind.BRAKE for halt in left):
        return "the brake has stopped all texts"
    if any(halt.line is None for halt in left):
        return "all lines are paused"
    if left:
        return f"the line {line} is paused"
    others = ", ".join(halt.line for halt in active if halt.line) if line is None else ""
    return f"texts go out, but not for {others}" if others else "texts go out"


def _phone(agi: Agi) -> str:
    """Return PJSIP/101 for the channel PJSIP/101-0000000a."""
    channel = agi.variables.get("agi_channel", "").rpartition("-")[0]
    return "".join(character for character in channel if character.isprintable())[:40] or "?"


async def _tell(agi: Agi, state: str, words: str) -> None:
    """Tell the dialplan, and whoever looks at Asterisk's console."""
    plain = "".join(character for character in words if character.isprintable() and character not in '"\\')
    await agi.do(f"SET VARIABLE TEXTBACKD_TEXTING {state}")
    await agi.do(f'VERBOSE "textbackd: {plain}" 1')
