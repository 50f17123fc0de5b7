"""Messages that staff write on their desk phones.   the dialplan's UserEvent → here → texts.py

AMI repeats nothing: what a phone sends while the PBX's manager is not connected is lost, and Asterisk has said 202 to it. Whose it is, the
endpoint tells that config/extensions-textbackd.conf puts into the event, never what stands in the message.
"""

import asyncio
import hashlib
import logging
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import sqlite_utils

from textbackd.config import Settings
from textbackd.core.phone import E164
from textbackd.flow.staff.texts import StaffTexts
from textbackd.gateways.asterisk_message import TOO_LONG, plain
from textbackd.gateways.base import Manager
from textbackd.store import notices
from textbackd.store.inbox import Came, Incoming
from textbackd.store.notices import NewNotice, Way

log = logging.getLogger(__name__)

OUR_EVENT: Final = "TextbackdStaff"
MOST_WAITING: Final = 200  # messages that are not stored yet
STORE_AGAIN_AFTER: Final = 5.0  # seconds
ANSWERS_FOR: Final = timedelta(minutes=10)


class DeskPhonesIn:
    """Takes what desk phones send."""

    def __init__(
        self,
        settings: Settings,
        *,
        managers: Mapping[str, Manager],
        texts: StaffTexts,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
    ) -> None:
        self._texts, self._clock, self._wake, self._managers = texts, clock, wake, managers
        self._owners = {person.sip: key for key, person in settings.staff.items() if person.sip}
        self._waiting: asyncio.Queue[Incoming] = asyncio.Queue(MOST_WAITING)

    def take_over(self, before: "DeskPhonesIn") -> None:
        """Go on with what others have not stored yet."""
        self._waiting = before._waiting

    def _hear(self, pbx: str, headers: Mapping[str, str]) -> None:
        if headers.get("UserEvent") != OUR_EVENT:
            return
        phone, told_id, body = (plain(headers, name) for name in ("Phone", "Id", "Body"))
        now = self._clock()
        came = Incoming(
            gateway=f"pbx.{pbx}",
            reference=hashlib.sha256(f"{phone}\n{told_id.strip() or now}\n{body}".encode()).hexdigest()[:32],
            kind=Came.TEXT,
            sender=f"pjsip:{phone}",
            number=None,
            recipient=None,
            body=body or TOO_LONG,
            media=0,
            received_at=now,
        )
        try:
            self._waiting.put_nowait(came)
        except asyncio.QueueFull:
            log.error("too many messages of desk phones wait to be stored; one is lost", extra={"pbx": pbx})

    async def run(self) -> None:
        """Take what comes until cancelled, from every PBX, if any of the staff has such a phone."""
        managers = self._managers.items() if self._owners else ()
        ends = [manager.subscribe("UserEvent", partial(self._hear, name)) for name, manager in managers]
        try:
            await self._take_all()
        finally:
            for end in ends:
                end()

    async def _take_all(self) -> None:
        while True:
            came = await self._waiting.get()
            owner = self._owners.get(came.sender)
            if owner is None:
                log.warning("a message from a desk phone that is nobody's of the staff", extra={"phone": came.sender})
                continue
            try:
                await self._take(came, owner)
            except asyncio.CancelledError:
                with suppress(asyncio.QueueFull):
                    self._waiting.put_nowait(came)  # for whoever takes over; stored twice, it counts once
                raise

    async def _take(self, came: Incoming, owner: str) -> None:
        while True:
            try:
                await self._texts.take(came, owner, partial(self._answer, came.sender, owner))
                return self._wake()
            except sqlite3.Error as error:
                log.error("a message of a desk phone cannot be written down; trying again", extra={"error": str(error)})
                await asyncio.sleep(STORE_AGAIN_AFTER)

    @staticmethod
    def _answer(
        phone: str, owner: str, db: sqlite_utils.Database, words: str, about: E164 | None, now: datetime
    ) -> None:
        """Have the phone told, inside the transaction that stores its message."""
        notice = NewNotice(
            number=about,
            matter=notices.ANSWER,
            staff=owner,
            way=Way.SIP,
            target=phone,
            payload={"text": words},
            expires_at=now + ANSWERS_FOR,
        )
        notices.add_within(db, notice, now)
