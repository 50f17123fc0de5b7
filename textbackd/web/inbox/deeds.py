"""What the forms of a conversation do.   browser → here → flow/desk.py

Each is sent, done, and answered with the way back, so that loading the page again does nothing twice. What cannot be done comes back
as the page that was sent, with a sentence and everything that was typed.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from aiohttp import web

from textbackd.flow.desk import Desk, Refused
from textbackd.store import conversations
from textbackd.store.conversations import Conversation
from textbackd.web import pages
from textbackd.web.access.auth import staff_of
from textbackd.web.access.forms import field, read
from textbackd.web.inbox import asked, words
from textbackd.web.inbox.columns import Typed, show
from textbackd.web.inbox.keys import key_of
from textbackd.web.shop import SHOP


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What was sent, by whom, and about which conversation."""

    desk: Desk
    conversation: Conversation
    staff: str
    fields: Mapping[str, object]

    def text(self, name: str) -> str:
        """Return a field with the line ends of a text; "" if it is not there."""
        return field(self.fields, name).replace("\r\n", "\n")


async def _reply(form: Form) -> None:
    await form.desk.reply(form.conversation.number, form.text("text"), form.staff, key=key_of(form.text("key")))


async def _note(form: Form) -> None:
    await form.desk.note(form.conversation.number, form.text("note"), form.staff)


async def _claim(form: Form) -> None:
    await form.desk.assign(form.conversation.number, form.staff, form.staff)


async def _assign(form: Form) -> None:
    await form.desk.assign(form.conversation.number, form.text("to") or None, form.staff)


async def _call(form: Form) -> None:
    await form.desk.call_back(form.conversation.number, form.staff)


async def _never(form: Form) -> None:
    await form.desk.never(form.conversation.number, form.staff)


async def _put_away(form: Form) -> None:
    await form.desk.put_away(form.conversation.number, form.staff)


async def _take_up(form: Form) -> None:
    await form.desk.take_up(form.conversation.number, form.staff)


async def _won(form: Form) -> None:
    try:
        value = words.amount(form.text("value"))
    except ValueError as error:
        raise Refused(str(error)) from error
    await form.desk.won(form.conversation.number, value, form.staff)


async def _lost(form: Form) -> None:
    await form.desk.lost(form.conversation.number, form.staff)


async def _rename(form: Form) -> None:
    await form.desk.rename(form.conversation.number, form.text("name"), form.staff)


async def _no_texts(form: Form) -> None:
    await form.desk.opt_out(form.conversation.number, form.staff)


async def _texts_again(form: Form) -> None:
    await form.desk.opt_in(form.conversation.number, form.staff)


async def _keep_texting(form: Form) -> None:
    await form.desk.keep_texting(form.conversation.number, form.staff)


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that a form can ask for."""

    do: Callable[[Form], Awaitable[None]]
    leaves: bool = False  # afterwards there is nothing left to do here, and the list is shown again


DEEDS: Final[Mapping[str, Deed]] = MappingProxyType({
    "reply": Deed(_reply),
    "note": Deed(_note),
    "claim": Deed(_claim),
    "assign": Deed(_assign),
    "call": Deed(_call),
    "put-away": Deed(_put_away, leaves=True),
    "take-up": Deed(_take_up),
    "won": Deed(_won, leaves=True),
    "lost": Deed(_lost, leaves=True),
    "rename": Deed(_rename),
    "no-texts": Deed(_no_texts),
    "texts-again": Deed(_texts_again),
    "keep-texting": Deed(_keep_texting),
    "never": Deed(_never, leaves=True),
})  # fmt: skip
# What is asked once more before it is done: the question, what follows, and the button.
QUESTIONS: Final[Mapping[str, tuple[str, str, str]]] = MappingProxyType({
    "no-texts": (
        "No more texts to this caller?",
        "Neither textbackd nor anybody in the inbox can text this number afterwards. Do this when they said so, on the phone or in"
        " their own words.",
        "No more texts",
    ),
    "texts-again": (
        "Are texts welcome again?",
        "Do this only when the caller asked for it. If they said STOP from their phone, some networks go on refusing texts until"
        " they send START.",
        "Texts are welcome again",
    ),
    "never": (
        "Never heed this number again?",
        "Its calls count no more: no text, no entry here. For suppliers, family, and whoever calls to sell something."
        " `textbackd never remove` takes it back.",
        "Never heed it",
    ),
})  # fmt: skip


async def do(request: web.Request) -> web.StreamResponse:
    """Do what a form asks for."""
    deed = DEEDS.get(request.match_info["deed"])
    if deed is None:
        raise web.HTTPNotFound
    conversation, fields = await of(request), await read(request)
    desk, staff = request.app[SHOP].desk, staff_of(request).key
    form = Form(desk=desk, conversation=conversation, staff=staff, fields=fields)
    looked = asked.read_back(form.text("list"))
    try:
        await deed.do(form)
    except Refused as refused:
        typed = Typed(fault=str(refused), text=form.text("text"), note=form.text("note"), value=form.text("value"))
        return await show(request, conversation.id, asked=looked, typed=typed)
    return pages.redirect(("/" if deed.leaves else f"/c/{conversation.id}") + looked.query())


async def ask(request: web.Request) -> web.StreamResponse:
    """Ask once more before something is done that is not easily undone."""
    name = request.match_info["deed"]
    if name not in QUESTIONS:
        raise web.HTTPNotFound
    conversation = await of(request)
    title, words_, button = QUESTIONS[name]
    looked = asked.read(request.query)
    context = {
        "title": title,
        "reason": words_,
        "button": button,
        "deed": name,
        "id": conversation.id,
        "list": looked.query(),
    }
    return pages.render(request, "inbox/question.html", context)


async def of(request: web.Request) -> Conversation:
    """Return the conversation that an address names. Raises 404."""
    written = request.match_info["id"]
    found = None
    if len(written) < 16:
        found = await request.app[SHOP].store.read(lambda db: conversations.get(db, int(written)))
    if found is None:
        raise web.HTTPNotFound
    return found
