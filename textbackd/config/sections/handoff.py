"""The settings of how staff and other programs are told: the rota, mail, services, desk phones, webhooks of ours.   → settings.py"""

import importlib
import re
from collections.abc import Mapping
from email.headerregistry import Address
from email.utils import parseaddr
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from textbackd.config import readers
from textbackd.config.hours import weekly_hours
from textbackd.config.secrets import is_plain
from textbackd.config.section import Listed, Port, Secret, Section, Text
from textbackd.config.values import shown
from textbackd.core.opening_hours import ALWAYS_OPEN, OpeningHours

_MAILBOX: Final = re.compile(r"[^@\s<>\"(),:;\[\]\\\x00-\x20]{1,64}@[A-Za-z0-9.-]{1,255}")
_INTERFACE: Final = re.compile(r"[A-Za-z]{2,10}/[\w.+@-]{1,79}", re.ASCII)
_ENDPOINT: Final = re.compile(r"pjsip:[\w.-]{1,79}", re.ASCII)
_QUEUE: Final = re.compile(r"[\w.-]{1,79}", re.ASCII)
LEAST_SECRET: Final = 16  # characters of what a webhook is signed with
NEEDS_APPRISE: Final = "the package apprise is not installed. Run: pip install 'textbackd[notify]'"


def mailbox(value: str) -> str:
    """Return an address for e-mail, without a name around it."""
    if not _MAILBOX.fullmatch(value) or not value.isascii():
        raise ValueError(f"{shown(value)} is not an e-mail address. Write it as anna@example.com.")
    return value


def mail_server(value: str) -> str:
    """Return the name or address of a server. Raises ValueError for what cannot be looked up (RFC 1035, labels of 63 octets)."""
    try:
        _ = value.encode("idna")
    except UnicodeError:
        raise ValueError(f"{shown(value)} is not the name of a server. Write it as smtp.example.com.") from None
    return value


def sender(value: str) -> str:
    """Return the From of e-mails: an address, or `Name <address>`."""
    name, address = parseaddr(value)
    mailbox(address)
    if any(character < " " for character in value):
        raise ValueError("the sender holds a line break. Write it in one line.")
    return str(Address(display_name=name, addr_spec=address))


def interface(value: str) -> str:
    """Return a phone as Asterisk dials it, PJSIP/anna. Raises ValueError for what is none, or would run a piece of dialplan."""
    if not _INTERFACE.fullmatch(value) or value.casefold().startswith("local/"):
        raise ValueError(f"{shown(value)} is no phone. Write it as Asterisk dials it: PJSIP/anna or SIP/101.")
    return value


def endpoint(value: str) -> str:
    """Return a phone as Asterisk sends messages to it, pjsip:anna."""
    if not _ENDPOINT.fullmatch(value):
        raise ValueError(f"{shown(value)} is no phone that takes messages. Write it as pjsip:anna.")
    return value


def queue_name(value: str) -> str:
    """Return the name of a queue."""
    if not _QUEUE.fullmatch(value):
        raise ValueError(f"{shown(value)} is no queue. Write its name as in queues.conf: sales, or 600.")
    return value


def service(secret: SecretStr) -> SecretStr:
    """Return the address of a service that apprise knows; one that stands elsewhere is looked at when it is resolved."""
    if is_plain(secret.get_secret_value()) and (fault := fault_of_service(secret.get_secret_value())):
        raise ValueError(fault)
    return secret


def fault_of_service(url: str) -> str | None:
    """Return what is wrong with the address of a service; None: apprise knows it. Nothing is sent."""
    try:
        apprise: Any = importlib.import_module("apprise")
    except ImportError:
        return NEEDS_APPRISE
    if apprise.Apprise.instantiate(url, suppress_exceptions=True) is None:
        return (
            "apprise knows no such service, or its address is incomplete. Write it as in apprise's documentation, "
            "such as ntfy://ntfy.sh/anderson-roofing."
        )
    return None


def signing_secret(secret: SecretStr) -> SecretStr:
    """Return what webhooks are signed with. Raises ValueError for one that can be guessed."""
    written = secret.get_secret_value()
    if is_plain(written) and len(written) < LEAST_SECRET:
        raise ValueError(f"it is shorter than {LEAST_SECRET} characters. Make one: openssl rand -hex 24")
    return secret


def event_name(value: Any) -> str:
    """Return the name of an event that webhooks of ours tell."""
    if str(value) not in EVENTS:
        raise ValueError(f"{shown(value)} is no event. Write some of {', '.join(EVENTS)}.")
    return str(value)


EVENTS: Final[Mapping[str, str]] = {
    "missed": "nobody took a call",
    "text_in": "a caller wrote",
    "text_out": "a text went to a caller",
    "lead": "somebody filled in a form",
    "conversation": "whose turn it is has changed",
}
Mailbox = Annotated[Text, AfterValidator(mailbox)]
Interface = Annotated[Text, AfterValidator(interface)]
Endpoint = Annotated[Text, AfterValidator(endpoint)]
Queue = Annotated[Text, AfterValidator(queue_name)]
Service = Annotated[Secret, AfterValidator(service)]


class RotaShift(Section):
    """When some of the staff are on duty, by the line's clock and holidays."""

    staff: Listed[Annotated[Text, AfterValidator(readers.known_staff)]] = Field(
        min_length=1, description="Who.", examples=[["anna"]]
    )
    hours: Annotated[OpeningHours, BeforeValidator(weekly_hours)] = Field(
        default=ALWAYS_OPEN,
        description="When; a day that is not named is free.",
        examples=[{"mon-wed": ["07:00-15:00"]}],
    )


class Email(Section):
    """The mail server that takes e-mails to staff."""

    host: Annotated[Text, AfterValidator(mail_server)] = Field(
        min_length=1, description="Its name.", examples=["smtp.example.com"]
    )
    port: Port = Field(default=587, description="Its TCP port: 587 with `starttls`, 465 with `tls`.")
    tls: Literal["starttls", "tls", "off"] = Field(
        default="starttls", description="How the connection is encrypted; `off` only for a server on this machine."
    )
    username: Text | None = Field(default=None, description="The account.", examples=["textbackd@example.com"])
    password: Secret | None = Field(default=None, description="Its password.", examples=["file:smtp.secret"])
    from_: Annotated[Text, AfterValidator(sender)] = Field(
        alias="from", description="Who the e-mails are from.", examples=["textbackd@example.com"]
    )


class HookOut(Section):
    """Another program, such as a CRM, that is told what happens by signed webhooks."""

    url: Annotated[Text, AfterValidator(readers.web_address)] = Field(
        repr=False, description="Where it takes them.", examples=["https://crm.example.com/hooks/textbackd"]
    )
    secret: Annotated[Secret, AfterValidator(signing_secret)] = Field(
        description="What they are signed with; the other program has the same.", examples=["file:crm.secret"]
    )
    events: Listed[Annotated[str, BeforeValidator(event_name)]] = Field(
        default=tuple(EVENTS),
        description="What it is told: " + "; ".join(f"`{name}` {what}" for name, what in EVENTS.items()) + ".",
    )
