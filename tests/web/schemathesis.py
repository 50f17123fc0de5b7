"""Schemathesis, which asks an API everything that its OpenAPI document allows, and what it does not, and compares the answers with it.

It comes from PyPI into an environment of its own, ${TEXTBACKD_CACHE:-~/.cache/textbackd}/schemathesis-VERSION, since its libraries are
not ours. Where that cannot be, the test is skipped with the reason; with CI=true that is a failure.
"""

import asyncio
import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

VERSION: Final = "4.32.5"
INSTALL_SECONDS: Final = 600


def program() -> Path:
    """Return Schemathesis, installed first if it is missing. Safe to call from several processes."""
    cache = Path(os.environ.get("TEXTBACKD_CACHE") or "~/.cache/textbackd").expanduser()
    home = cache / f"schemathesis-{VERSION}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "schemathesis.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "whole").is_file():
            # An environment knows its own path, so that it cannot be moved when it is done.
            shutil.rmtree(home, ignore_errors=True)
            _run(sys.executable, "-m", "venv", str(home))
            _run(str(home / "bin" / "pip"), "install", "--quiet", f"schemathesis=={VERSION}")
            (home / "whole").touch()
    return home / "bin" / "schemathesis"


async def run(*arguments: str | Path, folder: Path, seconds: float) -> tuple[int, str]:
    """Return the exit code and what it printed."""
    process = await asyncio.create_subprocess_exec(
        program(), *map(str, arguments), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(seconds):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    return process.returncode or 0, said.decode(errors="replace")


def _run(*command: str) -> None:
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        _cannot(f"`{' '.join(command[:3])}` did not end in {INSTALL_SECONDS} s")
        return
    if done.returncode != 0:
        _cannot(f"`{' '.join(command[:3])}` failed: {done.stderr.strip()[-300:]}")


def _cannot(why: str) -> None:
    reason = f"NO SCHEMATHESIS: {why}. The API was not compared with its document."
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
