"""What one of the staff can do with a conversation, from wherever they sit.   web, API, their mobiles, desk phones → here → store

Every method writes what was done and who did it in one transaction, and rings the bell. Raises Refused, one sentence for whoever
asked, when it cannot be done, and sqlite3.Error when the disk does not take it.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, TypeVar

import sqlite_utils

from textbackd.config import Line, Settings
from textbackd.core.conversation import Happening
from textbackd.core.phone import E164, NotTextable, mask, read_number
from textbackd.core.segments import segments
from textbackd.errors import TextbackdError
from textbackd.flow.bell import Bell
from textbackd.flow.staff.ring_back import CannotRing, RingBack
from textbackd.store import accounts, acts, asks, conversations, never, optouts, outbox
from textbackd.store.acts import Act, ActKind
from textbackd.store.conversations import Conversation, News
from textbackd.store.database import Store, writing
from textbackd.store.optouts import OptedOutBy
from textbackd.store.outbox import NewText
from textbackd.store.states import State, TextOf

T = TypeVar("T")
log = logging.getLogger(__name__)

ANSWER_KEEPS: Final = timedelta(hours=12)  # an answer that no gateway took by then is shown as not sent
MOST_SEGMENTS: Final = 10  # of one answer
LONGEST_NOTE: Final = 4000  # characters
PERSON_WROTE: Final = "somebody of the shop has written to the caller"


class Refused(TextbackdError):
    """It cannot be done; one sentence that says why, and what to do instead."""


class SentAlready(Refused):
    """The key of this text has sent another one."""

    def __init__(self) -> None:
        super().__init__("This form has sent a text already, with other words. Send it again if both are meant.")


class Desk:
    """The staff's hands."""

    def __init__(
        self,
        settings: Settings,
        *,
        store: Store,
        clock: Callable[[], datetime],
        bell: Bell,
        wake: Callable[[], None],
        ring_back: RingBack | None = None,
    ) -> None:
        self._settings, self._store, self._clock = settings, store, clock
        self.bell, self._wake, self._ring_back = bell, wake, ring_back
        self._own = settings.own_numbers()

    async def reply(
        self,
        number: E164,
        body: str,
        staff: str,
        *,
        key: str | None = None,
        allowed: Callable[[Conversation | None], None] = lambda _: None,
    ) -> str:
        """Text a caller in a person's words; return the text's id. The first answer claims the conversation.

        `key`: 32 hexadecimal digits that the form chose, so that sending it twice by mistake sends one text. With other words
        it is refused: nobody shall believe that those went out, too. `allowed` raises Refused if it is not to be as the
        conversation stands at the moment of writing.
        """
        now, text = self._clock(), body.strip()
        self._check(number, text)

        def work(db: sqlite_utils.Database) -> str:
            if key is not None and (known := outbox.find(db, key)) is not None:
                if (known["recipient"], known["body"]) != (number, text):
                    raise SentAlready
                return key
            conversation = conversations.find(db, number)
            allowed(conversation)
            if optouts.find(db, number) is not None:
                raise Refused("This caller wants no texts (STOP). Call instead.")
            new = self._text(conversation, number, text, staff, now)
            text_id = outbox.add(db, new, case_id=None, call_id=None, now=now, text_id=key)
            self._answered(db, conversation, number, text, staff, now)
            acts.add_within(db, Act(at=now, kind=ActKind.REPLIED, staff=staff, number=number, detail=text_id))
            return text_id

        text_id = await self._write(number, work)
        log.info("a person answered", extra={"outbox_id": text_id, "to": mask(number), "staff": staff})
        self._wake()
        return text_id

    def _check(self, number: E164, text: str) -> None:
        if not text:
            raise Refused("The text is empty.")
        if segments(text).count > MOST_SEGMENTS:
            raise Refused(f"The text is longer than {MOST_SEGMENTS} segments. Shorten it, or call.")
        if number in self._own:
            raise Refused("This number is ours.")
        not_textable = read_number(number, self._settings.business.country).not_textable
        if not_textable in (NotTextable.INVALID, NotTextable.SHORT_CODE, NotTextable.PREMIUM):
            raise Refused("This number cannot be texted.")

    @staticmethod
    def _answered(
        db: sqlite_utils.Database, before: Conversation | None, number: E164, text: str, staff: str, now: datetime
    ) -> None:
        news = News(number=number, happening=Happening.ANSWERED, at=now, staff=staff, words=text)
        conversations.happen(db, news)
        outbox.cancel_automatic(db, number, PERSON_WROTE, now)
        if before is None or before.assignee is None:
            acts.add_within(db, Act(at=now, kind=ActKind.CLAIMED, staff=staff, number=number))

    def _text(self, conversation: Conversation | None, number: E164, body: str, staff: str, now: datetime) -> NewText:
        did = conversation.did if conversation else None
        gateways = self._gateways(conversation.line if conversation else None)
        count = segments(body).count
        return NewText(
            kind=TextOf.MANUAL,
            recipient=number,
            did=did,
            body=body,
            gateways=gateways,
            due_at=now,
            expires_at=now + ANSWER_KEEPS,
            hung_up_at=None,
            segments=count,
            cost=self._settings.gateways[gateways[0]].cost(count),
            staff=staff,
            state=State.SUPPRESSED if self._settings.mode == "observe" else State.QUEUED,
        )

    def _gateways(self, line: str | None) -> tuple[str, ...]:
        known: Line | None = self._settings.lines.get(line) if line else None
        return tuple(known.gateways if known else next(iter(self._settings.lines.values())).gateways)

    async def note(self, number: E164, words: str, staff: str) -> None:
        """Leave words for colleagues; the caller never sees them."""
        if not words.strip():
            raise Refused("The note is empty.")
        if len(words) > LONGEST_NOTE:
            raise Refused(f"The note is longer than {LONGEST_NOTE} characters.")
        await self._act(number, ActKind.NOTE, staff, words.strip())

    async def look(self, number: E164, staff: str) -> None:
        """Note that somebody has read a conversation, once per thing to read."""
        now = self._clock()

        def work(db: sqlite_utils.Database) -> bool:
            if not conversations.seen(db, number):
                return False
            acts.add_within(db, Act(at=now, kind=ActKind.READ, staff=staff, number=number))
            return True

        if await self._store.run(lambda db: _within(db, work)):
            self.bell.ring(number)

    async def assign(self, number: E164, to: str | None, staff: str) -> None:
        """Give a conversation to somebody who is there; None gives it back to all. To oneself is claiming it."""

        def work(db: sqlite_utils.Database) -> None:
            if to is not None and to not in accounts.colleagues(db, self._settings.staff):
                raise Refused("None of the staff is called that, or not any more. Choose somebody else.")
            conversations.assign(db, number, to)

        kind = ActKind.CLAIMED if to == staff else ActKind.ASSIGNED
        await self._act(number, kind, staff, "" if to == staff else to or "", work)

    def can_call_back(self, staff: str) -> bool:
        """Return whether one of the staff has a desk phone that can be connected with a caller."""
        return self._ring_back is not None and self._ring_back.phone_of(staff) is not None

    async def call_back(self, number: E164, staff: str) -> None:
        """Ring the desk phone of one of the staff, and the caller once it is picked up. A call claims as an answer does."""
        if await self._store.run(lambda db: conversations.find(db, number)) is None:
            raise Refused("There is no conversation with this number.")
        if self._ring_back is None:
            raise Refused("Nothing here can make calls.")
        try:
            phone = await self._ring_back.connect(number, staff)
        except CannotRing as error:
            raise Refused(str(error)) from error
        log.info("a desk phone is connected with a caller", extra={"to": mask(number), "staff": staff, "phone": phone})
        await self._act(number, ActKind.CALLED_BACK, staff, phone, lambda db: self._claim(db, number, staff))

    def _claim(self, db: sqlite_utils.Database, number: E164, staff: str) -> None:
        found = conversations.find(db, number)
        if found is not None and found.assignee is None:
            conversations.assign(db, number, staff)
            acts.add_within(db, Act(at=self._clock(), kind=ActKind.CLAIMED, staff=staff, number=number))

    async def put_away(self, number: E164, staff: str) -> None:
        """Say that nothing is left to do."""
        await self._turn(number, Happening.PUT_AWAY, ActKind.PUT_AWAY, staff)

    async def take_up(self, number: E164, staff: str) -> None:
        """Want it back on the list."""
        await self._turn(number, Happening.TAKEN_UP, ActKind.TAKEN_UP, staff)

    async def won(self, number: E164, value: int | None, staff: str) -> None:
        """Note that the caller became a customer; `value` in hundredths of the shop's currency. That ends the matter."""
        if value is not None and not 0 <= value < 10**12:
            raise Refused("The value is not an amount of money.")
        await self._ended(number, "won", value, ActKind.WON, staff)

    async def lost(self, number: E164, staff: str) -> None:
        """Note that the caller went elsewhere. That ends the matter."""
        await self._ended(number, "lost", None, ActKind.LOST, staff)

    async def rename(self, number: E164, name: str, staff: str) -> None:
        """Call the caller by another name."""
        shown = " ".join(name.split())[:100]
        await self._act(number, ActKind.RENAMED, staff, shown, lambda db: conversations.rename(db, number, shown))

    async def opt_out(self, number: E164, staff: str) -> None:
        """Send the caller no more texts, because they said so to a person."""

        def work(db: sqlite_utils.Database) -> None:
            optouts.add_within(db, number, OptedOutBy.PERSON, staff, self._clock())
            conversations.cannot_be_texted(db, number, "opted_out")

        await self._act(number, ActKind.OPTED_OUT, staff, "", work)

    async def opt_in(self, number: E164, staff: str) -> None:
        """Allow texts again, because the caller said so to a person."""

        def work(db: sqlite_utils.Database) -> None:
            optouts.remove_within(db, number)
            conversations.cannot_be_texted(db, number, None)

        await self._act(number, ActKind.OPTED_IN, staff, "", work)

    async def keep_texting(self, number: E164, staff: str) -> None:
        """Say that what the caller wrote did not mean STOP, so that texts may go out by themselves again."""
        await self._act(number, ActKind.KEPT_TEXTING, staff, "", lambda db: asks.end_within(db, number))

    async def never(self, number: E164, staff: str) -> None:
        """Let a number's calls count no more, and put its conversation away: a supplier, a nuisance, somebody's family."""

        def work(db: sqlite_utils.Database) -> None:
            never.add_within(db, number, staff, "", self._clock())
            conversations.happen(db, News(number=number, happening=Happening.PUT_AWAY, at=self._clock(), staff=staff))

        await self._act(number, ActKind.NEVER, staff, "", work)

    async def _ended(self, number: E164, outcome: str, value: int | None, kind: ActKind, staff: str) -> None:
        def work(db: sqlite_utils.Database) -> None:
            conversations.note_outcome(db, number, outcome, value)
            conversations.happen(db, News(number=number, happening=Happening.PUT_AWAY, at=self._clock(), staff=staff))

        await self._act(number, kind, staff, "" if value is None else str(value), work)

    async def _turn(self, number: E164, happening: Happening, kind: ActKind, staff: str) -> None:
        news = News(number=number, happening=happening, at=self._clock(), staff=staff)
        await self._act(number, kind, staff, "", lambda db: conversations.happen(db, news))

    async def _act(
        self,
        number: E164,
        kind: ActKind,
        staff: str,
        detail: str = "",
        work: Callable[[sqlite_utils.Database], object] = lambda _: None,
    ) -> None:
        """Do something to a conversation that is there, and write down who did it."""
        act = Act(at=self._clock(), kind=kind, staff=staff, number=number, detail=detail)

        def both(db: sqlite_utils.Database) -> None:
            if conversations.find(db, number) is None:
                raise Refused("There is no conversation with this number.")
            work(db)
            acts.add_within(db, act)

        await self._write(number, both)

    async def _write(self, number: E164, work: Callable[[sqlite_utils.Database], T]) -> T:
        done = await self._store.run(lambda db: _within(db, work))
        self.bell.ring(number)
        return done


def _within(db: sqlite_utils.Database, work: Callable[[sqlite_utils.Database], T]) -> T:
    with writing(db):
        return work(db)
