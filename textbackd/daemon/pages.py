"""The pages' side: the inbox, /healthz and /metrics."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textbackd.daemon.common import Common
from textbackd.daemon.vitals import Vitals
from textbackd.web import app as web


@asynccontextmanager
async def pages(common: Common, vitals: Vitals) -> AsyncIterator[None]:
    """Serve the pages until the block ends. Raises TextbackdError when the address cannot be had."""
    listen = common.settings.web
    runner = await web.start(web.make_app(vitals=vitals, measure=vitals.measure), listen.host, listen.port)
    try:
        yield
    finally:
        await web.stop(runner)
