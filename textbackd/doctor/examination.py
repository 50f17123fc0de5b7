"""Everything that is looked at, in the order in which a person mends it.   the subjects → here → cli/doctor.py

What one subject learns another needs (does the daemon run, when did the last call come), so it is gathered once and handed on.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from textbackd.config import Settings, lint, resolve_secrets
from textbackd.config.secrets import SecretMissingError, fill_variables, resolve
from textbackd.config.sections.pbx import Pbx
from textbackd.doctor import (
    ami,
    box,
    database,
    gateways,
    listeners,
    modem,
    program,
    records,
    rights,
    service,
    staff,
    trunks,
)
from textbackd.doctor.asker import PATIENCE
from textbackd.doctor.findings import Finding, Severity, fault, note, warning
from textbackd.doctor.kernel_log import read_kernel_log
from textbackd.doctor.listeners import Listener
from textbackd.doctor.manager_conf import ManagerConf, read_manager_conf
from textbackd.doctor.service import Running
from textbackd.errors import ConfigError
from textbackd.gateways.base import Lent
from textbackd.store.database import is_running

CONNECTED: Final = "connected"  # as /healthz says
CONSOLE_SECONDS: Final = 5.0
Found = Iterator[Finding]


def console(command: str) -> str | None:
    """Return what Asterisk's console on this box prints; None if there is none, or this user may not ask it."""
    return program.said("asterisk", "-rx", command, within=CONSOLE_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the box keeps things; a test has its own."""

    root: Path = Path("/")  # of systemd's folders
    asterisk: Path = Path("/etc/asterisk")
    console: ami.Console = console


@dataclass(slots=True)
class Examination:
    """One look at everything. What has been learned stays here for the next step."""

    settings: Settings
    environ: Mapping[str, str]
    places: Places = field(default_factory=Places)
    patience: timedelta = PATIENCE
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    _running: Running | None = None  # None: no daemon runs
    _last_calls: Mapping[str, datetime] = field(default_factory=dict)  # by PBX
    _open: list[Listener] = field(default_factory=list)

    def steps(self) -> Iterator[tuple[str, Callable[[], Found]]]:
        """Yield what is done, for people, and how to do it. In this order."""
        yield "Reading the configuration", self._configuration
        yield "Looking at the service", self._service
        yield "Checking the database", self._database
        yield "Looking at this box", self._box
        for name, pbx in self.settings.pbx.items():
            yield f"Asking the PBX {name} at {pbx.host}:{pbx.port}", partial(self._pbx, name, pbx)
        yield "Reading the call records", self._records
        yield "Looking at the modems", self._modems
        yield "Trying the gateways", self._gateways
        yield "Looking who is told", self._staff

    def _configuration(self) -> Found:
        warnings = lint(self.settings, self.environ)
        if warnings:
            many = f"{len(warnings)} warnings" if len(warnings) != 1 else "one warning"
            yield warning("configuration", f"`textbackd check` has {many} about the configuration.", self._check)
        if self.settings.mode == "observe":
            what = "Nothing is sent: the configuration says so. When all is well:"
            yield note("mode", what, f"# {self.settings.origin.path}:", "mode: live", "systemctl reload textbackd")

    @property
    def _check(self) -> str:
        return f"textbackd check --config {self.settings.origin.path}"

    def _service(self) -> Found:
        try:
            runs: bool | None = is_running(self.settings.storage)
        except PermissionError:  # this user may not look into the folder of the database
            runs = None
        found = service.gather(self.settings, is_running=runs, root=self.places.root)
        self._running = found.running if found.is_running else None
        return service.judge(found)

    def _database(self) -> Found:
        found = database.gather(self.settings.storage, self.now)
        self._last_calls = found.checkup.last_calls if found.checkup else {}
        return database.judge(found)

    def _box(self) -> Found:
        self._open = listeners.listeners()
        yield from box.judge(box.gather(self.settings, self.environ))
        yield from listeners.judge(self.settings, self._open)

    def _pbx(self, name: str, pbx: Pbx) -> Found:
        found = list(self._account(name, pbx))
        yield from found
        if self._running is not None and not any(one.severity is Severity.FAULT for one in found):
            yield from service.judge_line(self._running, name)

    def _account(self, name: str, pbx: Pbx) -> Found:
        try:
            secret = resolve(pbx.secret.get_secret_value(), self.environ)
        except SecretMissingError as exc:
            return iter([self._secretless(name, pbx, exc)])
        way = ami.Way(
            name=name,
            host=pbx.host,
            port=pbx.port,
            username=pbx.username,
            secret=secret,
            secret_at=_place_of(pbx.secret.get_secret_value(), name),
            needed=rights.needed(self.settings, name),
            conf=self._manager_conf(pbx),
            conf_path=self.places.asterisk / "manager.conf",
            console=self.places.console,
            daemon_is_in=self._is_connected(name),
            open_to_all=any(one.is_everywhere and one.port == pbx.port for one in self._open),
        )
        return ami.judge(ami.gather(way, self.patience))

    def _is_connected(self, name: str) -> bool:
        return self._running is not None and self._running.pbx.get(name) == CONNECTED

    def _secretless(self, name: str, pbx: Pbx, exc: SecretMissingError) -> Finding:
        """Return what to say of a secret that is not there: the service may have it all the same."""
        kind, _, credential = pbx.secret.get_secret_value().partition(":")
        if kind == "credential":
            what = "The PBX was not asked: its secret is a credential, which systemd hands only to what it starts."
            again = f"systemd-run --pipe --wait -p LoadCredential={credential}:PATH textbackd doctor      # PATH as in the unit"
            return note(f"pbx.{name}.secret", what, again)
        if self._is_connected(name):
            what = f"The PBX was not asked, though the daemon is connected with it: here {exc}"
            return note(f"pbx.{name}.secret", what, self._check)
        return fault(f"pbx.{name}.secret", f"The PBX was not asked: {exc}", self._check)

    def _manager_conf(self, pbx: Pbx) -> ManagerConf | None:
        """Return what manager.conf says; None if it is another machine's, or a part of it cannot be read."""
        if not ami.is_here(pbx.host):
            return None
        conf = read_manager_conf(self.places.asterisk / "manager.conf")
        return conf if conf.files and not conf.unread else None

    def _records(self) -> Found:
        for name, pbx in self.settings.pbx.items():
            try:
                source = fill_variables(pbx.cdr, self.environ) if pbx.cdr else None
            except SecretMissingError as exc:
                yield note(f"pbx.{name}.cdr", f"The call records were not read: {exc}", self._check)
                continue
            found = records.gather(
                name,
                source,
                tz=self.settings.business.timezone,
                now=self.now,
                last_seen=self._last_calls.get(name),
                etc=self.places.asterisk,
            )
            yield from records.judge(found, self.now)
            if found.rows:
                seen = trunks.traffic(self.settings, name, found.rows)
                yield from trunks.judge(seen, self.settings)
                yield from trunks.unseen(seen, self._last_calls.get(name), self.now) if self._running else ()

    def _modems(self) -> Found:
        kernel = read_kernel_log()
        return modem.judge(modem.gather(self.settings, running=self._running, kernel=kernel))

    def _gateways(self) -> Found:
        try:
            settings = resolve_secrets(self.settings, self.environ)
        except ConfigError:
            yield note(
                "gateways", "The gateways were not tried, because a secret is not there for this user.", self._check
            )
            return
        for tried in gateways.gather(settings, running=self._running, lent=Lent()):
            yield from gateways.judge(tried)

    def _staff(self) -> Found:
        return staff.judge(staff.gather(self.settings))


def _place_of(written: str, pbx: str) -> str:
    """Return where a secret is, for people; one that is written into the configuration is not shown."""
    kind, _, name = written.partition(":")
    if kind == "file":
        return name
    return written if kind == "credential" or written.startswith("${") else f"pbx.{pbx}.secret"
