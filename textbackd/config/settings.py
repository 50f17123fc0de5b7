"""The settings: what a shop can set, what it means and what holds if it does not.   yaml → load.py → here → daemon, cli

Every field has its default and its description, here or in sections/, one file per part of the shop; the sample, docs/CONFIG.md
and the hints in faults are made from them. Values are frozen. Numbers are read in the country of the business, and names are
checked against the sections they point to, which is why a validation carries a `Context` (readers.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, PrivateAttr

from textbackd.config import readers
from textbackd.config.countries import profile
from textbackd.config.gateways import Gateway
from textbackd.config.kept_days import HolidaysKept
from textbackd.config.section import (
    Named,
    Section,
    nothing,
)
from textbackd.config.sections.alarms import Alarms
from textbackd.config.sections.bookings import Booking
from textbackd.config.sections.business import Business
from textbackd.config.sections.feature_code import FeatureCode
from textbackd.config.sections.handoff import Email, HookOut
from textbackd.config.sections.leads import Lead
from textbackd.config.sections.line import Line
from textbackd.config.sections.pages import Inbox, Web, Webhooks
from textbackd.config.sections.pbx import Pbx
from textbackd.config.sections.people import ContactGroup, Staff
from textbackd.config.sections.policy import Policy, Retention
from textbackd.config.yaml_source import Loc, nearest_line
from textbackd.core.compose import Manner
from textbackd.core.handoff import Shift
from textbackd.core.phone import E164
from textbackd.core.timetable import Timetable


@dataclass(frozen=True, slots=True)
class Origin:
    """Where settings were read from, for what is said about them later."""

    path: Path = Path("textbackd.yaml")
    lines: Mapping[Loc, int] = field(default_factory=dict)
    zone_guessed: bool = False  # the country has several clocks, none was named, and the machine's is not one of them

    def line(self, loc: Loc) -> int:
        """Return the line of what is at `loc`, or of the nearest thing around it that is written."""
        return nearest_line(self.lines, loc)


class Settings(Section):
    """All that a shop has set."""

    mode: Literal["observe", "live"] = Field(
        default="live", description="`observe` records and decides, and sends nothing; `live` sends."
    )
    business: Business = Field(description="Who texts.", examples=[{"name": "Anderson Roofing", "country": "US"}])
    pbx: Named[Pbx] = Field(
        min_length=1,
        description="One Asterisk or several, by names of your own.",
        examples=[{"office": {"secret": "file:ami.secret"}}],
    )
    lines: Named[Line] = Field(
        min_length=1,
        description="One or more DIDs with their hours, texts, gateways and staff.",
        examples=[{"main": {"dids": ["*"]}}],
    )
    gateways: Named[Gateway] = Field(
        min_length=1,
        description="Ways to send and receive texts, by names of your own.",
        examples=[{"stick": {"type": "gsm_modem", "imei": "004999010640000"}}],
    )
    policy: Policy = Field(default=Policy(), description="When to text.")
    contacts: Named[ContactGroup] = Field(
        default_factory=nothing,
        description="Groups of contacts, by names of your own; `never` and `staff` have a meaning of their own.",
    )
    staff: Named[Staff] = Field(
        default_factory=nothing, description="People with a login or a phone that gets replies."
    )
    email: Email | None = Field(default=None, description="The mail server that takes e-mails to staff.")
    hooks_out: Named[HookOut] = Field(
        default_factory=nothing, description="Programs that are told what happens, by names of your own."
    )
    alarms: Alarms = Field(default=Alarms(), description="When somebody is told that something is wrong.")
    retention: Retention = Field(default=Retention(), description="How long things are kept.")
    inbox: Inbox = Field(default=Inbox(), description="The conversations with callers.")
    web: Web = Field(default=Web(), description="The inbox in the browser.")
    webhooks: Webhooks = Field(default=Webhooks(), description="Where webhooks and forms arrive.")
    leads: Named[Lead] = Field(
        default_factory=nothing, description="Forms on the shop's web pages, by names of your own; docs/LEADS.md."
    )
    bookings: Named[Booking] = Field(
        default_factory=nothing,
        description="Calendars that tell of appointments, by names of your own; docs/LEADS.md.",
    )
    feature_code: FeatureCode | None = Field(
        default=None, description="Texting is paused and resumed by a code that a desk phone dials; docs/OPERATING.md."
    )
    storage: Annotated[Path, BeforeValidator(readers.storage_path)] = Field(
        default=Path("/var/lib/textbackd/textbackd.db"),
        description="The database. Elsewhere than in /var/lib/textbackd it needs a folder of its own that belongs to textbackd, and "
        "`ReadWritePaths=FOLDER` under `[Service]` by `systemctl edit textbackd` and `systemctl edit textbackd-backup`.",
    )
    _origin: Origin = PrivateAttr(default_factory=Origin)

    @property
    def origin(self) -> Origin:
        """Where these settings were read from."""
        return self._origin

    def from_origin(self, origin: Origin) -> Self:
        """Return these settings, read from there."""
        settings = self.model_copy()
        settings._origin = origin
        return settings

    def line_for(self, did: E164 | None, channel: str = "") -> tuple[str, Line] | None:
        """Return the line that a call to `did` over a trunk's `channel` belongs to, with its name.

        An exact DID wins, then the longest start of one, then `*`; of equals the one that names the trunk. A call whose DID is
        not known belongs to a line that takes all, if there is one.
        """
        claims = [
            (pattern, name)
            for name, line in self.lines.items()
            for pattern in line.dids
            if _claims(pattern, did) and line.takes(channel)
        ]
        if not claims:
            return None
        _, name = max(claims, key=lambda claim: (*_closeness(claim[0]), bool(self.lines[claim[1]].trunks)))
        return name, self.lines[name]

    def line_named(self, name: str | None) -> Line:
        """Return the line of that name, or the first one if it is not known or not there any more."""
        return self.lines[name] if name is not None and name in self.lines else next(iter(self.lines.values()))

    def policy_of(self, line: Line | None) -> Policy:
        """Return when to text for a line: what it says itself, and for the rest what is said for all."""
        if line is None:
            return self.policy
        own = {key: getattr(line.policy, key) for key in line.policy.model_fields_set}
        return self.policy.model_copy(update=own)

    def timetable(self, line: Line) -> Timetable:
        """Return when a line is open, by its own clock."""
        zone = line.timezone or self.business.timezone
        return Timetable(hours=line.hours, zone=zone, kept=HolidaysKept(line.holidays))

    def rota(self, line: Line) -> tuple[Shift, ...]:
        """Return who of a line's staff is on duty when, by its clock."""
        times = self.timetable(line)
        return tuple(Shift(staff=shift.staff, times=replace(times, hours=shift.hours)) for shift in line.rota.values())

    def manner(self, line: Line) -> Manner:
        """Return how a line speaks."""
        return Manner(
            language=line.language,
            transliterate=line.transliterate,
            optout_hint=line.optout_hint,
            hint_expected=profile(self.business.country).hint_expected,
            name_called=line.name_called_number,
        )

    def own_numbers(self) -> frozenset[E164]:
        """Return every number that is ours by configuration: never texted, whoever calls from it."""
        dids = (E164(did) for line in self.lines.values() for did in line.dids if not did.endswith("*"))
        phones = (number for gateway in self.gateways.values() for number in gateway.own_numbers())
        mobiles = (person.mobile for person in self.staff.values())
        on_call = (line.on_call for line in self.lines.values())
        ignored = (did for pbx in self.pbx.values() for did in pbx.ignore.dids)
        ours = (*self.business.numbers, *dids, *phones, *mobiles, *on_call, *ignored)
        return frozenset(number for number in ours if number)


def _closeness(pattern: str) -> tuple[bool, int]:
    return not pattern.endswith("*"), len(pattern)


def _claims(pattern: str, did: E164 | None) -> bool:
    if pattern.endswith("*"):
        return pattern == "*" or (did is not None and did.startswith(pattern[:-1]))
    return pattern == did
