"""A real MariaDB server in a folder of its own, for as long as a block lasts.

As root it is installed from Debian when it is missing. Where that cannot be, the tests are skipped with the reason; with CI=true that
is a failure, never a skip.
"""

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pymysql
import pytest

INSTALL: Final = ["apt-get", "install", "-y", "-q", "--no-install-recommends", "mariadb-server"]
INSTALL_SECONDS: Final = 600
START_SECONDS: Final = 60
SMALL: Final = ["--innodb-buffer-pool-size=8M", "--innodb-log-file-size=4M", "--performance-schema=off"]


@dataclass(frozen=True, slots=True)
class MariaDb:
    """A running server."""

    socket: Path
    port: int

    def run(self, *statements: str) -> None:
        """Run statements as its administrator."""
        connection = pymysql.connect(user="root", unix_socket=str(self.socket), autocommit=True)
        with closing(connection), closing(connection.cursor()) as cursor:
            for statement in statements:
                cursor.execute(statement)


@contextmanager
def mariadb() -> Iterator[MariaDb]:
    """Start a server, or skip."""
    _install()
    # Not below pytest's own folder: the path of a socket may have 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="textbackd-mariadb-"))
    server = None
    try:
        running = MariaDb(folder / "socket", _free_port())
        server = _start(folder, running)
        yield running
    finally:
        if server is not None:
            server.terminate()
            server.wait(START_SECONDS)
        shutil.rmtree(folder, ignore_errors=True)


def _install() -> None:
    if shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin"):
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        _cannot("it is not installed, and only root can install it")
    # In run level 1 Debian's packages do not start their services (invoke-rc.d(8)).
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    done = subprocess.run(
        INSTALL,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        _cannot(f"apt-get could not install it: {done.stderr.strip()[-300:]}")


def _cannot(why: str) -> None:
    reason = f"NO MARIADB: {why}. The tests on a real server did not run."
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def _start(folder: Path, wanted: MariaDb) -> subprocess.Popen[bytes]:
    data, user = f"--datadir={folder / 'data'}", f"--user={getpass.getuser()}"
    environment = os.environ | {"PATH": f"{os.environ['PATH']}:/usr/sbin"}
    subprocess.run(
        [
            "mariadb-install-db",
            "--no-defaults",
            data,
            user,
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        ],
        env=environment,
        capture_output=True,
        check=True,
    )
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [
                *("mariadbd", "--no-defaults", data, user, *SMALL, "--bind-address=127.0.0.1"),
                *(f"--socket={wanted.socket}", f"--port={wanted.port}", f"--pid-file={folder / 'pid'}"),
            ],
            env=environment,
            stdout=log,
            stderr=log,
        )
    _wait(server, wanted, folder / "log")
    return server


def _wait(server: subprocess.Popen[bytes], wanted: MariaDb, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and server.poll() is None:
        if _listens(wanted.socket):
            return
        time.sleep(0.05)
    server.kill()
    server.wait()
    pytest.fail(f"MariaDB did not start:\n{log.read_text(errors='replace')[-2000:]}", pytrace=False)


def _listens(path: Path) -> bool:
    with closing(socket.socket(socket.AF_UNIX)) as probe:
        return probe.connect_ex(str(path)) == 0


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
