"""Which Asterisk is here, does it know us, and where would our account go?   /etc/asterisk, TCP → here → account.py, cli/setup

Looks, changes nothing. FreePBX writes manager.conf anew whenever it applies its configuration, and manager_custom.conf never (its wiki,
"Asterisk Configuration Files"); Debian's manager.conf includes all of manager.d.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from textbackd.doctor.asker import Asker, NoAnswerError, RefusedError
from textbackd.doctor.manager_conf import ManagerConf, read_manager_conf

USERNAME: Final = "textbackd"
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_DROP_IN: Final = re.compile(r'^\s*#\s*(?:try)?include\s+["<]?(?:\S*/)?manager\.d/\*', re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asterisk:
    """What is known of one."""

    host: str
    port: int
    banner: str  # "Asterisk Call Manager/11.0.0"; "": nothing answers there
    trouble: str  # why not
    our_address: str  # from which we come, as it sees us
    folder: Path  # of its configuration
    freepbx: bool
    is_readable: bool  # its manager.conf
    is_enabled: bool  # as that says
    account: bool  # it has a section of ours
    secret: str | None  # which that section names
    target: Path  # the file that our account goes into

    @property
    def is_here(self) -> bool:
        """Return whether it runs on this box."""
        return self.host in LOOPBACK


def look_at(host: str, port: int, folder: Path) -> Asterisk:
    """Return what is there. Waits a few seconds at most."""
    banner, trouble, ours = _greeted(host, port)
    conf = read_manager_conf(folder / "manager.conf")
    freepbx = (folder.parent / "freepbx.conf").exists() or (folder.parent / "amportal.conf").exists()
    return Asterisk(
        host=host,
        port=port,
        banner=banner,
        trouble=trouble,
        our_address=ours,
        folder=folder,
        freepbx=freepbx,
        is_readable=bool(conf.files),
        is_enabled=conf.is_on("general", "enabled"),
        account=USERNAME in conf.sections,
        secret=conf.of(USERNAME, "secret") or None,
        target=_target(folder, conf, freepbx=freepbx),
    )


def log_in(host: str, port: int, secret: str) -> str:
    """Log in once as ourselves, and away again; return "" if it goes well, else why not."""
    asker = Asker()
    try:
        asker.reach(host, port)
        asker.log_in(USERNAME, secret, "off")
    except NoAnswerError as exc:
        return f"nothing answers at {host}:{port} ({exc})"
    except RefusedError as exc:
        return f"it refuses the login of {USERNAME} ({exc})"
    except ValueError:
        return "the secret holds a line end"
    finally:
        asker.close()
    return ""


def _greeted(host: str, port: int) -> tuple[str, str, str]:
    asker = Asker()
    try:
        return asker.reach(host, port), "", asker.our_address
    except NoAnswerError as exc:
        return "", str(exc), ""
    finally:
        asker.close()


def _target(folder: Path, conf: ManagerConf, *, freepbx: bool) -> Path:
    if freepbx:
        return folder / "manager_custom.conf"
    dropped_in = conf.files and _DROP_IN.search(conf.files[0].read_text("utf-8", "replace"))
    return folder / "manager.d" / "textbackd.conf" if dropped_in else folder / "manager.conf"
