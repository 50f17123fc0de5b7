"""Prism, which plays a vendor from the OpenAPI document that the vendor publishes, and refuses what the document does not allow.

The documents are the vendors' and not ours to hand on: they lie in the folder that TEXTBACKD_OPENAPI names. Prism itself comes from
npm into ${TEXTBACKD_CACHE:-~/.cache/textbackd}/prism-VERSION, under another name until it is whole; npm, where it is missing, from
Debian. Where that cannot be, the tests are skipped with the reason; with CI=true that is a failure. Without the documents, which
cannot be installed, they are skipped everywhere, and the summary says so.
"""

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

FOLDER_VARIABLE: Final = "TEXTBACKD_OPENAPI"
VERSION: Final = "5.14.2"  # the last for Node.js 18, which Debian 12 has
INSTALL_SECONDS: Final = 600
START_SECONDS: Final = 120


@contextmanager
def running(documents: Mapping[str, str], folder: Path) -> Iterator[Mapping[str, str]]:
    """Start a Prism for each document, all at once, and yield their addresses; or skip.

    `documents` has, for the name of each, what stands before its paths in the vendor's real addresses: "/v2".
    `folder` takes the logs.
    """
    program, source = _program(), _documents(documents)
    with ExitStack() as stack:
        started = {
            name: stack.enter_context(_started(program, source / name, documents[name], folder)) for name in documents
        }
        yield {name: _listening(*one) for name, one in started.items()}


def _documents(names: Mapping[str, str]) -> Path:
    written = os.environ.get(FOLDER_VARIABLE, "")
    missing = [name for name in names if not Path(written, name).is_file()]
    if not written or missing:
        pytest.skip(_reason(f"{FOLDER_VARIABLE} names no folder with {', '.join(missing or names)}"))
    return Path(written)


def _reason(why: str) -> str:
    return f"NO PRISM: {why}. No request was checked against a vendor's own document."


def _cannot(why: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(_reason(why), pytrace=False)
    pytest.skip(_reason(why))


# ---- installing


def _program() -> Path:
    """Return Prism, installed first if it is missing. Safe to call from several processes."""
    cache = Path(os.environ.get("TEXTBACKD_CACHE") or "~/.cache/textbackd").expanduser()
    home = cache / f"prism-{VERSION}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "prism.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not home.is_dir():
            unfinished = home.with_suffix(".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            _need_npm()
            package = f"@stoplight/prism-cli@{VERSION}"
            _run("npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(unfinished), package)
            unfinished.rename(home)
    return home / "node_modules" / ".bin" / "prism"


def _need_npm() -> None:
    if shutil.which("npm"):
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        _cannot("npm is not installed, and only root can install it")
    _run("apt-get", "install", "-y", "-q", "--no-install-recommends", "nodejs", "npm")


def _run(*command: str) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        _cannot(f"`{command[0]} install` did not end in {INSTALL_SECONDS} s")
        return
    if done.returncode != 0:
        _cannot(f"`{command[0]} install` failed: {done.stderr.strip()[-300:]}")


# ---- running

Started = tuple[subprocess.Popen[bytes], int, Path]


@contextmanager
def _started(program: Path, document: Path, prefix: str, folder: Path) -> Iterator[Started]:
    served, log, port = folder / f"{document.stem}.json", folder / f"{document.stem}.log", _free_port()
    served.write_text(json.dumps(_with_prefix(document, prefix), default=str))
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(program), "mock", "-h", "127.0.0.1", "-p", str(port), str(served)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process, port, log
    finally:
        _end(process)


def _with_prefix(document: Path, prefix: str) -> dict[str, Any]:
    """Return the document with the vendor's real paths: Prism leaves out what `servers` puts before them."""
    # Not all JSON is YAML: half a character written as \ud83d is an error there.
    read = json.loads if document.suffix == ".json" else yaml.safe_load
    content: dict[str, Any] = read(document.read_bytes())
    return content | {"paths": {f"{prefix}{path}": what for path, what in content["paths"].items()}}


def _listening(process: subprocess.Popen[bytes], port: int, log: Path) -> str:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return f"http://127.0.0.1:{port}"
        time.sleep(0.05)
    pytest.fail(f"Prism did not start:\n{log.read_text(errors='replace')[-2000:]}", pytrace=False)


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)
            return
