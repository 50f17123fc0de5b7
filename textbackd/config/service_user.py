"""The user that the service runs as: its groups, and how a file is closed to everybody but it.   passwd, group → here → lint.py, doctor

A file of root's that everybody can read is read by the service as one of everybody. Closed to them alone, it is closed to the service.
"""

import grp
import os
import pwd
import stat
from pathlib import Path
from typing import Final

SERVICE_USER: Final = "textbackd"


def user_exists(user: str = SERVICE_USER) -> bool:
    """Return whether the box has that user."""
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def groups_of(user: str = SERVICE_USER) -> frozenset[str]:
    """Return the names of a user's groups; none of a user that is not there."""
    try:
        entry = pwd.getpwnam(user)
        return frozenset(grp.getgrgid(gid).gr_name for gid in os.getgrouplist(user, entry.pw_gid))
    except KeyError:
        return frozenset()


def user_name(uid: int) -> str:
    """Return the name of a user, its number if it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def group_name(gid: int) -> str:
    """Return the name of a group, its number if it has none."""
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def closing(path: Path, *, owner: str, group: str, mode: int, groups: frozenset[str]) -> tuple[str, ...]:
    """Return the commands after which not everybody can read a file, and the service still can.  Pure.

    `groups` are the service's; without any there is no such user, and whoever starts textbackd by hand reads what is theirs.
    """
    if not groups or owner == SERVICE_USER or (group in groups and mode & stat.S_IRGRP):
        return (f"chmod o-rwx {path}",)
    return (*(() if group in groups else (f"chgrp {SERVICE_USER} {path}",)), f"chmod 0640 {path}")


def how_to_close(path: Path) -> str:
    """Return these commands for a file that is there, as one line. Raises OSError."""
    there = path.stat()
    owner, group = user_name(there.st_uid), group_name(there.st_gid)
    return " && ".join(closing(path, owner=owner, group=group, mode=there.st_mode, groups=groups_of()))
