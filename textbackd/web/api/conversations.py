"""Conversations: the list, one of them, and what can be done with it.   routes.py → here → flow/desk.py, store/conversations.py"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints

from textbackd.core.conversation import Turn
from textbackd.core.phone import E164
from textbackd.store import asks, conversations, leads
from textbackd.store.conversations import Box, Look
from textbackd.web.api.operation import Answer, Asked, Given, ToldError

# What a person may type: everything but control characters, of which a line's end and a tab are none.
TYPED = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
Words = Annotated[str, StringConstraints(min_length=1, max_length=4000, pattern=TYPED)]
Name = Annotated[str, StringConstraints(max_length=100, pattern=TYPED)]
Key = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=TYPED)]
CURSOR = "^[0-9]{1,16}-[1-9][0-9]{0,17}$"  # microseconds since 1970 and an id: where a page ended
EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
NOT_THERE = "There is no such conversation, or not any more."


class Conversation(Answer):
    """How the conversation with one caller stands."""

    id: int
    number: str = Field(description="E.164.")
    name: str = Field(description="As the PBX, a form or one of the staff told it; untrusted. Empty: nobody did.")
    line: str | None = Field(description="The last line that they called or wrote to.")
    did: str | None = Field(description="The number of the shop's that they know.")
    turn: Turn = Field(description="Whose turn it is.")
    assignee: str | None = Field(description="Key of whom of the staff it belongs to; null: whoever is first.")
    waiting_since: datetime | None = Field(description="Since when they wait for a person; null: they do not.")
    no_text: str | None = Field(description="Why they cannot be texted, so that somebody has to call; null: they can.")
    outcome: str | None = Field(description="won or lost; null: neither yet.")
    value: int | None = Field(description="What it brought, in hundredths of the shop's currency.")
    booked_at: datetime | None = Field(description="The appointment that they made by themselves.")
    opened_at: datetime = Field(description="When the present matter began.")
    answered_at: datetime | None = Field(description="The first word of a person in the present matter.")
    last_at: datetime = Field(description="When something was last said or done.")
    last_words: str = Field(description="The start of what was last said; untrusted.")
    perhaps_stop: bool = Field(
        description="They may have asked for no more texts; nothing goes to them by itself until a person decides, by "
        "/opt-out or /keep-texting."
    )
    unread: int = Field(description="What they said since somebody of the staff looked.")
    urgent: bool = Field(description="They used words that cannot wait, and nobody has answered.")


class Conversations(Answer):
    """A page of the list, that with the newest word first."""

    conversations: list[Conversation]
    next: str | None = Field(description="The `cursor` of the next page; null: this is the last one.")


class Counts(Answer):
    """How much is in each part of the inbox."""

    open: int
    new: int
    waiting_for_us: int
    waiting_for_them: int
    callback: int = Field(description="No text reaches them: somebody has to call.")
    leads: int = Field(description="Forms without a number that nobody has read.")


class Listed(Given):
    """Which conversations are wanted."""

    box: Box = Field(default=Box.OPEN, description="The part of the inbox.")
    assignee: Key | None = Field(default=None, description="Only those of one of the staff.")
    line: Key | None = Field(default=None, description="Only those of one line.")
    q: Annotated[str, StringConstraints(max_length=100, pattern=TYPED)] = Field(
        default="", description="Only where the number, the name or something said contains this."
    )
    cursor: Annotated[str, StringConstraints(pattern=CURSOR)] | None = Field(
        default=None, description="What the page before gave as `next`."
    )
    limit: int = Field(default=50, ge=1, le=200, description="How many at most.")


class Assign(Given):
    """Whose it is to be."""

    to: Key | None = Field(description="Key of one of the staff; null gives it back to all.")


class Note(Given):
    """Words for colleagues."""

    text: Words


def _whole(value: object) -> object:
    """Return 5 for 5.0: JSON does not tell them apart."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class Won(Given):
    """What it brought."""

    value: Annotated[int, Field(ge=0, lt=10**12), BeforeValidator(_whole)] | None = Field(
        default=None, description="In hundredths of the shop's currency; null: nobody knows."
    )


