"""The settings: what a shop can set, what it means and what holds if it does not.   yaml → load.py → here → daemon, cli

Every field has its default and its description here; the sample, docs/CONFIG.md and the hints in faults are made from
them. Values are frozen. Numbers are read in the country of the business, and names are checked against the sections
they point to, which is why a validation carries a `Context` (readers.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal, Self
from urllib.parse import quote
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr

from textbackd.config import readers, values
from textbackd.config.countries import profile
from textbackd.config.gateways import Gateway
from textbackd.config.hours import NO_HOLIDAYS, Holidays, kept_holidays, weekly_hours
from textbackd.config.kept_days import HolidaysKept
from textbackd.config.section import (
    DEFAULT,
    Counted,
    Did,
    Duration,
    Kept,
    Limits,
    LineText,
    Listed,
    Named,
    Number,
    Port,
    Secret,
    Section,
    SpendLimits,
    Text,
    nothing,
)
from textbackd.config.yaml_source import Loc, nearest_line
from textbackd.core import night_switch
from textbackd.core.compose import DEFAULT_TEXTS, Language, Manner, TextKind, Wish
from textbackd.core.limits import Limit, Share, SpendLimit
from textbackd.core.opening_hours import ALWAYS_OPEN, OpeningHours, QuietHours
from textbackd.core.phone import E164
from textbackd.core.timetable import Timetable
from textbackd.core.trunk import USUAL_TRUNK_CONTEXTS


class Business(Section):
    """Who texts."""

    name: Text = Field(
        min_length=1, description="The name that callers know; `{business}` in texts.", examples=["Anderson Roofing"]
    )
    country: Annotated[str, BeforeValidator(readers.country_code)] = Field(
        description="ISO 3166 country of the business: how numbers are read, and the only country that is texted.",
        examples=["US"],
    )
    timezone: Annotated[ZoneInfo, BeforeValidator(values.zone)] = Field(
        default=ZoneInfo("UTC"),
        description="IANA time zone of opening hours and reports.",
        examples=["America/Chicago"],
        json_schema_extra={DEFAULT: "the country's where it has one clock, else the machine's"},
    )
    languages: Listed[Annotated[str, BeforeValidator(readers.language)]] = Field(
        default=("en",),
        description="Languages that your callers write in, whose words for STOP and HELP count beside the English ones and "
        "those of the lines' languages.",
        examples=[["en", "es"]],
        json_schema_extra={DEFAULT: "the country's"},
    )
    booking_url: Annotated[Text, AfterValidator(readers.web_address)] | None = Field(
        default=None,
        description="Where callers can book; `{booking_url}` in texts.",
        examples=["https://example.com/book"],
    )
    numbers: Listed[Number] = Field(
        default=(),
        description="More numbers of ours, never texted; DIDs, gateways and staff are known.",
        examples=[["+13125550100"]],
    )


class Trunks(Section):
    """How calls from outside are told from calls inside: a channel matches by its context or by its name."""

    contexts: Listed[Text] = Field(
        default=USUAL_TRUNK_CONTEXTS,
        description="Dialplan contexts in which trunks let calls in; `*` stands for anything.",
    )
    channels: Listed[Text] = Field(
        default=(), description="Channel names of trunks, where contexts do not tell.", examples=[["PJSIP/trunk-*"]]
    )


class Ignore(Section):
    """Calls that are never missed calls."""

    dids: Listed[Number] = Field(
        default=(),
        description="Numbers of ours that nobody answers: fax, voicemail access.",
        examples=[["+13125550199"]],
    )
    contexts: Listed[Text] = Field(
        default=("app-blacklist*",),
        description="Dialplan contexts in which the PBX answers or ends such calls; passing through does not count.",
    )


class Pbx(Section):
    """One Asterisk, reached over AMI."""

    host: Text = Field(default="127.0.0.1", min_length=1, description="Where Asterisk's manager listens.")
    port: Port = Field(default=5038, description="Its TCP port.")
    username: Text = Field(
        default="textbackd", min_length=1, description="The section of manager.conf that we log in as."
    )
    secret: Secret = Field(
        description="Its secret: `${NAME}`, `file:NAME` or `credential:NAME`.", examples=["file:ami.secret"]
    )
    trunks: Trunks = Field(default=Trunks(), description="How calls from outside are told from calls inside.")
    ignore: Ignore = Field(default=Ignore(), description="Calls that are never missed calls.")
    attestation_variable: Listed[Text] = Field(
        default=(),
        description="Channel variables that tell how far the carrier vouches for the caller's number (STIR/SHAKEN).",
        examples=[["STIR_SHAKEN(0,verify_result)", "STIR_SHAKEN(0,attestation)"]],
    )
    cdr: Annotated[Text, AfterValidator(readers.record_source)] | None = Field(
        default=None,
        repr=False,
        description="Call records for catch-up and the leak: a CSV file, `sqlite:///…`, `mysql://…` or `postgresql://…`.",
        examples=["/var/log/asterisk/cdr-csv/Master.csv"],
    )


class Texts(Section):
    """What callers of a line are texted, by what happened. `none` sends nothing.

    The first that is true of a call is taken: `voicemail`, `holiday`, `closed`, `late`, `again`, then `busy`, `queue` or `missed`. A
    line that words `missed` means it for every kind that it does not word, but for voicemail; `closed` also serves for holidays.
    What is not worded comes in the line's language; shown here is English. A sentence whose `{opens_next}`, `{on_call}` or
    `{booking_url}` is empty is left out.
    """

    missed: LineText = Field(default=DEFAULT_TEXTS[TextKind.MISSED], description="Nobody took the call.")
    busy: LineText = Field(default=DEFAULT_TEXTS[TextKind.BUSY], description="Every phone was busy.")
    queue: LineText = Field(
        default=DEFAULT_TEXTS[TextKind.QUEUE], description="The caller waited in a queue and nobody came."
    )
    closed: LineText = Field(default=DEFAULT_TEXTS[TextKind.CLOSED], description="Outside the opening hours.")
    holiday: LineText = Field(default=DEFAULT_TEXTS[TextKind.HOLIDAY], description="On a holiday of the line.")
    voicemail: LineText = Field(default=DEFAULT_TEXTS[TextKind.VOICEMAIL], description="The caller left a voicemail.")
    again: LineText = Field(
        default=DEFAULT_TEXTS[TextKind.AGAIN],
        description="The caller was texted before, longer ago than the cooldown and within 30 days.",
    )
    late: LineText = Field(
        default=DEFAULT_TEXTS[TextKind.LATE],
        description="The text goes out two minutes after the call or later: caught up after an outage, or held.",
    )

    def worded(self) -> Mapping[str, str | None]:
        """Return the texts that the line words itself, by kind; None where it says `none`."""
        return MappingProxyType(
            {key: getattr(self, key) for key in type(self).model_fields if key in self.model_fields_set}
        )


class NightSwitch(Section):
    """The PBX's own day/night switch; what it says beats the hours. One of `freepbx_daynight`, `device`, `hint` and `astdb`."""

    freepbx_daynight: Annotated[int, BeforeValidator(readers.daynight_index)] | None = Field(
        default=None,
        description="Index of FreePBX's call flow control: 0 for the feature code *280.",
        examples=[0],
    )
    device: Annotated[Text, AfterValidator(readers.asterisk_name)] | None = Field(
        default=None, description="A device whose lamp is on when closed.", examples=["Custom:DAYNIGHT0"]
    )
    hint: Annotated[Text, AfterValidator(readers.asterisk_name)] | None = Field(
        default=None, description="A hint whose lamp is on when closed: extension@context.", examples=["*280@ext-local"]
    )
    astdb: Annotated[Text, AfterValidator(readers.astdb_key)] | None = Field(
        default=None, description="A key of AstDB, family/key.", examples=["DAYNIGHT/C0"]
    )
    closed: Listed[Text] = Field(
        default=(),
        description="The values that mean closed; any other means open, and none at all leaves it to the hours.",
        examples=[["NIGHT"]],
        json_schema_extra={DEFAULT: "a lamp that is on; in AstDB NIGHT, CLOSED, YES, ON, TRUE, 1"},
    )
    pbx: Annotated[Text, AfterValidator(readers.known_pbx)] | None = Field(
        default=None,
        description="Which PBX is asked.",
        examples=["office"],
        json_schema_extra={DEFAULT: "the one over which the call came"},
    )

    def switch(self) -> night_switch.NightSwitch | None:
        """Return what to ask and what the answer means; None if nothing is named."""
        asked = self._asked()
        if asked is None:
            return None
        action, closed, silent = asked
        written = frozenset(value.strip().upper() for value in self.closed)
        return night_switch.NightSwitch(pbx=self.pbx, action=action, closed=written or closed, silent=silent)

    def _asked(self) -> night_switch.Asked | None:
        if self.freepbx_daynight is not None:
            return night_switch.freepbx(self.freepbx_daynight)
        if self.device is not None:
            return night_switch.device(self.device)
        if self.hint is not None:
            return night_switch.hint(self.hint)
        return night_switch.astdb(self.astdb) if self.astdb is not None else None


