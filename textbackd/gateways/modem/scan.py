"""Which modems are there, and how they are. Looks, changes nothing.   cli/modem.py → here → modem/ports.py, modem/condition.py

A port that another program has open is not touched: two programs on one port take each other's answers.
"""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from gsmmodem.exceptions import GsmModemException, TimeoutException

from textbackd.gateways.modem.condition import Condition, ask_condition, ask_imei, shown
from textbackd.gateways.modem.line import HeldError, SilentError, Timing
from textbackd.gateways.modem.link import ModemLink, SimError
from textbackd.gateways.modem.sim import ask_state, ask_tries

# A modem that is well answers in a tenth of a second; a stick has ports that never do, and nobody wants to wait for each.
BRIEF: Final = Timing(
    answer=timedelta(seconds=1.5),
    submit=timedelta(seconds=180),
    late=timedelta(),
    quiet=timedelta(seconds=0.2),
)
BAUD: Final = 115200  # means nothing on USB
_CENTRE: Final = re.compile(r'\+CSCA:\s*"(\+?\d{3,20})"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A modem that answers on a port."""

    port: str
    imei: str | None
    manufacturer: str | None
    model: str | None
    sim: str  # "READY", what it waits for, or what is wrong with it
    pin_tries: int | None  # wrong PINs that it still allows; None: not told
    smsc: str | None  # the service centre that the SIM knows
    condition: Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A port without a modem to talk to."""

    port: str
    held_by: str | None  # a program that has it open; None: nobody does, and nothing answers
    words: str


def scan(ports: Iterable[str], *, timing: Timing = BRIEF, proc: Path = Path("/proc")) -> Iterator[Finding | Trouble]:
    """Yield what is found on each port, in their order."""
    for port in ports:
        if holder := holder_of(port, proc):
            yield Trouble(port=port, held_by=holder, words=f"{holder} has it open")
        else:
            yield _look_at(port, timing)


def examine(link: ModemLink) -> Finding:
    """Return what a connected modem tells of itself. Raises PortGoneError if it stops answering."""
    try:
        sim = ask_state(link)
    except (SimError, TimeoutException) as exc:
        sim = str(exc) if isinstance(exc, SimError) else "the SIM does not answer"
    return Finding(
        port=link.port,
        imei=ask_imei(link.ask),
        manufacturer=_name(link.ask("AT+CGMI")),
        model=_name(link.ask("AT+CGMM")),
        sim=shown(sim),
        pin_tries=ask_tries(link.ask),
        smsc=next((match[1] for line in link.ask("AT+CSCA?") if (match := _CENTRE.search(line))), None),
        condition=ask_condition(link.ask),
    )


def holder_of(port: str, proc: Path = Path("/proc")) -> str | None:
    """Return "NAME (process 123)" if another process has the port open and we may see it."""
    device = os.path.realpath(port)
    for process in proc.glob("[0-9]*"):
        with suppress(OSError):
            if process.name != str(os.getpid()) and _holds(process, device):
                name = (process / "comm").read_text(encoding="utf-8", errors="replace")
                return f"{shown(name)} (process {process.name})"
    return None


def _holds(process: Path, device: str) -> bool:
    opened = {os.path.realpath(handle): handle for handle in (process / "fd").iterdir()}
    if device not in opened or not device.startswith("/dev/pts/"):
        return device in opened
    # Who makes a pseudo-terminal has both of its ends open and is no rival: an emulator, socat, ser2net. A container has a /dev/pts of its
    # own, with the same names.
    return not opened.keys() & {"/dev/ptmx", "/dev/pts/ptmx"} and opened[device].samefile(device)


def _look_at(port: str, timing: Timing) -> Finding | Trouble:
    link = ModemLink(port, baud=BAUD, timing=timing, on_unasked=lambda _: None)
    try:
        link.connect()
        return examine(link)
    except HeldError:
        return Trouble(port=port, held_by="another program", words="another program has it open")
    except SilentError:
        return Trouble(port=port, held_by=None, words="nothing answers AT; a stick has ports that never do")
    except GsmModemException as exc:
        return Trouble(port=port, held_by=None, words=str(exc) or "it stopped answering")
    finally:
        link.close()


def _name(lines: list[str]) -> str | None:
    """Return the answer to AT+CGMI or AT+CGMM, which some put behind their command."""
    named = [shown(line.partition(":")[2] if line.startswith("+CGM") else line) for line in lines if line != "OK"]
    return next(filter(None, named), None)
