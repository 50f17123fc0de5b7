"""Which AMI rights does this configuration need, and which does an account have?  Pure.   settings → here → ami.py

Nothing of AMI says what an account may read; what it may do follows from the actions that `ListCommands` names, each with the classes
of which one is enough. Measured on Asterisk 16.28 and 22.10: docs/AMI.md.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from textbackd.config import Settings
from textbackd.config.gateways import AsteriskDongle, AsteriskMessage

READ: Final = ("call", "agent", "system")
WRITE: Final = ("reporting",)
# What a right that is not needed lets whoever has the secret do; in the order in which it hurts.
DANGERS: Final[Mapping[str, str]] = {
    "command": "run any command of Asterisk's console, and programs on the box",
    "config": "rewrite Asterisk's configuration",
    "originate": "dial any number at your cost",
    "system": "reload and stop Asterisk, and change its database",
    "call": "hang up and redirect calls",
    "agent": "take phones out of queues",
    "message": "send texts at your cost",
    "user": "forge events of other programs",
    "aoc": "tell phones what a call costs",
    "agi": "run programs for calls",
}
READ_DANGERS: Final[Mapping[str, str]] = {
    "dialplan": "is half of all that Asterisk tells, and a caller's name can forge events in it",
    "dtmf": "tells what callers type, PINs too",
}
EVERYTHING: Final = "all"
_PRIVILEGE: Final = re.compile(r"\(Priv: ([a-z,]+)\)\s*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """Classes of manager.conf, in the order in which they are written."""

    read: tuple[str, ...]
    write: tuple[str, ...]

    @property
    def lines(self) -> tuple[str, str]:
        """The two lines of manager.conf."""
        return f"read = {','.join(self.read)}", f"write = {','.join(self.write)}"


def needed(settings: Settings, pbx: str) -> Rights:
    """Return what the account on one PBX must be allowed, for everything that is switched on."""
    gateways = settings.gateways.values()
    texts = any(isinstance(one, AsteriskMessage) and pbx in _pbxs(one.pbx, settings) for one in gateways)
    dongle = any(isinstance(one, AsteriskDongle) and pbx in _pbxs(one.pbx, settings) for one in gateways)
    desk = any(person.sip for person in settings.staff.values())
    extra = {"message": texts or desk, "originate": settings.pbx[pbx].dial is not None, "call": dongle}
    return Rights(
        read=(*READ, *(("user",) if texts or desk else ())),
        write=(*WRITE, *(right for right, is_needed in extra.items() if is_needed)),
    )


def _pbxs(named: str | None, settings: Settings) -> tuple[str, ...]:
    return (named,) if named else tuple(settings.pbx)


def granted_by(commands: Mapping[str, str]) -> frozenset[str]:
    """Return the write rights that the answer to `ListCommands` proves: action → "Originate a call.  (Priv: originate,all)"."""
    classes = [_classes(told) for told in commands.values()]
    sure = {next(iter(one)) for one in classes if len(one) == 1}
    # An action that none of the sure classes explains is there because of `reporting`, which few actions have to themselves.
    if any("reporting" in one and not one & sure for one in classes):
        sure.add("reporting")
    return frozenset(sure)


def _classes(told: str) -> frozenset[str]:
    found = _PRIVILEGE.search(told)
    return frozenset(found[1].split(",")) - {EVERYTHING} if found else frozenset()


def missing(wanted: Iterable[str], granted: frozenset[str]) -> tuple[str, ...]:
    """Return the rights that are wanted and not there."""
    return () if EVERYTHING in granted else tuple(right for right in wanted if right not in granted)


def spare(wanted: Iterable[str], granted: frozenset[str], dangers: Mapping[str, str]) -> tuple[str, ...]:
    """Return the rights that nobody needs and that can do harm, the worst first."""
    extra = set(dangers) if EVERYTHING in granted else granted & set(dangers)
    return tuple(right for right in dangers if right in extra - set(wanted))
