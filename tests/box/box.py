"""One box: Debian with systemd as PID 1 under systemd-nspawn, Asterisk as a service, no network but its own.   root.py → here → tests

A box is a copy of the disk and lives in a network namespace of its own, so that several run beside each other and beside whatever else
listens on this machine. `run` does things in it as root would at its terminal.
"""

import json
import os
import secrets
import shutil
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from tests import debian
from tests.box import root
from tests.lab.sipp import Step, gives_up, joined, rings

ETC: Final = Path(__file__).parent / "etc"
BOOT_SECONDS: Final = 60
COMMAND_SECONDS: Final = 300
PATIENCE: Final = 30
POLL_SECONDS: Final = 0.1
SOURCES: Final = (
    "textbackd",
    "setup.cfg",
    "pyproject.toml",
    "README.md",
    "systemd",
    "config",
    "scripts",
    "docs/textbackd.1",
)
CARRIER, PHONE = "127.0.0.99", "127.0.0.101"
PHONE_SOCKET: Final = f"{struct.unpack('=I', socket.inet_aton(PHONE))[0]:08X}:{5060:04X}"  # as /proc/net/udp writes it
DID: Final = "+13035550101"
AIR: Final = Path("/srv/modem/air")
WAY: Final = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CONTROL_GROUPS: Final = Path("/sys/fs/cgroup")
# Where the second version of control groups is: beside the first, or alone.
UNIFIED: Final = CONTROL_GROUPS / "unified" if (CONTROL_GROUPS / "unified").is_dir() else CONTROL_GROUPS
PIP: Final = ("PIP_NO_INDEX=1", "PIP_FIND_LINKS=/srv/wheels")


