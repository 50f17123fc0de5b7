"""Both sides of the page: the list on the left, one conversation on the right.   store → here → templates/inbox/

All that a page shows is read in one piece of work, so that its parts fit together and the store's thread is asked once.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import sqlite_utils
from aiohttp import web

from textbackd.core.compose import FIELD, Fields, fill
from textbackd.core.conversation import Turn
from textbackd.core.phone import written
from textbackd.core.segments import segments
from textbackd.store import accounts, asks, conversations, halts, leads, outbox
from textbackd.store.conversations import Box, Conversation
from textbackd.store.timeline import Entry, Place, What, timeline
from textbackd.web import pages
from textbackd.web.access.auth import staff_of
from textbackd.web.inbox import words
from textbackd.web.inbox.asked import Asked, read
from textbackd.web.inbox.rows import TABS, Eyes, row, rows
from textbackd.web.inbox.timeline import days
from textbackd.web.pause import silence
from textbackd.web.shop import SHOP, Shop

PAGE: Final = 40  # conversations
ENTRIES: Final = 80  # of a timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What somebody typed that could not be done, and what speaks against it."""

    fault: str = ""
    text: str = ""
    note: str = ""
    value: str = ""


NOTHING_TYPED: Final = Typed()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What the store told."""

    listed: list[Conversation]
    counts: Mapping[Box, int]
    staff: tuple[str, ...]  # to whom a conversation can be given
    forms: int  # without a number, that nobody has read
    silence: str  # what stops automatic texts; "": nothing
    conversation: Conversation | None = None
    entries: list[Entry] = field(default_factory=list)
    attempts: Mapping[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    perhaps_stop: bool = False  # what the caller wrote may mean STOP, and nobody has decided


async def show(
    request: web.Request,
    conversation_id: int | None = None,
    *,
    asked: Asked | None = None,
    typed: Typed = NOTHING_TYPED,
) -> web.Response:
    """Return the page, or the part of it that changes if the address ends in `fragment=1`."""
    shop, visitor = request.app[SHOP], staff_of(request)
    asked = read(request.query) if asked is None else asked
    before = Place.read(request.query.get("older", "")) if request.method == "GET" else None
    told = await shop.store.read(lambda db: _read(db, shop, asked, visitor.key, conversation_id, before))
    if conversation_id is not None and told.conversation is None:
        raise web.HTTPNotFound
    eyes = eyes_of(request)
    context = _list(told, asked, eyes, shop) | _talk(told, request, eyes, typed)
    template = "inbox/columns.html" if request.query.get("fragment") == "1" else "inbox/page.html"
    return pages.render(request, template, context, status=422 if typed.fault else 200)


def eyes_of(request: web.Request) -> Eyes:
    """Return with whose eyes a request looks."""
    shop = request.app[SHOP]
    business = shop.settings.business
    return Eyes(
        now=shop.clock(),
        zone=business.timezone,
        country=business.country,
        staff=staff_of(request).key,
        name_of=shop.name_of,
        patience_of=lambda line: shop.settings.line_named(line).reply.within,
    )


def _read(
    db: sqlite_utils.Database,
    shop: Shop,
    asked: Asked,
    staff: str,
    conversation_id: int | None,
    before: Place | None,
) -> _Read:
    look = asked.look(staff)
    told = _Read(
        listed=conversations.listing(db, look, PAGE + 1),
        counts=conversations.counts(db, look),
        staff=accounts.colleagues(db, shop.settings.staff),
        forms=leads.count_to_read(db),
        silence=silence(halts.active(db, shop.clock())),
    )
    conversation = None if conversation_id is None else conversations.get(db, conversation_id)
    if conversation is None:
        return told
    entries = timeline(db, conversation.number, before=before, limit=ENTRIES + 1)
    texts = [entry.row["id"] for entry in entries if entry.what is What.OURS]
    return replace(
        told,
        conversation=conversation,
        entries=entries,
        attempts=outbox.attempts_of(db, texts),
        perhaps_stop=asks.since(db, conversation.number) is not None,
    )


# ---- the left side


def _list(told: _Read, asked: Asked, eyes: Eyes, shop: Shop) -> dict[str, Any]:
    shown = told.listed[:PAGE]
    more = None
    if len(told.listed) > PAGE:
        more = asked.query(before=(shown[-1].last_at, shown[-1].id))
    lines = tuple(shop.settings.lines)
    boxes = (Box.ALL, *TABS) if asked.wanted else TABS
    return {
        "asked": asked,
        "rows": rows(shown, eyes),
        "tabs": [(box, words.BOXES[box], told.counts.get(box), asked.query(box=box, before=None)) for box in boxes],
        "lines": lines if len(lines) > 1 else (),
        "more": more,
        "forms": told.forms,
        "silence": told.silence,
        "nobody": "Nothing found." if asked.wanted else words.NOBODY[asked.shown],
        "unread": sum(conversation.unread for conversation in shown),
        "waiting": told.counts[Box.NEW] + told.counts[Box.OURS],
    }


# ---- the right side


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A reply that is ready."""

    index: int
    body: str


