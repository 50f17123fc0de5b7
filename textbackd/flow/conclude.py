"""From a finished call to what we think of it: numbers read, line found, verdict, decision, words.

The same for a live call, a replayed trace and a call caught up from records; what is known of the caller is handed in, so nothing
is looked up here and nothing written.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from textbackd import config
from textbackd.config import ContactGroup, Line, Pbx, Settings
from textbackd.core.attestation import Attestation
from textbackd.core.call import Call, Direction
from textbackd.core.compose import Fields, compose, kind_for, text_for
from textbackd.core.decide import Action, AtNight, Caller, Decision, Policy, Question, Standing, decide
from textbackd.core.missed import Circumstances, Judgement, judge
from textbackd.core.night import Night
from textbackd.core.phone import E164, NotTextable, read_dialled, read_number, zones_of
from textbackd.core.segments import segments
from textbackd.core.timetable import Opening, Timetable
from textbackd.core.words import WORDS, Words, when
from textbackd.flow.contacts import NEVER, STAFF, Contacts

NOBODY_KNOWN: Final = Caller()
LATE_AFTER: Final = timedelta(minutes=2)  # from the call to its text; after that "sorry we missed your call" sounds odd
AGAIN_WITHIN: Final = timedelta(days=30)  # nobody remembers a text of last year


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """The two numbers of a call, read."""

    caller: E164 | None  # None: withheld or no number
    did: E164 | None
    not_textable: NotTextable | None  # why the caller cannot be texted


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """The text that a call would get if nothing spoke against it."""

    line: str | None  # None: no line has the number that was called
    text: str | None  # None: the line has none for this kind of call
    gateways: tuple[str, ...]  # to send it through, in order
    segments: int
    cost: int  # as estimated, with the first gateway's price, in millionths


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """What we think of one call."""

    numbers: Numbers
    judgement: Judgement
    proposal: Proposal
    decision: Decision

    @property
    def line(self) -> str | None:
        """The line that was called."""
        return self.proposal.line

    @property
    def text(self) -> str | None:
        """The words, if the decision is to text."""
        return self.proposal.text if self.decision.action is Action.TEXT else None


class Office:
    """The settings as the rules need them, and the numbers of ours that calls have shown."""

    def __init__(self, settings: Settings, seen_dids: Iterable[E164] = ()) -> None:
        self._settings = settings
        self._own = {*settings.own_numbers(), *seen_dids}
        self.contacts = Contacts(settings)
        self._timetables: dict[str, Timetable] = {}
        self._policies = {name: _policy(settings.policy_of(line)) for name, line in settings.lines.items()}
        self._policy_of_all = _policy(settings.policy)

    def note_own(self, numbers: Iterable[E164]) -> None:
        """Take numbers for ours, which calls have shown."""
        self._own.update(numbers)

    def policy(self, line: str | None) -> Policy:
        """Return when to text the callers of a line; None: no line has the number that was called."""
        return self._policies[line] if line is not None else self._policy_of_all

    def read(self, call: Call) -> Numbers:
        """Return the numbers of a call, as read in the country of the business."""
        country = self._settings.business.country
        did = (
            self.dialled(call.did_presented)
            if call.direction is Direction.OUTBOUND
            else self.number(call.did_presented)
        )
        caller = read_number(call.caller_presented, country)
        if call.direction is not Direction.INBOUND:
            # Nobody thinks of texting a phone of the office.
            return Numbers(caller=caller.e164, did=did, not_textable=None)
        if call.withheld:
            return Numbers(caller=None, did=did, not_textable=NotTextable.WITHHELD)
        return Numbers(caller=caller.e164, did=did, not_textable=caller.not_textable)

    def number(self, presented: str) -> E164 | None:
        """Return a presented number as read in the country of the business."""
        return read_number(presented, self._settings.business.country).e164

    def dialled(self, number: str) -> E164 | None:
        """Return a number that somebody of the office called, read without the 9 or *67 before it."""
        return read_dialled(number, self._settings.business.country).e164

    def judge(self, call: Call, numbers: Numbers, *, never: bool = False) -> Judgement:
        """Return the verdict on a call; `never` says that the shop has put its caller on the never-list while we run."""
        pbx = self._settings.pbx.get(call.pbx)
        judgement = judge(call, self._circumstances(numbers, call, pbx, never=never))
        if call.direction is Direction.INBOUND and numbers.did is not None:
            self._own.add(numbers.did)
        return judgement

    def _circumstances(self, numbers: Numbers, call: Call, pbx: Pbx | None, *, never: bool) -> Circumstances:
        ignored_dids = pbx.ignore.dids if pbx else ()
        group = self.contacts.group_of(numbers.caller)
        return Circumstances(
            own_number=numbers.caller in self._own or group == STAFF,
            never_list=never or group == NEVER,
            ignored_did=numbers.did in ignored_dids or call.did_presented in ignored_dids,
            ignored_contexts=pbx.ignore.contexts if pbx else (),
            min_wait=self._settings.policy_of(self._line(numbers.did, call)).min_wait,
        )

    def _line(self, did: E164 | None, call: Call) -> Line | None:
        found = self._settings.line_for(did, call.channel)
        return found[1] if found else None

    def _group(self, numbers: Numbers) -> ContactGroup | None:
        name = self.contacts.group_of(numbers.caller)
        return self.contacts.section(name) if name else None

    def _silent_group(self, numbers: Numbers) -> str:
        """Return the group of contacts that keeps a caller from being texted; "" if none does."""
        name = self.contacts.group_of(numbers.caller)
        group = self.contacts.section(name) if name else None
        return name if name and group is not None and group.text is None else ""

    def night_of(self, number: E164 | None, line: str | None = None) -> Night | None:
        """Return a line's quiet hours as they fall on a caller; the shop's zone counts where the number does not tell one."""
        hours = self._settings.policy_of(self._settings.lines[line] if line is not None else None).quiet_hours
        if hours is None or number is None:
            return None
        return Night(hours, _zones(number) or (self._settings.business.timezone,))

    def propose(
        self,
        call: Call,
        numbers: Numbers,
        judgement: Judgement,
        caller: Caller = NOBODY_KNOWN,
        *,
        at: datetime | None = None,
        switched_closed: bool | None = None,
    ) -> Proposal:
        """Return the text that a judged call would get.

        `at` is when it would go out, the end of the call if it is not given; `switched_closed` what the PBX's day/night switch says.
        """
        found = self._settings.line_for(numbers.did, call.channel)
        if found is None:
            return Proposal(line=None, text=None, gateways=(), segments=0, cost=0)
        name, line = found
        moment = _Moment.of(call, at, self._timetable(name, line), switched_closed)
        text = self._words(name, line, moment, call, numbers, judgement, caller)
        count = segments(text).count if text is not None else 0
        cost = self._settings.gateways[line.gateways[0]].cost(count)
        return Proposal(line=name, text=text, gateways=tuple(line.gateways), segments=count, cost=cost)

    def _timetable(self, name: str, line: Line) -> Timetable:
        """Return when a line is open. Kept, because a calendar file is read only when it changes."""
        if name not in self._timetables:
            self._timetables[name] = self._settings.timetable(line)
        return self._timetables[name]

    def conclude(
        self,
        call: Call,
        numbers: Numbers,
        judgement: Judgement,
        proposal: Proposal,
        caller: Caller,
        standing: Standing,
        *,
        now: datetime | None,
    ) -> Conclusion:
        """Return the decision on a judged call. `now` is None for a recording without times."""
        question = Question(
            judgement=judgement,
            not_textable=numbers.not_textable,
            line=proposal.line,
            has_text=proposal.text is not None,
            ended_at=call.ended_at or now,
            caller=replace(caller, group=self._silent_group(numbers)),
            policy=self.policy(proposal.line),
            now=now,
            standing=standing,
            attestation=call.attestation,
            night=self.night_of(numbers.caller, proposal.line),
        )
        decision = decide(question)
        if decision.is_held:  # then its words are others, and there may be none
            proposal = self.propose(call, numbers, judgement, caller, at=decision.due)
            decision = decide(replace(question, has_text=proposal.text is not None))
        return Conclusion(numbers=numbers, judgement=judgement, proposal=proposal, decision=decision)

    def _words(
        self,
        name: str,
        line: Line,
        moment: "_Moment",
        call: Call,
        numbers: Numbers,
        judgement: Judgement,
        caller: Caller,
    ) -> str | None:
        kind = kind_for(judgement.reason, moment.opening, again=_texted_lately(caller, call), late=moment.late)
        group = self._group(numbers)
        template = group.text if group and group.text else text_for(kind, line.texts.worded(), line.language)
        if template is None:
            return None
        sender = self._settings.gateways[line.gateways[0]].sender_for(numbers.did)
        return compose(
            template,
            self._fields(name, line, moment, call, numbers),
            self._settings.manner(line),
            first=caller.last_text_at is None,
            other_sender=sender is not None and numbers.did is not None and sender != numbers.did,
        )

    def _fields(self, name: str, line: Line, moment: "_Moment", call: Call, numbers: Numbers) -> Fields:
        business = self._settings.business
        return Fields(
            business=business.name,
            line=name,
            called_number=numbers.did or call.did_presented,
            caller_name=call.caller_name,
            opens_next=moment.opens_next(WORDS[line.language]),
            booking_url=line.booking_url or business.booking_url or "",
            on_call=line.on_call or "",
        )


def _policy(configured: config.Policy) -> Policy:
    return Policy(
        delay=configured.delay,
        cooldown=configured.cooldown,
        recent_talk=configured.recent_talk,
        conversation=configured.conversation,
        expire=configured.expire,
        at_night=AtNight(configured.night),
        attestation=Attestation[configured.attestation.upper()],
    )


@dataclass(frozen=True, slots=True)
class _Moment:
    """What a line is when its caller is texted."""

    at: datetime | None  # None: a recording without times
    late: bool
    opening: Opening
    timetable: Timetable

    @classmethod
    def of(cls, call: Call, at: datetime | None, timetable: Timetable, switched_closed: bool | None) -> "_Moment":
        """Return the moment that the words are about: the end of the call, unless the text goes out long after it."""
        late = at is not None and call.ended_at is not None and at - call.ended_at >= LATE_AFTER
        moment = at if late else call.ended_at or at
        if moment is None:
            return cls(None, late, Opening.CLOSED if switched_closed else Opening.OPEN, timetable)
        return cls(moment, late, timetable.state(moment, switched_closed=switched_closed), timetable)

    def opens_next(self, words: Words) -> str:
        """Return when the line opens, as a person says it; "" if nobody knows."""
        opens = self.timetable.opens_next(self.at) if self.at is not None else None
        return when(opens, self.at, self.timetable.zone, words) if opens is not None and self.at is not None else ""


def _texted_lately(caller: Caller, call: Call) -> bool:
    if caller.last_text_at is None:
        return False
    return call.ended_at is None or call.ended_at - caller.last_text_at < AGAIN_WITHIN


@lru_cache(maxsize=4096)
def _zones(number: E164) -> tuple[ZoneInfo, ...]:
    """Return the zones of a number. Those that this machine's tables lack count as unknown."""
    return tuple(zone for name in zones_of(number) if (zone := _zone(name)) is not None)


@lru_cache(maxsize=512)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        return None
