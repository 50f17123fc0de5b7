"""Does the PBX let us in, with the rights that are needed and no others?   asker.py, manager_conf.py, the console → here → examination.py

An account's read rights are told by nobody over AMI but Asterisk's console (`manager show user`) and manager.conf, where they may be
read; `FullyBooted`, which comes at once to whoever reads `system`, proves one of them. Its write rights follow from `ListCommands`.
"""

import ipaddress
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from textbackd.doctor.asker import PATIENCE, Asker, NoAnswerError, RefusedError
from textbackd.doctor.findings import Finding, fault, note, warning
from textbackd.doctor.manager_conf import ManagerConf
from textbackd.doctor.rights import DANGERS, READ_DANGERS, Rights, granted_by, missing, spare

CUSTOM: Final = "manager_custom.conf"
RELOAD: Final = "asterisk -rx 'manager reload'"
TESTED: Final = range(16, 23)  # major versions of Asterisk on which calls were played
WRITE_TIMEOUT: Final = 5000  # ms that we ask for
SHORT_TIMEOUT: Final = 1000  # ms; 100, the default, is over in a busy moment
CLOCKS_APART: Final = timedelta(seconds=30)  # as in pbx/client.py: then only the moment of arrival counts
LOOPBACK_MASK: Final = "255.255.255.255"
WORST: Final = 3  # dangers that are told
BOOTED_WITHIN: Final = 1.0  # seconds; it comes with the answer to the login
_PERMS: Final = re.compile(r"^\s*(read|write) perm:\s*(\S*)", re.MULTILINE)
_STAMP: Final = re.compile(r"\d{9,11}\.\d+")
_MAJOR: Final = re.compile(r"(\d+)\.\d")

# What is lost without a right.
READ_LOST: Final = {
    "call": "No call is seen.",
    "agent": "Callers lost in a queue are taken for others.",
    "system": "A restart of Asterisk is not noticed.",
    "user": "Texts that come in through Asterisk are not seen.",
}
WRITE_LOST: Final = {
    "reporting": "Calls that run while textbackd starts are not seen.",
    "message": "Texts through Asterisk do not go out.",
    "originate": "No phone can be rung.",
    "call": "Texts through the dongle do not go out.",
}

Console = Callable[[str], str | None]  # a command → what Asterisk's console prints, None if it cannot be asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What is known of our account on one PBX."""

    name: str  # of the PBX in the configuration
    host: str
    port: int
    username: str
    needed: Rights
    unreached: str = ""  # why nothing answers there; "": it does
    refused: str | None = None  # Asterisk's words for not letting us in; None: it does
    daemon_is_in: bool = False  # the running daemon is logged in with this account
    secret_at: str = ""  # where our secret is, for people; never the secret
    same_secret: bool | None = None  # as manager.conf has; None: not known
    our_address: str = "127.0.0.1"  # as Asterisk sees us
    read: frozenset[str] | None = None  # None: not known
    write: frozenset[str] | None = None
    booted: bool = False  # FullyBooted came, so it reads `system`
    version: str = ""
    clock_off: timedelta | None = None  # the PBX's clock less ours
    conf: ManagerConf | None = None  # None: not on this box, or not readable
    conf_path: Path = Path("/etc/asterisk/manager.conf")
    home: Path = Path("/etc/asterisk/manager.conf")  # where a new section goes
    open_to_all: bool = False  # its port is seen listening on every interface

    @property
    def subject(self) -> str:
        """Where the finding belongs."""
        return f"pbx.{self.name}"

    @property
    def section_file(self) -> Path:
        """The file of Asterisk's that has our section, or should."""
        return self.conf.places.get(self.username, self.home) if self.conf else self.home

    @property
    def is_freepbx(self) -> bool:
        """Return whether manager.conf is one that FreePBX or Issabel writes anew; its custom file it never touches."""
        return _is_freepbx(self.conf, self.conf_path)