class Line(Section):
    """One or more DIDs with their hours, texts, gateways and staff."""

    dids: Listed[Did] = Field(
        default=("*",),
        min_length=1,
        description='Numbers that callers dial; "+1312555*" for those that start so, "*" for all.',
    )
    trunks: Listed[Text] = Field(
        default=(),
        description="Channel names of the trunks over which its calls come, where the number that was dialled does not tell.",
        examples=[["PJSIP/second-provider-*"]],
        json_schema_extra={DEFAULT: "any"},
    )
    hours: Annotated[OpeningHours, BeforeValidator(weekly_hours)] = Field(
        default=ALWAYS_OPEN,
        description="Opening hours, by the line's clock; a day that is not named is closed.",
        examples=[{"mon-fri": ["08:00-12:00", "13:00-17:00"], "sat,sun": "closed"}],
    )
    holidays: Annotated[Holidays, BeforeValidator(kept_holidays)] = Field(
        default=NO_HOLIDAYS,
        description="Days on which the line is closed: of a country or region, single ones, from one to another, "
        "or the whole-day events of a calendar file (`ics:FILE`).",
        examples=[["US-IL", "2026-12-24..2027-01-02", "ics:closed.ics"]],
    )
    timezone: Annotated[ZoneInfo, BeforeValidator(values.zone)] | None = Field(
        default=None,
        description="IANA time zone of the line's hours.",
        examples=["America/Denver"],
        json_schema_extra={DEFAULT: "the business's"},
    )
    night_switch: NightSwitch | None = Field(
        default=None, description="The PBX's own day/night switch, which beats the hours."
    )
    language: Annotated[Language, BeforeValidator(readers.spoken)] = Field(
        default=Language.EN,
        description="Language of the texts that the line does not word itself: en, es, fr, de, nl, pt or it.",
        examples=["es"],
        json_schema_extra={DEFAULT: "what the business's country speaks, else en"},
    )
    texts: Texts = Field(default=Texts(), description="What callers are texted.")
    booking_url: Annotated[Text, AfterValidator(readers.web_address)] | None = Field(
        default=None,
        description="Where callers of this line can book; `{booking_url}` in texts.",
        examples=["https://example.com/roofs"],
        json_schema_extra={DEFAULT: "the business's"},
    )
    on_call: Number | None = Field(
        default=None,
        description="Who answers when the line is closed; `{on_call}` in texts.",
        examples=["+13125550124"],
    )
    transliterate: bool = Field(
        default=False,
        description="Write texts in GSM-7 only: a long dash, curly quotes or an emoji would halve their room.",
        examples=[True],
        json_schema_extra={DEFAULT: "false"},
    )
    optout_hint: Annotated[Wish, BeforeValidator(readers.wish)] = Field(
        default=Wish.AUTO,
        description="Whether a caller's first text says how to get no more: `auto` after texts that the line does not word "
        "itself, if it takes no further segment (in the US and Canada also if it does); `on` after all; `off`.",
    )
    name_called_number: Annotated[Wish, BeforeValidator(readers.wish)] = Field(
        default=Wish.AUTO,
        description="Whether a text that comes from another number says which was called: `auto` after texts that the line "
        "does not word itself, if it takes no further segment; `on` after all; `off`.",
    )
    gateways: Listed[Annotated[Text, AfterValidator(readers.known_gateway)]] = Field(
        default=(),
        description="Gateways to send by, the first that can.",
        examples=[["stick"]],
        json_schema_extra={DEFAULT: "all, in the order written"},
    )
    staff: Listed[Annotated[Text, AfterValidator(readers.known_staff)]] = Field(
        default=(), description="Who gets the replies.", examples=[["anna"]], json_schema_extra={DEFAULT: "all staff"}
    )

    def takes(self, channel: str) -> bool:
        """Return whether calls over that channel may be this line's."""
        return not self.trunks or any(fnmatchcase(channel, pattern) for pattern in self.trunks)


