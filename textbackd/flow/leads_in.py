"""A form that was filled in on the shop's web page: kept, put into a conversation, and answered if the shop wants it.

web/leads.py → here → store.   It is stored before anybody hears that it was taken. Its caller waits for a person from that moment, as
somebody who wrote a text does. The answer is an automatic text like that to a missed call: the same rules decide on it (core/decide.py),
but in quiet hours it always waits, since nobody listens for a phone that they did not ring.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import sqlite_utils

from textbackd.config import Line, Settings
from textbackd.config.sections.leads import Lead as LeadSection
from textbackd.core.compose import Fields, compose
from textbackd.core.conversation import Happening
from textbackd.core.decide import Action, AtNight, Decision, Policy, Question, decide
from textbackd.core.form import Form
from textbackd.core.missed import Judgement, Verdict
from textbackd.core.phone import E164, NotTextable, mask, read_number
from textbackd.core.segments import segments
from textbackd.core.urgent import is_urgent
from textbackd.core.words import WORDS, when
from textbackd.flow.bell import Bell
from textbackd.flow.conclude import Office
from textbackd.flow.contacts import NEVER, STAFF
from textbackd.flow.guard import Guard
from textbackd.flow.staff.tells import Tells
from textbackd.handoff.words import IN_A_TEXT, shortened
from textbackd.store import acts, conversations, journal, leads, never, optouts, outbox
from textbackd.store.acts import Act, ActKind
from textbackd.store.conversations import News
from textbackd.store.database import Store, writing
from textbackd.store.leads import NewLead
from textbackd.store.outbox import NewText
from textbackd.store.states import State, TextOf
from textbackd.store.tally import Wanted

log = logging.getLogger(__name__)

SAME_AGAIN_WITHIN: Final = timedelta(minutes=10)  # a button pressed twice, a page loaded again
# What is asked of a form, as of a call: nobody was there, and that is all.
ASKED: Final = Judgement(Verdict.MISSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is decided on the text that answers a form."""

    decision: Decision
    text: NewText | None  # None: there is none


