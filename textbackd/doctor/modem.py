"""Is the USB modem there, ours, and well?  With the daemon, as it says; without it, asked.   gateways/modem → here → examination.py

Two programs on one port take each other's answers, so a port that somebody has open is never opened here.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from textbackd.config import GsmModem, Settings
from textbackd.config.service_user import SERVICE_USER, group_name, groups_of, user_exists
from textbackd.doctor.findings import Finding, fault, note, warning
from textbackd.doctor.kernel_log import KernelLog
from textbackd.doctor.service import Running
from textbackd.errors import TextbackdError
from textbackd.gateways.modem.condition import Registration
from textbackd.gateways.modem.ports import candidates
from textbackd.gateways.modem.scan import BRIEF, examine, holder_of
from textbackd.gateways.modem.trial import Stick, trying
from textbackd.gateways.modem.usb import modem_manager_runs, oddities, udev_rule, usb_port

WEAK_DBM: Final = -105  # CSQ 4: texts begin to fail
NEARLY_FULL: Final = 0.7  # as gateways/gsm_modem.py warns
OFTEN: Final = 3  # times a day that a stick goes away without a hand on it
LOOK: Final = "textbackd modem scan"
DIALOUT: Final = "dialout"  # the unit has it, whatever groups the user has
RULES: Final = "/etc/udev/rules.d/60-textbackd.rules"
HUAWEI: Final = "12d1"
USB_ID: Final = re.compile(r"[0-9a-f]{4}:[0-9a-f]{4}")
# Makes a Huawei stick that shows its CD-ROM the modem 12d1:1001, by vendor command 0x11 with 0x30; found by users of usb_modeswitch
# ("Huawei E3533 USB modem dongle usbmode switch" in OpenWrt's forum; E3372 and MS2131 on ofono's mailing list, January 2018).
TO_MODEM: Final = "55534243123456780000000000000011063000000100010000000000000000"
ASTERISK: Final = "asterisk"  # with chan_dongle or chan_quectel
# The programs that have modems for a living, as the kernel names them, and Debian's units.
UNITS: Final[Mapping[str, str]] = {
    "ModemManager": "ModemManager",
    "gammu-smsd": "gammu-smsd",
    "smsd": "smstools",
    "bearerbox": "kannel",
}
READY: Final = "READY"
NO_NETWORK: Final = frozenset(one.value for one in Registration if not one.may_send)
STATES: Final[Mapping[str, str]] = {
    "down": "cannot send at the moment",
    "paused": "waits for a person to mend it: PIN, credit or a barred SIM",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Modem:
    """What is known of one modem."""

    name: str  # of the gateway
    port: str | None  # that is configured, or on which it was found
    imei: str | None
    is_there: bool = True  # the port exists; for one that is found by IMEI, some port does
    held_by: str = ""  # a program that has the port open, and is not the daemon
    group: str = ""  # of the port
    user_groups: frozenset[str] | None = None  # of the service's user; None: there is no such user
    error: str = ""  # why it could not be asked, a sentence
    sim: str = READY
    has_pin: bool = False  # the configuration has one
    registration: Registration | None = None  # None: not known
    signal_dbm: float | None = None
    used: float | None = None
    size: float | None = None
    state: str = ""  # as the running daemon says; "": it does not run
    resets: float = 0  # that the daemon has made to bring it back
    told: str = ""  # the daemon's words for its registration


@dataclass(frozen=True, slots=True, kw_only=True)
class Sticks:
    """What is known of everything that is plugged in."""

    modems: Sequence[Modem] = ()
    oddities: Sequence[str] = ()  # sticks that cannot be used as they are, a sentence each
    modem_manager: bool = False  # it runs
    rules: Sequence[str] = field(default=())  # that would keep it away from our modems
    kernel: KernelLog = field(default_factory=KernelLog)


# ---- judged


def judge(sticks: Sticks) -> Iterator[Finding]:
    """Yield what is wrong with the modems."""
    for sentence in sticks.oddities if any(not modem.is_there or modem.error for modem in sticks.modems) else ():
        yield fault("usb", sentence, *_switching(sentence))
    if sticks.modem_manager and sticks.rules:
        what = "ModemManager runs and sends its own commands into the middle of a text. Keep it away from the modem:"
        yield warning(
            "usb",
            what,
            f"# {RULES}:",
            *sticks.rules,
            "udevadm control --reload && udevadm trigger",
            "systemctl restart ModemManager",
        )
    for modem in sticks.modems:
        yield from _port(modem)
        yield from _condition(modem)
    yield from _power(sticks)


def _switching(sentence: str) -> Iterator[str]:
    """Yield how a stick becomes a modem. One that is a router already has to be caught earlier, when it is plugged in."""
    yield "apt install usb-modeswitch"
    vendor, _, product = next((word for word in sentence.split() if USB_ID.fullmatch(word)), ":").partition(":")
    if "HiLink" in sentence:
        yield f"# /etc/usb_modeswitch.d/{vendor}:1f01, or the ID that `lsusb` shows in the moment of plugging it in:"
        yield from (f"TargetVendor=0x{vendor}", "TargetProduct=0x1001", f'MessageContent="{TO_MODEM}"')
        yield "# then pull the stick, and plug it in again"
    elif vendor == HUAWEI:
        yield f"usb_modeswitch -v {vendor} -p {product} -M {TO_MODEM}"
    elif vendor:
        yield f"usb_modeswitch -v {vendor} -p {product} -K"


def _port(modem: Modem) -> Iterator[Finding]:
    subject = f"gateways.{modem.name}"
    if not modem.is_there:
        what = f"{modem.port} is not there." if modem.port else "No modem is plugged in."
        yield fault(subject, f"{what} Plug it in, and look whether the box sees it:", "lsusb", LOOK)
    elif modem.held_by:
        what = f"{modem.port} is held by {modem.held_by}, and only one program can use a modem."
        yield fault(subject, what, *_letting_go(modem))
    elif modem.error:
        yield fault(subject, modem.error, LOOK)
    if modem.group and modem.user_groups is not None and modem.group not in modem.user_groups:
        what = f"The service's user may not open {modem.port}, which belongs to the group {modem.group}."
        yield fault(subject, what, f"usermod -aG {modem.group} {SERVICE_USER}", "systemctl restart textbackd")


def _letting_go(modem: Modem) -> Iterator[str]:
    """Yield how the port gets free. Asterisk is the shop's telephone: it is never stopped."""
    program, _, process = modem.held_by.rpartition(" (process ")
    if program == ASTERISK:
        yield "# take the modem out of /etc/asterisk/dongle.conf (chan_quectel: quectel.conf, `quectel reload`), then:"
        yield "asterisk -rx 'dongle reload when convenient'"
        yield f"# or leave it to Asterisk, which then hands over the texts. textbackd.yaml, all of gateways.{modem.name}:"
        yield from ("type: asterisk_dongle", "device: dongle0    # its name in that file")
    elif unit := UNITS.get(program):
        yield f"systemctl stop {unit}"
    else:
        yield f"ps -fp {process.rstrip(')')}"


