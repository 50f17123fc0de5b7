"""Would a gateway take a text?  Asked without sending one.   gateways → here → examination.py

The modem has modem.py, and what goes through the PBX needs only the rights that ami.py looks at.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from yarl import URL

from textbackd.config import Settings
from textbackd.config.gateways import (
    AsteriskDongle,
    FromCalled,
    GammuSmsd,
    GsmModem,
    HttpGateway,
    Kind,
    ModemManager,
    Smpp,
    SmsTools,
)
from textbackd.doctor.findings import Finding, fault, note, warning
from textbackd.doctor.service import Running
from textbackd.errors import TextbackdError
from textbackd.gateways import registry
from textbackd.gateways.base import Lent, Tries
from textbackd.gateways.web.exchange import reach

PATIENCE: Final = timedelta(seconds=10)
LOG: Final = "journalctl -u textbackd -n 50"
# Kinds that send from a SIM of their own, so nobody has to say from which number.
OWN_NUMBER: Final = (GsmModem, AsteriskDongle, GammuSmsd, ModemManager, SmsTools, HttpGateway)
STATES: Final[Mapping[str, str]] = {
    "down": "cannot send at the moment",
    "paused": "waits for a person: it said that nothing will go out before something is mended there",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What is known of one gateway."""

    name: str
    section: Kind
    where: str = ""  # for people
    objection: str = ""  # half a sentence; "": nothing speaks against it
    state: str = ""  # as the running daemon says; "": it does not run
    is_numbered: bool = True  # the configuration says from which number it sends, or it knows by itself
    spend_is_capped: bool = False  # `policy.caps.spend` is on, which counts prices


# ---- judged


def judge(tried: Tried) -> Iterator[Finding]:
    """Yield what is wrong with one gateway."""
    subject = f"gateways.{tried.name}"
    if tried.objection:
        what = f"{tried.where or 'The gateway'} would take no text: {tried.objection}."
        yield fault(
            subject,
            what,
            f"# textbackd.yaml, gateways.{tried.name}: compare address and credentials",
            "textbackd doctor",
        )
    elif tried.state in STATES and not isinstance(tried.section, GsmModem):
        yield fault(subject, f"The gateway {STATES[tried.state]}.", "textbackd outbox", LOG)
    if not tried.is_numbered:
        what = "It is not said from which number its texts come, so a reply may go to a number that nobody reads."
        yield warning(subject, what, f"# textbackd.yaml, gateways.{tried.name}:", 'number: "+13125550142"      # yours')
    if "price" not in tried.section.model_fields_set:
        why = (
            "so `caps.spend` stops nothing, and reports show no cost"
            if tried.spend_is_capped
            else "so reports show no cost"
        )
        yield note(
            subject,
            f"What a text costs is not written, {why}.",
            f"# textbackd.yaml, gateways.{tried.name}:",
            "price: 0.0079      # yours",
        )


# ---- gathered


def gather(settings: Settings, *, running: Running | None, lent: Lent) -> Sequence[Tried]:
    """Try every gateway, all at once; `settings` have their secrets, or no credentials can be tried."""
    return asyncio.run(_all(settings, running, lent))


async def _all(settings: Settings, running: Running | None, lent: Lent) -> Sequence[Tried]:
    return await asyncio.gather(
        *(_tried(name, one, settings, running, lent) for name, one in settings.gateways.items())
    )


async def _tried(name: str, section: Kind, settings: Settings, running: Running | None, lent: Lent) -> Tried:
    where, objection = await _attempt(name, section, lent)
    return Tried(
        name=name,
        section=section,
        where=where,
        objection=objection,
        state=running.gateways.get(name, "") if running else "",
        is_numbered=isinstance(section, OWN_NUMBER) or _has_sender(section),
        spend_is_capped=settings.policy.caps is not None and bool(settings.policy.caps.spend),
    )


def _has_sender(section: Kind) -> bool:
    # Some vendors send from a pool of numbers of their own, which has a name.
    pools = ("messaging_service", "profile", "powerpack", "application")
    named = any(getattr(section, pool, None) for pool in pools)
    return named or bool(section.number) or (isinstance(section, FromCalled) and section.sender is not None)


async def _attempt(name: str, section: Kind, lent: Lent) -> tuple[str, str]:
    if isinstance(section, Smpp):
        return f"{section.host}:{section.port}", await reach(
            URL.build(scheme="smpp", host=section.host, port=section.port), PATIENCE
        )
    try:
        gateway: Any = registry.build(name, section, lent)
    except TextbackdError as exc:
        return "", str(exc).rstrip(".")
    return _where(section), await gateway.attempt() if isinstance(gateway, Tries) else ""


def _where(section: Kind) -> str:
    url = getattr(section, "url", None)
    return (
        URL(url).origin().human_repr()
        if isinstance(url, str) and "{" not in url and URL(url).host
        else f"The gateway {section.type}"
    )
