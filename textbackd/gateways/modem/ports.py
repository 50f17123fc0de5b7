"""Which serial port the modem is on, now.   modem/owner.py, modem/scan.py → here → modem/link.py

The number in ttyUSB2 changes with every plugging in, and two sticks of one kind have the same name under /dev/serial/by-id.
What does not change is the IMEI, so a modem that is configured by it is looked for on every port, each time anew.
"""

import os
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from glob import glob
from pathlib import Path
from typing import Final

from gsmmodem.exceptions import GsmModemException

from textbackd.gateways.modem.condition import ask_imei, same_imei
from textbackd.gateways.modem.line import PortGoneError, SilentError
from textbackd.gateways.modem.link import ModemLink

# The names under by-id first, for they last; but of two equal sticks only one has a name there.
PATTERNS: Final = ("/dev/serial/by-id/*", "/dev/ttyUSB*", "/dev/ttyACM*")

_searching = threading.Lock()  # two gateways that look at the same ports at once would find them held by each other
Candidates = Callable[[], list[str]]
Plugged = tuple[int, int, int]  # tells one plugging in from the next


def candidates(patterns: Iterable[str] = PATTERNS) -> list[str]:
    """Return the ports that there are, each once, under its most lasting name."""
    found: dict[str, str] = {}  # where a name leads → the name
    for pattern in patterns:
        for path in sorted(glob(pattern)):  # noqa: PTH207  # the pattern is absolute
            found.setdefault(os.path.realpath(path), path)
    return list(found.values())


class Finder:
    """Opens the port that the modem is on: the configured one, or whichever has the configured IMEI."""

    def __init__(
        self,
        *,
        port: str | None,
        imei: str | None,
        ports: Candidates,
        link: Callable[[str], ModemLink],
    ) -> None:
        self._port, self._imei, self._ports, self._link = port, imei, ports, link
        self._last: tuple[str, tuple[int, int] | None] | None = (
            None  # where the modem was, and the device that the port was then
        )

    def open(self) -> ModemLink:
        """Return the modem, answering but not set up. Raises PortGoneError, of which SilentError and HeldError are kinds."""
        if self._port:
            link = self._on_the_port(self._port)
        else:
            with _searching:
                link = self._by_imei()
        self._last = (link.port, _node(link.port))
        return link

    def blind(self) -> ModemLink | None:
        """Return a link, not connected, to a port that is surely the modem's although it is silent; None if there is none."""
        if self._port and not self._imei:
            return self._link(self._port)
        if self._last and self._last[1] and self._last[1] == _node(self._last[0]):
            return self._link(self._last[0])
        return None

    def plugged(self) -> frozenset[Plugged]:
        """Return what is plugged in; it changes with every stick that comes or goes, even to the same name."""
        found = map(_stat, [self._port] if self._port else self._ports())
        return frozenset((stat.st_ino, stat.st_rdev, stat.st_ctime_ns) for stat in found if stat)

    def _on_the_port(self, port: str) -> ModemLink:
        link = self._link(port)
        try:
            link.connect()
            imei = ask_imei(link.ask) if self._imei else None
        except GsmModemException:
            link.close()
            raise
        if self._imei and not (imei and same_imei(imei, self._imei)):
            link.close()
            raise PortGoneError(f"the modem on {port} has IMEI {imei or 'unknown'}, not {self._imei}")
        return link

    def _by_imei(self) -> ModemLink:
        silent: SilentError | None = None
        ports = self._in_order()
        for port in ports:
            try:
                return self._on_the_port(port)
            except SilentError as exc:
                if self._last and port == self._last[0] and self.blind():
                    silent = exc
            except GsmModemException:
                continue
        if silent:
            raise silent
        raise PortGoneError(f"no modem with IMEI {self._imei} is plugged in ({_count(ports)} looked at)")

    def _in_order(self) -> list[str]:
        last = self._last[0] if self._last else None
        return sorted(self._ports(), key=lambda port: port != last)


def _node(port: str) -> tuple[int, int] | None:
    stat = _stat(port)
    return (stat.st_ino, stat.st_rdev) if stat else None


def _stat(port: str) -> os.stat_result | None:
    with suppress(OSError):
        return Path(port).stat()
    return None


def _count(ports: list[str]) -> str:
    return f"{len(ports)} port{'' if len(ports) == 1 else 's'}"
