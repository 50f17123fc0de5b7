"""Texts through the spool folders of SMS Server Tools 3 (smsd).   flow/texts_out, flow/replies_in → here → spool/*

A text is accepted when its file is in `outgoing`; from then on it is smsd's. What became of it is read from `sent` and `failed`,
where the file keeps its name and our header; replies and status reports are files in `incoming`. Files of ours and what came in
are deleted when what they say is stored.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

from textbackd.config.gateways import SmsTools as Section
from textbackd.core.segments import segments
from textbackd.gateways.base import Accepted, Arrival, DeliveryReport, Fate, Health, Lent, OutboundText, SendFailed
from textbackd.gateways.spool import messages
from textbackd.gateways.spool.folders import PREFIX, FaultError, Found, Spool, arrived, files, forget

log = logging.getLogger(__name__)

KEEP_SENT: Final = timedelta(days=2)  # for the status report, which names only a number from 0 to 255 and the recipient
STUCK: Final = "smsd leaves texts lying in `outgoing`: is it running (systemctl status smstools)"
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Arrived:
    """Something for the store, and the files to delete when it is there."""

    item: Arrival
    paths: tuple[Path, ...]


class SmsTools:
    """A gateway through one smsd; see base.Gateway for the contract."""

    def __init__(self, *, name: str, section: Section) -> None:
        self.name = name
        self._section = section
        self._spool = Spool(Path(section.spool))
        self._health = Health.UNKNOWN
        self._is_open = False
        self._told: set[str] = set()  # references of texts whose sending is told
        self._lock = asyncio.Lock()

    async def start(self) -> None:
        """Look whether the folders are there."""
        self._is_open = True
        with suppress(FaultError):
            await self._in_thread(self._spool.check)

    async def send(self, text: OutboundText) -> Accepted:
        """Put a file into `outgoing`. See base.Gateway."""
        now = datetime.now(UTC)
        if not self._is_open:
            raise SendFailed(f"{self.name}: the gateway is not started, nothing was sent.", fate=Fate.NOT_SENT)
        if text.valid_until is not None and text.valid_until <= now:
            raise SendFailed(f"{self.name}: the text's time is over, nothing was sent.", fate=Fate.NOT_SENT)
        name = secrets.token_hex(8)
        raw = messages.written(text, report=self._section.delivery_reports, now=now)
        try:
            await self._in_thread(lambda: self._put(name, raw, now))
        except FaultError as exc:
            raise SendFailed(f"{self.name}: nothing was sent: {exc}.", fate=exc.fate) from exc
        return Accepted(reference=f"{PREFIX}{name}", parts=segments(text.body).count)

    async def find(self, text: OutboundText, *, since: datetime) -> Accepted | None:
        """Return the text's file, in whichever folder it is."""
        del since  # ids are never used twice
        found = await asyncio.to_thread(self._spool.find, text.id)
        return Accepted(reference=found.reference, parts=segments(text.body).count) if found else None

    async def incoming(self) -> AsyncIterator[Arrival]:
        """Yield what arrives; asking for the next deletes the file of the last."""
        while True:
            for one in await asyncio.to_thread(lambda: list(self._arrived(datetime.now(UTC)))):
                yield one.item
                await self._forget(one)
            with suppress(FaultError):
                await self._in_thread(self._look)
            await asyncio.sleep(self._section.poll_every.total_seconds())

    def health(self) -> Health:
        """Return what the last look at the folders showed; DOWN also while smsd takes nothing from `outgoing`."""
        return self._health

    async def close(self) -> None:
        """Wait for the file that is being written."""
        self._is_open = False
        async with self._lock:
            pass

    # --- in a thread ----------------------------------------------------------------------------------------------

    def _put(self, name: str, raw: bytes, now: datetime) -> None:
        self._spool.check()
        if self._spool.is_stuck(now):
            raise FaultError(STUCK, Fate.NOT_SENT)
        self._spool.put(name, raw)

    def _look(self) -> None:
        self._spool.check()
        if self._spool.is_stuck(datetime.now(UTC)):
            raise FaultError(STUCK, Fate.NOT_SENT)

    def _arrived(self, now: datetime) -> Iterator[Arrived]:
        sent = files(self._spool.sent, PREFIX)
        for found in arrived(self._spool.incoming, now):
            yield self._read(found, sent)
        self._spool.take_back(now)
        for found in files(self._spool.failed, PREFIX):
            yield Arrived(messages.failed(found.message, found.reference), (found.path,))
        yield from (Arrived(_on_its_way(found), ()) for found in sent if found.reference not in self._told)
        _clear(sent, now)

    def _read(self, found: Found, sent: list[Found]) -> Arrived:
        said = messages.incoming(found.message)
        if not isinstance(said, messages.Status):
            return Arrived(said, (found.path,))
        about = next((one for one in reversed(sent) if _is_about(said, one)), None)
        report = said.told(about.reference if about else None, about.message.our_id if about else None)
        return Arrived(report, (found.path, *((about.path,) if about and report.final else ())))

    async def _forget(self, one: Arrived) -> None:
        if isinstance(one.item, DeliveryReport) and one.item.reference is not None:
            self._told.add(one.item.reference)
        try:
            for path in one.paths:
                await asyncio.to_thread(forget, path)
        except FaultError as exc:
            log.warning("what is stored cannot be deleted", extra={"gateway": self.name, "cause": str(exc)})

    async def _in_thread(self, what: Callable[[], Result]) -> Result:
        async with self._lock:
            try:
                result = await asyncio.to_thread(what)
            except FaultError as exc:
                self._health = Health.PAUSED if exc.fate is Fate.GATEWAY_UNFIT else Health.DOWN
                raise
            self._health = Health.UP
            return result


def build(name: str, section: Section, lent: Lent) -> SmsTools:
    """Return the gateway of a section."""
    del lent  # it needs nothing of the daemon's
    return SmsTools(name=name, section=section)


def _is_about(status: messages.Status, sent: Found) -> bool:
    headers = sent.message.headers
    return headers.get("Message_id") == status.message_id and messages.recipient(sent.message) == status.recipient


def _on_its_way(found: Found) -> DeliveryReport:
    return DeliveryReport(
        reference=found.reference,
        recipient=messages.recipient(found.message),
        delivered=False,
        final=False,
        detail="smsd has sent it",
        id=found.message.our_id,
    )


def _clear(sent: list[Found], now: datetime) -> None:
    """Delete our texts from `sent` that no report will name any more."""
    for found in sent:
        with suppress(OSError):
            if now.timestamp() - found.path.stat().st_mtime > KEEP_SENT.total_seconds():
                found.path.unlink()
