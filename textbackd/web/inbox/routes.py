"""Where the pages of the inbox are.   → web/app.py"""

from typing import Final

from aiohttp import web

from textbackd.web.inbox import deeds, forms, live, manifest, new, reading
from textbackd.web.shop import SHOP

ROUTES: Final = (
    web.get("/", reading.inbox, name="inbox"),
    web.get(r"/c/{id:[0-9]+}", reading.conversation, name="conversation"),
    web.get(r"/c/{id:[0-9]+}/{deed:[a-z-]+}", deeds.ask, name="question"),
    web.post(r"/c/{id:[0-9]+}/{deed:[a-z-]+}", deeds.do, name="deed"),
    web.get("/new", new.form, name="new"),
    web.post("/new", new.send, name="new"),
    web.get("/forms", forms.show, name="forms"),
    web.post(r"/forms/{id:[0-9]+}/read", forms.read, name="form-read"),
    web.get("/live", live.live, name="live", allow_head=False),
    web.get("/manifest.webmanifest", manifest.manifest, name="manifest"),
)


def set_up(app: web.Application) -> None:
    """Have an application tell its open pages what changes."""
    shop = app[SHOP]
    app[live.LIVE] = live.Live(shop.store, shop.desk.bell)
    app.cleanup_ctx.append(live.beside)
    app.on_shutdown.append(live.end)
