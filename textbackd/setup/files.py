"""Files that are written whole or not at all, and beside what they replace.   cli/setup, account.py → here → the disk

All of them are on the disk under other names before the first takes its place, and nothing interrupts that last moment. What they
replace is kept as NAME.1, or the next number that is free.
"""

import grp
import os
import shutil
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Final

from textbackd.errors import TextbackdError

GROUP: Final = "textbackd"  # under which the daemon runs; the files are root's, and it may read them
FRESH: Final = ".new"


class FilesError(TextbackdError):
    """Something could not be written; nothing was."""


@dataclass(frozen=True, slots=True)
class NewFile:
    """What shall be at a path."""

    path: Path
    text: str
    mode: int = 0o640
    like: Path | None = None  # has the owner and group that it gets; None: ours, and the daemon's group


def may_write(path: Path) -> bool:
    """Return whether a file could be put there, with its folder if need be."""
    folder = next(each for each in path.absolute().parents if each.exists())
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def write(files: Sequence[NewFile], *, keep: bool = True) -> list[Path]:
    """Put the files in their places; return where what was there before is kept. Raises FilesError, and then nothing has changed."""
    changed = [_behind_link(file) for file in files if not _is_there(file)]
    try:
        for file in changed:
            _prepare(file)
        with _undisturbed():
            return [kept for file in changed if (kept := _put(file, keep=keep))]
    except OSError as exc:
        raise FilesError(f"{exc.filename}: cannot be written ({exc.strerror}). Nothing was changed.") from exc
    finally:
        for file in changed:
            with suppress(OSError):
                _fresh(file.path).unlink()


def _is_there(file: NewFile) -> bool:
    """Return whether the file already says that; then it is left alone."""
    try:
        return file.path.read_bytes() == file.text.encode("utf-8", "surrogateescape")
    except OSError:
        return False


def _behind_link(file: NewFile) -> NewFile:
    """Return what a link names, so that the link stays: some keep their configuration in a folder of its own."""
    return replace(file, path=Path(os.path.realpath(file.path))) if file.path.is_symlink() else file


def _prepare(file: NewFile) -> None:
    if not file.path.parent.exists():
        file.path.parent.mkdir(mode=0o750, parents=True)
        _own(file.path.parent, file.like)
    handle = os.open(_fresh(file.path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as new:
        new.write(file.text)
        new.flush()
        os.fsync(new.fileno())
    _own(_fresh(file.path), file.like)
    _fresh(file.path).chmod(file.mode)


def _own(path: Path, like: Path | None) -> None:
    """Give a file to whom it belongs, as far as we may."""
    if os.geteuid() != 0:
        return
    if like is not None:
        there = like.stat()
        os.chown(path, there.st_uid, there.st_gid)
    else:
        with suppress(KeyError):  # not installed as a service: then it stays root's
            os.chown(path, 0, grp.getgrnam(GROUP).gr_gid)


def _put(file: NewFile, *, keep: bool) -> Path | None:
    kept = _keep(file.path) if keep and file.path.exists() else None
    _fresh(file.path).replace(file.path)
    return kept


def _keep(path: Path) -> Path:
    kept = next(each for number in count(1) if not (each := path.with_name(f"{path.name}.{number}")).exists())
    shutil.copy2(path, kept)
    if os.geteuid() == 0:
        there = path.stat()
        os.chown(kept, there.st_uid, there.st_gid)
    return kept


def _fresh(path: Path) -> Path:
    return path.with_name(path.name + FRESH)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let Ctrl-C wait for a moment."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
