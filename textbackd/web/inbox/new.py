"""Texting a number that is in no conversation yet.   browser → here → flow/desk.py"""

import secrets

from aiohttp import web

from textbackd.core.phone import read_number
from textbackd.core.segments import segments
from textbackd.flow.desk import Refused
from textbackd.store import conversations
from textbackd.web import pages
from textbackd.web.access.auth import staff_of
from textbackd.web.access.forms import field, read
from textbackd.web.inbox.keys import key_of
from textbackd.web.shop import SHOP


async def form(request: web.Request) -> web.StreamResponse:
    """Show the form."""
    return await _page(request, number=request.query.get("number", "")[:40])


async def send(request: web.Request) -> web.StreamResponse:
    """Text the number, and go on to its conversation."""
    fields = await read(request)
    number, text = field(fields, "number"), field(fields, "text").replace("\r\n", "\n")
    try:
        conversation_id = await _sent(request, number, text, key_of(field(fields, "key")))
    except Refused as refused:
        return await _page(request, number=number, text=text, fault=str(refused), status=422)
    return pages.redirect(f"/c/{conversation_id}")


async def _sent(request: web.Request, written: str, text: str, key: str) -> int:
    """Text a number as it was typed; return its conversation's id. Raises Refused."""
    shop = request.app[SHOP]
    number = read_number(written, shop.settings.business.country).e164
    if number is None:
        raise Refused("This is not a whole phone number. Write it as you would dial it, with the area code.")
    await shop.desk.reply(number, text, staff_of(request).key, key=key)
    found = await shop.store.read(lambda db: conversations.find(db, number))
    assert found is not None  # noqa: S101  # the reply has made it
    return found.id


async def _page(
    request: web.Request, *, number: str = "", text: str = "", fault: str = "", status: int = 200
) -> web.Response:
    count = segments(text).count if text else 0
    context = {"number": number, "text": text, "fault": fault, "key": secrets.token_hex(16), "segments": count}
    return pages.render(request, "inbox/new.html", context, status=status)
