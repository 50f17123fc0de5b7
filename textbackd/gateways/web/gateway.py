"""The gateway around a dialect.   flow/texts_out, flow/replies_in, web/hooks → here → exchange.py

Sending tries once and says what is known. What comes in, by webhook or because we asked, goes through one queue, and a webhook
is answered only when what it told is stored.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from yarl import URL

from textbackd.core.phone import E164
from textbackd.gateways.base import (
    Accepted,
    Arrival,
    Fate,
    Health,
    Hook,
    HookRefused,
    HookReply,
    InboundText,
    OutboundText,
    SendFailed,
)
from textbackd.gateways.web.dialect import Dialect, Listens, Lists, Polls
from textbackd.gateways.web.exchange import Answer, Exchange, NoAnswer, Request, reach
from textbackd.gateways.web.meaning import MAYBE, Meaning, named

log = logging.getLogger(__name__)

DEFAULT_TIMEOUT: Final = timedelta(seconds=30)
DEFAULT_POLL: Final = timedelta(seconds=15)
POLL_BACK: Final = timedelta(days=2)  # what arrived while we were away; told twice is harmless
POLL_OVERLAP: Final = timedelta(minutes=10)  # lists lag behind, and clocks differ
TRY_TIMEOUT: Final = timedelta(seconds=10)
# A text that is asked for and was never sent: to a number that no subscriber has (ATIS-0300115, 555-0100 to 0199).
NO_TEXT: Final = OutboundText(id="none", to=E164("+12025550100"), sender=None, body="", valid_until=None)
MOST_WAITING: Final = 1000  # arrivals that are not stored yet; a vendor that brings more is told to come again


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Something that arrived and is not known to be stored."""

    arrival: Arrival
    stored: asyncio.Event = field(default_factory=asyncio.Event)


def _same(arrival: Arrival) -> object:
    """Return what is equal in two arrivals that tell the same."""
    return arrival.id if isinstance(arrival, InboundText) else arrival


