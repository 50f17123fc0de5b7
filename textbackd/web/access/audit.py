"""/audit: who did what, the newest first. For owners.   store/acts.py → here → browser"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from aiohttp import web

from textbackd.core.phone import read_number
from textbackd.store import accounts, acts
from textbackd.store.acts import ActKind
from textbackd.store.database import from_text
from textbackd.web import escalated, pages
from textbackd.web.access import auth
from textbackd.web.shop import SHOP

ROWS: Final = 50  # on one page
LONGEST_DETAIL: Final = 120  # characters that are shown; a note may be long, and stands in its conversation
NOT_A_NUMBER: Final = "That is not a phone number. Write it like +13125550123."
# After the name of who did it.
WORDS: Final[Mapping[str, str]] = MappingProxyType({
    ActKind.READ: "opened the conversation",
    ActKind.REPLIED: "wrote to the caller",
    ActKind.NOTE: "noted",
    ActKind.CLAIMED: "took the conversation",
    ActKind.ASSIGNED: "gave it to",
    ActKind.PUT_AWAY: "put it away",
    ActKind.TAKEN_UP: "took it up again",
    ActKind.WON: "marked it as won",
    ActKind.LOST: "marked it as lost",
    ActKind.RENAMED: "named the caller",
    ActKind.OPTED_OUT: "noted that the caller wants no texts",
    ActKind.OPTED_IN: "noted that the caller wants texts again",
    ActKind.KEPT_TEXTING: "read what the caller wrote: texts are still welcome",
    ActKind.NEVER: "put the number on the list of those who are never texted",
    ActKind.CALLED_BACK: "called back from",
    ActKind.ESCALATED: "saw that the caller still waits;",
    ActKind.BOOKED: "noted an appointment",
    ActKind.BOOKING_CANCELLED: "noted that the appointment was cancelled",
    ActKind.LEAD: "took in a form",
    ActKind.LAPSED: "put it away, since nothing more was heard",
    ActKind.EXPORTED: "exported what is kept about the caller",
    ActKind.SHEET_EXPORTED: "took out as a spreadsheet:",
    ActKind.PAUSED: "paused the texts of",
    ActKind.RESUMED: "resumed the texts of",
    ActKind.LOGGED_IN: "logged in:",
    ActKind.LOGIN_REFUSED: "was refused at the login, from",
    ActKind.LOGGED_OUT: "logged out",
    ActKind.SESSION_ENDED: "ended sessions of",
    ActKind.ACCOUNT_MADE: "made an account for",
    ActKind.INVITED: "made a link to choose a password for",
    ActKind.ACCOUNT_DISABLED: "disabled the account of",
    ActKind.PASSWORD_CHANGED: "changed the password of",
    ActKind.TOKEN_MADE: "made a token for",
    ActKind.TOKEN_REVOKED: "revoked the token of",
})  # fmt: skip
# What only a person does; nobody is named where it was done on the box itself.
AT_THE_TERMINAL: Final = frozenset({
    *(ActKind.SESSION_ENDED, ActKind.ACCOUNT_MADE, ActKind.INVITED, ActKind.ACCOUNT_DISABLED),
    *(ActKind.PASSWORD_CHANGED, ActKind.TOKEN_MADE, ActKind.TOKEN_REVOKED, ActKind.PAUSED, ActKind.RESUMED),
})  # fmt: skip
# Ids of texts: the words themselves stand in the conversation.
WITHOUT_DETAIL: Final = frozenset({ActKind.REPLIED})


@auth.owner_only
async def show(request: web.Request) -> web.StreamResponse:
    """Show one page of what was done, of one of the staff and about one number if that is asked."""
    shop = request.app[SHOP]
    staff, written, before = (request.query.get(key, "").strip() for key in ("staff", "number", "before"))
    number = read_number(written, shop.settings.business.country).e164 if written else None
    is_unread = bool(written) and number is None
    below = int(before) if re.fullmatch(r"[0-9]{1,15}", before) else None
    found = [] if is_unread else await shop.store.run(
        lambda db: acts.listing(db, staff=staff or None, number=number, before_id=below, limit=ROWS + 1)
    )  # fmt: skip
    known = await shop.store.run(accounts.listing)
    told = {
        "rows": [_row(request, act) for act in found[:ROWS]],
        "older": found[ROWS - 1]["id"] if len(found) > ROWS else None,
        "names": [account.staff for account in known],
        "chosen": staff,
        "number": written,
        "fault": NOT_A_NUMBER if is_unread else "",
    }
    return pages.render(request, "audit.html", told)


def _row(request: web.Request, act: Mapping[str, Any]) -> dict[str, Any]:
    kind = act["kind"]
    detail = "" if kind in WITHOUT_DETAIL else act["detail"][:LONGEST_DETAIL]
    if kind == ActKind.ESCALATED:
        detail = escalated.outcome(detail, request.app[SHOP].name_of)
    return {
        "at": from_text(act["at"]),
        "who": _who(request, act),
        "did": WORDS.get(kind, kind),
        "detail": detail,
        "number": act["number"],
    }


def _who(request: web.Request, act: Mapping[str, Any]) -> str:
    if act["staff"] is not None:
        return request.app[SHOP].name_of(act["staff"])
    if act["kind"] == ActKind.LOGIN_REFUSED:
        return "An unknown name"
    return "Somebody at the terminal" if act["kind"] in AT_THE_TERMINAL else "textbackd"


ROUTES: Final = (web.get("/audit", show),)