class Box:
    """A box with its disk in `folder`."""

    def __init__(self, folder: Path) -> None:
        debian.need("systemd-nspawn", "systemd-container")
        debian.need("sipp", "sip-tester")
        self._folder, self._name = folder, f"box-{secrets.token_hex(4)}"
        self._group = UNIFIED / f"textbackd-{self._name}"
        self.disk = folder / "disk"
        subprocess.run(["cp", "-a", "--reflink=auto", str(root.root()), str(self.disk)], check=True)
        shutil.copytree(root.wheels(), self.disk / "srv/wheels")
        for name in ("pjsip.conf", "extensions.conf"):
            (self.disk / "etc/asterisk" / name).write_text((ETC / name).read_text())
        (self.disk / "etc/hostname").write_text("box\n")
        self._machine: subprocess.Popen[bytes] | None = None
        self._leader = 0
        self._callers: list[subprocess.Popen[bytes]] = []

    # --- power ------------------------------------------------------------------------------------------------------

    def boot(self) -> None:
        """Switch it on and wait until all services are up."""
        options = [
            "--boot",
            f"--machine={self._name}",
            "--private-network",
            "--register=no",
            "--keep-unit",
            "--console=pipe",
        ]
        # With --keep-unit it stays in the control group that it was started in; two boxes in one would stop each other's services.
        self._group.mkdir(exist_ok=True)
        enter = ["sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', str(self._group)]
        tied = ["setpriv", "--pdeathsig", "KILL"]
        command = [*enter, *tied, "systemd-nspawn", "--quiet", f"--directory={self.disk}", *options]
        environment = os.environ | {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
        with (self._folder / "console").open("ab") as console:
            self._machine = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                env=environment,
                start_new_session=True,
            )
        wait_until(self._is_up, BOOT_SECONDS, f"the box did not boot: {self._folder / 'console'}")
        self.wait_for(lambda: "fully booted" in self.asterisk("core waitfullybooted").lower(), "Asterisk did not boot")

    def _is_up(self) -> bool:
        assert self._machine is not None
        if self._machine.poll() is not None:
            debian.cannot(
                f"a box cannot be booted here: {(self._folder / 'console').read_text(errors='replace')[-500:]}"
            )
        found = Path(f"/proc/{self._machine.pid}/task/{self._machine.pid}/children").read_text().split()
        leaders = [int(pid) for pid in found if Path(f"/proc/{pid}/comm").read_text().strip() in {"systemd", "init"}]
        if not leaders:
            return False
        self._leader = leaders[0]
        return self.run("systemctl", "is-system-running", check=False).strip() in {"running", "degraded"}

    def power_cut(self) -> None:
        """Pull the plug: nothing in it ends in order. What the disk was told stays."""
        if self._machine is not None and self._machine.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self._leader, signal.SIGKILL)
            self._machine.wait(PATIENCE)
        self._machine = None
        self._end_callers()

    def power_off(self) -> None:
        """Shut it down in order."""
        assert self._machine is not None
        self.run("systemctl", "poweroff", check=False)
        self._machine.wait(BOOT_SECONDS)
        self._machine = None
        self._end_callers()

    def scrap(self) -> None:
        """Switch it off and throw it away."""
        self.power_cut()
        shutil.rmtree(self._folder, ignore_errors=True)
        for group in sorted(self._group.rglob("*/"), reverse=True):
            group.rmdir()
        self._group.rmdir()

    def _end_callers(self) -> None:
        for caller in self._callers:
            caller.kill()
            caller.wait()
        self._callers = []

    # --- at its terminal --------------------------------------------------------------------------------------------

    def run(self, *command: str, check: bool = True, seconds: float = COMMAND_SECONDS) -> str:
        """Run a command and return what it printed. Fails with its words if it fails, unless `check` is False."""
        done = self.tried(*command, seconds=seconds)
        assert not check or done.returncode == 0, f"{' '.join(command)} → {done.returncode}\n{done.stdout}"
        return done.stdout

    def tried(self, *command: str, seconds: float = COMMAND_SECONDS) -> "subprocess.CompletedProcess[str]":
        """Run a command; what it printed stands in `stdout`, errors as well."""
        inside = ["nsenter", "-t", str(self._leader), "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w", "--"]
        environment = ["env", "-i", WAY, "HOME=/root", "LANG=C.UTF-8", *PIP]
        return subprocess.run(
            [*inside, *environment, *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=seconds, check=False,
        )  # fmt: skip

    def asterisk(self, command: str) -> str:
        return self.run("asterisk", "-rx", command, check=False)

    def wait_for(self, condition: Callable[[], bool], complaint: str, seconds: float = PATIENCE) -> None:
        """Wait for something; where it does not come, tell with it what textbackd's log says."""
        try:
            wait_until(condition, seconds, complaint)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log()}") from None

    def log(self) -> str:
        return self.run("journalctl", "-u", "textbackd", "-n", "40", "--no-pager", "-o", "cat", check=False)

    def files(self, *below: str) -> dict[str, tuple[int, int, int, float]]:
        """Return owner, group, mode and time of every file of the disk, or of these folders."""
        found = {}
        for top in below or ("etc", "opt", "usr", "var/lib/textbackd", "var/spool"):
            for path in [self.disk / top, *(self.disk / top).rglob("*")]:
                if path.is_symlink() or path.exists():
                    told = path.lstat()
                    found[str(path.relative_to(self.disk))] = (told.st_uid, told.st_gid, told.st_mode, told.st_mtime)
        return found

    # --- textbackd --------------------------------------------------------------------------------------------------

    def lay(self, folder: str = "/root/textbackd") -> Path:
        """Lay our sources in it, as a clone would be, and return where they are on this side."""
        target = self.disk / folder.lstrip("/")
        for name in SOURCES:
            source = root.REPOSITORY / name
            if source.is_dir():
                shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
            else:
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target / name)
        return target

    def configure(self) -> None:
        """Have it text, through a modem at /run/modem/stick."""
        self.run("sh", "-c", f"cat > /etc/textbackd/textbackd.yaml <<'END'\n{(ETC / 'textbackd.yaml').read_text()}END")

    def plug_in_modem(self) -> None:
        """Start a virtual modem, which writes down what is on air; as textbackd's own user, whose rights the port needs."""
        self.run("install", "-d", "-o", "textbackd", str(AIR.parent), "/run/modem")
        python = [
            "/opt/textbackd/bin/python",
            "-m",
            "textbackd.demo.modem",
            "--link",
            "/run/modem/stick",
            "--air",
            str(AIR),
        ]
        self.run("systemd-run", "--quiet", "--unit=modem", "--collect", "--uid=textbackd", *python)
        self.wait_for(lambda: self.tried("test", "-e", "/run/modem/stick").returncode == 0, "no modem")

    def unplug_modem(self) -> None:
        self.run("systemctl", "stop", "modem")

    def on_air(self) -> list[str]:
        """Return the numbers that were texted, in order, each as often as it was."""
        path = self.disk / str(AIR)[1:]
        return [json.loads(line)["to"] for line in path.read_text().splitlines()] if path.exists() else []

    def health(self) -> dict[str, Any]:
        """Return what /healthz says, {} if nobody answers."""
        asking = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8470/healthz').read().decode())"
        done = self.tried("python3", "-c", asking)
        return dict(json.loads(done.stdout)) if done.returncode == 0 else {}

    def wait_connected(self) -> None:
        self.wait_for(lambda: self.health().get("pbx") == {"office": "connected"}, "textbackd does not hear Asterisk")

    # --- calls ------------------------------------------------------------------------------------------------------

    def ring_out(self, caller: str, seconds: float = 2) -> None:
        """Have somebody call, hear it ring for so long and give up."""
        self.call(caller, gives_up(after=seconds))
        for actor in self._callers:
            actor.wait(PATIENCE)
        self._callers = []

    def call(self, caller: str, steps: Sequence[Step]) -> None:
        """Have somebody call while the shop's phone rings; the caller does these steps."""
        self._play("phone", rings(), ["-i", PHONE])
        self.wait_for(self._phone_listens, "the phone is not there")
        self._play(caller, [Step("invite"), *steps], ["-i", CARRIER], sender=f"<sip:{caller}@carrier.invalid>")

    def _phone_listens(self) -> bool:
        return f" {PHONE_SOCKET} " in Path(f"/proc/{self._leader}/net/udp").read_text()

    def wait_ringing(self) -> None:
        self.wait_for(lambda: "!Ringing!" in self.asterisk("core show channels concise"), "it does not ring")

    def _play(self, name: str, steps: Sequence[Step], place: list[str], sender: str = "") -> None:
        unique = secrets.token_hex(6)
        values = {"unique": unique, "from": sender, "target": DID, "headers": "", "file": "", "invite_cseq": "1"}
        scenario = self._folder / f"{name}-{unique}.xml"
        scenario.write_text(joined(steps, values), newline="")
        network = ["setpriv", "--pdeathsig", "KILL", "nsenter", "-t", str(self._leader), "-n"]
        once = [
            "-sf",
            str(scenario),
            "-p",
            "5060",
            "-m",
            "1",
            "-nostdin",
            "-aa",
            "-timeout",
            "90s",
            "-cid_str",
            f"{unique}-%u",
        ]
        null, environment = subprocess.DEVNULL, os.environ | {"TERM": "dumb"}
        command = [*network, "sipp", "127.0.0.1:5060", *once, *place]
        self._callers.append(subprocess.Popen(command, stdin=null, stdout=null, stderr=null, env=environment))


def wait_until(condition: Callable[[], bool], seconds: float, complaint: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, complaint
        time.sleep(POLL_SECONDS)
