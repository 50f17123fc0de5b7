"""What is in a bundle, file by file.   settings.py, store/outline.py, log.py, metrics.py → here → command.py"""

import json
import platform
import re
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from textbackd import __version__
from textbackd.cli.support import log, metrics, settings
from textbackd.cli.support.words import Labels, known
from textbackd.config import Settings, lint, load
from textbackd.errors import ConfigError
from textbackd.store import outline

CALLS: Final = 200
README: Final = """\
What this is: the outline of a textbackd that something is wrong with, for whoever is asked to help.

Made by an allow-list. Names, numbers, texts, addresses and secrets are not in it: of the configuration the keys that are
written and the values that are nobody's, of the database counts, of the last {calls} calls what became of them, of the log
our own sentences. Lines, gateways and people are line1, gateway1, staff1; callers are 1, 2, 3. The country and the time
zone are told, and the size of things. Look for yourself before you hand it on: all of it is text.
"""
_LIBRARIES: Final = (
    "aiohttp", "cryptography", "panoramisk", "phonenumbers", "pydantic", "pyserial", "python-gsmmodem-new", "PyYAML",
    "sqlite-utils",
)  # fmt: skip
_VERSION: Final = re.compile(r"[0-9][0-9.]{0,20}")


@dataclass(frozen=True, slots=True)
class Part:
    """One file of the bundle."""

    name: str
    holds: str  # for the person who makes it
    text: str


def parts(config: Path, now: datetime) -> Iterator[Part]:
    """Yield the files. What cannot be had is said in its place."""
    read, findings = _configuration(config)
    labels = Labels(read)
    yield Part("README.txt", "what this is", README.format(calls=CALLS))
    yield Part("versions.json", "versions, and the size of the machine", _json(_versions(read)))
    yield Part("configuration.txt", "which keys are written, without what is yours", _lines(_outline(read, labels)))
    yield Part("findings.txt", "where `check` finds something", _lines(findings))
    yield from _database(read, now)
    yield Part("metrics.txt", "the running daemon's numbers", _lines(_metrics(read, labels)))
    yield Part("log.txt", "its last log lines, without their fields", _lines(_log()))


def _configuration(config: Path) -> tuple[Settings | None, list[str]]:
    try:
        read = load(config)
    except ConfigError as error:
        return None, ["faults:", *settings.places(error.faults)]
    return read, ["warnings:", *settings.places(lint(read))]


def _outline(read: Settings | None, labels: Labels) -> list[str]:
    return settings.outline(read, labels) if read is not None else ["It has faults, so it could not be read."]


def _versions(read: Settings | None) -> dict[str, Any]:
    folder = read.storage.parent if read is not None else Path("/")
    usage = shutil.disk_usage(folder if folder.exists() else "/")
    return {
        "textbackd": __version__,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "system": sys.platform,
        "kernel": _version(platform.release()),
        "machine": known(platform.machine()) if platform.machine() not in _MACHINES else platform.machine(),
        "distribution": _distribution(),
        "disk_mb": usage.total // 1_000_000,
        "disk_free_mb": usage.free // 1_000_000,
        "libraries": {name: _version(metadata.version(name)) for name in _LIBRARIES},
    }


_MACHINES: Final = ("x86_64", "aarch64", "armv7l", "armv6l", "i686", "riscv64", "ppc64le", "s390x")
_DISTRIBUTIONS: Final = (
    "debian",
    "ubuntu",
    "raspbian",
    "fedora",
    "rocky",
    "almalinux",
    "rhel",
    "centos",
    "sangoma",
    "arch",
)


def _version(text: str) -> str:
    # A kernel of somebody's own may be called anything; the number at its start is enough.
    found = _VERSION.match(text)
    return found[0] if found else "?"


def _distribution() -> str:
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return "?"
    name = release.get("ID", "")
    return f"{name if name in _DISTRIBUTIONS else 'other'} {_version(release.get('VERSION_ID', ''))}"


def _database(read: Settings | None, now: datetime) -> Iterator[Part]:
    try:
        if read is None or not read.storage.exists():
            raise FileNotFoundError
        with outline.looking(read.storage) as connection:
            sizes = {end or "db": _size(read.storage, end) for end in ("", "-wal", ".ballast")}
            held = {"bytes": sizes, **outline.outline(connection, known)}
            calls = outline.calls(connection, known, now, CALLS)
    except FileNotFoundError:
        held, calls = {"there": False}, []
    except sqlite3.Error as error:
        held, calls = {"error": error.sqlite_errorname if hasattr(error, "sqlite_errorname") else "?"}, []
    yield Part("database.json", "the database's outline: sizes and counts", _json(held))
    yield Part("calls.json", f"what became of the last {len(calls)} calls", _json(calls))


def _size(database: Path, end: str) -> int:
    path = database.with_name(database.name + end)
    return path.stat().st_size if path.exists() else 0


def _metrics(read: Settings | None, labels: Labels) -> list[str]:
    page = metrics.fetch(read) if read is not None else None
    return list(metrics.scrubbed(page, labels)) if page is not None else ["It does not run, or not here."]


def _log() -> list[str]:
    lines = log.journal()
    return list(log.scrubbed(lines)) if lines is not None else ["The journal cannot be read. Run it as root."]


def _json(value: object) -> str:
    return json.dumps(value, indent=1) + "\n"


def _lines(lines: list[str]) -> str:
    return "\n".join([*lines, ""])