class Caps(Section):
    """How many texts may go out at most; when one is full, texts wait or lapse. `off` lifts one, or all."""

    number: Limits = Field(
        default=(Limit(1, timedelta(hours=12)), Limit(4, timedelta(days=7))), description="To one number."
    )
    prefix: Limits = Field(
        default=(Limit(5, timedelta(hours=1)), Limit(20, timedelta(days=1))),
        description="To numbers that differ in their last four digits only, as pumping does.",
    )
    did: Limits = Field(default=(Limit(30, timedelta(hours=1)),), description="For calls to one DID.")
    all: Limits = Field(
        default=(Limit(10, timedelta(minutes=1)), Limit(60, timedelta(hours=1)), Limit(200, timedelta(days=1))),
        description="Altogether.",
    )
    spend: SpendLimits = Field(
        default=(SpendLimit(Decimal(5), timedelta(days=1)), SpendLimit(Decimal(50), timedelta(days=30))),
        description="Money, as estimated, in the currency of the gateways' prices.",
    )


class Brake(Section):
    """What stops all texting until a person looks. `off` lifts one, or both."""

    consecutive_numbers: Annotated[Counted | None, BeforeValidator(values.off_or)] = Field(
        default=Limit(3, timedelta(minutes=10)), description="So many calls from numbers in a row, in so long a time."
    )
    delivered_below: Annotated[
        Annotated[Share, BeforeValidator(values.share)] | None, BeforeValidator(values.off_or)
    ] = Field(default=Share(40, 50), description="Fewer than this share of so many last texts was delivered.")


