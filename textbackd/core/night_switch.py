"""The PBX's own day/night switch: what to ask, and what the answer means.  Pure.   config → here → flow/night_switches.py

A switch is a lamp on a phone, a key in AstDB, or FreePBX's call flow control, which keeps both: AstDB DAYNIGHT/C<index> is DAY or
NIGHT, and the device Custom:DAYNIGHT<index> is INUSE at night (FreePBX and Issabel, module daynight). Each can be read by one
dialplan function (docs.asterisk.org: DEVICE_STATE, EXTENSION_STATE, DB), which AMI's Getvar evaluates with the class `reporting`.
"""

from dataclasses import dataclass
from typing import Final

# A lamp is on (func_devstate: the names of the states). BUSY and the rest are what a lamp shows that blinks.
LAMP_ON: Final = frozenset({"INUSE", "BUSY", "ONHOLD", "RINGING", "RINGINUSE"})
# The device or hint does not exist, or its state was never set.
NO_STATE: Final = frozenset({"", "UNKNOWN", "INVALID", "UNAVAILABLE"})
WRITTEN_CLOSED: Final = frozenset({"NIGHT", "CLOSED", "YES", "ON", "TRUE", "1"})

# What Getvar is asked for, the answers that mean closed by default, and those that say nothing.
Asked = tuple[str, frozenset[str], frozenset[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NightSwitch:
    """One switch."""

    pbx: str | None  # where it is; None: on the PBX over which the call came
    variable: str  # what Getvar is asked for
    closed: frozenset[str]  # answers that mean closed, in capitals
    silent: frozenset[str]  # answers that say nothing, so that the hours decide

    def is_closed(self, answer: str) -> bool | None:
        """Return whether an answer means closed, None if it says nothing."""
        said = answer.strip().upper()
        if said in self.closed:
            return True
        return None if said in self.silent else False


def device(name: str) -> Asked:
    """Return how to ask for the state of a device."""
    return f"DEVICE_STATE({name})", LAMP_ON, NO_STATE


def hint(name: str) -> Asked:
    """The same for a hint, "*280@ext-local"."""
    return f"EXTENSION_STATE({name})", LAMP_ON, NO_STATE


def astdb(key: str) -> Asked:
    """The same for a key of AstDB, "family/key". One that does not exist was never switched."""
    return f"DB({key})", WRITTEN_CLOSED, frozenset({""})


def freepbx(index: int) -> Asked:
    """The same for FreePBX's call flow control of that index."""
    return f"DB(DAYNIGHT/C{index})", frozenset({"NIGHT"}), frozenset({""})
