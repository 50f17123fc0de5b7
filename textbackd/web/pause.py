"""/pause: stop the automatic texts and take them up again. For owners.   flow/pausing.py → here → browser"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

from aiohttp import web

from textbackd.flow import pausing
from textbackd.flow.pausing import By
from textbackd.store import halts
from textbackd.store.halts import Halt, HaltKind
from textbackd.web import pages
from textbackd.web.access import auth, forms
from textbackd.web.shop import SHOP

# What the form offers.
SPANS: Final[Mapping[str, tuple[str, timedelta | None]]] = MappingProxyType({
    "1h": ("for 1 hour", timedelta(hours=1)),
    "4h": ("for 4 hours", timedelta(hours=4)),
    "12h": ("for 12 hours", timedelta(hours=12)),
    "1d": ("for a day", timedelta(days=1)),
    "7d": ("for a week", timedelta(days=7)),
    "open": ("until somebody resumes", None),
})  # fmt: skip
DONE: Final = {
    "paused": "Paused: nobody is texted. Calls are listed in the inbox as ever.",
    "resumed": "Texts go out again.",
}
NO_SUCH_LINE: Final = "There is no such line. Choose one of those below."


@auth.owner_only
async def show(request: web.Request) -> web.StreamResponse:
    """Show what texts, and what does not."""
    return await _page(request, notice=DONE.get(request.query.get("done", ""), ""))


@auth.owner_only
async def pause(request: web.Request) -> web.StreamResponse:
    """Stop the texts of one line or of all, for a while or until somebody resumes."""
    shop, me, form = request.app[SHOP], auth.staff_of(request), await forms.read(request)
    line, span = forms.field(form, "line") or None, SPANS.get(forms.field(form, "span"))
    if span is None or (line is not None and line not in shop.settings.lines):
        return await _page(request, fault=NO_SUCH_LINE, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    now, by = shop.clock(), By(staff=me.key, why=f"by {me.name}", place=span[0])
    until = now + span[1] if span[1] is not None else None
    await shop.store.run(lambda db: pausing.pause(db, line, by, until=until, now=now))
    shop.desk.bell.ring(None)
    return pages.redirect("/pause?done=paused")


@auth.owner_only
async def resume(request: web.Request) -> web.StreamResponse:
    """Take the texts of one line up again, or of all, and then release the brake with it."""
    shop, me, form = request.app[SHOP], auth.staff_of(request), await forms.read(request)
    line = forms.field(form, "line") or None
    await shop.store.run(lambda db: pausing.resume(db, line, By(staff=me.key), now=shop.clock()))
    shop.desk.bell.ring(None)
    return pages.redirect("/pause?done=resumed")


def silence(active: Sequence[Halt]) -> str:
    """Return in one sentence what stops automatic texts, for everybody who looks at the inbox; "": nothing does."""
    paused = pausing.pauses(active)
    if any(halt.kind is HaltKind.BRAKE for halt in active):
        return "The brake has stopped all automatic texts: nobody is texted back."
    if None in paused:
        return f"Texting is paused {paused[None].why}: nobody is texted back."
    lines = ", ".join(line for line in paused if line)
    return f"Texting is paused for {lines}: who is missed there is not texted back." if lines else ""


async def _page(
    request: web.Request, *, notice: str = "", fault: str = "", status: int = HTTPStatus.OK
) -> web.Response:
    shop = request.app[SHOP]
    active = await shop.store.run(lambda db: halts.active(db, shop.clock()))
    told = {"rows": _rows(list(shop.settings.lines), active), "lines": list(shop.settings.lines)}
    told |= {"brake": next((halt for halt in active if halt.kind is HaltKind.BRAKE), None)}
    told |= {"spans": [(key, words) for key, (words, _) in SPANS.items()], "notice": notice, "fault": fault}
    return pages.render(request, "pause.html", told, status=status)


def _rows(lines: list[str], active: list[Halt]) -> list[dict[str, Any]]:
    """Return all lines together, where they are paused, and each by itself."""
    paused = pausing.pauses(active)
    whole = [{"line": "", "halt": paused[None], "silent": True}] if None in paused else []
    silent = bool(whole) or any(halt.kind is HaltKind.BRAKE for halt in active)
    own = [{"line": line, "halt": paused.get(line), "silent": silent or line in paused} for line in lines]
    return [*whole, *own]


ROUTES: Final = (
    web.get("/pause", show),
    web.post("/pause", pause),
    web.post("/pause/resume", resume),
)