class WebGateway:
    """A gateway that takes a text as one HTTP request."""

    def __init__(
        self,
        *,
        name: str,
        dialect: Dialect,
        timeout: timedelta = DEFAULT_TIMEOUT,
        poll_every: timedelta = DEFAULT_POLL,
        polls: Sequence[Polls] | None = None,
    ) -> None:
        """`polls` are the lists that are asked for what arrived, each by itself; None is the dialect, if it has one."""
        self.name = name
        self._dialect = dialect
        # aiohttp takes 0 for "wait for ever".
        self._timeout, self._poll_every = timeout or DEFAULT_TIMEOUT, poll_every
        self._health = Health.UNKNOWN
        self._exchange: Exchange | None = None
        self._polls = polls if polls is not None else (dialect,) if isinstance(dialect, Polls) else ()
        self._polling: Sequence[asyncio.Task[None]] = ()
        self._waiting: asyncio.Queue[_Waiting] = asyncio.Queue(MOST_WAITING)
        self._sending = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def start(self) -> None:
        """Get ready; connects nowhere but, where the vendor is asked, to ask what arrived."""
        self._exchange = Exchange(self._timeout)
        self._polling = [asyncio.create_task(self._poll_for_ever(self._exchange, polls)) for polls in self._polls]

    async def send(self, text: OutboundText) -> Accepted:
        """Try once. Raises SendFailed; its sentence shows no text, no credentials and no query of the address."""
        exchange = self._exchange
        if exchange is None:
            raise SendFailed(f"{self.name}: the gateway is not started, nothing was sent.", fate=Fate.NOT_SENT)
        request = self._request(text)
        with self._counted():
            try:
                answer = await exchange.ask(request)
            except NoAnswer as exc:
                self._health = Health.DOWN
                raise self._unanswered(exc) from None
        return self._judged(answer)

    def _request(self, text: OutboundText) -> Request:
        try:
            return self._dialect.request(text, now=datetime.now(UTC))
        except UnicodeEncodeError:
            why = "the text holds half a character"
        except ValueError as exc:
            why = str(exc)
        raise SendFailed(f"{self.name}: nothing was sent: {why}.", fate=Fate.NOT_SENT)

    def _unanswered(self, exc: NoAnswer) -> SendFailed:
        where = self._dialect.where
        if exc.left:
            return SendFailed(f"{self.name}: {MAYBE}: {where} was asked, but {exc}.", fate=Fate.UNKNOWN)
        return SendFailed(f"{self.name}: nothing was sent to {where}: {exc}.", fate=Fate.NOT_SENT)

    def _judged(self, answer: Answer) -> Accepted:
        said = self._dialect.outcome(answer)
        if isinstance(said, Accepted) and not answer.whole:
            said = Meaning(Fate.UNKNOWN, f"its answer broke off, {MAYBE}")
        if isinstance(said, Accepted):
            self._health = Health.UP
            return said
        self._health = Health.PAUSED if said.fate is Fate.GATEWAY_UNFIT else Health.UP
        sentence = f"{self.name}: {self._dialect.where} answered {named(answer.status)}: {said.words}."
        raise SendFailed(sentence, fate=said.fate, code=said.code or f"HTTP {answer.status}")

    async def find(self, text: OutboundText, *, since: datetime) -> Accepted | None:
        """Return what the vendor knows of a text; None where it cannot be asked, or does not know it (yet)."""
        if not isinstance(self._dialect, Lists) or self._exchange is None:
            return None
        with self._counted():
            try:
                answer = await self._exchange.ask(self._dialect.search(text, since))
            except (NoAnswer, ValueError):
                return None
        return self._dialect.found(text, answer, since) if answer.whole and answer.status < 300 else None

    async def attempt(self) -> str:
        """See base.Tries: asks for a list, which needs the same credentials as a text; else whether anybody is there at all."""
        question = self._question(datetime.now(UTC))
        exchange = Exchange(min(self._timeout, TRY_TIMEOUT))
        try:
            if question is None:
                return await reach(URL(self._dialect.where), TRY_TIMEOUT)
            return self._objection(await exchange.ask(question))
        except NoAnswer as exc:
            return str(exc)
        finally:
            await exchange.close()

    def _question(self, now: datetime) -> Request | None:
        """Return a request that only reads. The lists of `polls` that are not the vendor's own may hand things out only once."""
        if isinstance(self._dialect, Polls):
            return self._dialect.poll(now)
        return self._dialect.search(NO_TEXT, now) if isinstance(self._dialect, Lists) else None

    def _objection(self, answer: Answer) -> str:
        said = self._dialect.outcome(answer)  # some say in an answer with status 200 that they know nobody of that name
        if isinstance(said, Meaning) and said.fate is Fate.GATEWAY_UNFIT:
            return said.words
        if answer.status >= 300:
            return f"it answered {named(answer.status)}"
        if isinstance(self._dialect, Polls) and self._dialect.polled(answer) is None:
            return "what it answers cannot be read: is the address right?"
        return ""

    # ---- inwards

    async def incoming(self) -> AsyncIterator[Arrival]:
        """Yield what arrives, for ever; asking for the next item says that the last is stored."""
        while True:
            waiting = await self._waiting.get()
            yield waiting.arrival
            waiting.stored.set()

    async def hook(self, hook: Hook) -> HookReply:
        """Return the reply when everything that `hook` told has been stored. Raises HookRefused."""
        if not isinstance(self._dialect, Listens):
            raise HookRefused(f"{self.name}: this kind of gateway has no webhook.", status=403)
        heard = self._dialect.read_hook(hook, now=datetime.now(UTC))
        await self._store(heard.arrivals)
        return heard.reply

    async def _store(self, arrivals: Iterable[Arrival]) -> None:
        for waiting in [_Waiting(arrival) for arrival in arrivals]:
            await self._waiting.put(waiting)
            await waiting.stored.wait()

    async def _poll_for_ever(self, exchange: Exchange, polls: Polls) -> None:
        since, complaint = datetime.now(UTC) - POLL_BACK, ""
        stored: frozenset[object] = frozenset()  # of the last answer: lists tell the same again and again
        while True:
            began = datetime.now(UTC)
            try:
                arrivals = polls.polled(await exchange.ask(polls.poll(since)))
                why = "" if arrivals is not None else "what it answers cannot be read"
            except NoAnswer as exc:
                arrivals, why = None, str(exc)
            if arrivals is not None:
                await self._store(arrival for arrival in arrivals if _same(arrival) not in stored)
                stored = frozenset(_same(arrival) for arrival in arrivals)
                since = began - POLL_OVERLAP
            if why and why != complaint:
                log.warning("the gateway cannot be asked what arrived", extra={"gateway": self.name, "why": why})
            complaint = why
            await asyncio.sleep(self._poll_every.total_seconds())

    # ---- the rest

    def health(self) -> Health:
        """Return UNKNOWN before the first answer, DOWN after none, PAUSED while a person must mend it."""
        return self._health

    async def close(self) -> None:
        """Wait for sends in flight, at most their time-out, and let go. Later sends are refused."""
        exchange, self._exchange = self._exchange, None
        for polling in self._polling:
            polling.cancel()
        await asyncio.gather(*self._polling, return_exceptions=True)
        await self._idle.wait()
        if exchange is not None:
            await exchange.close()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self._sending += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._sending -= 1
            if not self._sending:
                self._idle.set()
