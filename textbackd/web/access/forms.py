"""A form as it was sent, read once and without surprises.   browser → here → csrf.py, the pages

Our pages send one kind of form, in UTF-8. Anything else was not sent by them, and is refused before a page sees it: unknown
encodings, compressed bodies, files, half a character.
"""

from collections.abc import Mapping
from typing import Final

from aiohttp import web
from multidict import MultiDictProxy

Form = MultiDictProxy[str | bytes | bytearray | web.FileField]

KIND: Final = "application/x-www-form-urlencoded"
NOT_A_FORM: Final = "That is not a form of ours."


async def read(request: web.Request) -> Form:
    """Return the fields; `request.post()` is the same from now on. Raises 400 for what is no form, and 413 for too much."""
    if not request.body_exists:
        return await request.post()
    is_plain = request.content_type == KIND and "Content-Encoding" not in request.headers
    if not is_plain or (request.charset or "utf-8").lower() not in ("utf-8", "utf8"):
        raise web.HTTPBadRequest(text=NOT_A_FORM)
    try:
        return await request.post()
    except (ValueError, web.RequestPayloadError) as error:
        raise web.HTTPBadRequest(text=NOT_A_FORM) from error


def field(form: Mapping[str, object], key: str) -> str:
    """Return a field, "" where there is none."""
    value = form.get(key, "")
    return value if isinstance(value, str) else ""
