"""Texts by SMPP 3.4, as network operators and hubs take them.   flow/texts_out, flow/replies_in → here → esme/*

A text is handed over once. Without an answer its fate is unknown, whatever the connection does next; only a status that says
so proves that it was not taken (esme/statuses.py). Two clients were read and not used: aiosmpplib 0.7 acknowledges the parts of
an incoming text before anybody has them, and sends the rest of a long text after a refused part; smpplib 2.2 loses its place in
the stream at a time-out. So smpp34 writes and reads the PDUs that carry texts, and the connection is ours.
Source: SMPP Protocol Specification v3.4.
"""

import asyncio
import logging
import secrets
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Final

from textbackd.config.gateways import Smpp as Section
from textbackd.errors import TextbackdError
from textbackd.gateways.base import Accepted, Arrival, Fate, Health, LateAnswer, Lent, OutboundText, SendFailed
from textbackd.gateways.esme import statuses

try:
    from textbackd.gateways.esme import pdus
except ModuleNotFoundError as exc:  # smpp34 is an extra
    raise TextbackdError("gateways of `type: smpp` need one more package: pip install 'textbackd[smpp]'.") from exc
from textbackd.gateways.esme.inbox import FullError, Inbox
from textbackd.gateways.esme.receipts import Receipts
from textbackd.gateways.esme.session import Answered, Place, RefusedError, Session, SilentError, connected
from textbackd.gateways.web.meaning import Meaning

log = logging.getLogger(__name__)

FIRST_RETRY: Final = timedelta(seconds=2)
LONGEST_RETRY: Final = timedelta(seconds=60)
REFUSED_RETRY: Final = timedelta(minutes=5)  # providers lock accounts that knock too often with a wrong password
LOOK_AGAIN: Final = timedelta(seconds=30)  # for parts of long texts whose patience is over
NOT_BOUND: Final = Meaning(Fate.NOT_SENT, "there is no connection")


class Smpp:
    """A gateway through one SMPP connection; see base.Gateway for the contract."""

    def __init__(self, *, name: str, section: Section, lent: Lent, first_retry: timedelta = FIRST_RETRY) -> None:
        self.name = name
        self._section, self._first_retry = section, first_retry
        self._place = Place(host=section.host, port=section.port, tls=_tls(section))
        self._receipts = Receipts(ids=section.receipt_ids, permanent=frozenset(section.permanent_errors))
        self._inbox = Inbox(lent.notes, alphabet=section.alphabet, receipts=self._receipts)
        self._late: list[LateAnswer] = []
        self._reference = secrets.randbelow(256)
        self._session: Session | None = None
        self._without: Meaning = NOT_BOUND  # why there is no session
        self._is_unfit = False  # what the last answer to a text said: a person must mend something
        self._binding: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()
        self._sending = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def start(self) -> None:
        """Begin to connect; the SMSC may come later."""
        try:
            await asyncio.to_thread(self._inbox.load)
        except OSError as exc:
            log.error("the notes of incoming texts cannot be read", extra={"gateway": self.name, "cause": _why(exc)})
        self._binding = asyncio.create_task(self._stay_bound())

    async def send(self, text: OutboundText) -> Accepted:
        """Hand over every part of `text`; the reference names each part's, "a1,a2". See base.Gateway."""
        bodies = self._bodies(text)
        references: list[str | None] = []
        with self._counted():
            for body in bodies:
                try:
                    references.append(await self._submit(text, body, references, of=len(bodies)))
                except SendFailed as exc:
                    raise _after(len(references), len(bodies), exc) from exc
        return _accepted(references)

    def health(self) -> Health:
        """Return UP while bound; PAUSED where the SMSC refuses what only a person can mend."""
        if self._session is None or self._session.ended:
            return Health.PAUSED if self._without.fate is Fate.GATEWAY_UNFIT else Health.DOWN
        return Health.PAUSED if self._is_unfit else Health.UP

    async def incoming(self) -> AsyncIterator[Arrival]:
        """Yield what arrives; asking for the next forgets the last. A part of a long text waits for the others."""
        while True:
            self._woken.clear()
            for arrived in self._inbox.arrived(time.monotonic()):
                yield arrived.item
                self._inbox.stored(arrived)
            while self._late:
                yield self._late[0]
                self._late.pop(0)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN.total_seconds()):
                    await self._woken.wait()

    async def close(self) -> None:
        """Wait for the texts under way, take leave of the SMSC."""
        await self._idle.wait()
        if self._binding is not None:
            self._binding.cancel()
            with suppress(asyncio.CancelledError):
                await self._binding
        if self._session is not None:
            await self._session.unbind()
            self._session = None

    # --- outwards -------------------------------------------------------------------------------------------------

    def _bodies(self, text: OutboundText) -> tuple[bytes, ...]:
        valid_for = None if text.valid_until is None else text.valid_until - datetime.now(UTC)
        if valid_for is not None and valid_for <= timedelta():
            raise SendFailed(f"{self.name}: the text's time is over, nothing was sent.", fate=Fate.NOT_SENT)
        self._reference = (self._reference + 1) % 256
        section = self._section
        return pdus.submits(
            text.body,
            to=pdus.Address(digits=text.to.removeprefix("+"), ton=section.dest_ton, npi=section.dest_npi),
            sender=_sender(section, text),
            reference=self._reference,
            valid_for=valid_for,
            receipt=section.delivery_reports,
            as_payload=section.long_texts == "payload",
            alphabet=section.alphabet,
        )

    async def _submit(self, text: OutboundText, body: bytes, before: list[str | None], *, of: int) -> str | None:
        if self._session is None:
            raise SendFailed(f"{self.name}: nothing was sent: {self._without.words}.", fate=self._without.fate)

        def late(answer: pdus.Pdu) -> None:
            # Only the last part's answer says that the whole text is out.
            if answer.status == statuses.OK and len(before) == of - 1:
                reference = _accepted([*before, self._receipts.answered(answer.text)]).reference
                self._late.append(LateAnswer(id=text.id, reference=reference))
                self._woken.set()

        try:
            answer = await self._session.ask(pdus.Command.SUBMIT_SM, body, late=late)
        except SilentError as exc:
            fate = Fate.UNKNOWN if exc.left else Fate.NOT_SENT
            what = "the text may have gone out" if exc.left else "nothing was sent"
            raise SendFailed(f"{self.name}: {what}: {exc}.", fate=fate) from exc
        return self._judged(answer)

    def _judged(self, answer: pdus.Pdu) -> str | None:
        """Return the SMSC's id of what it accepted; raises SendFailed for a refusal."""
        if answer.status == statuses.OK and answer.command != pdus.Command.GENERIC_NACK:
            self._is_unfit = False
            return self._receipts.answered(answer.text)
        own = {status: Fate(word) for status, word in self._section.statuses.items()}
        meaning = statuses.of_submit(answer.status, own)
        self._is_unfit = meaning.fate is Fate.GATEWAY_UNFIT
        code = statuses.named(answer.status)
        raise SendFailed(
            f"{self.name}: {self._place.host} answered {code}: {meaning.words}.", fate=meaning.fate, code=code
        )

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

    # --- the connection -------------------------------------------------------------------------------------------

    async def _stay_bound(self) -> None:
        wait = self._first_retry
        while True:
            session = await self._bound()
            if session is not None:
                wait = self._first_retry
                await session.keep_alive(self._section.keep_alive)
                self._lost(NOT_BOUND)
            unfit = self._without.fate is Fate.GATEWAY_UNFIT
            await asyncio.sleep((REFUSED_RETRY if unfit else wait).total_seconds())
            wait = min(wait * 2, LONGEST_RETRY)

    async def _bound(self) -> Session | None:
        """Return a bound connection, which `send` uses from now on; None: not now."""
        try:
            session = await connected(self._place, within=self._section.timeout, deliver=self._delivered)
        except OSError as exc:
            self._lost(Meaning(Fate.NOT_SENT, f"there is no connection to {self._place.host} ({_why(exc)})"))
            return None
        try:
            await session.bind(*_bind(self._section))
        except (RefusedError, SilentError) as exc:
            self._lost(_not_bound(self._place.host, exc))
            await session.close()
            return None
        except asyncio.CancelledError:
            await session.close()
            raise
        self._session = session
        log.info("bound to the SMSC", extra={"gateway": self.name})
        return session

    def _lost(self, why: Meaning) -> None:
        self._session, self._without = None, why
        log.warning("no connection to the SMSC", extra={"gateway": self.name, "cause": why.words})

    async def _delivered(self, raw: bytes) -> Answered:
        try:
            note = await self._inbox.keep(raw)
        except (OSError, FullError) as exc:
            why = {"gateway": self.name, "cause": type(exc).__name__}
            log.error("an incoming text cannot be kept now; the SMSC is told to bring it again", extra=why)
            return statuses.TRY_LATER, None
        self._woken.set()
        return statuses.OK, lambda: self._inbox.heard(note)


