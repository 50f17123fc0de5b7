"""A log that is read from its end: it may be a gigabyte, and only the last minutes are wanted."""

import gzip
import os
import re
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

from textbackd.errors import TextbackdError

BLOCK: Final = 1 << 16  # bytes; some 250 rows
ROTATED: Final = r"[.-]\d+(\.gz)?"  # logrotate: Master.csv.1, Master.csv.2.gz, and with `dateext` Master.csv-20261123
LONGEST_LINE: Final = 1 << 20  # bytes; Asterisk's rows have at most 1024, so what is longer is damage


def lines_backwards(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a file from the last to the first, without their ends; "" first if the file ends with a line end."""
    place = file.seek(0, os.SEEK_END)
    rest = b""
    while place > 0:
        size = min(BLOCK, place)
        place -= size
        file.seek(place)
        first, *lines = (file.read(size) + rest).split(b"\n")
        yield from (_clean(line) for line in reversed(lines))
        rest = first[-LONGEST_LINE:]
    yield _clean(rest)


def _clean(line: bytes) -> bytes:
    # After a power cut a file may hold a run of NULs.
    return line.replace(b"\0", b"").rstrip(b"\r")


def with_rotated(path: Path, since: datetime) -> list[Path]:
    """Return the file and its rotated elders, newest first; none that was last written before `since`."""
    pattern = re.compile(re.escape(path.name) + ROTATED)
    try:
        elders = [elder for elder in path.parent.iterdir() if pattern.fullmatch(elder.name)]
        dated = sorted(((elder.stat().st_mtime, elder) for elder in elders), reverse=True)
    except OSError:
        dated = []
    return [path, *(elder for written, elder in dated if written >= since.timestamp())]


def read_backwards(path: Path) -> Iterator[bytes]:
    """Yield a file's lines from the last to the first, a packed one's too. Raises TextbackdError if it cannot be read."""
    try:
        if path.suffix == ".gz":
            yield from reversed(_unpacked(path))
            return
        with path.open("rb") as file:
            yield from lines_backwards(file)
    except OSError as error:
        raise TextbackdError(f"{path}: cannot be read ({error.strerror or error}). {advice(error)}") from error


def read_forward(path: Path) -> Iterator[bytes]:
    """Yield a file's lines from the first, a packed one's too; of a damaged one those before the damage. Raises TextbackdError."""
    opening = gzip.open if path.suffix == ".gz" else open
    try:
        with opening(path, "rb") as file:
            while line := file.readline(LONGEST_LINE):
                yield _clean(line.rstrip(b"\n"))
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return
    except OSError as error:
        raise TextbackdError(f"{path}: cannot be read ({error.strerror or error}). {advice(error)}") from error


def _unpacked(path: Path) -> list[bytes]:
    """Return all lines; of a damaged file, those before the damage."""
    lines: list[bytes] = []
    try:
        with gzip.open(path) as file:
            lines.extend(_clean(line.rstrip(b"\n")) for line in file)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        pass
    return [*lines, b""]


def advice(error: OSError) -> str:
    """Return what to do about a file that cannot be read."""
    if isinstance(error, PermissionError):
        return "Let the user that runs textbackd read it: add it to the group `asterisk`."
    if isinstance(error, FileNotFoundError):
        return "Check the path; Asterisk makes the file at the first call."
    return "Give the path of a file."


def as_text(line: bytes) -> str:
    """Return a line as text: UTF-8, or as the carrier's Latin-1 name came."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1")
