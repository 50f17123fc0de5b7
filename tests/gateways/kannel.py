"""A real Kannel for the tests: bearerbox, smsbox and fakesmsc, its own simulated network, in a folder of their own.

As root it is installed from Debian when it is missing. Where that cannot be, the tests are skipped with the reason; with CI=true that
is a failure, never a skip.
"""

import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import unquote_to_bytes

import aiohttp
import pytest
from aiohttp import web

from tests.gateways.waiting import until
from textbackd.gateways.base import Hook, HookRefused
from textbackd.gateways.web.gateway import WebGateway

FAKESMSC: Final = "/usr/lib/kannel/test/fakesmsc"
PROGRAMS: Final = ("/usr/sbin/bearerbox", "/usr/sbin/smsbox", FAKESMSC)
INSTALL: Final = ["apt-get", "install", "-y", "-q", "--no-install-recommends", "kannel", "kannel-extras"]
INSTALL_SECONDS: Final = 600
START_SECONDS: Final = 30
OURS: Final = "13125550142"
PASSWORD: Final = "kannel-5Xw"
BLACKLISTED: Final = "+13035550199"
UNROUTABLE: Final = "+13035550177"
MARK: Final = "+13035550155"  # a text to it says that all before it have gone out
CONFIG: Final = """
group = core
admin-port = {admin}
admin-password = {password}
admin-allow-ip = 127.0.0.1
smsbox-port = {boxes}
box-allow-ip = 127.0.0.1
dlr-storage = internal
sms-outgoing-queue-limit = {limit}

group = smsc
smsc = fake
smsc-id = air
port = {air}
connect-allow-ip = 127.0.0.1
denied-prefix = "+13035550177"

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
http-request-retry = 20
http-queue-delay = 1

group = sendsms-user
username = textbackd
password = {password}
max-messages = 10
concatenation = true
black-list-regex = "^[+]13035550199"

group = sms-service
keyword = default
catch-all = true
max-messages = 0
get-url = "{hook}?id=%I&from=%p&to=%P&text=%b&charset=%C&at=%T"
"""
# What fakesmsc prints of a text that went out, up to the end of the line or of several.
GOT: Final = re.compile(
    rb"Got message \d+: <(\S+) (\S+) (?:udh (\S+) )?(text|data|ucs-2) (.*?)>\n(?=\d{4}-\d\d-\d\d |\Z)", re.DOTALL
)
# The header of a part of a long text: a reference, how many parts, which one (3GPP TS 23.040 §9.2.3.24.1).
PART: Final = re.compile(rb"\x05\x00\x03(.)(.)(.)", re.DOTALL)