def _is_freepbx(conf: ManagerConf | None, path: Path) -> bool:
    return conf is not None and path.with_name(CUSTOM) in conf.files


def is_here(host: str) -> bool:
    """Return whether a PBX is on this box, as far as its address tells."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


# ---- judged


def judge(account: Account) -> Iterator[Finding]:
    """Yield what is wrong with the way to one PBX."""
    if account.unreached:
        yield _unreached(account)
    elif account.refused is not None and account.daemon_is_in:
        yield _once_only(account)
        yield from _too_few(account)
        yield from _too_many(account)
    elif account.refused is not None:
        yield from _refused(account)
    else:
        yield from _rights(account)
        yield from _version(account)
        yield from _clock(account)
    yield from _settings(account)


def _unreached(account: Account) -> Finding:
    where = f"No manager answers at {account.host}:{account.port}: {account.unreached}."
    if account.conf and not account.conf.is_on("general", "enabled"):
        return fault(
            account.subject, f"{where} manager.conf does not switch it on.", *_in_general(account, "enabled = yes")
        )
    if account.conf and (port := account.conf.of("general", "port", "5038")) != str(account.port):
        return fault(
            account.subject,
            f"{where} manager.conf says port {port}.",
            f"# textbackd.yaml, pbx.{account.name}:",
            f"port: {port}",
        )
    look = "systemctl status asterisk" if is_here(account.host) else f"nc -vz {account.host} {account.port}"
    return fault(
        account.subject,
        f"{where} Is Asterisk running, and its manager switched on?",
        look,
        *_in_general(account, "enabled = yes"),
    )


def _once_only(account: Account) -> Finding:
    what = (
        f"The daemon is logged in as {account.username!r}, and Asterisk lets nobody in twice (`allowmultiplelogin = no`). "
        "For the rest of what can be asked, stop the daemon first:"
    )
    again = "systemctl stop textbackd && textbackd doctor; systemctl start textbackd"
    return note(account.subject, what, again)


def _refused(account: Account) -> Iterator[Finding]:
    said = f"Asterisk refuses the login of {account.username!r} ({account.refused})."
    conf = account.conf
    if conf is None:
        yield fault(
            account.subject,
            f"{said} The user, its secret or its permit is wrong; manager.conf cannot be read from here to see which.",
            *_in_section(
                account,
                f"secret = …            ; the same as in {account.secret_at}",
                f"permit = {account.our_address}/{LOOPBACK_MASK}",
            ),
        )
    elif account.username not in conf.sections:
        yield fault(
            account.subject, f"{said} manager.conf has no section [{account.username}].", *_whole_section(account)
        )
    elif account.same_secret is False:
        line = f"secret = …            ; the same as in {account.secret_at}"
        yield fault(
            account.subject, f"{said} Its secret in manager.conf is another one than ours.", *_in_section(account, line)
        )
    else:
        line = f"permit = {account.our_address}/{LOOPBACK_MASK}"
        yield fault(
            account.subject, f"{said} Secrets agree, so it does not permit our address.", *_in_section(account, line)
        )


def _rights(account: Account) -> Iterator[Finding]:
    yield from _too_few(account)
    yield from _too_many(account)
    if account.read is None:
        yield _untold(account)


def _untold(account: Account) -> Finding:
    what = (
        f"Which events {account.username!r} may read is told only by Asterisk's console and manager.conf, "
        "which cannot be asked from here."
    )
    show = f"asterisk -rx 'manager show user {account.username}'      # should say: read perm: {','.join(account.needed.read)}"
    return note(account.subject, what, *(("sudo textbackd doctor", "# or") if is_here(account.host) else ()), show)


def _too_few(account: Account) -> Iterator[Finding]:
    was_in = account.refused is None
    proved = frozenset(account.needed.read) - (frozenset() if account.booted or not was_in else {"system"})
    read = missing(account.needed.read, proved if account.read is None else account.read)
    write = missing(account.needed.write, account.write) if account.write is not None else ()
    kinds = [f"read {', '.join(read)}"] if read else []
    kinds += [f"write {', '.join(write)}"] if write else []
    if kinds:
        what = f"The account {account.username!r} has too few rights: it lacks {' and '.join(kinds)}. {_without(read, write)}"
        yield fault(account.subject, what, *_in_section(account, *account.needed.lines))


def _without(read: tuple[str, ...], write: tuple[str, ...]) -> str:
    lost = [READ_LOST[right] for right in read if right in READ_LOST]
    return " ".join([*lost, *(WRITE_LOST[right] for right in write if right in WRITE_LOST)])


def _too_many(account: Account) -> Iterator[Finding]:
    write = spare(account.needed.write, account.write or frozenset(), DANGERS)
    if write:
        harm = "; ".join(DANGERS[right] for right in write[:WORST])
        what = f"The account {account.username!r} has rights that nobody needs: {', '.join(write)}. With its secret one can {harm}."
        yield warning(account.subject, what, *_in_section(account, account.needed.lines[1]))
    read = spare(account.needed.read, account.read or frozenset(), READ_DANGERS)
    if read:
        harm = "; ".join(f"{right} {READ_DANGERS[right]}" for right in read)
        what = f"The account {account.username!r} reads more than is needed: {harm}."
        yield warning(account.subject, what, *_in_section(account, account.needed.lines[0]))


def _version(account: Account) -> Iterator[Finding]:
    found = _MAJOR.search(account.version)
    if found and int(found[1]) not in TESTED:
        first, last = TESTED[0], TESTED[-1]
        what = f"This is Asterisk {account.version}; calls were tried on {first} to {last}. Play one that nobody answers, and look:"
        yield warning(account.subject, what, "textbackd explain NUMBER")


def _clock(account: Account) -> Iterator[Finding]:
    off = account.clock_off
    if off is not None and abs(off) > CLOCKS_APART:
        ahead = "ahead of" if off > timedelta() else "behind"
        what = (
            f"The PBX's clock is {abs(off).total_seconds():.0f} s {ahead} ours. "
            "Its records are then matched with the wrong calls after an outage."
        )
        yield warning(account.subject, what, "timedatectl set-ntp true       # on both machines")


def _settings(account: Account) -> Iterator[Finding]:
    """Yield what manager.conf sets unwisely, whoever the account is."""
    conf = account.conf
    address = conf.of("general", "bindaddr", "0.0.0.0") if conf else ""
    is_open = account.open_to_all or (bool(address) and not is_here(address))
    if is_open and is_here(account.host):
        what = (
            f"Asterisk's manager listens on {address or 'every interface'}, and what is said there is plain text. "
            "Only this box needs it; another one should come through a VPN, or TLS (`tlsenable`)."
        )
        yield warning(
            account.subject,
            what,
            *_in_general(account, f"bindaddr = {account.host if account.host != 'localhost' else '127.0.0.1'}"),
        )
    if conf is None:
        return
    if conf.is_on("general", "webenabled"):
        what = "Asterisk's manager can be reached through its web server, too, which nothing of ours needs."
        yield warning(account.subject, what, *_in_general(account, "webenabled = no"))
    if account.username in conf.sections and _write_timeout(account, conf) < SHORT_TIMEOUT:
        what = f"Asterisk hangs up on us when we are {_write_timeout(account, conf)} ms behind, which a busy moment may take."
        yield warning(account.subject, what, *_in_section(account, f"writetimeout = {WRITE_TIMEOUT}"))


def _write_timeout(account: Account, conf: ManagerConf) -> int:
    written = conf.of(account.username, "writetimeout") or conf.of("general", "writetimeout") or "100"
    return int(written) if written.isdigit() else 100


def _in_general(account: Account, *lines: str) -> tuple[str, ...]:
    page = " (FreePBX writes it anew: Settings, Advanced Settings)" if account.is_freepbx else ""
    return (f"# {account.conf_path}, section [general]{page}:", *lines, RELOAD)


def _in_section(account: Account, *lines: str) -> tuple[str, ...]:
    return (f"# {account.section_file}, section [{account.username}]:", *lines, RELOAD)


def _whole_section(account: Account) -> tuple[str, ...]:
    return (
        f"# {account.section_file}, at its end:",
        f"[{account.username}]",
        f"secret = …            ; the same as in {account.secret_at}",
        "deny = 0.0.0.0/0.0.0.0",
        f"permit = {account.our_address}/{LOOPBACK_MASK}",
        *account.needed.lines,
        f"writetimeout = {WRITE_TIMEOUT}",
        RELOAD,
    )


# ---- gathered


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How to get at one PBX."""

    name: str
    host: str
    port: int
    username: str
    secret: str = field(repr=False)
    secret_at: str
    needed: Rights
    conf: ManagerConf | None
    conf_path: Path
    console: Console
    open_to_all: bool = False
    daemon_is_in: bool = False