def _condition(modem: Modem) -> Iterator[Finding]:
    subject = f"gateways.{modem.name}"
    if modem.state in STATES and modem.is_there:
        said = f" It is {modem.told}." if modem.told in NO_NETWORK else ""
        yield fault(subject, f"The modem {STATES[modem.state]}.{said}", "journalctl -u textbackd -n 50")
    if modem.sim != READY:
        yield from _sim(modem, subject)
    elif modem.registration is not None and not modem.registration.may_send:
        what = f"The modem is {modem.registration.value}. Look at antenna, SIM and contract; a network may have no 2G any more."
        yield fault(subject, what, f"textbackd modem test {modem.name}")
    if modem.signal_dbm is not None and modem.signal_dbm < WEAK_DBM:
        what = f"The signal is weak ({modem.signal_dbm:.0f} dBm). A longer antenna or another place helps; then look again:"
        yield warning(subject, what, LOOK)
    if modem.size and (modem.used or 0) >= NEARLY_FULL * modem.size:
        what = f"{modem.used:.0f} of {modem.size:.0f} places for incoming texts are used; when it is full, replies stay away."
        yield warning(subject, f"{what} The running daemon empties it.", "systemctl status textbackd")


def _sim(modem: Modem, subject: str) -> Iterator[Finding]:
    if modem.sim == "SIM PIN" and not modem.has_pin:
        yield fault(
            subject, "The SIM wants its PIN, and none is configured.", f"# textbackd.yaml, gateways.{modem.name}:", "pin: file:sim.pin",
            "install -m 0640 -g textbackd /dev/stdin /etc/textbackd/sim.pin    # type the PIN, then Ctrl-D",
        )  # fmt: skip
    elif modem.sim == "SIM PIN":
        yield note(
            subject,
            "The SIM waits for its PIN, which the daemon gives it once at its start.",
            "systemctl start textbackd",
        )
    else:
        yield fault(subject, f"The SIM is not ready: {modem.sim}.", LOOK)


