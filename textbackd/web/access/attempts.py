"""One attempt at a password: may it be made, is it right?   login.py, account.py → here → store/refusals.py, passwords.py

A wrong name and a wrong password take the same way through here: the attempt is counted, a hash is verified, a refusal is noted.
"""

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from aiohttp import web

from textbackd.store import accounts, refusals
from textbackd.store.accounts import Account
from textbackd.web.access import peer
from textbackd.web.access.passwords import Passwords
from textbackd.web.shop import SHOP

log = logging.getLogger(__name__)

PASSWORDS: Final = web.AppKey("passwords", Passwords)
A_MOMENT: Final = timedelta(seconds=2)  # until fewer wait to have their password checked


@dataclass(frozen=True, slots=True)
class Refused:
    """The password was not right, or was not looked at."""

    wait: int | None  # seconds until the next attempt; None: it was wrong

    @property
    def sentence(self) -> str:
        """What to tell somebody who has to wait."""
        seconds = self.wait or 0
        span = f"{seconds} seconds" if seconds < 90 else f"{ceil(seconds / 60)} minutes"
        return f"Too many tries. Wait {span}, then try again."


async def attempt(request: web.Request, name: str, password: str) -> Account | Refused:
    """Return whose name and password these are, as far as they may log in and may try now; with the hash that was proved."""
    shop, counted = request.app[SHOP], (refusals.account(name), refusals.address(peer.address(request)))
    until = await _paused_until(request, counted)
    if until is not None:
        return Refused(wait=max(1, ceil((until - shop.clock()).total_seconds())))
    account = await shop.store.run(lambda db: accounts.find(db, name))
    proved = await _proved(request, account, password)
    if account is None or proved is None:
        await _note(request, account)
        return Refused(wait=None)
    await shop.store.run(lambda db: refusals.let_off(db, *counted))
    return replace(account, password=proved)


async def _paused_until(request: web.Request, counted: tuple[refusals.Who, refusals.Who]) -> datetime | None:
    """Count the attempt. Return None if it may be made now, else from when on."""
    shop = request.app[SHOP]
    if request.app[PASSWORDS].is_busy:
        return shop.clock() + A_MOMENT
    return await shop.store.run(lambda db: refusals.attempt(db, counted, shop.clock()))


async def _proved(request: web.Request, account: Account | None, password: str) -> str | None:
    """Return what is kept of the password if it is the account's, and the account may log in. A hash is verified for every name."""
    store, passwords = request.app[SHOP].store, request.app[PASSWORDS]
    kept = account.password if account and account.disabled_at is None else None
    if not await passwords.is_right(kept, password) or account is None or kept is None:
        return None
    if not passwords.is_outdated(kept):
        return kept
    better = await passwords.hash(password)
    await store.run(lambda db: accounts.strengthen(db, account.staff, kept, better))
    return better


async def _note(request: web.Request, account: Account | None) -> None:
    """Tell the log and the audit of a wrong password. What was typed as name may be a password, and is not told."""
    shop, staff, asker = request.app[SHOP], account.staff if account else None, peer.address(request)
    log.warning("a login was refused", extra={"staff": staff})
    await shop.store.run(lambda db: refusals.note(db, staff, asker, shop.clock()))


async def close(app: web.Application) -> None:
    """Let go of what checks passwords."""
    app[PASSWORDS].close()
