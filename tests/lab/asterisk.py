"""One running Asterisk of the lab: starts it in its chroot, tells where everything is, runs CLI commands, stops it.

Each instance has its own folder, `/run/lab/<name>` inside the root of its version, and its own loopback addresses:
instance n of version v is 127.v.n.1, its carrier .99 and .98, its phones .101 to .106; so several run side by side.
Standard library only, because scripts/asterisk-lab uses it too.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

ETC: Final = Path(__file__).parent / "etc"
SHIPPED: Final = Path(__file__).parents[2] / "config/extensions-textbackd.conf"  # what a shop includes, tried as it is
PHONES: Final = ("101", "102", "103", "104", "105", "106")
UNREGISTERED: Final = "106"
TRUNKS: Final = {"trunk": 99, "trunk2": 98}
BOOT_SECONDS: Final = 60
STOP_SECONDS: Final = 15
POLL_SECONDS: Final = 0.05
MAX_INSTANCES: Final = 250


class LabError(Exception):
    """The lab itself failed; never a verdict about the product."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an instance runs; written to `instance.json` in its folder, so that another process finds it."""

    version: int
    name: str
    number: int  # which loopback network of this version
    ami_port: int
    sip_port: int
    admin_secret: str
    textbackd_secret: str
    timestamps: bool
    pid: int = 0  # 0: not started


