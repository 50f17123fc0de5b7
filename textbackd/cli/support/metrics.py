"""The running daemon's numbers, without labels that name somebody.   /metrics → words.py → here → bundle.py"""

import re
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from typing import Final

from textbackd.cli.support.words import OTHER, Labels, known
from textbackd.config import Settings
from textbackd.web.metrics import Snapshot, families

SECONDS: Final = 5.0
MOST: Final = 1_000_000  # bytes
_NAMES: Final = frozenset(family.name for family in families(Snapshot()))
_ENDS: Final = ("_bucket", "_sum", "_count")
_SAMPLE: Final = re.compile(r"(?P<name>textbackd_[a-z_]+)(?:\{(?P<labels>.*)\})? (?P<value>[-+.0-9eInfNa]{1,25})")
_LABEL: Final = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')
_VERSION: Final = re.compile(r"[0-9]{1,2}(\.[0-9]{1,3}){1,2}")


def fetch(settings: Settings) -> str | None:
    """Return the page of the daemon that runs here; None if there is none."""
    connection = HTTPConnection("127.0.0.1", settings.web.port, timeout=SECONDS)
    try:
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        return answer.read(MOST).decode(errors="replace") if answer.status == 200 else None
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()


def scrubbed(page: str, labels: Labels) -> Iterator[str]:
    """Yield the samples that are ours."""
    for line in page.splitlines():
        found = _SAMPLE.fullmatch(line)
        if found is not None and _is_ours(found["name"]):
            kept = ", ".join(f'{key}="{_value(value, labels)}"' for key, value in _LABEL.findall(found["labels"] or ""))
            yield f"{found['name']}{{{kept}}} {found['value']}" if kept else f"{found['name']} {found['value']}"


def _is_ours(name: str) -> bool:
    return name in _NAMES or any(name.removesuffix(end) in _NAMES for end in _ENDS)


def _value(value: str, labels: Labels) -> str:
    said = value if _VERSION.fullmatch(value) else known(value)
    return labels.of(value) if said == OTHER else said
