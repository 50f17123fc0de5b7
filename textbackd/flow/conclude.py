"""From a finished call to what we think of it: numbers read, line found, verdict, decision, words.

The same for a live call, a replayed trace and a call caught up from records; what is known of the caller is handed in, so nothing
is looked up here and nothing written.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from textbackd.config import ContactGroup, Pbx, Settings
from textbackd.core.call import Call, Direction
from textbackd.core.compose import Fields, TextKind, fill, kind_for, text_for
from textbackd.core.decide import Action, AtNight, Caller, Decision, Policy, Question, Standing, decide
from textbackd.core.missed import Circumstances, Judgement, judge
from textbackd.core.night import Night
from textbackd.core.phone import E164, NotTextable, read_number, zones_of
from textbackd.core.segments import segments
from textbackd.flow.contacts import NEVER, STAFF, Contacts

MILLIONTHS: Final = 1_000_000


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
        configured = settings.policy
        self.policy = Policy(
            delay=configured.delay,
            cooldown=configured.cooldown,
            recent_talk=configured.recent_talk,
            expire=configured.expire,
            at_night=AtNight(configured.night),
        )

    def read(self, call: Call) -> Numbers:
        """Return the numbers of a call, as read in the country of the business."""
        country = self._settings.business.country
        did = read_number(call.did_presented, country).e164
        caller = read_number(call.caller_presented, country)
        if call.direction is not Direction.INBOUND:
            return Numbers(
                caller=caller.e164, did=did, not_textable=None
            )  # nobody thinks of texting a phone of the office
        if call.withheld:
            return Numbers(caller=None, did=did, not_textable=NotTextable.WITHHELD)
        return Numbers(caller=caller.e164, did=did, not_textable=caller.not_textable)

    def number(self, presented: str) -> E164 | None:
        """Return a presented number as read in the country of the business."""
        return read_number(presented, self._settings.business.country).e164

    def judge(self, call: Call, numbers: Numbers) -> Judgement:
        """Return the verdict on a call."""
        pbx = self._settings.pbx.get(call.pbx)
        judgement = judge(call, self._circumstances(numbers, call, pbx))
        if call.direction is Direction.INBOUND and numbers.did is not None:
            self._own.add(numbers.did)
        return judgement

    def _circumstances(self, numbers: Numbers, call: Call, pbx: Pbx | None) -> Circumstances:
        ignored_dids = pbx.ignore.dids if pbx else ()
        group = self.contacts.group_of(numbers.caller)
        return Circumstances(
            own_number=numbers.caller in self._own or group == STAFF,
            never_list=group == NEVER,
            ignored_did=numbers.did in ignored_dids or call.did_presented in ignored_dids,
            ignored_contexts=pbx.ignore.contexts if pbx else (),
            min_wait=self._settings.policy.min_wait,
        )

    def _group(self, numbers: Numbers) -> ContactGroup | None:
        name = self.contacts.group_of(numbers.caller)
        return self.contacts.section(name) if name else None

    def _silent_group(self, numbers: Numbers) -> str:
        """Return the group of contacts that keeps a caller from being texted; "" if none does."""
        name = self.contacts.group_of(numbers.caller)
        group = self.contacts.section(name) if name else None
        return name if name and group is not None and group.text is None else ""

    def night_of(self, number: E164 | None) -> Night | None:
        """Return the quiet hours as they fall on a caller; the shop's zone counts where the number does not tell one."""
        hours = self._settings.policy.quiet_hours
        if hours is None or number is None:
            return None
        return Night(hours, _zones(number) or (self._settings.business.timezone,))

    def propose(self, call: Call, numbers: Numbers, judgement: Judgement, *, at: datetime | None = None) -> Proposal:
        """Return the text that a judged call would get; `at`: when it goes, if it is held over the night."""
        found = self._settings.line_for(numbers.did)
        if found is None:
            return Proposal(line=None, text=None, gateways=(), segments=0, cost=0)
        name, line = found
        group = self._group(numbers)
        kind = TextKind.LATE if at else kind_for(judgement.reason)
        template = group.text if group and group.text else text_for(kind, line.texts.worded())
        text = self._words(template, call, numbers, name) if template is not None else None
        count = segments(text).count if text is not None else 0
        cost = int(self._settings.gateways[line.gateways[0]].price * count * MILLIONTHS)
        return Proposal(line=name, text=text, gateways=tuple(line.gateways), segments=count, cost=cost)

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
            policy=self.policy,
            now=now,
            standing=standing,
            night=self.night_of(numbers.caller),
        )
        decision = decide(question)
        if decision.is_held:  # then its words are others, and there may be none
            proposal = self.propose(call, numbers, judgement, at=decision.due)
            decision = decide(replace(question, has_text=proposal.text is not None))
        return Conclusion(numbers=numbers, judgement=judgement, proposal=proposal, decision=decision)

    def _words(self, template: str, call: Call, numbers: Numbers, line: str | None) -> str:
        business = self._settings.business
        return fill(
            template,
            Fields(
                business=business.name,
                line=line or "",
                called_number=numbers.did or call.did_presented,
                caller_name=call.caller_name,
                booking_url=business.booking_url or "",
            ),
        )


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