def require_kannel() -> None:
    """Install Kannel, or skip."""
    if all(Path(program).exists() for program in PROGRAMS):
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        _cannot("it is not installed, and only root can install it")
    # In run level 1 Debian's packages do not start their services (invoke-rc.d(8)).
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    done = subprocess.run(
        INSTALL, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=INSTALL_SECONDS, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        _cannot(f"apt-get could not install it: {done.stderr.strip()[-300:]}")


def _cannot(why: str) -> None:
    reason = f"NO KANNEL: {why}. The tests on a real Kannel did not run."
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


class Kannel:
    """A running Kannel. Its network is fakesmsc, which also writes the texts that come in."""

    def __init__(self, folder: Path, hook: str, *, limit: int = 1_000_000) -> None:
        self.folder = folder
        names = ("admin", "boxes", "air", "sendsms")
        self.ports: Mapping[str, int] = MappingProxyType(dict(zip(names, _free_ports(len(names)), strict=True)))
        (folder / "kannel.conf").write_text(CONFIG.format(**self.ports, password=PASSWORD, hook=hook, limit=limit))
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._airs = self._marks = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports['sendsms']}/cgi-bin/sendsms"

    async def start(self) -> None:
        """Start all that is not running."""
        for name, port in (("bearerbox", "boxes"), ("smsbox", "sendsms")):
            if name not in self._running or self._running[name].poll() is not None:
                self._running[name] = self._spawn(name, "kannel.conf", log=f"{name}.log")
            await until(partial(_listens, self.ports[port]), self._words_of(f"{name}.log"))
        await self.to_air()

    async def to_air(self, *texts: str) -> None:
        """Connect a network anew, through which `texts` come in once."""
        if (old := self._running.pop("fakesmsc", None)) is not None:
            _end(old)
        self._airs += 1
        log = f"air-{self._airs:04}.log"
        once = ("-m", str(len(texts)), *(texts or ("1 2 text x",)))
        place = ("-H", "127.0.0.1", "-r", str(self.ports["air"]))
        await until(lambda: _listens(self.ports["air"]), self._words_of("bearerbox.log"))
        self._running["fakesmsc"] = self._spawn(FAKESMSC, *place, "-i", "0.01", *once, log=log)
        await until(lambda: b"Connecting" in (self.folder / log).read_bytes(), self._words_of(log))

    def on_air(self) -> list[tuple[str, str]]:
        """Return number and body of every text that went out, long ones whole, in their order."""
        return [(to, body) for to, body in self._heard() if to != MARK]

    def _heard(self, only: str | None = None) -> list[tuple[str, str]]:
        found: dict[tuple[bytes, ...], list[bytes]] = {}
        for number, log in enumerate(sorted(self.folder.glob("air-*.log"))):
            for at, message in enumerate(GOT.finditer(log.read_bytes())):
                _sender, to, header, kind, content = message.groups()
                octets = content if kind == b"text" else unquote_to_bytes(content.replace(b"+", b" "))
                part = PART.match(unquote_to_bytes(header)) if header else None
                key = (to, part[1]) if part else (to, b"%d/%d" % (number, at))
                found.setdefault(key, []).append(octets)
        heard = [(to.decode(), _letters(b"".join(parts))) for (to, *_), parts in found.items()]
        return [text for text in heard if only in (None, text[0])]

    async def everything_is_out(self) -> None:
        """Wait until what Kannel was given until now has gone out; a bearerbox that was stopped goes on."""
        if not self.is_up("smsbox"):
            return
        self.signal("bearerbox", signal.SIGCONT)
        async with aiohttp.ClientSession() as session:
            # Texts overtake each other by a little at most, so after the second of ours all others have gone.
            for number in range(2):
                self._marks += 1
                query = {"username": "textbackd", "password": PASSWORD, "from": OURS, "to": MARK, "text": str(number)}
                async with session.get(self.url, params=query) as answer:
                    assert answer.status == 202
                await until(self._hears_all_marks)

    def _hears_all_marks(self) -> bool:
        return len(self._heard(MARK)) == self._marks

    def is_up(self, name: str) -> bool:
        """Return whether a program runs."""
        return self._running[name].poll() is None

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to one of the programs."""
        self._running[name].send_signal(number)

    async def stop(self) -> None:
        """End all of it."""
        for process in self._running.values():
            _end(process)
        self._running.clear()

    def _spawn(self, *command: str, log: str) -> subprocess.Popen[bytes]:
        environment = os.environ | {"PATH": f"{os.environ['PATH']}:/usr/sbin"}
        with (self.folder / log).open("ab") as output:
            return subprocess.Popen(
                command, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )

    def _words_of(self, log: str) -> Callable[[], str]:
        return lambda: (self.folder / log).read_text(errors="replace")[-2000:]


def _letters(octets: bytes) -> str:
    # fakesmsc does not tell the alphabet of a part; of our texts only those in UCS-2 hold a zero octet.
    return octets.decode("utf-16-be" if b"\0" in octets else "utf-8")


def incoming(sender: str, body: str) -> str:
    """Return a text as fakesmsc takes it on its command line."""
    return f"{sender} {OURS} ucs2 " + "".join(f"%{octet:02x}" for octet in body.encode("utf-16-be"))


def _end(process: subprocess.Popen[bytes]) -> None:
    # What was stopped with SIGSTOP hears nothing else.
    process.kill()
    process.wait(START_SECONDS)


def _listens(port: int) -> bool:
    """Return whether a port is listened on, without connecting: fakesmsc's place takes one connection."""
    tables = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    return re.search(rf":{port:04X} 0+:0000 0A ", tables) is not None  # 0A: listening


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


class Listener:
    """The daemon's webhook listener in small: what comes in goes to the gateway, and is answered when it is stored."""

    def __init__(self) -> None:
        self.gateway: WebGateway | None = None
        self.hooks: list[Hook] = []
        self.statuses: list[int] = []
        self.broken = 0  # so many of the next requests find us out of order
        self.url = ""
        self._repeated: list[asyncio.Task[tuple[int, str]]] = []

    async def take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        hook = Hook(method=request.method, target=request.raw_path, headers=headers, body=await request.read())
        status, body = await self._told(hook)
        self.hooks.append(hook)
        self.statuses.append(status)
        return web.Response(status=status, text=body)

    def repeat(self, number: int) -> None:
        """Let a request come in once more, as it came."""
        self._repeated.append(asyncio.create_task(self._told(self.hooks[number])))

    async def _told(self, hook: Hook) -> tuple[int, str]:
        if self.broken or self.gateway is None:
            self.broken = max(0, self.broken - 1)
            return 500, ""
        try:
            reply = await self.gateway.hook(hook)
        except HookRefused as exc:
            return exc.status, ""
        return reply.status, reply.body


@asynccontextmanager
async def listener() -> AsyncIterator[Listener]:
    """Listen on loopback for webhooks."""
    listening = Listener()
    app = web.Application()
    app.router.add_get("/hook", listening.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        listening.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        yield listening
    finally:
        await runner.cleanup()


@asynccontextmanager
async def running(folder: Path, hook: str, *, limit: int = 1_000_000) -> AsyncIterator[Kannel]:
    """Run Kannel for a test; it tells `hook` what comes in."""
    require_kannel()
    kannel = Kannel(folder, hook, limit=limit)
    try:
        await kannel.start()
        yield kannel
    finally:
        await kannel.stop()