def _talk(told: _Read, request: web.Request, eyes: Eyes, typed: Typed) -> dict[str, Any]:
    conversation = told.conversation
    if conversation is None:
        return {"talk": None}
    shop = request.app[SHOP]
    is_cut = len(told.entries) > ENTRIES
    entries = told.entries[-ENTRIES:]
    choices = canned(shop, conversation)
    text = typed.text or _prefilled(request, choices, entries)
    return {
        "talk": row(conversation, eyes),
        "stands": conversation,
        "turn": words.TURNS[conversation.turn],
        "is_done": conversation.turn is Turn.DONE,
        "is_mine": conversation.assignee == eyes.staff,
        "days": days(entries, told.attempts, eyes),
        "older": entries[0].place.written() if is_cut else None,
        "is_old": "older" in request.query,
        "colleagues": [(key, words.plain(eyes.name_of(key))) for key in told.staff],
        "canned": choices,
        "can_call": shop.desk.can_call_back(eyes.staff),
        "key": secrets.token_hex(16),
        "typed": typed,
        "text": text,
        "segments": segments(text).count if text else 0,
        "no_text": words.NO_TEXT.get(conversation.no_text or "", ("", "They cannot be texted."))[1],
        "wants_none": conversation.no_text == words.WANTS_NONE,
        "perhaps_stop": told.perhaps_stop,
    }


def canned(shop: Shop, conversation: Conversation) -> tuple[Choice, ...]:
    """Return the ready replies of a conversation's line, filled in. One that names what the line does not have is left out."""
    settings = shop.settings
    known = conversation.line if conversation.line in settings.lines else None
    name = known or next(iter(settings.lines))
    line = settings.lines[name]
    values = Fields(
        business=settings.business.name,
        line=name,
        caller_name=words.plain(conversation.name),
        called_number=written(conversation.did, settings.business.country) if conversation.did else "",
        booking_url=line.booking_url or settings.business.booking_url or "",
        on_call=line.on_call or "",
    )
    whole = [reply for reply in line.canned_replies if _is_whole(reply, values)]
    return tuple(Choice(index=index, body=fill(reply, values)) for index, reply in enumerate(whole))


def _is_whole(reply: str, values: Fields) -> bool:
    return all(getattr(values, name) or name == "caller_name" for name in FIELD.findall(reply))


def _prefilled(request: web.Request, choices: tuple[Choice, ...], entries: list[Entry]) -> str:
    """Return what a link put into the answer box: a ready reply, or a text that did not arrive."""
    wanted, again = request.query.get("say", ""), request.query.get("again", "")
    for choice in choices:
        if str(choice.index) == wanted:
            return choice.body
    return next(
        (str(entry.row["body"]) for entry in entries if entry.what is What.OURS and entry.row["id"] == again), ""
    )
