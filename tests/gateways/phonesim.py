"""ofono-phonesim, a modem emulator that nobody here wrote, from Debian sid, in a root of its own.

The root is built with debootstrap by the first test that needs it, in ${TEXTBACKD_CACHE:-~/.cache/textbackd}/phonesim, under
another name until it is whole. It needs root rights and a Debian mirror. Incoming texts are made by phonesim's own encoder,
which its scripts reach over D-Bus.
"""

import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

SUITE: Final = "sid"
PACKAGES: Final = ("ofono-phonesim", "dbus")
MIRROR_VARIABLE: Final = "TEXTBACKD_DEBIAN_MIRROR"  # where the machine's own sources name none, as on Ubuntu
XML: Final = Path(__file__).with_name("phonesim.xml")
START_SECONDS: Final = 20


class CannotRunError(Exception):
    """This machine cannot run phonesim; the text says why."""


def cache_folder() -> Path:
    return Path(os.environ.get("TEXTBACKD_CACHE") or "~/.cache/textbackd").expanduser() / "phonesim"


# --- building -----------------------------------------------------------------------------------------------------


def build() -> Path:
    """Return the root with phonesim in it, made first if it is missing. Safe to call from several processes."""
    cache = cache_folder()
    root = cache / "root"
    if os.geteuid() != 0:
        raise CannotRunError("phonesim runs in a chroot, which needs root rights")
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "root.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not root.is_dir():
            _fill(root.with_name("root.unfinished"))
            root.with_name("root.unfinished").rename(root)
    return root


def _fill(unfinished: Path) -> None:
    shutil.rmtree(unfinished, ignore_errors=True)
    if shutil.which("debootstrap") is None:
        _run("apt-get", "-q", "-y", "--no-install-recommends", "install", "debootstrap")
    _run("debootstrap", "--variant=minbase", SUITE, str(unfinished), _mirror())
    for command in (("update",), ("install", *PACKAGES), ("clean",)):
        # The Release file of a mirror that stands still ages.
        options = ("-q", "-y", "-o", "Acquire::Check-Valid-Until=false", "-o", "APT::Install-Recommends=false")
        _run("chroot", str(unfinished), "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", *options, *command)


def _run(*command: str) -> None:
    """Run in a mount namespace of its own, so that whatever is mounted in the root goes away with the command."""
    log = cache_folder() / "build.log"
    with log.open("ab") as output:
        # The group is ended with a time limit: a mirror that hangs must not hang the tests.
        result = subprocess.run(
            ["timeout", "900", "unshare", "--mount", *command],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False,
        )  # fmt: skip
    if result.returncode != 0:
        raise CannotRunError(f"`{' '.join(command[:3])} …` failed with {result.returncode}; the end of {log} says why")


def _mirror() -> str:
    """Return the mirror that was set or the machine's own, if it has the suite."""
    for mirror in _mirrors():
        request = urllib.request.Request(f"{mirror}/dists/{SUITE}/Release", method="HEAD")  # noqa: S310
        with suppress(OSError), urllib.request.urlopen(request, timeout=20) as reply:  # noqa: S310
            if reply.status == 200:
                return mirror
    raise CannotRunError(f"no Debian mirror has {SUITE}")


def _mirrors() -> Iterator[str]:
    if mirror := os.environ.get(MIRROR_VARIABLE):
        yield mirror.rstrip("/")
    for path in (Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))):
        if path.is_file() and path.suffix in (".list", ".sources"):
            found = re.findall(r"^(?:deb |URIs:).*?(https?://\S+)", path.read_text(), re.MULTILINE)
            yield from (uri.rstrip("/") for uri in found if uri.rstrip("/").endswith("/debian"))


# --- running ------------------------------------------------------------------------------------------------------


class Phonesim:
    """One running phonesim, for one connection; `port` is a pyserial URL."""

    def __init__(self, root: Path, tcp_port: int, folder: Path) -> None:
        self.port = f"socket://127.0.0.1:{tcp_port}"
        self._root, self._folder = root, folder

    def deliver(self, sender: str, body: str) -> None:
        """Let phonesim make a text and bring it in."""
        script = self._folder / "text.js"
        script.write_text(
            f'tabSMS.gbMessage1.leMessageSender.text = "{sender}";\n'
            f'tabSMS.gbMessage1.teSMSText.setPlainText("{body}");\n'
            "tabSMS.gbMessage1.pbSendSMSMessage.click();\n"
        )
        self._call("SetPath", f"/{self._folder.relative_to(self._root)}")
        self._call("Run", script.name)

    def _call(self, method: str, argument: str) -> None:
        bus = (self._folder / "bus").read_text().strip()
        call = ("dbus-send", "--session", "--print-reply", "--dest=org.ofono.phonesim", "/")
        command = ("chroot", str(self._root), "env", f"DBUS_SESSION_BUS_ADDRESS={bus}", *call)
        subprocess.run(
            [*command, f"org.ofono.phonesim.Script.{method}", f"string:{argument}"], check=True, capture_output=True
        )


@contextmanager
def running() -> Iterator[Phonesim]:
    """Run phonesim for a test; raises CannotRunError where that is not possible."""
    root = build()
    tcp_port = _free_port()
    folder = root / "tmp" / f"phonesim-{tcp_port}"
    folder.mkdir(mode=0o700)
    inside = f"/tmp/{folder.name}"
    shutil.copy(XML, folder / "modem.xml")
    start = f"echo $DBUS_SESSION_BUS_ADDRESS > {inside}/bus; exec ofono-phonesim -p {tcp_port} -gui {inside}/modem.xml"
    environment = ("env", "QT_QPA_PLATFORM=offscreen", f"HOME={inside}", f"XDG_RUNTIME_DIR={inside}")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["chroot", str(root), *environment, "dbus-run-session", "--", "sh", "-c", start],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        _wait_for(tcp_port, process, folder / "log")
        yield Phonesim(root, tcp_port, folder)
    finally:
        _end(process)
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(tcp_port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until it listens, without connecting: phonesim ends when its second connection does."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        tables = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
        if re.search(rf":{tcp_port:04X} 0+:0000 0A ", tables):  # 0A: listening
            return
        time.sleep(0.05)
    raise RuntimeError(f"phonesim did not start: {log.read_text(errors='replace')}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the whole session that was started here: the bus, the shell, phonesim."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)
            return
