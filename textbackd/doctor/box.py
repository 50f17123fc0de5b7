"""The machine itself: clock, zone, disk, and who can read what.   /etc, /proc, the file system → here → examination.py"""

import os
import shutil
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from textbackd.config import Settings
from textbackd.config.resolve import secrets_in
from textbackd.config.secrets import file_of
from textbackd.config.service_user import SERVICE_USER, closing, group_name, groups_of, user_name
from textbackd.config.zones import machine_zone
from textbackd.doctor import access, program
from textbackd.doctor.findings import Finding, fault, warning

LITTLE_DISK: Final = 200 * 1024 * 1024  # bytes; a year of a busy shop's texts takes less
TIGHT_DISK: Final = 16 * 1024 * 1024  # near the 8 MiB below which nothing is sent: store/ballast.py
FEW_INODES: Final = 1000
OTHERS: Final = stat.S_IROTH | stat.S_IWOTH | stat.S_IXOTH
OURS: Final = Path("/var/lib/textbackd")  # StateDirectory of the units
RESTART: Final = "systemctl restart textbackd"
SYNCHRONISED: Final = Path("/run/systemd/timesync/synchronized")
SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file or folder of ours, as it lies there."""

    path: Path
    owner: str
    group: str
    mode: int  # permission bits
    readable: bool | None  # by the service's user; None: not known


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """What is known of the machine."""

    clock_synchronised: bool | None = None  # None: nobody tells
    zone: str = "UTC"  # of the machine
    business_zone: str = "UTC"
    clocks_differ: bool = False  # these zones do, and the machine's is not UTC, which records give away by themselves
    local_records: tuple[str, ...] = ()  # PBXs of this machine whose records hold local times
    disk_free: int | None = None  # bytes beside the database
    inodes_free: int | None = None  # None: the file system has no such limit
    storage: File | None = None  # the folder of the database; None: it is not there yet
    storage_path: Path = OURS
    database: str = "textbackd.db"  # in that folder
    config: File | None = None
    secrets: Sequence[File] = field(default=())
    groups: frozenset[str] = frozenset({SERVICE_USER})  # of the service's user; none: there is no such user


# ---- judged


def judge(box: Box) -> Iterator[Finding]:
    """Yield what is wrong with the machine."""
    yield from _clock(box)
    yield from _disk(box)
    yield from _storage(box)
    yield from _readers(box)


def _clock(box: Box) -> Iterator[Finding]:
    if box.clock_synchronised is False:
        what = "The clock of this box is not synchronised: texts go out at the wrong hour, and records do not match."
        yield warning("box.clock", what, "timedatectl set-ntp true", "timedatectl status")
    if box.local_records and box.clocks_differ:
        what = (
            f"This box is set to {box.zone} and the business to {box.business_zone}. Records are read by the business's clock, "
            "so calls that Asterisk writes in local time would be hours off."
        )
        yield warning(
            "box.timezone", what, f"timedatectl set-timezone {box.business_zone}", "systemctl restart asterisk"
        )


def _disk(box: Box) -> Iterator[Finding]:
    if box.disk_free is not None and box.disk_free < LITTLE_DISK:
        free = f"{box.disk_free / 1024**2:,.0f} MiB are free beside the database"
        make = (f"du -xh --max-depth=2 {box.storage_path} | sort -h | tail", "journalctl --vacuum-size=200M")
        if box.disk_free < TIGHT_DISK:
            yield fault("box.disk", f"Only {free}. With less than 8 nothing is sent.", *make)
        else:
            yield warning("box.disk", f"Only {free}.", *make)
    if box.inodes_free is not None and box.inodes_free < FEW_INODES:
        yield warning(
            "box.disk", f"The disk has room for {box.inodes_free} more files only.", f"df -i {box.storage_path}"
        )


def _storage(box: Box) -> Iterator[Finding]:
    folder = box.storage
    if folder is None:
        return
    if box.groups and folder.owner != SERVICE_USER:
        what = f"{folder.path} belongs to {folder.owner}, so the service cannot write there."
        if folder.path.is_relative_to(OURS):
            yield fault("storage", what, f"chown -R {SERVICE_USER}: {folder.path}", RESTART)
        else:
            yield fault(
                "storage", f"{what} Elsewhere than in {OURS} it has to be a folder of its own:", *_elsewhere(box)
            )
    elif folder.mode & OTHERS:
        what = f"Everybody on this box may look into {folder.path}, where texts and numbers are."
        yield warning("storage", what, f"chmod 0700 {folder.path}")


def _elsewhere(box: Box) -> Iterator[str]:
    """Yield what lets the service have its database outside of its own folder. Nothing that others have there is touched."""
    own = box.storage_path if box.storage_path.name == SERVICE_USER else box.storage_path / SERVICE_USER
    yield f"install -d -m 0700 -o {SERVICE_USER} -g {SERVICE_USER} {own}"
    yield from ("# textbackd.yaml:", f"storage: {own / box.database}")
    yield "# systemctl edit textbackd; then the same: systemctl edit textbackd-backup"
    yield from ("[Service]", f"ReadWritePaths={own}")
    yield RESTART


def _readers(box: Box) -> Iterator[Finding]:
    """Yield what everybody can read, and what the service cannot."""
    for file in filter(None, (box.config, *box.secrets)):
        what = "The configuration" if file is box.config else "The secret"
        if file.mode & stat.S_IROTH:
            close = closing(file.path, owner=file.owner, group=file.group, mode=file.mode, groups=box.groups)
            yield warning("box.files", f"{what} {file.path} can be read by everybody on this box.", *close)
        if file.readable is False:
            said = f"{what} {file.path} cannot be read by the service's user."
            yield fault("box.files", said, f"chgrp {SERVICE_USER} {file.path}", f"chmod 0640 {file.path}")


# ---- gathered


def gather(settings: Settings, environ: Mapping[str, str]) -> Box:
    """Look at the machine."""
    folder, zone, business_zone = settings.storage.parent, machine_zone(), settings.business.timezone
    is_there = folder.is_dir()
    return Box(
        clock_synchronised=_synchronised(),
        zone=zone.key,
        business_zone=business_zone.key,
        clocks_differ=clocks_differ(zone, business_zone),
        local_records=tuple(name for name, pbx in settings.pbx.items() if pbx.cdr and "://" not in pbx.cdr),
        disk_free=shutil.disk_usage(folder).free if is_there else None,
        inodes_free=_inodes(folder) if is_there else None,
        storage=_file(folder, ask=False) if is_there else None,
        storage_path=folder,
        database=settings.storage.name,
        config=_file(settings.origin.path),
        secrets=[found for path in _secret_files(settings, environ) if (found := _file(path))],
        groups=groups_of(),
    )


def clocks_differ(machine: ZoneInfo, business: ZoneInfo) -> bool:
    """Return whether two zones show another time in summer or winter, unless the machine's is UTC."""
    days = [datetime(2026, month, 15, 12, tzinfo=UTC) for month in (1, 7)]
    shown = [[day.astimezone(zone).utcoffset() for day in days] for zone in (machine, business)]
    return shown[0] != shown[1] and shown[0] != [timedelta(), timedelta()]


def _synchronised() -> bool | None:
    if SYNCHRONISED.exists():
        return True
    told = program.said("timedatectl", "show", "--property=NTPSynchronized", "--value", within=SECONDS)
    return {"yes": True, "no": False}.get((told or "").strip())


def _inodes(folder: Path) -> int | None:
    found = os.statvfs(folder)
    return found.f_favail if found.f_files else None


def _file(path: Path, *, ask: bool = True) -> File | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return File(
        path=path,
        owner=user_name(found.st_uid),
        group=group_name(found.st_gid),
        mode=stat.S_IMODE(found.st_mode),
        readable=access.may_read(path) if ask else None,
    )


def _secret_files(settings: Settings, environ: Mapping[str, str]) -> list[Path]:
    """Return the files that secrets are in, each once; credentials are systemd's own business."""
    texts = (text for _, text, whole in secrets_in(settings) if whole and text.startswith("file:"))
    return list(dict.fromkeys(path for text in texts if (path := file_of(text, environ))))