def gather(way: Way, patience: timedelta = PATIENCE) -> Account:
    """Log in once and ask; at most a few times `patience`. Nothing is changed."""
    account = _known(way)
    asker = Asker(patience)
    try:
        asker.reach(way.host, way.port)
        account = replace(account, our_address=asker.our_address)
        asker.log_in(way.username, way.secret, "system")
        return _asked(account, asker)
    except NoAnswerError as exc:
        return replace(account, unreached=str(exc))
    except RefusedError as exc:
        return replace(account, refused=str(exc))
    finally:
        asker.close()


def _known(way: Way) -> Account:
    """Return what is known without asking over AMI."""
    told = perms(way.console(f"manager show user {way.username}") or "") if is_here(way.host) else {}
    written = way.conf.sections.get(way.username) if way.conf else None
    read, write = (
        told.get(kind) or (_listed(written.get(kind, "")) if written else None) for kind in ("read", "write")
    )
    secret = (written or {}).get("secret")
    return Account(
        name=way.name,
        host=way.host,
        port=way.port,
        username=way.username,
        needed=way.needed,
        secret_at=way.secret_at,
        same_secret=secret == way.secret if secret else None,
        read=read,
        write=write,
        conf=way.conf,
        conf_path=way.conf_path,
        home=home_of(way.conf, way.conf_path),
        open_to_all=way.open_to_all,
        daemon_is_in=way.daemon_is_in,
    )


