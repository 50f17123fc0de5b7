"""The PIN, given once: a SIM locks itself at the third wrong one.   modem/link.py → here

What was tried is written down before it is tried, so that a daemon that dies or is restarted does not begin to count anew.
Sources: 3GPP TS 27.007 §8.3 (+CPIN), §8.65 (+CPINR); the vendors' AT manuals for what stands in `TRIES`.
"""

import hashlib
import json
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from gsmmodem.exceptions import CmeError, CommandError, TimeoutException

from textbackd.gateways.modem.condition import Ask, ask_iccid, ask_imei
from textbackd.gateways.modem.line import PortGoneError
from textbackd.gateways.modem.link import ModemLink, SimError
from textbackd.gateways.modem.verdicts import verdict

PIN_SECONDS: Final = 15  # a SIM that starts takes its time
ALL_TRIES: Final = 3  # of a PIN on any SIM (3GPP TS 31.101)
INCORRECT: Final = 16  # +CME ERROR for a wrong PIN
REMEMBERED: Final = 50
NOTES: Final = "modem-pins.json"
# Command, and where its answer has the tries left of the PIN.
TRIES: Final = (
    ('AT+CPINR="SIM PIN"', re.compile(r'\+CPINR:\s*"?SIM PIN"?\s*,\s*(\d+)')),
    ("AT+CPINR", re.compile(r'\+CPINR:\s*"?SIM PIN"?\s*,\s*(\d+)')),
    ("AT^CPIN?", re.compile(r"\^CPIN:\s*[^,]*,\d*,\d*,(\d+)")),  # Huawei: state, tries of it, of PUK, of PIN, …
    ('AT+QPINC="SC"', re.compile(r'\+QPINC:\s*"SC"\s*,\s*(\d+)')),  # Quectel
    ("AT+SPIC", re.compile(r"\+SPIC:\s*(\d+)")),  # SIMCom
)
PUK: Final = "Put it into a phone and type the PUK, which the operator tells"


def ask_state(link: ModemLink) -> str:
    """Return what the SIM waits for: "READY", "SIM PIN", "SIM PUK", … Raises SimError where there is none."""
    try:
        answer = link.write("AT+CPIN?", timeout=PIN_SECONDS)
    except CommandError as exc:
        raise SimError(verdict(exc.type, exc.code).words if exc.type else "the SIM does not answer") from exc
    return next((line.partition(":")[2].strip() for line in answer if line.startswith("+CPIN:")), "nothing known")


def ask_tries(ask: Ask) -> int | None:
    """Return how many wrong PINs the SIM still allows; None where the modem does not tell."""
    for command, place in TRIES:
        for line in ask(command):
            if left := place.search(line):
                return int(left[1])
    return None


class PinNotes:
    """The PINs that were tried, as hashes, by SIM: in a file, or for this process only.

    A refused PIN is wrong, so its hash gives nothing away; the right one is forgotten as soon as it is taken.
    """

    def __init__(self, folder: Path | None) -> None:
        self._path = folder / NOTES if folder else None
        self._tried: dict[str, bool] = {}  # hash → whether the SIM said that it is wrong

    def read(self) -> None:
        """Look into the file again; raises OSError if there is one that cannot be read."""
        if self._path is None:
            return
        with suppress(FileNotFoundError, ValueError, RecursionError):
            found: Any = json.loads(self._path.read_text(encoding="utf-8"))
            if isinstance(found, dict):
                self._tried = {str(key): bool(refused) for key, refused in found.items()}

    def tried(self, key: str) -> bool:
        return key in self._tried

    def refused(self, key: str) -> bool:
        return self._tried.get(key, False)

    def note(self, key: str, *, refused: bool) -> None:
        """Write down; raises OSError where that is not possible."""
        self._tried[key] = refused
        self._write()

    def forget(self, key: str) -> None:
        del self._tried[key]
        self._write()

    def _write(self) -> None:
        self._tried = dict(list(self._tried.items())[-REMEMBERED:])
        if self._path is None:
            return
        fresh = self._path.with_suffix(".new")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(self._tried, file)
            file.flush()
            if os.geteuid() == 0:
                # `textbackd modem test` is often run by root, and the daemon has to be able to read it.
                os.fchown(file.fileno(), *_owner_of(self._path.parent))
            os.fsync(file.fileno())
        fresh.replace(self._path)


def _owner_of(folder: Path) -> tuple[int, int]:
    stat = folder.stat()
    return stat.st_uid, stat.st_gid


class Pin:
    """Unlocks a SIM with the configured PIN, if that is harmless. Use as `ModemLink.set_up`'s `unlock`."""

    def __init__(self, pin: str | None, notes: PinNotes) -> None:
        self._pin, self._notes = pin, notes

    def __call__(self, link: ModemLink) -> None:
        """Return when the SIM is ready; raises SimError, whose text says what a person has to do."""
        state = ask_state(link)
        if state == "READY":
            return
        if state == "SIM PUK":
            raise SimError(f"the SIM is locked and wants its PUK. {PUK}")
        if state != "SIM PIN":
            raise SimError(f"the SIM wants {state}")
        if self._pin is None:
            raise SimError(
                "the SIM wants SIM PIN, and the configuration has none. Set `pin`, or switch it off in a phone"
            )
        if not (self._pin.isascii() and self._pin.isdigit()):
            raise SimError("the configured PIN is not a number")
        self._try(link, self._pin)

    def _try(self, link: ModemLink, pin: str) -> None:
        key = _key(link.ask, pin)
        try:
            self._notes.read()
            self._refuse_if_risky(key, ask_tries(link.ask))
            self._notes.note(key, refused=False)
        except OSError as exc:
            why = f"what was tried cannot be read or written down: {exc.filename}, {exc.strerror}"
            raise SimError(f"the PIN is not tried, for {why}") from exc
        self._give(link, pin, key)
        with suppress(OSError):
            self._notes.forget(key)

    def _refuse_if_risky(self, key: str, left: int | None) -> None:
        if self._notes.refused(key):
            raise SimError("the SIM did not take the PIN, which is not tried again. Correct `pin` in the configuration")
        if left is not None and left <= 1:
            raise SimError("the SIM allows one more try of its PIN, or none, so it is not tried. Type it in a phone")
        # Tried, and nobody knows what came of it: only a full count shows that it was not taken for wrong.
        if self._notes.tried(key) and left != ALL_TRIES:
            raise SimError("the PIN was tried without an answer and is not tried again. Check it in a phone")

    def _give(self, link: ModemLink, pin: str, key: str) -> None:
        try:
            link.write(f'AT+CPIN="{pin}"', timeout=PIN_SECONDS)
        except (TimeoutException, PortGoneError) as exc:
            raise SimError("the SIM did not answer to its PIN") from exc
        except CommandError as exc:
            with suppress(OSError):
                # A bare ERROR does not say that it is wrong, but is no reason to try again either.
                self._notes.note(key, refused=not isinstance(exc, CmeError) or exc.code == INCORRECT)
            raise SimError("the SIM did not take the PIN, which is not tried again. Check `pin`") from exc


def _key(ask: Ask, pin: str) -> str:
    """Return a hash of the PIN on this SIM; where the card's number is not told before the PIN, on this modem."""
    return hashlib.sha256(f"{ask_iccid(ask) or ask_imei(ask)}:{pin}".encode()).hexdigest()
