"""smsd's spool folders: files put in, looked through and taken out.   gateways/smstools.py → here → the disk

smsd passes over what ends in `.LOCK`, and takes a file only if it could make a lock of that name: so a text is written under
such a name and renamed, and a text that is taken back is locked first. Everything here blocks and runs in a thread.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from textbackd.gateways.base import Fate
from textbackd.gateways.spool.messages import Message, is_over, read

LOCK: Final = ".LOCK"
PREFIX: Final = "textbackd-"
LARGEST: Final = 64 * 1024  # octets; no text is so long
MOST: Final = 200  # files that are looked at in one go
SETTLED: Final = timedelta(seconds=1)
SCRIPTS: Final = "smsd_script."  # tried out in `incoming` when smsd starts
TAKES_TOO_LONG: Final = timedelta(minutes=1)  # smsd looks into `outgoing` every `delaytime`, 10 s by default


class FaultError(Exception):
    """A folder cannot be used; `fate` is NOT_SENT for what may pass, GATEWAY_UNFIT for what a person must mend."""

    def __init__(self, words: str, fate: Fate) -> None:
        super().__init__(words)
        self.fate = fate


@dataclass(frozen=True, slots=True)
class Found:
    """A file in one of the folders."""

    path: Path
    message: Message

    @property
    def reference(self) -> str:
        """By what we know a text of ours: its file's name, which smsd keeps."""
        return self.path.name


class Spool:
    """The folders below one place, by the names that smsd's documentation gives them."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.outgoing, self.checked, self.sent, self.failed, self.incoming = (
            place / name for name in ("outgoing", "checked", "sent", "failed", "incoming")
        )

    def check(self) -> None:
        """Raise FaultError for a folder that is missing or not ours to use, with what to do about it."""
        for folder in (self.outgoing, self.checked, self.sent, self.failed, self.incoming):
            _check(folder)

    def is_stuck(self, now: datetime) -> bool:
        """Return whether smsd leaves our texts lying in `outgoing`."""
        ages = (now.timestamp() - _changed(path) for path in _names(self.outgoing, PREFIX))
        return any(age > TAKES_TOO_LONG.total_seconds() for age in ages)

    def put(self, name: str, raw: bytes) -> None:
        """Have a whole file appear in `outgoing` at once, on disk, readable for smsd. Raises FaultError: then it did not."""
        unfinished = self.outgoing / f"{PREFIX}{name}.unfinished{LOCK}"
        try:
            with unfinished.open("xb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
                # smsd is another user, who may read what belongs to the folder's group.
                os.fchown(file.fileno(), -1, self.outgoing.stat().st_gid)
                os.fchmod(file.fileno(), 0o660)
            unfinished.rename(self.outgoing / f"{PREFIX}{name}")
        except OSError as exc:
            with suppress(OSError):
                unfinished.unlink()
            raise fault(exc, self.outgoing) from exc

    def find(self, text_id: str) -> Found | None:
        """Return a text of ours wherever it is."""
        for folder in (self.outgoing, self.checked, self.sent, self.failed):
            for found in files(folder, PREFIX):
                if found.message.our_id == text_id:
                    return found
        return None

    def take_back(self, now: datetime) -> None:
        """Put into `failed` what waits for a modem though its time is over, and that nobody has locked to send it."""
        for folder in (self.outgoing, self.checked):
            for found in files(folder, PREFIX):
                if is_over(found.message, now):
                    move_unless_locked(found.path, self.failed)


@contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Hold smsd's own lock of a file, as it does while it sends one; False: somebody else has it."""
    lock = path.with_name(path.name + LOCK)
    try:
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o660))
    except OSError:
        yield False
        return
    try:
        yield True
    finally:
        with suppress(OSError):
            lock.unlink()


def move_unless_locked(path: Path, folder: Path) -> None:
    """Move a file that smsd has neither locked nor moved on, even since it was looked at."""
    with _locked(path) as is_ours, suppress(OSError):  # smsd may move it on in the meantime
        if is_ours:
            path.rename(folder / path.name)


def arrived(folder: Path, now: datetime) -> list[Found]:
    """Return what came in: files that smsd has done with, which it writes in place; its own scripts pass through, too."""
    last = now.timestamp() - SETTLED.total_seconds()
    return [one for one in files(folder) if _changed(one.path) <= last and not one.path.name.startswith(SCRIPTS)]


def files(folder: Path, prefix: str = "") -> list[Found]:
    """Return the files of a folder that nobody has locked, oldest first; those that cannot be read are left out."""
    found = []
    for path in sorted(_names(folder, prefix), key=_changed)[:MOST]:
        with suppress(OSError), path.open("rb") as file:
            found.append(Found(path, read(file.read(LARGEST))))
    return found


def forget(path: Path) -> None:
    """Delete a file. Raises FaultError."""
    try:
        path.unlink(missing_ok=True)
    except OSError as exc:
        raise fault(exc, path.parent) from exc


def fault(exc: OSError, folder: Path) -> FaultError:
    """Return what an error of the disk means."""
    if isinstance(exc, PermissionError):
        return FaultError(f"{folder} {_ADVICE}", Fate.GATEWAY_UNFIT)
    return FaultError(f"{folder}: {exc.strerror or type(exc).__name__}", Fate.NOT_SENT)


_ADVICE: Final = (
    "must be ours to write: put textbackd's user into the folder's group, give the group the right and take away the sticky bit "
    "(chmod g+rwx,-t)"
)


def _check(folder: Path) -> None:
    try:
        state = folder.stat()
    except OSError as exc:
        raise fault(exc, folder) from exc
    if not stat.S_ISDIR(state.st_mode):
        raise FaultError(f"{folder} is no folder", Fate.GATEWAY_UNFIT)
    # In a sticky folder only a file's owner may delete it, and smsd owns what comes in.
    is_sticky = bool(state.st_mode & stat.S_ISVTX) and os.geteuid() not in (0, state.st_uid)
    if is_sticky or not os.access(folder, os.R_OK | os.W_OK | os.X_OK, effective_ids=True):
        raise FaultError(f"{folder} {_ADVICE}", Fate.GATEWAY_UNFIT)


def _names(folder: Path, prefix: str) -> list[Path]:
    try:
        names = {entry.name for entry in os.scandir(folder) if entry.is_file(follow_symlinks=False)}
    except OSError:
        return []
    free = [name for name in names if not name.endswith(LOCK) and name + LOCK not in names]
    return [folder / name for name in free if name.startswith(prefix)]


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
