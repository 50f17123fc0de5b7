"""How long pages take: asked over HTTP by somebody who is logged in, one after the other, on a database file as the daemon keeps it."""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import sqlite_utils

from tests.web.inbox import Browser, open_inbox

Pages = Mapping[
    str, tuple[str, int]
]  # what is asked for → its address, and how many milliseconds it may take at most (median)


def main(
    about: str | None, shop: str, fill: Callable[[sqlite_utils.Database], object], pages: Pages, times: int
) -> None:
    """Fill a shop, ask for each page so many times, print, and fail if one took longer than it may."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="textbackd-bench-") as folder:
        measured = asyncio.run(_measure(Path(folder), fill, pages, times))
    print(f"{shop}; milliseconds over HTTP, {times} times each")  # noqa: T201
    for name, (_, most) in pages.items():
        took = measured[name]
        print(f"{name:26} median {took['median']:6}   slowest {took['slowest']:6}   at most {most}")  # noqa: T201
    if options.json:
        options.json.write_text(json.dumps(measured, indent=2) + "\n")
    slow = [name for name, (_, most) in pages.items() if measured[name]["median"] > most]
    raise SystemExit(f"too slow: {', '.join(slow)}" if slow else 0)


async def _measure(
    folder: Path, fill: Callable[[sqlite_utils.Database], object], pages: Pages, times: int
) -> dict[str, dict[str, float]]:
    async with open_inbox(folder) as inbox, inbox.browser() as browser:
        await inbox.write(fill)
        await browser.log_in()
        return {name: await _asked(browser, path, times) for name, (path, _) in pages.items()}


async def _asked(browser: Browser, path: str, times: int) -> dict[str, float]:
    """Return the median and the slowest, in milliseconds."""
    await browser.get(path)
    took = list[float]()
    for _ in range(times):
        begun = time.perf_counter()
        page = await browser.get(path)
        took.append((time.perf_counter() - begun) * 1000)
        assert page.status == 200
    return {"median": round(statistics.median(took), 1), "slowest": round(max(took), 1)}