def _power(sticks: Sticks) -> Iterator[Finding]:
    if sticks.kernel.power:
        what = f"The kernel has complained of too little power {sticks.kernel.power} times within a day."
        yield warning(
            "usb",
            f"{what} A USB hub with a supply of its own, or a stronger one for the box, helps.",
            "dmesg | grep -i voltage",
        )
    for socket, times in sticks.kernel.unplugged.items():
        if times >= OFTEN:
            what = f"What is in the USB socket {socket} went away {times} times within a day: too little power, or a loose cable."
            yield warning("usb", f"{what} A hub with a supply of its own helps.", f"dmesg | grep 'usb {socket}'")
    for modem in sticks.modems:
        if modem.resets >= OFTEN:
            what = f"The daemon had to bring the modem back {modem.resets:.0f} times since it started: too little power, or a bad signal."
            yield warning(f"gateways.{modem.name}", what, "journalctl -u textbackd -g modem")


# ---- gathered


def gather(settings: Settings, *, running: Running | None, kernel: KernelLog) -> Sticks:
    """Look at the sticks, and ask the modems that nobody uses; `running` is None if no daemon runs."""
    sections = {name: one for name, one in settings.gateways.items() if isinstance(one, GsmModem)}
    if not sections:
        return Sticks()
    modems = [_modem(name, section, settings, running) for name, section in sections.items()]
    ports = [modem.port for modem in modems if modem.port] or candidates()
    usb = {found for port in ports if (found := usb_port(port))}
    return Sticks(
        modems=modems,
        oddities=tuple(oddities()),
        modem_manager=modem_manager_runs(),
        rules=[
            udev_rule(port)
            for port in sorted(usb, key=lambda one: (one.vendor, one.product))
            if not _is_ruled(port.vendor)
        ],
        kernel=kernel,
    )


def _is_ruled(vendor: str, rules: Path = Path(RULES)) -> bool:
    try:
        text = rules.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return any(f'"{vendor}"' in line for line in lines) and "ID_MM_DEVICE_IGNORE" in text


def _modem(name: str, section: GsmModem, settings: Settings, running: Running | None) -> Modem:
    port = section.port
    known = Modem(
        name=name,
        port=port,
        imei=section.imei,
        has_pin=section.pin is not None,
        is_there=Path(port).exists() if port else bool(candidates()),
        group=_group(port) if port else "",
        user_groups=groups_of() | {DIALOUT} if user_exists() else None,
    )
    return _as_told(known, running) if running is not None else _as_asked(known, section, settings)


def _group(port: str) -> str:
    try:
        return group_name(Path(port).stat().st_gid)
    except OSError:
        return ""


def _as_told(modem: Modem, running: Running) -> Modem:
    """Return a modem with what the daemon that has it says."""
    vitals, told = running.of_gateway(modem.name)
    return replace(
        modem,
        state=running.gateways.get(modem.name, ""),
        told=told.get("registration", ""),
        signal_dbm=vitals.get("signal_dbm"),
        used=vitals.get("sim_storage_used"),
        size=vitals.get("sim_storage_size"),
        resets=sum(value for name, value in vitals.items() if name.startswith("recovery_")),
    )


def _as_asked(modem: Modem, section: GsmModem, settings: Settings) -> Modem:
    """Return a modem with what it says itself, unless somebody else has it. Sends nothing, gives no PIN."""
    if not modem.is_there:
        return modem
    if modem.port and (holder := holder_of(modem.port)):
        return replace(modem, held_by=holder)
    stick = Stick(
        port=section.port,
        imei=section.imei,
        pin=None,
        smsc=section.smsc,
        baud=section.baud,
        notes=settings.storage.parent,
        timing=BRIEF,
        ports=_free_ports,
    )
    try:
        with trying(stick) as trial:
            found = examine(trial.link)
    except TextbackdError as exc:
        return replace(modem, error=str(exc).partition(" Look for it:")[0])
    return replace(
        modem,
        port=found.port,
        sim=found.sim,
        registration=found.condition.registration if found.sim == READY else None,
        signal_dbm=found.condition.signal_dbm,
        used=found.condition.used,
        size=found.condition.size,
    )


def _free_ports() -> list[str]:
    return [port for port in candidates() if holder_of(port) is None]
