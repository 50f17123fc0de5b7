"""A disk on which files cannot grow any more."""

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def files_end_at(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond so many bytes, which fails as a disk without space does (setrlimit(2))."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """Have a disk of so many bytes at `folder`, if we may; on it SQLite's log and its index have to find room, too."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("only who may mount a file system can try a disk that is really full")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def leave(free: int, folder: Path) -> None:
    """Fill the disk of a folder but for so many bytes."""
    disk = os.statvfs(folder)
    (folder / "filling").write_bytes(bytes(disk.f_bavail * disk.f_frsize - free))
