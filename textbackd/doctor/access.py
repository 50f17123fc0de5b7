"""May the service's user read a file?  The answer, and the commands that let it.   the file system → here → records.py, box.py

Asked of the kernel as that user where we may be it, because access lists and folders above count, too.
"""

import os
import pwd
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from textbackd.config.service_user import SERVICE_USER, group_name, user_exists
from textbackd.doctor import program

SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Step:
    """A folder on the way to a file, or the file itself."""

    path: Path
    group: str
    mode: int  # permission bits


def may_read(path: Path, user: str = SERVICE_USER) -> bool | None:
    """Return whether a user may read a file; None if that cannot be found out by whoever asks."""
    if not user_exists(user):
        return None
    if pwd.getpwnam(user).pw_uid == os.getuid():
        return os.access(path, os.R_OK)
    if os.getuid() != 0:
        return None
    done = program.ran("runuser", "-u", user, "--", "test", "-r", str(path), within=SECONDS)
    return None if done is None else done.returncode == 0


def way_to(path: Path) -> list[Step]:
    """Return the file and the folders above it, from the root down; what is not there is left out."""
    steps = []
    for one in [*reversed(path.absolute().parents), path.absolute()]:
        try:
            found = one.stat()
        except OSError:
            break
        steps.append(Step(one, group_name(found.st_gid), stat.S_IMODE(found.st_mode)))
    return steps


def letting_in(steps: list[Step], user: str = SERVICE_USER) -> Iterator[str]:
    """Yield the commands after which a user may read the last of some steps: as a member of the groups that they have.  Pure."""
    groups: list[str] = []
    for step in steps:
        wanted = "r" if step is steps[-1] else "x"
        bit = stat.S_IRGRP if wanted == "r" else stat.S_IXGRP
        if step.mode & (stat.S_IROTH if wanted == "r" else stat.S_IXOTH):
            continue
        if not step.mode & bit:
            yield f"chmod g+{wanted} {step.path}"
        if step.group not in groups and step.group != "root":
            groups.append(step.group)
            yield f"usermod -aG {step.group} {user}"
        elif step.group == "root":
            yield f"chgrp {user} {step.path}"
    yield "systemctl restart textbackd"
