"""The files that pages use: read once, served from memory under names that change with their content.   static/ → here → browser

A browser may keep them for ever. What is asked for is looked up in a table and never on the disk, so no path leads out of it.
"""

import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from aiohttp import web

FOLDER: Final = Path(__file__).parent / "static"
FOR_EVER: Final = "public, max-age=31536000, immutable"
# Not every machine's table of types has these.
TYPES: Final = {".webmanifest": "application/manifest+json", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class File:
    """One file as it is served."""

    url: str  # "/static/style.0123456789ab.css"
    body: bytes
    content_type: str


@cache
def files() -> Mapping[str, File]:
    """Return all files by the name that they have in `static/`."""
    return MappingProxyType({path.name: _file(path) for path in sorted(FOLDER.iterdir()) if path.is_file()})


@cache
def _by_url() -> Mapping[str, File]:
    return MappingProxyType({file.url: file for file in files().values()})


def _file(path: Path) -> File:
    body = path.read_bytes()
    mark = hashlib.sha256(body).hexdigest()[:12]
    guessed = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return File(f"/static/{path.stem}.{mark}{path.suffix}", body, guessed)


def url(name: str) -> str:
    """Return the address of a file; a template that names one that there is not fails."""
    return files()[name].url


async def serve(request: web.Request) -> web.Response:
    """Return one file, or 404."""
    file = _by_url().get(request.path)
    if file is None:
        raise web.HTTPNotFound
    charset = "utf-8" if file.content_type.startswith("text/") else None
    headers = {"Cache-Control": FOR_EVER}
    return web.Response(body=file.body, content_type=file.content_type, charset=charset, headers=headers)


ROUTES: Final = (web.get("/static/{name}", serve, name="static"),)
