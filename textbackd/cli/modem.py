"""`textbackd modem scan` and `modem test`: what is plugged in, and whether it works both ways."""

import dataclasses
import json
import os
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import click

from textbackd.cli.options import config_option
from textbackd.config import GsmModem, Settings, load
from textbackd.config.secrets import SecretMissingError, resolve
from textbackd.core.phone import E164, NotTextable, read_number
from textbackd.errors import TextbackdError
from textbackd.gateways.base import DeliveryReport, InboundText, SendFailed
from textbackd.store.database import is_running

READY: Final = "READY"
BODY: Final = "A test of textbackd. Please answer with any word."
NETWORK_PATIENCE: Final = timedelta(seconds=60)  # a stick that was plugged in needs half of that


@click.group()
def modem() -> None:
    """Find the USB modem, and try it out."""


# ---- scan


@modem.command(short_help="List the modems that are plugged in.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object with all that was found.")
@click.option("--ports", multiple=True, metavar="PATTERN", help="Look at these ports instead of all USB ports.")
def scan(as_json: bool, ports: tuple[str, ...]) -> None:
    """List the modems that are plugged in, and what to write down for each.

    Needs no configuration. Ports that another program has open are left alone.
    Exit code 0: there is a modem; 1: there is none.
    """
    from textbackd.gateways.modem.ports import PATTERNS, candidates  # noqa: PLC0415  # these cost start-up time
    from textbackd.gateways.modem.scan import Finding, Trouble  # noqa: PLC0415
    from textbackd.gateways.modem.scan import scan as scan_ports  # noqa: PLC0415

    found: list[Finding | Trouble] = []
    for one in scan_ports(candidates(ports or PATTERNS)):
        found.append(one)
        if not as_json:
            click.echo(_line(one))
    modems = [one for one in found if isinstance(one, Finding)]
    troubles = [one for one in found if isinstance(one, Trouble)]
    notes = list(_notes(modems, troubles))
    if as_json:
        named = {
            "modems": [dataclasses.asdict(one) for one in modems],
            "ports": [dataclasses.asdict(one) for one in troubles],
        }
        click.echo(json.dumps(named | {"notes": notes}, ensure_ascii=False))
    else:
        _advise(modems, notes)
    sys.exit(0 if modems else 1)


def _line(found: Any) -> str:
    from textbackd.gateways.modem.scan import Trouble  # noqa: PLC0415

    if isinstance(found, Trouble):
        return f"{found.port}: {found.words}"
    return f"{found.port}: {', '.join(facts(found))}"


def facts(found: Any) -> Iterator[str]:
    """Yield what is worth knowing of a modem, in a few words each."""
    yield " ".join(filter(None, (found.manufacturer, found.model))) or "a modem"
    yield f"IMEI {found.imei or 'not told'}"
    yield f"SIM {'ready' if found.sim == READY else f'not ready: {found.sim}'}"
    if found.sim != READY and found.pin_tries is not None:
        yield f"{found.pin_tries} tries of the PIN left"
    condition = found.condition
    yield " ".join(filter(None, (condition.registration.value, condition.operator, condition.technology)))
    yield "signal not told" if condition.signal_dbm is None else f"{condition.signal_dbm} dBm".replace("-", "−")
    if found.sim == READY:
        yield f"message centre {found.smsc}" if found.smsc else "no message centre: set `smsc`"
    if condition.size:
        yield f"{condition.used} of {condition.size} places for texts used"


def _notes(modems: list[Any], troubles: list[Any]) -> Iterator[str]:
    from textbackd.gateways.modem.usb import modem_manager_runs, oddities, udev_rule, usb_port  # noqa: PLC0415

    yield from oddities()
    for port in (one.port for one in troubles if one.held_by):
        yield f"{port} is held by another program; if that is textbackd, all is well."
    if modem_manager_runs():
        yield "ModemManager runs and sends its own commands to modems. Keep it away: config/60-textbackd.rules tells how."
        behind = {usb for one in [*modems, *troubles] if (usb := usb_port(one.port))}
        yield from map(udev_rule, sorted(behind, key=lambda usb: (usb.vendor, usb.product)))
    if not modems and not troubles:
        yield "There is no USB serial port. Plug in the modem; `lsusb` shows whether the computer sees it."


