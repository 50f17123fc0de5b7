"""A real smsd of SMS Server Tools 3, with the virtual modem as its modem, for as long as a block lasts."""

import asyncio
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.debian import PATH, need
from tests.gateways.contract import SOON, Peer
from textbackd.demo.modem import Quirks, VirtualModem
from textbackd.demo.modem_air import OnAir, read_air, report_pdu
from textbackd.gateways.base import Accepted
from textbackd.gateways.long_texts import mended

START_SECONDS: Final = 30
FOLDERS: Final = ("outgoing", "checked", "sent", "failed", "incoming")
CONFIGURATION: Final = """devices = GSM1
outgoing = {folder}/spool/outgoing
checked = {folder}/spool/checked
incoming = {folder}/spool/incoming
sent = {folder}/spool/sent
failed = {folder}/spool/failed
logfile = {folder}/log
infofile = {folder}/info
pidfile = {folder}/pid
loglevel = 7
delaytime = 1
errorsleeptime = 1
autosplit = 3
[GSM1]
send_retries = 0
device = {folder}/port
incoming = yes
report = yes
check_network = no
"""


class Smsd(Peer):
    """smsd, its folders, its modem and the air around that."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.spool, self.air = folder, folder / "spool", folder / "air.jsonl"
        for name in FOLDERS:
            (self.spool / name).mkdir(parents=True)
        self.modem = VirtualModem(air=self.air, link=folder / "port", quirks=Quirks(report_status=None))
        self._daemon: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        configuration = self.folder / "smsd.conf"
        configuration.write_text(CONFIGURATION.format(folder=self.folder))
        # -t: in the foreground.
        self._daemon = subprocess.Popen(
            ["smsd", "-t", "-c", str(configuration)], env={"PATH": PATH},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        until, log = time.monotonic() + START_SECONDS, self.folder / "log"
        while time.monotonic() < until and self._daemon.poll() is None:
            if log.is_file() and "Modem handler 0 has started" in log.read_text(errors="replace"):
                return
            time.sleep(0.05)
        pytest.fail(f"smsd did not start:\n{log.read_text(errors='replace')[-2000:]}", pytrace=False)

    def stop(self) -> None:
        if self._daemon is not None:
            self._daemon.terminate()
            try:
                self._daemon.wait(SOON)
            except subprocess.TimeoutExpired:
                self._daemon.kill()
                self._daemon.wait()
            self._daemon = None

    def files(self, folder: str) -> list[Path]:
        return sorted((self.spool / folder).iterdir())

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(SOON * 2):
            while not true():  # noqa: ASYNC110 (a folder tells nobody)
                await asyncio.sleep(0.05)

    async def on_air(self, count: int = 1) -> list[OnAir]:
        """Return what the modem sent, once it is so much."""
        await self.until(lambda: len(read_air(self.air)) >= count)
        return read_air(self.air)

    # --- the contract's peer

    async def texts(self) -> list[tuple[str, str]]:
        """Return what lies in the folders that smsd sends from, and what it sent."""
        found = []
        for folder in ("outgoing", "checked", "sent"):
            for path in self.files(folder) if (self.spool / folder).is_dir() else []:
                if path.suffix != ".LOCK":
                    found.append(_text(path.read_bytes()))
        return found

    async def be_unfit(self) -> None:
        (self.spool / "outgoing").rmdir()
        (self.spool / "outgoing").touch()

    async def vanish(self) -> None:
        self.spool.rename(self.folder / "away")

    async def deliver(self, sender: str, body: str, *, again: bool = False) -> None:
        await asyncio.to_thread(self.modem.deliver, sender, body)

    async def report(self, accepted: Accepted, *, delivered: bool) -> None:
        await self.until(lambda: bool(self.files("sent")))
        sent = read_air(self.air)[-1]
        self.modem.deliver_pdu(report_pdu(sent.message_reference, sent.to, 0x00 if delivered else 0x46))

    def next_texts(self, *words: str) -> None:
        self.modem.quirks.submits = deque(words)


def _text(raw: bytes) -> tuple[str, str]:
    head, _, body = raw.partition(b"\n\n")
    headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
    return f"+{headers['To']}", body.decode("utf-16-be" if headers["Alphabet"] == "UCS2" else "utf-8")


def whole(parts: list[OnAir]) -> str:
    """Return what a phone shows: parts joined, the halves of an emoji that smsd has cut among them."""
    return mended("".join(part.body for part in sorted(parts, key=lambda part: part.number)))


@contextmanager
def smsd(folder: Path, *, running: bool = True) -> Iterator[Smsd]:
    """Run smsd and its modem in `folder`, or skip."""
    need("smsd", "smstools")
    peer = Smsd(folder)
    with peer.modem:
        if running:
            peer.start()
        try:
            yield peer
        finally:
            peer.stop()
