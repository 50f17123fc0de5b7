"""The services that apprise knows: ntfy, Telegram, Slack, Matrix and more than a hundred others.   notices_out.py → here → apprise

apprise is loaded when a service is configured, and works in a thread of its own. It says whether a message went out and no more, so that
what did not is tried again; what it logs may hold addresses, so it is kept silent.
"""

import asyncio
import importlib
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pydantic import SecretStr

from textbackd.config.sections.handoff import fault_of_service
from textbackd.errors import TextbackdError
from textbackd.handoff.base import Message, NotTold


class Services:
    """The services of each of the staff, in the order in which they are written."""

    def __init__(self, services: Mapping[str, Sequence[SecretStr]]) -> None:
        """Look at the addresses, whose secrets are resolved. Raises TextbackdError for one that apprise does not know."""
        self._services = services
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="apprise")
        for staff, urls in services.items():
            for number, url in enumerate(urls):
                if fault := fault_of_service(url.get_secret_value()):
                    raise TextbackdError(f"staff.{staff}.notify[{number}]: {fault}")
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)

    async def tell(self, message: Message) -> None:
        """Tell one service. Raises NotTold."""
        urls, number = self._services.get(message.staff or "", ()), int(message.target)
        if number >= len(urls):
            raise NotTold(f"staff.{message.staff}.notify is shorter than it was.", permanent=True)
        url = urls[number].get_secret_value()
        told = await asyncio.get_running_loop().run_in_executor(self._thread, _notify, url, message)
        if not told:
            raise NotTold(f"staff.{message.staff}.notify[{number}]: the service did not take it.")

    async def close(self) -> None:
        """Let the thread end; what it is at is told again next time."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def _notify(url: str, message: Message) -> bool:
    apprise: Any = importlib.import_module("apprise")
    services = apprise.Apprise()
    services.add(url)
    # What callers write is text: a service that shows HTML or Markdown gets it escaped.
    return bool(services.notify(title=message.title, body=message.words, body_format=apprise.NotifyFormat.TEXT))
