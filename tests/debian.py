"""Peers from Debian's packages: installed, as root, by the first test that needs them.

Where that cannot be, the tests are skipped with the reason; with CI=true that is a failure, never a skip.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

import pytest

INSTALL_SECONDS: Final = 600
LOCK: Final = Path(tempfile.gettempdir()) / "textbackd-tests-apt.lock"
PATH: Final = f"{os.environ['PATH']}:/usr/sbin"  # where daemons are, and not every user looks


def need(command: str, *packages: str) -> None:
    """Have a command, from these packages."""
    if shutil.which(command, path=PATH):
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        cannot(f"{command} is not installed, and only root can install it")
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run side by side, and dpkg serves one at a time
        if not shutil.which(command, path=PATH):
            _install(*packages)


def _install(*packages: str) -> None:
    install = ("apt-get", "install", "-y", "-q", "--no-install-recommends", *packages)
    if _done(*install).returncode != 0:
        run("apt-get", "update", "-q")  # a fresh machine has no lists of packages yet
        run(*install)


def document(package: str, path: str, folder: Path) -> str:
    """Return a text from a package's documentation, which small machines leave out when they install it."""
    installed = Path(path)
    if not installed.is_file():
        run("apt-get", "download", "-q", package, folder=folder)
        run("dpkg-deb", "-x", str(next(folder.glob(f"{package}_*.deb"))), str(folder / "unpacked"))
        installed = folder / "unpacked" / path.lstrip("/")
    return installed.read_text("utf-8")


def run(*command: str, folder: Path | None = None) -> None:
    """Run a command of the set-up, or skip."""
    done = _done(*command, folder=folder)
    if done.returncode != 0:
        cannot(f"`{' '.join(command[:2])} …` failed: {done.stderr.strip()[-300:]}")


def _done(*command: str, folder: Path | None = None) -> "subprocess.CompletedProcess[str]":
    # In run level 1 Debian's packages do not start their services (invoke-rc.d(8)).
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    return subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=INSTALL_SECONDS, check=False, cwd=folder,
    )  # fmt: skip


def cannot(why: str) -> None:
    reason = f"NO PEER: {why}. Its tests did not run."
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
