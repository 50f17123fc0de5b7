"""Which ports of this box are open, and to whom.   /proc/net/tcp → here → box.py, ami.py

Source: proc(5), "/proc/net/tcp": addresses are hexadecimal, in the byte order of the machine; state 0A listens.
"""

import ipaddress
import socket
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from textbackd.config import Settings
from textbackd.doctor.findings import Finding, warning

LISTENS: Final = "0A"
FILES: Final = ("net/tcp", "net/tcp6")


@dataclass(frozen=True, slots=True)
class Listener:
    """One open port."""

    address: str
    port: int

    @property
    def is_local(self) -> bool:
        """Return whether only this box reaches it."""
        return _mapped(self.address).is_loopback

    @property
    def is_everywhere(self) -> bool:
        """Return whether it listens on every interface."""
        return _mapped(self.address).is_unspecified


def _mapped(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Return an address; one of IPv4 that is written as IPv6 (`::ffff:127.0.0.1`) as what it is."""
    parsed = ipaddress.ip_address(address)
    return parsed.ipv4_mapped or parsed if isinstance(parsed, ipaddress.IPv6Address) else parsed


def listeners(proc: Path = Path("/proc")) -> list[Listener]:
    """Return the open TCP ports of this box; none where the kernel does not tell."""
    return [found for name in FILES for found in _read(proc / name)]


def _read(path: Path) -> Iterator[Listener]:
    try:
        lines = path.read_text(encoding="ascii", errors="replace").splitlines()[1:]
    except OSError:
        return
    for line in lines:
        fields = line.split()
        if len(fields) > 3 and fields[3] == LISTENS:
            address, _, port = fields[1].partition(":")
            yield Listener(_address(address), int(port, 16))


def _address(written: str) -> str:
    """Return an address, whose words of 32 bits are each in the machine's byte order."""
    raw = b"".join(struct.pack("=I", int(written[at : at + 8], 16)) for at in range(0, len(written), 8))
    return socket.inet_ntop(socket.AF_INET if len(raw) == 4 else socket.AF_INET6, raw)


def judge(settings: Settings, found: Iterable[Listener]) -> Iterator[Finding]:
    """Yield which of our own pages are open to the network. That the configuration asks for it is for its lint to say."""
    ours = {settings.web.port: ("web", settings.web), settings.webhooks.port: ("webhooks", settings.webhooks)}
    for port in sorted({one.port for one in found if not one.is_local and one.port in ours}):
        name, section = ours[port]
        what = (
            f"Port {port} is open to the network without encryption. Listen on this box only, behind a proxy with TLS:"
        )
        yield warning(
            name,
            what,
            f"# textbackd.yaml, {name}:",
            f'listen: "127.0.0.1:{section.port}"',
            "systemctl restart textbackd",
        )