class LeadsIn:
    """Takes in what forms say."""

    def __init__(
        self,
        settings: Settings,
        *,
        store: Store,
        guard: Guard,
        bell: Bell,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
        one_decision: asyncio.Lock,
        tells: Tells,
    ) -> None:
        self._settings, self._store, self._guard, self._clock = settings, store, guard, clock
        self._bell, self._wake, self._tells = bell, wake, tells
        self._one_decision = one_decision  # the one of calls: two texts to one caller are one too many
        self._office, self._own = Office(settings), settings.own_numbers()

    async def take(self, source: str, form: Form) -> None:
        """Keep what a form says. Raises sqlite3.Error when the disk does not take it."""
        section = self._settings.leads[source]
        name, line = self._line(section)
        lead = self._lead(source, name, form)
        await asyncio.to_thread(self._office.contacts.refresh)
        async with self._one_decision:
            kept = await self._store.run(lambda db: self._keep(db, lead, section, line))
        if kept is not None:
            said = {"source": source, "from": mask(lead.number) if lead.number else "no number", "because": kept}
            log.info("a form was filled in", extra=said)
            self._bell.ring(lead.number)
            self._wake()

    def _line(self, section: LeadSection) -> tuple[str, Line]:
        name = section.line or next(iter(self._settings.lines))
        return name, self._settings.lines[name]

    def _lead(self, source: str, line: str, form: Form) -> NewLead:
        number = read_number(form.phone, self._settings.business.country).e164 if form.phone else None
        return NewLead(
            source=source,
            line=line,
            at=self._clock(),
            number=None if number in self._own else number,
            phone=form.phone,
            name=form.name,
            words=form.words,
        )

    def _keep(self, db: sqlite_utils.Database, lead: NewLead, section: LeadSection, line: Line) -> str | None:
        """Store a form with all that follows from it; return what was decided, None if it was stored before."""
        if leads.is_repeated(db, lead, lead.at - SAME_AGAIN_WITHIN):
            return None
        if lead.number is not None and journal.was_called(db, lead.number):
            lead = replace(lead, number=None)  # one of ours, which nobody is called back at
        answer = None
        if section.text is not None and lead.number is not None:
            answer = self._answer(db, lead, lead.number, section.text, line)
        with writing(db):
            decision = answer.decision if answer else None
            text_id = None
            if answer is not None and answer.text is not None:
                text_id = outbox.add(db, answer.text, case_id=None, call_id=None, now=lead.at)
            leads.add_within(
                db, lead, decision.why.value if decision else None, decision.detail if decision else None, text_id
            )
            if lead.number is not None:
                self._begin(db, lead, lead.number, line)
            elif self._settings.mode != "observe":  # no conversation tells of it, and nobody may be looking at the list
                self._tells.say(db, line.staff or tuple(self._settings.staff), _in_words(lead), lead.at)
        return decision.why.value if decision else "no text of its own"

    def _begin(self, db: sqlite_utils.Database, lead: NewLead, number: E164, line: Line) -> None:
        """Let the one who asks wait for a person, inside the caller's transaction."""
        known = conversations.find(db, number)
        news = News(
            number=number,
            happening=Happening.LEAD,
            at=lead.at,
            line=None if known and known.line else lead.line,
            name=lead.name[:100],
            words=lead.words,
            unread=True,
            urgent=is_urgent(lead.words, line.urgent_words()),
        )
        conversations.happen(db, news)
        words = "\n".join(filter(None, (lead.words, f"form: {lead.source}")))
        acts.add_within(db, Act(at=lead.at, kind=ActKind.LEAD, staff=None, number=number, detail=words))
        if (why := self._no_text(db, number)) is not None:
            conversations.cannot_be_texted(db, number, why)

    def _no_text(self, db: sqlite_utils.Database, number: E164) -> str | None:
        not_textable = self._not_textable(number)
        if not_textable is not None:
            return not_textable.value
        return "opted_out" if optouts.find(db, number) is not None else None

    def _not_textable(self, number: E164) -> NotTextable | None:
        return read_number(number, self._settings.business.country).not_textable

    # ---- the text that answers it

    def _answer(self, db: sqlite_utils.Database, lead: NewLead, number: E164, template: str, line: Line) -> Answer:
        observing = self._settings.mode == "observe"
        caller = journal.history(db, number, now=lead.at, observing=observing)
        body = self._body(lead, template, line, first=caller.last_text_at is None)
        cost = self._settings.gateways[line.gateways[0]].cost(segments(body).count)
        wanted = Wanted(recipient=number, did=None, cost=cost)
        question = Question(
            judgement=ASKED,
            not_textable=self._not_textable(number),
            line=lead.line,
            has_text=True,
            ended_at=lead.at,
            caller=replace(caller, group=self._silent_group(db, number)),
            policy=self._policy(lead.line),
            now=lead.at,
            standing=self._guard.standing(db, lead.line, number, wanted, lead.at),
            night=self._office.night_of(number, lead.line),
        )
        decision = decide(question)
        text = self._text(decision, lead, number, body, line, cost) if decision.action is Action.TEXT else None
        return Answer(decision=decision, text=text)

    def _policy(self, line: str) -> Policy:
        """Return when a line answers a form: at once, but never at night."""
        policy = self._office.policy(line)
        at_night = AtNight.SKIP if policy.at_night is AtNight.SKIP else AtNight.HOLD
        return replace(policy, delay=timedelta(), at_night=at_night)

    def _silent_group(self, db: sqlite_utils.Database, number: E164) -> str:
        """Return the group of contacts, or the never-list, that keeps somebody from being texted; "" if none does."""
        if never.find(db, number) is not None:
            return NEVER
        name = self._office.contacts.group_of(number)
        group = self._office.contacts.section(name) if name else None
        is_silent = name in (NEVER, STAFF) or (group is not None and group.text is None)
        return name if name and is_silent else ""

    def _body(self, lead: NewLead, template: str, line: Line, *, first: bool) -> str:
        business, timetable = self._settings.business, self._settings.timetable(line)
        opens = timetable.opens_next(lead.at)
        fields = Fields(
            business=business.name,
            line=lead.line,
            caller_name=lead.name,
            opens_next=when(opens, lead.at, timetable.zone, WORDS[line.language]) if opens else "",
            booking_url=line.booking_url or business.booking_url or "",
            on_call=line.on_call or "",
        )
        return compose(template, fields, self._settings.manner(line), first=first, other_sender=False)

    def _text(self, decision: Decision, lead: NewLead, number: E164, body: str, line: Line, cost: int) -> NewText:
        return NewText(
            kind=TextOf.MISSED,
            recipient=number,
            did=None,
            body=body,
            gateways=line.gateways,
            due_at=decision.due or lead.at,
            expires_at=decision.until or lead.at + self._policy(lead.line).expire,
            held=decision.is_held,
            hung_up_at=None,
            segments=segments(body).count,
            cost=cost,
            state=State.SUPPRESSED if self._settings.mode == "observe" else State.QUEUED,
        )


def _in_words(lead: NewLead) -> str:
    """Return what staff are told of a form without a usable number."""
    who = " ".join(filter(None, (lead.name, lead.phone))) or "somebody without a name"
    return shortened(f"A form without a usable number ({lead.source}), {who}: {lead.words}", IN_A_TEXT)