class Asterisk:
    """An instance of version 16 or 22. `start` returns when it is fully booted, `stop` when the process is gone."""

    def __init__(
        self, version: int, name: str, *, timestamps: bool = False, ami_port: int = 5038, sip_port: int = 5060
    ) -> None:
        self.version, self.name = version, name
        self.timestamps, self.ami_port, self.sip_port = timestamps, ami_port, sip_port
        self.textbackd_secret, self.admin_secret = secrets.token_hex(12), secrets.token_hex(12)
        self.number, self.pid = 0, 0
        self._process: subprocess.Popen[bytes] | None = None

    # --- where things are -------------------------------------------------------------------------------------

    @property
    def root(self) -> Path:
        return root_folder(self.version)

    @property
    def folder_in_root(self) -> str:
        return f"/run/lab/{self.name}"

    @property
    def folder(self) -> Path:
        return self.root / self.folder_in_root[1:]

    @property
    def network(self) -> str:
        return f"127.{self.version}.{self.number}"

    @property
    def host(self) -> str:
        return f"{self.network}.1"

    @property
    def master_csv(self) -> Path:
        return self.folder / "log/cdr-csv/Master.csv"

    @property
    def cdr_sqlite(self) -> Path:
        """The SQLite file of cdr_sqlite3_custom; its table is `cdr`."""
        return self.folder / "log/master.db"

    @property
    def queue_log(self) -> Path:
        return self.folder / "log/queue_log"

    @property
    def messages(self) -> Path:
        return self.folder / "log/messages"

    def phone_host(self, extension: str) -> str:
        return f"{self.network}.{extension}"

    def trunk_host(self, trunk: str = "trunk") -> str:
        return f"{self.network}.{TRUNKS[trunk]}"

    # --- life -------------------------------------------------------------------------------------------------

    def start(self, *, keep_running: bool = False) -> None:
        """Start it and wait until it is fully booted. Unless `keep_running`, it ends with the calling thread."""
        lab_folder(self.version).mkdir(parents=True, exist_ok=True)
        with locked(lab_folder(self.version) / ".lock"):
            self.number = free_number(self.version, self.name)
            write_folder(self)
            self._launch(keep_running=keep_running)
        self.wait_booted()

    def start_again(self) -> None:
        """Start it after `stop` or `kill`, at the same addresses and with its old folder, as a reboot would."""
        if self.is_running:
            raise LabError(f"{self.name} is still running")
        self._launch(keep_running=False)
        self.wait_booted()

    def _launch(self, *, keep_running: bool) -> None:
        tied = [] if keep_running else ["setpriv", "--pdeathsig", "KILL"]
        command = [*tied, "chroot", str(self.root), "/usr/sbin/asterisk", "-f", "-C", self._conf]
        with (self.folder / "log/console").open("ab") as console:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True
            )
        self.pid = self._process.pid
        write_place(self)

    def wait_booted(self) -> None:
        def booted() -> bool:
            self._complain_if_dead()
            return "fully booted" in self._console("core waitfullybooted").lower()

        wait_until(booted, BOOT_SECONDS, f"Asterisk {self.version} did not boot; see {self.messages}")

    def _complain_if_dead(self) -> None:
        if not self.is_running:
            raise LabError(f"Asterisk {self.version} ended while it booted; see {self.folder / 'log'}")

    def stop(self) -> None:
        """Stop it as `core stop now` does, and by force if it does not end; its folder stays for a look."""
        if not self.is_running:
            return
        self._console("core stop now")
        try:
            self._wait_gone()
        except LabError:
            self.kill()

    def kill(self) -> None:
        """SIGKILL, as a power cut: no Hangup events, no CDR."""
        if self.is_running:
            os.kill(self.pid, signal.SIGKILL)
            self._wait_gone()

    def _wait_gone(self) -> None:
        wait_until(lambda: not self.is_running, STOP_SECONDS, f"Asterisk {self.version} did not stop")

    @property
    def is_running(self) -> bool:
        """True while its process is there; of another process's instance, the command line tells."""
        if self._process is not None:
            return self._process.poll() is None
        return runs_with(self.pid, self._conf)

    def restart_now(self) -> None:
        """`core restart now`: hangs up every call, says Shutdown on AMI, and comes back at the same addresses."""
        socket = self.folder / "asterisk.ctl"
        before = socket.stat().st_mtime_ns
        self._console("core restart now")
        # The old process answers `waitfullybooted` until it is gone; only the new one makes the socket anew.
        wait_until(lambda: socket.exists() and socket.stat().st_mtime_ns != before, STOP_SECONDS, "no restart")
        self.wait_booted()

    # --- talking to it ------------------------------------------------------------------------------------------

    def cli(self, command: str) -> str:
        """Run one command of Asterisk's console and return what it printed."""
        if not self.is_running:
            raise LabError(f"Asterisk {self.version} is not running, so `{command}` has nobody to answer it")
        return self._console(command)

    def _console(self, command: str) -> str:
        done = subprocess.run(
            self.remote_console("-x", command), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        return done.stdout

    def remote_console(self, *options: str) -> list[str]:
        return ["chroot", str(self.root), "/usr/sbin/asterisk", "-r", "-C", self._conf, *options]

    @property
    def _conf(self) -> str:
        return f"{self.folder_in_root}/etc/asterisk.conf"

    def channels(self) -> list[str]:
        """Names of the channels that exist now; the one for texts stays for ever and does not count."""
        lines = self.cli("core show channels concise").splitlines()
        return [line.split("!")[0] for line in lines if "!" in line and not line.startswith("Message/")]

    def wait_for_channels(self, count: int, seconds: float = 10) -> None:
        """Wait until at least `count` channels exist."""
        wait_until(lambda: len(self.channels()) >= count, seconds, f"{count} channels did not come up")

    def wait_for_output(self, command: str, text: str, seconds: float = 10) -> None:
        """Wait until a CLI command prints this text."""
        wait_until(lambda: text in self.cli(command), seconds, f"`{command}` did not show {text!r}")

    def wait_quiet(self, seconds: float = 20) -> None:
        """Wait until no channel is left."""
        wait_until(lambda: not self.channels(), seconds, f"channels are left: {self.channels()}")


# --- folders and addresses ------------------------------------------------------------------------------------------


def cache_folder() -> Path:
    return Path(os.environ.get("TEXTBACKD_CACHE") or "~/.cache/textbackd").expanduser() / "asterisk-lab"


def root_folder(version: int) -> Path:
    return cache_folder() / f"root-{version}"


def lab_folder(version: int) -> Path:
    return root_folder(version) / "run/lab"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file against other processes; the kernel frees it when the process ends, however it ends."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def free_number(version: int, name: str) -> int:
    """Return a network number that no running instance of this version has, and clear away instances that ended."""
    taken = set()
    for instance in known(version):
        if not instance.is_running:
            shutil.rmtree(instance.folder, ignore_errors=True)
        elif instance.name == name:
            raise LabError(f"an instance {name} of Asterisk {version} runs already (pid {instance.pid})")
        else:
            taken.add(instance.number)
    return next(number for number in range(1, MAX_INSTANCES) if number not in taken)


def write_folder(instance: Asterisk) -> None:
    """Write the instance's configuration from the templates in etc/."""
    shutil.rmtree(instance.folder, ignore_errors=True)
    for part in ("etc", "var", "spool/voicemail", "spool/tmp", "log/cdr-csv", "var/keys"):
        (instance.folder / part).mkdir(parents=True)
    values = template_values(instance)
    for template in (*ETC.iterdir(), SHIPPED):
        text = template.read_bytes().decode()
        (instance.folder / "etc" / template.name).write_bytes(filled(text, values).encode())
    phones = "".join(phone_section(instance, extension) for extension in PHONES)
    (instance.folder / "etc/pjsip_phones.conf").write_text(phones)


def modules_folder(root: Path) -> str:
    """Where this Debian keeps Asterisk's modules, as seen from inside the root."""
    for found in root.glob("usr/lib/**/asterisk/modules/app_dial.so"):
        return f"/{found.parent.relative_to(root)}"
    raise LabError(f"{root} has no Asterisk modules; build it anew with `scripts/asterisk-lab build --force`")


def phone_section(instance: Asterisk, extension: str) -> str:
    contact = f"contact = sip:{extension}@{instance.phone_host(extension)}:{instance.sip_port}"
    values = template_values(instance) | {
        "PHONE": extension,
        "CONTACT": "; never registered" if extension == UNREGISTERED else contact,
    }
    return filled((ETC / "phone.conf").read_text(), values)


def template_values(instance: Asterisk) -> dict[str, str]:
    return {
        "FOLDER": instance.folder_in_root,
        "MODULES": modules_folder(instance.root),
        "HOST": instance.host,
        "NET": instance.network,
        "AMI_PORT": str(instance.ami_port),
        "SIP_PORT": str(instance.sip_port),
        "TIMESTAMPS": "yes" if instance.timestamps else "no",
        "TEXTBACKD_SECRET": instance.textbackd_secret,
        "ADMIN_SECRET": instance.admin_secret,
    }


def filled(template: str, values: dict[str, str]) -> str:
    for key, value in values.items():
        template = template.replace(f"@{key}@", value)
    return template


# --- other processes' instances -------------------------------------------------------------------------------------


def write_place(instance: Asterisk) -> None:
    place = Place(
        version=instance.version,
        name=instance.name,
        number=instance.number,
        ami_port=instance.ami_port,
        sip_port=instance.sip_port,
        admin_secret=instance.admin_secret,
        textbackd_secret=instance.textbackd_secret,
        timestamps=instance.timestamps,
        pid=instance.pid,
    )
    unfinished = instance.folder / "instance.json.new"
    unfinished.write_text(json.dumps(asdict(place)))
    unfinished.rename(instance.folder / "instance.json")


def read_place(path: Path) -> Asterisk:
    place = Place(**json.loads(path.read_text()))
    instance = Asterisk(
        place.version, place.name, timestamps=place.timestamps, ami_port=place.ami_port, sip_port=place.sip_port
    )
    instance.textbackd_secret, instance.admin_secret = place.textbackd_secret, place.admin_secret
    instance.number, instance.pid = place.number, place.pid
    return instance


def known(version: int) -> list[Asterisk]:
    return [read_place(path) for path in sorted(lab_folder(version).glob("*/instance.json"))]


def running(version: int) -> list[Asterisk]:
    return [instance for instance in known(version) if instance.is_running]


def attach(version: int, name: str) -> Asterisk | None:
    """Return the running instance of that name, whoever started it."""
    return next((instance for instance in running(version) if instance.name == name), None)


def runs_with(pid: int, argument: str) -> bool:
    """True if this process runs with this argument, because process ids are used again."""
    try:
        return argument.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False


def wait_until(condition: Callable[[], bool], seconds: float, complaint: str) -> None:
    """Poll until the condition holds; LabError with the complaint when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise LabError(complaint)
        time.sleep(POLL_SECONDS)
