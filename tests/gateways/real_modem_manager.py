"""Debian's own ModemManager on a private bus, with the virtual modem behind it.

Its test interface (`--test-enable`, Test.SetProfile) makes a modem of an abstract socket, as its own tests do, so neither udev nor a real
port is needed. Between that socket and the virtual modem's terminal stands a line that knows some answers more. In this mode it
does not ask polkit who we are.
"""

import asyncio
import os
import re
import select
import socket
import subprocess
import termios
import threading
import tty
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Final

from tests.gateways.contract import SOON
from tests.gateways.message_bus import install
from textbackd.demo.modem import VirtualModem
from textbackd.gateways.mm.bus import ROOT, Bus, CallFailed

MANAGER: Final = "/usr/sbin/ModemManager"
OPTIONS: Final = (
    "--test-session",
    "--test-enable",
    "--no-auto-scan",
    "--test-no-udev",
    "--test-no-suspend-resume",
    "--test-no-qrtr",
)
# What the virtual modem does not know and ModemManager needs (3GPP TS 27.007; as ModemManager's own tests answer it).
ANSWERS: Final = {
    "AT+GCAP": "+GCAP: +CGSM,+DS,+ES",
    "AT+WS46=?": "+WS46: (12,22)",
    "AT+CRSM=176,12258,0,0,10": '+CRSM: 144,0,"98100010101032547698"',
    "AT+CLCK=?": '+CLCK: ("SC","FD")',
    'AT+CLCK="SC",2': "+CLCK: 0",
    'AT+CLCK="FD",2': "+CLCK: 0",
    "AT+CREG?": '+CREG: 2,1,"1234","001122BB"',
    "AT+CGREG?": '+CGREG: 2,1,"31C5","0083F7CD"',
    "AT+CREG=2": "",
    "AT+CGREG=2": "",
    "AT+CREG=0": "",
    "AT+CGREG=0": "",
    "AT+COPS=3,2;+COPS?": '+COPS: 0,2,"00101",2',
    "AT+COPS=3,0;+COPS?": '+COPS: 0,0,"Virtual"',
    "AT+CMGF=?": "+CMGF: (0)",
    "AT+CNMI=?": "+CNMI: (0-2),(0-3),(0,2),(0-1),(0,1)",
    "AT+CPMS=?": '+CPMS: ("SM","ME"),("SM","ME"),("SM","ME")',
    "AT+CGDCONT=?": '+CGDCONT: (1-11),"IP",,,(0-2),(0-3)',
    "ATX4": "",
    "ATV1": "",
    "AT&C1": "",
}
# The virtual modem puts an empty line between a message's header and its PDU, which no modem does and ModemManager does not read.
HEADER: Final = re.compile(rb"(\+CMG[LR]: [^\r]*\r\n)\r\n")


class Line:
    """The wire between ModemManager's socket and the modem's terminal."""

    def __init__(self, modem: VirtualModem) -> None:
        self.name = f"abstract:textbackd-{os.getpid()}-{id(self):x}"
        self.asked: list[str] = []
        self._modem = modem
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(f"\0{self.name}")
        self._listener.listen()
        self._stop_read, self._stop_write = os.pipe()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Line":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        os.write(self._stop_write, b"x")
        self._thread.join(20)
        for descriptor in (self._stop_read, self._stop_write):
            os.close(descriptor)
        self._listener.close()

    def _run(self) -> None:
        while self._listener.fileno() in select.select([self._listener.fileno(), self._stop_read], [], [])[0]:
            connection, _ = self._listener.accept()
            terminal = os.open(self._modem.port, os.O_RDWR | os.O_NOCTTY)
            try:
                tty.setraw(terminal, termios.TCSANOW)
                with suppress(OSError):  # the modem is pulled out: ModemManager sees the end of the line
                    self._carry(connection, terminal)
            finally:
                os.close(terminal)
                connection.close()

    def _carry(self, connection: socket.socket, terminal: int) -> None:
        rest = b""
        while True:
            ready = select.select([connection.fileno(), terminal, self._stop_read], [], [])[0]
            if self._stop_read in ready:
                os.write(self._stop_write, b"x")  # for the outer loop
                return
            if terminal in ready:
                connection.sendall(HEADER.sub(rb"\1", os.read(terminal, 4096)))
            if connection.fileno() in ready:
                data = connection.recv(4096)
                if not data:
                    return
                rest = self._ask(rest + data, connection, terminal)

    def _ask(self, data: bytes, connection: socket.socket, terminal: int) -> bytes:
        """Answer or hand on each whole command, return what is not whole yet. A PDU ends with Ctrl-Z."""
        while (end := min((at for at in (data.find(b"\r"), data.find(b"\x1a")) if at >= 0), default=-1)) >= 0:
            command, data = data[: end + 1], data[end + 1 :].lstrip(b"\n")
            asked = command.decode("latin-1").strip()
            self.asked.append(asked)
            answer = ANSWERS.get(asked)
            if answer is None:
                os.write(terminal, command)
            else:
                connection.sendall((f"\r\n{answer}\r\n" if answer else "").encode() + b"\r\nOK\r\n")
        return data


@contextmanager
def _daemon(address: str, log: Path) -> Iterator[None]:
    environment = os.environ | {"DBUS_SESSION_BUS_ADDRESS": address, "DBUS_SYSTEM_BUS_ADDRESS": address}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [MANAGER, *OPTIONS, "--debug"], env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        yield
    finally:
        process.kill()  # it would wait for a modem that does not answer
        process.wait(20)


@asynccontextmanager
async def modem_manager(address: str, modem: VirtualModem, log: Path) -> AsyncIterator[Line]:
    """Run ModemManager on a bus until the block ends, with `modem` behind it."""
    install("ModemManager", "modemmanager")
    bus = Bus(address, lambda: None)
    await bus.connect()
    try:
        with Line(modem) as line, _daemon(address, log):
            await _profile(bus, line.name)
            yield line
    finally:
        bus.close()


async def _profile(bus: Bus, port: str) -> None:
    """Have ModemManager take the socket for a modem, as soon as it is there."""
    async with asyncio.timeout(SOON):
        while not await _is_there(bus):  # noqa: ASYNC110  # it is asked
            await asyncio.sleep(0.05)
    interface = "org.freedesktop.ModemManager1.Test"
    await bus.call("SetProfile", "ssas", ["virtual", "generic", [port]], path=ROOT, interface=interface)


async def _is_there(bus: Bus) -> bool:
    try:
        return bool(await bus.owner())
    except CallFailed:
        return False