def _advise(modems: list[Any], notes: list[str]) -> None:
    for note in notes:
        click.echo(note)
    imeis = list(dict.fromkeys(one.imei for one in modems if one.imei))
    if not modems:
        click.echo("No modem found.")
        return
    click.echo("\nWrite into the configuration, under `gateways:`")
    for number, imei in enumerate(imeis):
        click.echo(f'  stick{number + 1 if len(imeis) > 1 else ""}: {{type: gsm_modem, imei: "{imei}"}}')
    for one in modems:
        if one.imei is None:
            click.echo(f"  stick: {{type: gsm_modem, port: {one.port}}}")


# ---- test


@modem.command()
@click.argument("gateway", required=False)
@click.option("--to", metavar="NUMBER", help="Send a text to this number, and wait for what becomes of it.")
@click.option(
    "--wait",
    default=120,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for a network, a report or a reply.",
)
@config_option
def test(gateway: str | None, to: str | None, wait: int, config: Path) -> None:
    """Ask the modem of GATEWAY all that matters, and try it out.

    With --to it sends a real text, which may cost money. The daemon must be
    stopped: one program at a time can talk to a modem. Texts on the SIM stay.
    Exit code 0: it works; 1: it does not, or nothing came back.
    """
    settings = load(config)
    name, section = _chosen(settings, gateway)
    number = _number(settings, to) if to else None
    if is_running(settings.storage):
        raise TextbackdError("textbackd is running and has the modem. Stop it first: systemctl stop textbackd")
    from textbackd.gateways.modem.scan import examine  # noqa: PLC0415
    from textbackd.gateways.modem.trial import trying  # noqa: PLC0415

    with trying(_stick(name, section, notes=settings.storage.parent)) as trial:
        click.echo(_line(examine(trial.link)))
        trial.set_up()
        trial.wait_for_network(min(NETWORK_PATIENCE, timedelta(seconds=wait)))
        click.echo(f"{_line(examine(trial.link))}\nThe modem can send.")
        if number:
            _try(trial, number, timedelta(seconds=wait))


def _stick(name: str, section: GsmModem, *, notes: Path) -> Any:
    from textbackd.gateways.gsm_modem import TIMING  # noqa: PLC0415
    from textbackd.gateways.modem.trial import Stick  # noqa: PLC0415

    return Stick(
        port=section.port,
        imei=section.imei,
        pin=_pin(name, section),
        smsc=section.smsc,
        baud=section.baud,
        notes=notes,
        timing=TIMING,
    )


def _chosen(settings: Settings, wanted: str | None) -> tuple[str, GsmModem]:
    modems = {name: section for name, section in settings.gateways.items() if isinstance(section, GsmModem)}
    if not modems:
        raise click.UsageError("The configuration has no gateway of type gsm_modem.")
    if wanted is None and len(modems) > 1:
        raise click.UsageError(f"Which modem? The configuration has {', '.join(modems)}.")
    name = wanted or next(iter(modems))
    if name not in modems:
        raise click.UsageError(f"There is no modem {name!r} in the configuration, which has {', '.join(modems)}.")
    return name, modems[name]


def _number(settings: Settings, written: str) -> E164:
    read = read_number(written, settings.business.country)
    if read.e164 is None or read.not_textable in (NotTextable.INVALID, NotTextable.SHORT_CODE, NotTextable.WITHHELD):
        raise click.UsageError(f"{written!r} is not a number that can be texted. Write it like +13125550123.")
    return read.e164


def _pin(name: str, section: GsmModem) -> str | None:
    if section.pin is None:
        return None
    try:
        return resolve(section.pin.get_secret_value(), os.environ)
    except SecretMissingError as exc:
        raise TextbackdError(f"gateways.{name}.pin: {exc}") from exc


def _try(trial: Any, number: E164, patience: timedelta) -> None:
    try:
        reference = trial.send(number, BODY)
    except SendFailed as exc:
        raise TextbackdError(str(exc)) from exc
    click.echo(f"The network took a text to {number}. Waiting for its delivery report, or for an answer …")
    came = False
    for item in trial.outcome(number, reference, patience):
        came = True
        if isinstance(item, InboundText):
            click.echo(f"An answer came: “{_printable(item.body)}”. It works both ways.")
            return
        if isinstance(item, DeliveryReport) and item.final:
            click.echo(f"Delivery report: {item.detail}.")
            if not item.delivered:
                sys.exit(1)
            click.echo("Answer the text to see whether answers arrive, or press Ctrl-C.")
    if came:
        click.echo("No answer came so far.")
    else:
        raise TextbackdError(
            "Nothing came back. The text may have arrived all the same: not every network sends reports."
        )


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())[:160]