class Rename(Given):
    """What the caller is called."""

    name: Name


async def list_conversations(asked: Asked) -> Conversations:
    """Return a page of the list."""
    wanted: Listed = asked.query
    look = Look(
        box=wanted.box,
        assignee=wanted.assignee,
        line=wanted.line,
        wanted=wanted.q,
        before=_place(wanted.cursor) if wanted.cursor is not None else None,
    )
    found = await asked.shop.store.run(lambda db: conversations.listing(db, look, wanted.limit + 1))
    page = found[: wanted.limit]
    more = _cursor(page[-1]) if len(found) > wanted.limit else None
    return Conversations(conversations=await told(asked, page), next=more)


async def told(asked: Asked, found: Sequence[conversations.Conversation]) -> list[Conversation]:
    """Return how conversations stand, with what the store keeps elsewhere."""
    perhaps = await asked.shop.store.run(asks.numbers)
    return [Conversation.model_validate({**asdict(one), "perhaps_stop": one.number in perhaps}) for one in found]


def _cursor(last: conversations.Conversation) -> str:
    return f"{(last.last_at - EPOCH) // MICROSECOND}-{last.id}"


def _place(cursor: str) -> tuple[datetime, int]:
    moment, _, conversation_id = cursor.partition("-")
    return EPOCH + int(moment) * MICROSECOND, int(conversation_id)


async def count(asked: Asked) -> Counts:
    """Return how much is in each part of the inbox."""
    counted = await asked.shop.store.run(conversations.counts)
    to_read = await asked.shop.store.run(leads.count_to_read)
    return Counts(**{box.value: number for box, number in counted.items()}, leads=to_read)


async def found(asked: Asked) -> conversations.Conversation:
    """Return the conversation that the path names. Raises ToldError."""
    one = await asked.shop.store.run(lambda db: conversations.get(db, asked.id))
    if one is None:
        raise ToldError(HTTPStatus.NOT_FOUND, NOT_THERE)
    return one


async def get(asked: Asked) -> Conversation:
    """Return one conversation."""
    (one,) = await told(asked, [await found(asked)])
    return one


def _doing(act: Callable[[Asked, E164], Awaitable[None]]) -> Callable[[Asked], Awaitable[Conversation]]:
    """Return the handler that does something with the conversation that the path names, and tells how it stands then."""

    async def handle(asked: Asked) -> Conversation:
        await act(asked, (await found(asked)).number)
        return await get(asked)

    return handle


assign = _doing(lambda asked, number: asked.shop.desk.assign(number, asked.body.to, asked.visitor.key))
note = _doing(lambda asked, number: asked.shop.desk.note(number, asked.body.text, asked.visitor.key))
look = _doing(lambda asked, number: asked.shop.desk.look(number, asked.visitor.key))
call_back = _doing(lambda asked, number: asked.shop.desk.call_back(number, asked.visitor.key))
put_away = _doing(lambda asked, number: asked.shop.desk.put_away(number, asked.visitor.key))
take_up = _doing(lambda asked, number: asked.shop.desk.take_up(number, asked.visitor.key))
won = _doing(lambda asked, number: asked.shop.desk.won(number, asked.body.value, asked.visitor.key))
lost = _doing(lambda asked, number: asked.shop.desk.lost(number, asked.visitor.key))
rename = _doing(lambda asked, number: asked.shop.desk.rename(number, asked.body.name, asked.visitor.key))
opt_out = _doing(lambda asked, number: asked.shop.desk.opt_out(number, asked.visitor.key))
opt_in = _doing(lambda asked, number: asked.shop.desk.opt_in(number, asked.visitor.key))
keep_texting = _doing(lambda asked, number: asked.shop.desk.keep_texting(number, asked.visitor.key))
never = _doing(lambda asked, number: asked.shop.desk.never(number, asked.visitor.key))