class Policy(Section):
    """When to text."""

    min_wait: Duration = Field(
        default=timedelta(seconds=4),
        description="A caller who gives up sooner is not texted; the call counts as short.",
    )
    delay: Duration = Field(
        default=timedelta(seconds=5), description="From the end of the call to the text; dropped if they talk by then."
    )
    cooldown: Duration = Field(
        default=timedelta(hours=24), description="Shortest time between two texts to one caller."
    )
    recent_talk: Duration = Field(
        default=timedelta(minutes=10), description="Nobody is texted whom somebody talked with in this time."
    )
    conversation: Duration = Field(
        default=timedelta(hours=24),
        description="After a text that a person or the caller wrote, no automatic one for so long.",
    )
    expire: Duration = Field(
        default=timedelta(minutes=10), description="A text that cannot go out this soon after the call does not go out."
    )
    quiet_hours: Annotated[
        Annotated[QuietHours, BeforeValidator(values.quiet_hours)] | None, BeforeValidator(values.off_or)
    ] = Field(
        default=values.quiet_hours("21:00-08:00"),
        description="The night, in the caller's zone, in which nothing late is texted; `off`.",
    )
    night: Literal["send", "hold", "skip"] = Field(
        default="send",
        description="What becomes of the immediate answer in quiet hours: sent, held until they end, or skipped.",
    )
    attestation: Literal["none", "C", "B", "A"] = Field(
        default="none", description="Least attestation of a number that is texted; one found forged never is."
    )
    never: Listed[Number] = Field(
        default=(), description="Numbers that are never texted; their calls do not count.", examples=[["+13125550188"]]
    )
    caps: Annotated[Caps | None, BeforeValidator(values.off_or)] = Field(
        default=Caps(), description="How many texts may go out at most; `off`."
    )
    brake: Annotated[Brake | None, BeforeValidator(values.off_or)] = Field(
        default=Brake(), description="What stops all texting until a person looks; `off`."
    )


