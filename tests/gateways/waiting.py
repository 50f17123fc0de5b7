"""Waiting, in tests, for what happens in milliseconds on a machine that is not busy."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

import pytest

from tests.gateways.contract import SOON
from textbackd.gateways.base import Gateway

START_SECONDS: Final = 30


async def until(
    condition: Callable[[], bool], words: Callable[[], str] = lambda: "", seconds: float = START_SECONDS
) -> None:
    """Wait until `condition` holds; `words` tell why it may not."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds} s in vain. {words()}", pytrace=False)
        await asyncio.sleep(0.02)


async def told(gateway: Gateway, count: int) -> list[Any]:
    """Return the next arrivals; of those before the last it is known that they are stored."""
    arrivals: list[Any] = []
    async with asyncio.timeout(SOON):
        async for arrival in gateway.incoming():
            arrivals.append(arrival)
            if len(arrivals) == count:
                break
    return arrivals
