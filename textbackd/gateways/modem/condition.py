"""How a modem is: network, signal, storage, and whose it is. Asked, read, never acted upon.   modem/link.py → here → owner, scan

Sources: 3GPP TS 27.007 §5.4 (+CGSN), §7.2 (+CREG), §7.3 (+COPS), §8.5 (+CSQ), §10.1.20 and .22 (+CGREG, +CEREG);
3GPP TS 27.005 §3.2.2 (+CPMS).
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

Ask = Callable[[str], list[str]]  # a command → the lines of its answer, none if the modem does not know it
SHOWN = 40  # characters of a name that a modem tells; it may tell anything


class Registration(StrEnum):
    """What a modem says of itself and the network; the words are for people."""

    HOME = "registered"
    ROAMING = "registered, roaming"
    SMS_ONLY = "registered, for texts only"
    UNKNOWN = "not known"
    DENIED = "refused by the network"
    SEARCHING = "searching for a network"
    EMERGENCY = "allowed emergency calls only"
    NONE = "not registered with a network"

    @property
    def may_send(self) -> bool:
        """Return False only for a modem that says it has no network; what is not known may."""
        return self in (Registration.HOME, Registration.ROAMING, Registration.SMS_ONLY, Registration.UNKNOWN)


_STAT: Final = {
    0: Registration.NONE, 1: Registration.HOME, 2: Registration.SEARCHING, 3: Registration.DENIED,
    4: Registration.UNKNOWN, 5: Registration.ROAMING, 6: Registration.SMS_ONLY, 7: Registration.SMS_ONLY,
    8: Registration.EMERGENCY, 9: Registration.HOME, 10: Registration.ROAMING,
}  # fmt: skip
# <AcT> of +COPS, in the words on a phone's screen. What is not here is newer than this list.
_TECHNOLOGY: Final = {
    **dict.fromkeys((0, 1, 3, 8), "2G"),
    **dict.fromkeys((2, 4, 5, 6), "3G"),
    **dict.fromkeys((7, 9), "4G"),
    **dict.fromkeys((10, 11, 12, 13), "5G"),
}
_REGISTERED: Final = re.compile(r"\+C[GE]?REG:\s*\d\s*,\s*(\d+)")
_SIGNAL: Final = re.compile(r"\+CSQ:\s*(\d+)")
_OPERATOR: Final = re.compile(r'\+COPS:\s*\d\s*,\s*\d\s*,\s*"([^"]*)"(?:\s*,\s*(\d+))?')
_KEPT: Final = re.compile(r'\+CPMS:.*"\w+"\s*,\s*(\d+)\s*,\s*(\d+)')  # greedy: the last memory, where incoming texts go
_SERIAL: Final = re.compile(r"(?<!\d)(\d{14,16})(?!\d)")
_CARD: Final = re.compile(r"(?<!\d)(\d{18,22})F?(?!\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How a modem was when it was last asked."""

    registration: Registration = Registration.UNKNOWN
    operator: str | None = None
    technology: str | None = None  # "2G" to "5G"
    signal_dbm: int | None = None  # −113 is as good as nothing, −51 the best that is told
    used: int | None = None  # messages in the memory where incoming texts are kept
    size: int | None = None  # messages that it holds


def ask_condition(ask: Ask) -> Condition:
    """Ask for everything that changes. What a modem does not tell stays unknown."""
    operator, technology = _operator(ask("AT+COPS?"))
    kept = _first(_KEPT, ask("AT+CPMS?"))
    return Condition(
        registration=ask_registration(ask),
        operator=operator,
        technology=technology,
        signal_dbm=_signal(ask("AT+CSQ")),
        used=int(kept[1]) if kept else None,
        size=int(kept[2]) if kept else None,
    )


def ask_registration(ask: Ask) -> Registration:
    """Return the best of what is said of calls, of data and of LTE: one of them is enough for a text (SGs, IMS, GPRS)."""
    said = [_registration(ask(f"AT+{name}?")) for name in ("CREG", "CGREG", "CEREG")]
    return min((one for one in said if one), key=list(Registration).index, default=Registration.UNKNOWN)


def ask_imei(ask: Ask) -> str | None:
    """Return the modem's own number: 15 digits, the last of which is a check digit."""
    serial = _first(_SERIAL, ask("AT+CGSN"))
    return serial[1] if serial else None


def ask_iccid(ask: Ask) -> str | None:
    """Return the number of the SIM card, where the modem tells it; many do only after the PIN."""
    for command in ("AT+CCID", "AT+ICCID", "AT^ICCID?", "AT+QCCID"):  # no standard has one; by vendor
        if card := _first(_CARD, ask(command)):
            return card[1]
    return None


def same_imei(one: str, other: str) -> bool:
    """Return whether both name one modem: the 14 digits that do, without check digit or software version."""
    return one[:14] == other[:14]


def shown(raw: str) -> str:
    """Return what a modem told as something that may be printed."""
    return "".join(letter for letter in raw if letter.isprintable()).strip().strip('"')[:SHOWN]


def _registration(lines: list[str]) -> Registration | None:
    said = _first(_REGISTERED, lines)
    return _STAT.get(int(said[1]), Registration.UNKNOWN) if said else None


def _signal(lines: list[str]) -> int | None:
    said = _first(_SIGNAL, lines)
    # 0 to 31 in steps of 2 dB; 99 is "not known", 100 and above are other scales (3GPP TS 27.007 §8.5).
    return 2 * int(said[1]) - 113 if said and int(said[1]) <= 31 else None


def _operator(lines: list[str]) -> tuple[str | None, str | None]:
    said = _first(_OPERATOR, lines)
    if said is None:
        return None, None
    return shown(said[1]) or None, _TECHNOLOGY.get(int(said[2])) if said[2] else None


def _first(pattern: re.Pattern[str], lines: list[str]) -> re.Match[str] | None:
    found: Iterator[re.Match[str]] = (match for line in lines if (match := pattern.search(line)))
    return next(found, None)
