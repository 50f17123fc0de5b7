"""The pages' side: the inbox, /healthz and /metrics."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textbackd.daemon.common import Common
from textbackd.daemon.vitals import Vitals
from textbackd.store import accounts
from textbackd.web import app as web
from textbackd.web.shop import Shop

log = logging.getLogger(__name__)


@asynccontextmanager
async def pages(common: Common, vitals: Vitals) -> AsyncIterator[None]:
    """Serve the pages until the block ends. Raises TextbackdError when the address cannot be had."""
    listen = common.settings.web
    shop = Shop(store=common.store, settings=common.settings, clock=common.clock, desk=common.desk)
    if not await common.store.run(accounts.anybody):
        log.info("Nobody can log in yet: textbackd staff add NAME --role owner")
    app = web.make_app(vitals=vitals, measure=vitals.measure, shop=shop)
    runner = await web.start(app, listen.host, listen.port)
    try:
        yield
    finally:
        await web.stop(runner)