def build(name: str, section: Section, lent: Lent) -> Smpp:
    """Return the gateway of a section. Raises TextbackdError if its `ca` cannot be read."""
    return Smpp(name=name, section=section, lent=lent)


def _tls(section: Section) -> ssl.SSLContext | None:
    if not section.tls:
        return None
    try:
        return ssl.create_default_context(cafile=section.ca)
    except (OSError, ssl.SSLError) as exc:
        raise TextbackdError(f"ca: {section.ca} cannot be read as certificates ({_why(exc)}).") from exc


def _bind(section: Section) -> tuple[pdus.Command, bytes]:
    sends_only = section.mode == "transmitter"
    command = pdus.Command.BIND_TRANSMITTER if sends_only else pdus.Command.BIND_TRANSCEIVER
    password = section.password.get_secret_value()
    return command, pdus.bind(system_id=section.system_id, password=password, system_type=section.system_type)


def _not_bound(host: str, exc: RefusedError | SilentError) -> Meaning:
    if isinstance(exc, SilentError):
        return Meaning(Fate.NOT_SENT, f"{host} did not answer the bind")
    meaning = statuses.of_bind(exc.status)
    return Meaning(meaning.fate, f"{host} answered {statuses.named(exc.status)} to the bind: {meaning.words}")


def _sender(section: Section, text: OutboundText) -> pdus.Address:
    called = section.sender_for(text.sender)
    if section.sender_id is not None:
        usual = pdus.name(section.sender_id)
    elif called is not None:
        usual = pdus.number(called)
    else:
        usual = pdus.Address(digits="", ton=0, npi=0)  # the SMSC's own choice, §4.4.1
    ton = usual.ton if section.source_ton is None else section.source_ton
    npi = usual.npi if section.source_npi is None else section.source_npi
    return pdus.Address(digits=usual.digits, ton=ton, npi=npi)


def _accepted(references: list[str | None]) -> Accepted:
    return Accepted(reference=",".join(filter(None, references)) or None, parts=len(references))


def _after(sent: int, parts: int, failed: SendFailed) -> SendFailed:
    """Return the failure of a part as that of the whole text: once a part is out, the text must not go again."""
    if sent == 0:
        return failed
    return SendFailed(f"{sent} of {parts} parts went out, then: {failed}", fate=Fate.UNKNOWN, code=failed.code)


def _why(exc: OSError) -> str:
    return exc.strerror or type(exc).__name__
