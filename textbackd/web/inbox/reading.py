"""Looking at the list, and at one conversation.   browser → here → columns.py"""

from aiohttp import web

from textbackd.web.access.auth import staff_of
from textbackd.web.inbox import columns, deeds
from textbackd.web.shop import SHOP
from textbackd.web.side_notes import SIDE_NOTES


async def inbox(request: web.Request) -> web.StreamResponse:
    """Show the list."""
    return await columns.show(request)


async def conversation(request: web.Request) -> web.StreamResponse:
    """Show one conversation, and note who has read it."""
    found = await deeds.of(request)
    if found.unread:
        await request.app[SIDE_NOTES].write(request.app[SHOP].desk.look(found.number, staff_of(request).key))
    return await columns.show(request, found.id)
