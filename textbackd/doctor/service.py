"""Is the service installed, switched on, and running in this version?   systemd's folders, /healthz → here → examination.py"""

import json
import os
import re
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, Final

from textbackd import __version__
from textbackd.config import Settings
from textbackd.core.trouble import Trouble
from textbackd.doctor.findings import Finding, fault, note, warning

UNIT: Final = "textbackd.service"
UNIT_FOLDERS: Final = ("etc/systemd/system", "usr/lib/systemd/system", "lib/systemd/system")
WANTS: Final = "etc/systemd/system/multi-user.target.wants"
SECONDS: Final = 8.0  # longer than the 5 s that its database has
MOST_BYTES: Final = 4 << 20
LOG: Final = "journalctl -u textbackd -n 50"
MOMENT: Final = "%d %b %H:%M:%S"
_SAMPLE: Final = re.compile(r"^(textbackd_\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
_LABEL: Final = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
ALARMS: Final[Mapping[str, str]] = {
    Trouble.NO_CALLS: "No call has come in for a part of the working day",
    Trouble.PBX_AWAY: "The PBX has been away for too long",
    Trouble.GATEWAY_DOWN: "The gateway has been down for too long",
    Trouble.SIM_FULL: "The memory for incoming texts is nearly full",
    Trouble.UNKNOWN_TEXTS: "Texts may or may not have gone out",
    Trouble.FEWER_ANSWERED: "People answer a smaller share of the calls than before",
    Trouble.BRAKE: "The brake has stopped all automatic texts",
    Trouble.DATABASE: "Nothing can be written down",
    Trouble.DISK: "The disk is full",
}
SAID_ELSEWHERE: Final = (Trouble.BRAKE, Trouble.UNKNOWN_TEXTS)  # database.py finds them, with the daemon or without
PBX_WORDS: Final[Mapping[str, str]] = {
    "refused": "is refused by the PBX",
    "away": "does not reach the PBX",
    "connecting": "is not yet connected with the PBX",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One number of /metrics."""

    name: str
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What the running daemon says of itself."""

    answers: bool = True  # False: it runs, and its pages do not answer
    database: str = "ok"
    pbx: Mapping[str, str] = field(default_factory=dict)
    gateways: Mapping[str, str] = field(default_factory=dict)
    samples: tuple[Sample, ...] = ()

    def of_gateway(self, name: str) -> tuple[Mapping[str, float], Mapping[str, str]]:
        """Return what a gateway measures, by name with its unit, and what it tells in words."""
        prefix = "textbackd_gateway_"
        own = [sample for sample in self.samples if sample.labels.get("gateway") == name]
        vitals = {one.name.removeprefix(prefix): one.value for one in own if one.name.startswith(prefix)}
        told = [one.labels for one in own if one.name == f"{prefix}info"]
        return vitals, told[0] if told else {}

    @property
    def version(self) -> str:
        """The version that runs; "": not told."""
        found = (sample.labels.get("version", "") for sample in self.samples if sample.name == "textbackd_build_info")
        return next(found, "")

    @property
    def configured_at(self) -> datetime | None:
        """When the configuration in force was read; None: not told."""
        found = (one.value for one in self.samples if one.name == "textbackd_configuration_read_timestamp_seconds")
        at = next(found, None)
        return None if at is None else datetime.fromtimestamp(at, UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What is known of the service."""

    has_systemd: bool = True
    installed: bool = True
    enabled: bool = True
    is_running: bool = True
    running: Running = field(default_factory=Running)
    address: str = ""  # of its pages
    written_at: datetime | None = None  # the configuration on disk; None: not known
    zone: tzinfo = UTC  # of the business


# ---- judged


def judge(service: Service) -> Iterator[Finding]:
    """Yield what is wrong with the service."""
    if service.has_systemd and not service.installed:
        yield warning(
            "service", "textbackd is not installed as a service, so nothing starts it.", "sudo scripts/install"
        )
    elif service.has_systemd and not service.enabled:
        yield warning("service", "textbackd does not start with the machine.", f"systemctl enable {UNIT}")
    if service.is_running:
        yield from _running(service)
    elif service.installed:
        yield fault(
            "service", "textbackd is not running: nobody who is missed gets a text.", "systemctl start textbackd", LOG
        )
    else:
        yield note("service", "textbackd is not running.", "textbackd run")


def _running(service: Service) -> Iterator[Finding]:
    running = service.running
    if not running.answers:
        yield warning("service", f"textbackd runs, but its pages at {service.address} do not answer.", LOG)
        return
    if running.version and running.version != __version__:
        what = f"textbackd {running.version} is running, and {__version__} is installed."
        yield warning("service", what, "systemctl restart textbackd")
    if service.written_at and running.configured_at and service.written_at > running.configured_at:
        read, written = (at.astimezone(service.zone) for at in (running.configured_at, service.written_at))
        what = f"The running daemon still has the configuration of {read:{MOMENT}}; the file is of {written:{MOMENT}}."
        yield warning("configuration", what, "systemctl reload textbackd")
    if running.database != "ok":
        yield fault("storage", f"The database does not work: {running.database}.", LOG)
    yield from _alarms(running)


def judge_line(running: Running, pbx: str) -> Iterator[Finding]:
    """Yield that the daemon has no connection with a PBX that answers us well."""
    state = running.pbx.get(pbx, "")
    if state in PBX_WORDS:
        what = f"The running daemon {PBX_WORDS[state]}. If nothing else is wrong there, it still has what was written before:"
        yield fault(f"pbx.{pbx}", what, "systemctl restart textbackd", LOG)


def _alarms(running: Running) -> Iterator[Finding]:
    for sample in running.samples:
        alarm = sample.labels.get("alarm", "")
        if sample.name == "textbackd_alarm_active" and sample.value and alarm in ALARMS and alarm not in SAID_ELSEWHERE:
            of = sample.labels.get("of", "")
            yield warning("alarms", f"An alarm is on: {ALARMS[alarm]}{f' ({of})' if of else ''}.", LOG)


# ---- gathered


def gather(settings: Settings, *, is_running: bool | None, root: Path = Path("/")) -> Service:
    """Look for the unit, and ask the daemon if it runs; if that is not known, whether it answers tells."""
    host = settings.web.host
    address = f"{'127.0.0.1' if host in ('0.0.0.0', '') else '::1' if host == '::' else host}"
    url = f"http://{f'[{address}]' if ':' in address else address}:{settings.web.port}"
    running = ask(url) if is_running is not False else Running()
    return Service(
        has_systemd=(root / "run/systemd/system").is_dir(),
        installed=any((root / folder / UNIT).exists() for folder in UNIT_FOLDERS),
        enabled=os.path.lexists(root / WANTS / UNIT),
        is_running=running.answers if is_running is None else is_running,
        running=running,
        address=url,
        written_at=_written_at(settings.origin.path),
        zone=settings.business.timezone,
    )


def _written_at(path: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError:
        return None


def ask(url: str) -> Running:
    """Return what a daemon says at its /healthz and /metrics."""
    try:
        health = json.loads(_get(f"{url}/healthz"))
        samples = read_metrics(_get(f"{url}/metrics"))
    except (OSError, ValueError):
        return Running(answers=False)
    if not isinstance(health, dict):
        return Running(answers=False)
    return Running(
        database=str(health.get("database", "ok")),
        pbx=_states(health.get("pbx")),
        gateways=_states(health.get("gateways")),
        samples=tuple(samples),
    )


def _get(url: str) -> str:
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({})
    )  # it is this box, whatever the environment says
    try:
        with opener.open(url, timeout=SECONDS) as answer:
            raw: bytes = answer.read(MOST_BYTES)
    except urllib.error.HTTPError as exc:  # 503 has a body as well
        raw = exc.read(MOST_BYTES)
    return raw.decode("utf-8", "replace")


def _states(told: Any) -> dict[str, str]:
    return {str(name): str(state) for name, state in told.items()} if isinstance(told, dict) else {}


def read_metrics(text: str) -> Iterator[Sample]:
    """Yield the samples of Prometheus' text format; what is no number is left out."""
    for name, labels, value in _SAMPLE.findall(text):
        try:
            number = float(value)
        except ValueError:
            continue
        yield Sample(name, {key: _plain(written) for key, written in _LABEL.findall(labels)}, number)


def _plain(written: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], written)
