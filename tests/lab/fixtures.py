"""pytest fixtures of the lab: one booted Asterisk per version and test session.

A test module outside this folder gets them by `pytest_plugins = ["tests.lab.fixtures"]` in the topmost conftest.py.
Without root rights or a mirror the tests are skipped with the reason; with CI=true that is a failure, never a skip.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from .asterisk import Asterisk

SCRIPT: Final = Path(__file__).parents[2] / "scripts/asterisk-lab"
BUILD_SECONDS: Final = 1800
CANNOT: Final = 3

_running: dict[int, Asterisk] = {}
_missing: set[str] = set()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly, and once, that the lab's tests did not run."""
    while _missing:
        terminalreporter.write_line(f"{_missing.pop()} The tests on a real Asterisk did not run.", red=True, bold=True)
    for version, texted in sorted(_texted(terminalreporter).items()):
        terminalreporter.write_line(f"{version}: who was texted: {_precision_and_recall(texted)}")
    seconds = sorted(_seconds(terminalreporter))
    if seconds:
        middle, most = seconds[len(seconds) // 2], seconds[-1]
        terminalreporter.write_line(
            f"from hang-up + delay to accepted: median {middle:.2f} s, most {most:.2f} s of {len(seconds)}"
        )


def _seconds(terminalreporter: pytest.TerminalReporter) -> Iterator[float]:
    for report in terminalreporter.getreports("passed"):
        for name, told in report.user_properties if report.when == "call" else ():
            if name == "seconds" and isinstance(told, list):
                yield from told


def _texted(terminalreporter: pytest.TerminalReporter) -> dict[str, Counter[str]]:
    """Return, per version, how many callers were due a text, were texted, and both, in all scenes that ran."""
    found: dict[str, Counter[str]] = {}
    for report in [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]:
        version = next((name for name in ("asterisk16", "asterisk22") if name in report.nodeid), "")
        for name, counted in report.user_properties if report.when == "call" else ():
            if name == "texted" and isinstance(counted, dict):
                found.setdefault(version, Counter()).update(counted)
    return found


def _precision_and_recall(texted: Counter[str]) -> str:
    precision = texted["right"] / texted["texted"] if texted["texted"] else 1.0
    recall = texted["right"] / texted["due"] if texted["due"] else 1.0
    return f"precision {precision:.3f}, recall {recall:.3f} ({texted['due']} due, {texted['texted']} texted)"


def booted(version: int) -> Asterisk:
    """Return this session's instance of that version, after building its root and starting it if need be."""
    if version not in _running:
        build(version)
        instance = Asterisk(version, f"pytest-{os.getpid()}-{secrets.token_hex(3)}")
        instance.start()
        _running[version] = instance
    return _running[version]


def stop(version: int) -> None:
    if version in _running:
        _running.pop(version).stop()


def build(version: int) -> None:
    command = [sys.executable, str(SCRIPT), "build", str(version)]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False
    )
    if done.returncode == 0:
        return
    reason = f"NO LAB: {done.stderr.strip() or done.stdout.strip()}"
    if done.returncode == CANNOT and os.environ.get("CI") != "true":
        _missing.add(reason)
        pytest.skip(reason)
    pytest.fail(reason, pytrace=False)


@pytest.fixture(scope="session")
def asterisk16() -> Iterator[Asterisk]:
    """A booted Asterisk 16."""
    yield booted(16)
    stop(16)


@pytest.fixture(scope="session")
def asterisk22() -> Iterator[Asterisk]:
    """A booted Asterisk 22."""
    yield booted(22)
    stop(22)


@pytest.fixture(scope="session", params=[16, 22], ids=["asterisk16", "asterisk22"])
def asterisk(request: pytest.FixtureRequest) -> Asterisk:
    """Each version in turn."""
    found: Asterisk = request.getfixturevalue(f"asterisk{request.param}")
    return found
