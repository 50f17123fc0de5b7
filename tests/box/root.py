"""The disk of a box as it is before textbackd: Debian sid with systemd, Asterisk and Python.   scripts/asterisk-lab → here → box.py

Roots and wheels live in ${TEXTBACKD_CACHE:-~/.cache/textbackd}/box, under names that tell from what they were made. Each is made under
another name and renamed when it is whole, so a half-made one is never used.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests import debian
from tests.lab.asterisk import locked, root_folder

REPOSITORY: Final = Path(__file__).parents[2]
LAB: Final = REPOSITORY / "scripts/asterisk-lab"
CANNOT: Final = 3  # what scripts/asterisk-lab exits with where there can be no lab
BUILD_SECONDS: Final = 1800
PACKAGES: Final = ("systemd", "systemd-sysv", "dbus", "udev", "python3", "python3-venv", "procps")
APT: Final = "apt-get -q -y -o Acquire::Check-Valid-Until=false -o APT::Install-Recommends=false -o Dpkg::Use-Pty=0"
EXTRAS: Final = "modemmanager,notify,postgresql,smpp"
UNIT_TESTS: Final = ("pytest", "pytest-asyncio", "pytest-timeout", "hypothesis")  # what the unit suite imports
CERTIFICATES: Final = Path("/etc/ssl/certs/ca-certificates.crt")
PROXIES: Final = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


def root() -> Path:
    """Return the disk, after making it if it is missing."""
    recipe = hashlib.sha256("\n".join((*PACKAGES, APT)).encode()).hexdigest()[:8]
    return _made(f"root-{recipe}", _fill_root)


def wheels() -> Path:
    """Return a folder with textbackd's dependencies for the box's Python, so that no box needs a network."""
    recipe = hashlib.sha256((REPOSITORY / "setup.cfg").read_bytes() + repr(UNIT_TESTS).encode()).hexdigest()[:8]
    disk = root()
    return _made(f"wheels-{recipe}", lambda target: _fill_wheels(disk, target))


def _made(name: str, fill: Callable[[Path], None]) -> Path:
    folder = Path(os.environ.get("TEXTBACKD_CACHE") or "~/.cache/textbackd").expanduser() / "box"
    folder.mkdir(parents=True, exist_ok=True)
    finished, unfinished = folder / name, folder / f"{name}.unfinished"
    with locked(folder / f"{name.partition('-')[0]}.lock"):
        if not finished.is_dir():
            for old in folder.glob(f"{name.partition('-')[0]}-*"):
                shutil.rmtree(old)
            fill(unfinished)
            unfinished.rename(finished)
    return finished


def _fill_root(target: Path) -> None:
    """Copy the lab's Debian and add what makes it a machine of its own."""
    debian.need("unshare", "util-linux")
    built = subprocess.run(
        [sys.executable, str(LAB), "build", "22"], capture_output=True, text=True, timeout=BUILD_SECONDS, check=False
    )
    if built.returncode == CANNOT:
        debian.cannot(built.stderr.strip())
    built.check_returncode()
    target.mkdir()
    lab = root_folder(22)
    copy = f"tar -C {lab} --one-file-system --exclude=./run/lab -cf - . | tar -C {target} -xpf -"
    subprocess.run(["sh", "-c", copy], check=True)
    _in(target, f"{APT} update && {APT} install {' '.join(PACKAGES)} && apt-get clean")
    (target / "usr/sbin/policy-rc.d").unlink()  # which kept the lab's services from starting


def _fill_wheels(disk: Path, target: Path) -> None:
    """Have pip, inside a copy of the disk, fetch or build every wheel that an installation asks for."""
    target.mkdir()
    with _borrowed(disk) as copy:
        for name in ("setup.cfg", "pyproject.toml"):
            shutil.copy(REPOSITORY / name, copy / "root")
        if CERTIFICATES.exists():
            (copy / CERTIFICATES.relative_to("/")).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(CERTIFICATES, copy / CERTIFICATES.relative_to("/"))
        _in(copy, f"python3 -m venv /root/venv && cd /root && {_stub()} && {_index()} /root/venv/bin/pip wheel -q -w /root/wheels"
                  f" './stub[{EXTRAS}]' setuptools wheel pip {' '.join(UNIT_TESTS)} && rm /root/wheels/textbackd-*")  # fmt: skip
        for wheel in (copy / "root/wheels").iterdir():
            shutil.move(wheel, target)


def _stub() -> str:
    """What has textbackd's dependencies and nothing else of it."""
    made = "echo '__version__ = \"0\"' > stub/textbackd/__init__.py && touch stub/README.md"
    return f"mkdir -p stub/textbackd && cp setup.cfg pyproject.toml stub && {made}"


def _index() -> str:
    """Return the variables by which pip in the box finds the index that pip here finds."""
    asked = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", "global.index-url"], capture_output=True, text=True, check=False
    )
    url = os.environ.get("PIP_INDEX_URL") or asked.stdout.strip()
    known = {name: os.environ[name] for name in PROXIES if name in os.environ}
    known |= {"PIP_INDEX_URL": url} if url else {}
    known |= {"PIP_CERT": str(CERTIFICATES)} if CERTIFICATES.exists() else {}
    return " ".join(f"{name}='{value}'" for name, value in known.items())


@contextmanager
def _borrowed(disk: Path) -> Iterator[Path]:
    copy = disk.with_name("wheels.workshop")
    shutil.rmtree(copy, ignore_errors=True)
    subprocess.run(["cp", "-a", "--reflink=auto", str(disk), str(copy)], check=True)
    try:
        yield copy
    finally:
        shutil.rmtree(copy)


def _in(target: Path, script: str) -> None:
    """Run a script in a chroot, in a mount namespace of its own."""
    for name in ("resolv.conf", "hosts"):
        shutil.copy(f"/etc/{name}", target / "etc" / name)
    environment = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "DEBIAN_FRONTEND=noninteractive"]
    command = ["unshare", "--mount", *environment, "chroot", str(target), "sh", "-c", script]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False
    )
    if done.returncode != 0:
        debian.cannot(f"the disk of the box could not be made: {(done.stderr or done.stdout).strip()[-500:]}")