def home_of(conf: ManagerConf | None, path: Path) -> Path:
    """Return the file for a new section: one that no update writes over."""
    if _is_freepbx(conf, path):
        return path.with_name(CUSTOM)
    debian = path.with_name("manager.d")  # Debian's manager.conf includes what is in there
    return debian / "textbackd.conf" if debian.is_dir() else path


def perms(printed: str) -> dict[str, frozenset[str]]:
    """Return the rights that `manager show user` prints, by `read` and `write`; of a user that it does not know, none."""
    return {kind: _listed(value) for kind, value in _PERMS.findall(printed)}


def _listed(written: str) -> frozenset[str]:
    return frozenset(right.strip() for right in written.split(",")) - {"", "<none>"}


def _asked(account: Account, asker: Asker) -> Account:
    """Return an account with what Asterisk says once we are in. Raises NoAnswerError."""
    asked_at = time.time()
    stamp = asker.ask({"Action": "Ping"}).get("Timestamp", "")
    commands = asker.ask({"Action": "ListCommands"})
    core = asker.ask({"Action": "CoreSettings"})
    until = time.monotonic() + BOOTED_WITHIN
    while "FullyBooted" not in asker.heard and time.monotonic() < until:
        time.sleep(0.02)
    return replace(
        account,
        write=granted_by(commands),
        booted="FullyBooted" in asker.heard,
        version=core.get("AsteriskVersion", ""),
        clock_off=timedelta(seconds=float(stamp) - asked_at) if _STAMP.fullmatch(stamp) else None,
    )
