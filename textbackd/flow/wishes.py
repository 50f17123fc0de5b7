"""What somebody who texts us wishes about texts, and what follows.   flow/replies_in.py → here → store/optouts, asks, outbox

    STOP   opted out, what waits is cancelled, one confirmation
    START  opted in again, if the number itself had opted out; one confirmation
    HELP   one answer: who we are, how to stop
    ASK    it may mean STOP: nothing goes there by itself until a person has read it

Everything happens in the transaction that stores the text. Where the gateway has acted on a word itself, its word counts and its
own confirmation is enough.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlite_utils

from textbackd.config import Settings
from textbackd.core import keywords, urgent
from textbackd.core.answers import (
    SAME_AGAIN_AFTER,
    SAME_TEXTS,
    SAME_TEXTS_WITHIN,
    Answer,
    Asked,
    silence,
    words,
)
from textbackd.core.keywords import Keyword
from textbackd.core.phone import E164, NotTextable, mask, read_number
from textbackd.core.segments import segments
from textbackd.gateways.base import InboundText, Word
from textbackd.store import asks, inbox, journal, optouts, outbox, restored
from textbackd.store.optouts import OptedOutBy
from textbackd.store.outbox import NewText
from textbackd.store.states import State, TextOf

log = logging.getLogger(__name__)

ANSWER_WITHIN: Final = timedelta(minutes=5)  # a later confirmation of STOP is one text too many (47 CFR 64.1200(a)(12))
_BY_WORD: Final[Mapping[Word, Keyword]] = {
    Word.STOP: Keyword.STOP,
    Word.START: Keyword.START,
    Word.HELP: Keyword.HELP,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One stored text and whose it is."""

    text: InboundText
    number: E164
    did: E164 | None  # the number of ours that was texted
    inbox_id: int
    gateway: str
    now: datetime


class Wishes:
    """Heeds what texts wish. Its methods take a database and are for the store's thread, inside a transaction."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._own = settings.own_numbers()
        # Whoever is texted in a language answers in it.
        self._languages = frozenset(
            {*settings.business.languages, *(line.language for line in settings.lines.values())}
        )

    def is_own(self, number: E164) -> bool:
        """Return whether a number is ours by configuration."""
        return number in self._own

    def is_urgent(self, line: str | None, body: str) -> bool:
        """Return whether a text cannot wait until the line opens."""
        return urgent.is_urgent(body, self._settings.line_named(line).urgent_words())

    def keyword(self, text: InboundText) -> Keyword | None:
        """Return the keyword that a text is taken for."""
        return _BY_WORD[text.word] if text.word else keywords.read(text.body, self._languages)

    def heed(self, db: sqlite_utils.Database, wish: Wish) -> Keyword | None:
        """Do what a text wishes; return the keyword that it was taken for, None for an ordinary one."""
        keyword = self.keyword(wish.text)
        answer = _HEED[keyword](db, wish) if keyword else None
        if answer is not None:
            self._answer(db, wish, answer)
        return keyword

    def _answer(self, db: sqlite_utils.Database, wish: Wish, answer: Answer) -> None:
        said = {"from": mask(wish.number), "answer": answer.value}
        if restored.is_before(db, wish.text.received_at):
            log.info(
                "a keyword is heeded without an answer", extra={**said, "why": "came before a backup was restored"}
            )
            return
        why_not = silence(self._asked(db, wish, answer))
        if why_not is not None:
            log.info("a keyword is heeded without an answer", extra={**said, "why": why_not.value})
            return
        text_id = outbox.add(db, self._text(wish, answer), case_id=None, call_id=None, now=wish.now)
        log.info("a keyword is answered", extra={**said, "outbox_id": text_id})

    def _asked(self, db: sqlite_utils.Database, wish: Wish, answer: Answer) -> Asked:
        number, since = wish.number, wish.now - SAME_AGAIN_AFTER
        return Asked(
            answer=answer,
            is_own=number in self._own or number in journal.seen_dids(db),
            is_premium=read_number(number, self._settings.business.country).not_textable is NotTextable.PREMIUM,
            gateway_answered=wish.text.word is not None,
            repeats_itself=inbox.repeats_itself(db, number, since, times=SAME_TEXTS, within=SAME_TEXTS_WITHIN),
            answers_today=[Answer(kind) for kind in outbox.answers_since(db, since, number)],
            answers_this_hour=len(outbox.answers_since(db, wish.now - timedelta(hours=1))),
        )

    def _text(self, wish: Wish, answer: Answer) -> NewText:
        business, gateway = self._settings.business, self._settings.gateways[wish.gateway]
        line = self._settings.line_for(wish.did)
        spoken = [line[1].language] if line else business.languages
        body = words(answer, spoken, business.name)
        count = segments(body).count
        return NewText(
            kind=TextOf(answer),
            recipient=wish.number,
            did=wish.did,
            body=body,
            gateways=[wish.gateway],  # from the number that was texted, or it answers nothing
            due_at=wish.now,
            expires_at=wish.now + ANSWER_WITHIN,
            hung_up_at=None,
            segments=count,
            cost=gateway.cost(count),
            state=State.SUPPRESSED if self._settings.mode == "observe" else State.QUEUED,
        )


def _stop(db: sqlite_utils.Database, wish: Wish) -> Answer | None:
    by = OptedOutBy.GATEWAY if wish.text.word else OptedOutBy.TEXT
    return Answer.OPTED_OUT if optouts.add_within(db, wish.number, by, wish.gateway, wish.now) else None


def _start(db: sqlite_utils.Database, wish: Wish) -> Answer | None:
    known = optouts.find(db, wish.number)
    if known is not None and not known.is_by_its_owner:
        log.info("START from a number that a person has opted out changes nothing", extra={"from": mask(wish.number)})
        return None
    return Answer.OPTED_IN if optouts.remove_within(db, wish.number) else None


def _yes(db: sqlite_utils.Database, wish: Wish) -> Answer | None:
    return _start(db, wish) if optouts.find(db, wish.number) else None


def _help(db: sqlite_utils.Database, wish: Wish) -> Answer | None:
    return None if optouts.find(db, wish.number) else Answer.HELP


def _ask(db: sqlite_utils.Database, wish: Wish) -> Answer | None:
    is_out = optouts.find(db, wish.number) is not None
    if not is_out and asks.add_within(db, wish.number, wish.inbox_id, wish.now):
        log.warning(
            "a caller may want no texts; nothing goes there by itself until a person has read it: `textbackd optout`",
            extra={"from": mask(wish.number)},
        )
    return None


_HEED: Final[Mapping[Keyword, Callable[[sqlite_utils.Database, Wish], Answer | None]]] = {
    Keyword.STOP: _stop,
    Keyword.START: _start,
    Keyword.YES: _yes,
    Keyword.HELP: _help,
    Keyword.ASK: _ask,
}
