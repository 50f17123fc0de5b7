"""The pages' side: the inbox, /healthz and /metrics."""

import logging

from aiohttp.web import Application

from textbackd.daemon.common import Common
from textbackd.daemon.vitals import Vitals
from textbackd.store import accounts
from textbackd.web import app as web
from textbackd.web.shop import Shop

log = logging.getLogger(__name__)


async def say_if_nobody(common: Common) -> None:
    """Log what to do as long as nobody can log in. Raises sqlite3.Error."""
    if not await common.store.run(accounts.anybody):
        log.info("Nobody can log in yet: textbackd staff add NAME --role owner")


def make_app(common: Common, vitals: Vitals) -> Application:
    """Return the application with the pages."""
    shop = Shop(store=common.store, settings=common.settings, clock=common.clock, desk=common.desk)
    return web.make_app(vitals=vitals, measure=vitals.measure, shop=shop)