class Retention(Section):
    """How long things are kept; `off` is for ever. Opt-outs outlive it, as hashes from which no number can be read."""

    texts: Annotated[Kept | None, BeforeValidator(values.off_or)] = Field(
        default=timedelta(days=180), description="Texts, what became of them, and what callers wrote."
    )
    calls: Annotated[Kept | None, BeforeValidator(values.off_or)] = Field(
        default=timedelta(days=400),
        description="Calls with their decisions; one that a kept text answers stays as long as the text.",
    )


class ContactGroup(Section):
    """Numbers that are treated alike. The groups named `never` and `staff` are never texted, and their calls do not count."""

    files: Listed[Annotated[Path, BeforeValidator(readers.contact_file)]] = Field(
        default=(), description="CSV or vCard files, read again when they change.", examples=[["suppliers.csv"]]
    )
    numbers: Listed[Number] = Field(default=(), description="Numbers written here.", examples=[["+13125550177"]])
    text: LineText = Field(
        default=None, description="What they are texted instead of the line's texts; `none`: nothing."
    )


class Staff(Section):
    """Somebody with a login or a phone that gets replies."""

    name: Text = Field(
        default="",
        description="How colleagues and callers know them.",
        examples=["Anna"],
        json_schema_extra={DEFAULT: "the key"},
    )
    mobile: Number | None = Field(
        default=None,
        description="Their mobile, which gets replies; never texted as a caller.",
        examples=["+13125550123"],
    )


class Web(Section):
    """The inbox in the browser."""

    listen: Annotated[Text, AfterValidator(readers.listen_address)] = Field(
        default="127.0.0.1:8470", description="Address and port of the inbox, /healthz and /metrics."
    )

    @property
    def host(self) -> str:
        """The address to listen on, without the brackets of IPv6."""
        return listen_host(self.listen)

    @property
    def port(self) -> int:
        """The TCP port; 0 takes any free one."""
        return listen_port(self.listen)


class Webhooks(Section):
    """Where gateways' webhooks arrive: a listener of its own, the only thing that may have to be seen from outside."""

    listen: Annotated[Text, AfterValidator(readers.listen_address)] = Field(
        default="127.0.0.1:8471", description="Address and port; opened only if a gateway has a `webhook`."
    )
    url: Annotated[Text, AfterValidator(readers.web_address)] | None = Field(
        default=None,
        description="How the world reaches it, through your reverse proxy or tunnel; vendors sign this address.",
        examples=["https://sms.example.com"],
    )

    @property
    def host(self) -> str:
        """The address to listen on, without the brackets of IPv6."""
        return listen_host(self.listen)

    @property
    def port(self) -> int:
        """The TCP port; 0 takes any free one."""
        return listen_port(self.listen)

    def hook_url(self, gateway: str, secret: str) -> str:
        """Return the address that a vendor is told."""
        return f"{(self.url or '').rstrip('/')}/hook/{quote(gateway, safe='')}/{secret}"


def listen_host(listen: str) -> str:
    """Return the address of "ADDRESS:PORT", without the brackets of IPv6."""
    return listen.rpartition(":")[0].removeprefix("[").removesuffix("]")


def listen_port(listen: str) -> int:
    """Return the port of "ADDRESS:PORT"."""
    return int(listen.rpartition(":")[2])


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
    retention: Retention = Field(default=Retention(), description="How long things are kept.")
    web: Web = Field(default=Web(), description="The inbox in the browser.")
    webhooks: Webhooks = Field(default=Webhooks(), description="Where gateways' webhooks arrive.")
    storage: Annotated[Path, BeforeValidator(readers.storage_path)] = Field(
        default=Path("/var/lib/textbackd/textbackd.db"), description="The database."
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

    def timetable(self, line: Line) -> Timetable:
        """Return when a line is open, by its own clock."""
        zone = line.timezone or self.business.timezone
        return Timetable(hours=line.hours, zone=zone, kept=HolidaysKept(line.holidays))

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
