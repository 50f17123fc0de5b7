"""A line: its numbers, hours, words, and who answers.   → settings.py"""

from collections.abc import Mapping
from datetime import timedelta
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field

from textbackd.config import readers, values
from textbackd.config.hours import NO_HOLIDAYS, Holidays, kept_holidays, weekly_hours
from textbackd.config.section import (
    DEFAULT,
    CannedReply,
    Did,
    Duration,
    LineText,
    Listed,
    Named,
    Number,
    Section,
    Text,
    nothing,
)
from textbackd.config.sections.handoff import Interface, Queue, RotaShift
from textbackd.config.sections.policy import LinePolicy
from textbackd.core import night_switch
from textbackd.core.compose import CANNED_REPLIES, DEFAULT_TEXTS, Language, TextKind, Wish
from textbackd.core.opening_hours import ALWAYS_OPEN, OpeningHours
from textbackd.core.reply_clock import Step
from textbackd.core.urgent import words_for


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


class Escalate(Section):
    """One step of a line's chain, while a caller waits for an answer."""

    after: Duration = Field(description="So long after they wrote, in opening hours.", examples=["30m"])
    tell: Listed[Annotated[Text, AfterValidator(readers.known_staff)]] = Field(
        default=(),
        description="Who is told.",
        examples=[["anna"]],
        json_schema_extra={DEFAULT: "who gets the replies, unless a phone rings"},
    )
    ring: Interface | None = Field(
        default=None,
        description="A desk phone that rings; whoever picks it up is connected by pressing 1. Needs `pbx.*.dial`.",
        examples=["PJSIP/101"],
    )

    def steps(self) -> tuple[Step, ...]:
        """Return what is done."""
        ring = [] if self.ring is None else [Step(after=self.after, do="ring", whom=(self.ring,))]
        tell = [Step(after=self.after, do="tell", whom=self.tell)] if self.tell or not ring else []
        return (*tell, *ring)


class Reply(Section):
    """How long a caller may wait for a person, and what happens then."""

    within: Annotated[Duration | None, BeforeValidator(values.off_or)] = Field(
        default=timedelta(minutes=15),
        description="Whoever gets the replies is told again after so long, in opening hours; `off`.",
    )
    escalate: Named[Escalate] = Field(default_factory=nothing, description="What else happens, by names of your own.")

    def chain(self) -> tuple[Step, ...]:
        """Return all steps, the earliest first."""
        first = [] if self.within is None else [Step(after=self.within, do="tell")]
        more = [step for each in self.escalate.values() for step in each.steps()]
        return tuple(sorted((*first, *more), key=lambda step: step.after))


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
    policy: LinePolicy = Field(
        default=LinePolicy(), description="What is otherwise for this line than `policy` says for all."
    )
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
    reply: Reply = Field(
        default_factory=Reply, description="How long a caller may wait for a person, and what happens then."
    )
    urgent: Annotated[tuple[Text, ...] | None, BeforeValidator(values.off_or_listed)] = Field(
        default=None,
        description="Words of a caller that cannot wait: while the line is closed they wake `on_call`, or who gets the replies. "
        "`off`: none.",
        examples=[["gas leak", "water everywhere"]],
        json_schema_extra={DEFAULT: "some that come with textbackd, of the line's language and English"},
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
    canned_replies: Listed[CannedReply] = Field(
        default=CANNED_REPLIES,
        description="Replies that stand ready in the inbox, with the fields of texts; one is left out where its field is empty.",
    )
    staff: Listed[Annotated[Text, AfterValidator(readers.known_staff)]] = Field(
        default=(), description="Who gets the replies.", examples=[["anna"]], json_schema_extra={DEFAULT: "all staff"}
    )
    rota: Named[RotaShift] = Field(
        default_factory=nothing,
        description="Who of them is on duty when, by names of your own; while nobody is, all of them get the replies.",
    )
    queue: Queue | None = Field(
        default=None,
        description="The PBX's queue whose members get the replies while they are logged in (see `staff.*.phone`).",
        examples=["sales"],
    )

    def urgent_words(self) -> tuple[str, ...]:
        """Return the words that cannot wait."""
        return words_for([self.language]) if self.urgent is None else self.urgent

    def takes(self, channel: str) -> bool:
        """Return whether calls over that channel may be this line's."""
        return not self.trunks or any(fnmatchcase(channel, pattern) for pattern in self.trunks)
