"""A real PostgreSQL server in a folder of its own, for as long as a block lasts.

As root it is installed from Debian when it is missing, and runs as the package's user, for it refuses to run as root. Where that cannot
be, the tests are skipped with the reason; with CI=true that is a failure, never a skip.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pg8000.native
import pytest

from tests.debian import cannot, need

PROGRAMS: Final = Path("/usr/lib/postgresql")  # Debian: a folder for each version
START_SECONDS: Final = 60
PASSWORD: Final = "of the administrator"
SMALL: Final = ["-c", "shared_buffers=8MB", "-c", "fsync=off", "-c", "max_connections=10"]


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server."""

    port: int

    def run(self, *statements: str, database: str = "postgres") -> None:
        """Run statements as its administrator."""
        with closing(
            pg8000.native.Connection("postgres", host="127.0.0.1", port=self.port, database=database, password=PASSWORD)
        ) as connection:
            for statement in statements:
                connection.run(statement)


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Start a server, or skip."""
    programs = _programs()
    # Not below pytest's own folder: the path of a socket may have 107 characters, and other users may not enter that one.
    folder = Path(tempfile.mkdtemp(prefix="textbackd-postgres-"))
    server = None
    try:
        running = Postgres(_free_port())
        server = _start(programs, folder, running)
        yield running
    finally:
        if server is not None:
            server.terminate()
            server.wait(START_SECONDS)
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    found = sorted(PROGRAMS.glob("*/bin/initdb"))
    if not found:
        need("pg_ctlcluster", "postgresql")
        found = sorted(PROGRAMS.glob("*/bin/initdb"))
    if not found:
        cannot("PostgreSQL's programs are not where Debian puts them")
    return found[-1].parent


def _start(programs: Path, folder: Path, wanted: Postgres) -> "subprocess.Popen[bytes]":
    (folder / "password").write_text(PASSWORD)
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        for path in (folder, folder / "password"):
            shutil.chown(path, user)
    data = str(folder / "data")
    initdb = [
        str(programs / "initdb"),
        "-D",
        data,
        "-U",
        "postgres",
        "-A",
        "scram-sha-256",
        f"--pwfile={folder / 'password'}",
        "-N",
    ]
    _run([*initdb, "-E", "UTF8", "--locale=C.UTF-8"], user, folder)
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [str(programs / "postgres"), "-D", data, "-p", str(wanted.port), "-h", "127.0.0.1", "-k", str(folder), *SMALL],
            user=user, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    _wait(server, wanted, folder / "log")
    return server


def _run(command: Sequence[str], user: str | None, folder: Path) -> None:
    done = subprocess.run(
        command, user=user, cwd=folder, capture_output=True, text=True, timeout=START_SECONDS, check=False
    )
    if done.returncode != 0:
        pytest.fail(f"PostgreSQL could not make its folder:\n{done.stderr[-2000:]}", pytrace=False)


def _wait(server: "subprocess.Popen[bytes]", wanted: Postgres, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            wanted.run("SELECT 1")
        except (pg8000.native.InterfaceError, pg8000.native.DatabaseError):
            time.sleep(0.1)
        else:
            return
    server.kill()
    server.wait()
    pytest.fail(f"PostgreSQL did not start:\n{log.read_text(errors='replace')[-2000:]}", pytrace=False)


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
