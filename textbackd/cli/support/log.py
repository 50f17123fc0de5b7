"""The last lines of the log without what is somebody's: our own sentences, and of their fields words of ours.   words.py → here → bundle.py

A line stays if it begins with a sentence that stands in a log call of our sources; of its fields stay those whose value is a word of
ours or a small number. Of a traceback stay places in our sources and the kind of the error.
"""

import ast
import builtins
import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Final

import textbackd
from textbackd.cli.support.words import OTHER, known
from textbackd.doctor import program

LINES: Final = 2000
SECONDS: Final = 20.0  # until the journal has answered
_METHODS: Final = frozenset({"debug", "info", "warning", "error", "critical", "exception"})
_FIELD: Final = re.compile(r" ([a-z_]{2,20})=('[^']*'|\"[^\"]*\"|\S+)")
_FRAME: Final = re.compile(r'.*File ".*?/(textbackd/[\w/]+\.py)", line ([0-9]{1,5}), in .*')
_KEYS: Final = frozenset({
    "verdict", "reason", "decision", "because", "state", "fate", "segments", "texts", "rows", "misses", "trouble", "channel",
    "matter", "step", "turn", "answer", "attempts", "way", "events", "kind",
})  # fmt: skip
_PACKAGE: Final = Path(textbackd.__file__).parent


def journal() -> list[tuple[int, str]] | None:
    """Return (seconds ago, line) of the service's last lines; None if the journal cannot be read here."""
    command = ("journalctl", "--unit", "textbackd", "--lines", str(LINES), "--output", "json", "--no-pager", "--quiet")
    told = program.said(*command, within=SECONDS) or ""
    entries = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    if not entries:
        return None
    last = int(entries[-1]["__REALTIME_TIMESTAMP"])
    return [
        ((last - int(entry["__REALTIME_TIMESTAMP"])) // 1_000_000, str(entry.get("MESSAGE", ""))) for entry in entries
    ]


def scrubbed(lines: Iterable[tuple[int, str]]) -> Iterator[str]:
    """Yield what may be seen of each line."""
    for ago, line in lines:
        yield f"-{ago}s {_line(line)}"


def _line(line: str) -> str:
    frame = _FRAME.fullmatch(line)
    if frame is not None and (_PACKAGE.parent / frame[1]).exists():
        return f"  at {frame[1]}:{frame[2]}"
    # One of ours may be the beginning of another.
    said = max((sentence for sentence in sentences() if line.startswith(sentence)), key=len, default="")
    if not said:
        return f"  {_kind_of_error(line)}"
    return said + "".join(_fields(line[len(said) :]))


def _fields(rest: str) -> Iterator[str]:
    for key, value in _FIELD.findall(rest):
        if key in _KEYS and known(value) != OTHER:
            yield f" {key}={value}"


def _kind_of_error(line: str) -> str:
    name = line.partition(":")[0].rpartition(".")[2]
    kind = getattr(builtins, name, None) if name.isidentifier() else None
    return name if isinstance(kind, type) and issubclass(kind, BaseException) else "…"


@cache
def sentences() -> frozenset[str]:
    """Return every sentence that our sources log."""
    return frozenset(said for path in _PACKAGE.rglob("*.py") for said in _sentences_in(path))


def _sentences_in(path: Path) -> Iterator[str]:
    source = path.read_text("utf-8")
    if "log." not in source:
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS:
            # Of `"one" if … else "other"` both.
            for part in ast.walk(node.args[0]) if node.args else ():
                if isinstance(part, ast.Constant) and isinstance(part.value, str) and " " in part.value:
                    yield part.value
