"""An SMSC that nobody here wrote: npm's `smpp`, with a small script around it (smsc.js), for as long as a block lasts.

The package is installed by the first test that needs it into ${TEXTBACKD_CACHE:-~/.cache/textbackd}/smsc, under another name until it
is whole. Where that cannot be, the tests are skipped with the reason; with CI=true that is a failure.
"""

import asyncio
import fcntl
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

from tests.debian import need, run
from tests.gateways.contract import SOON, Peer
from textbackd.core.segments import segments
from textbackd.gateways.base import Accepted, Gateway, Health

PACKAGE: Final = "smpp@0.5.1"
SCRIPT: Final = Path(__file__).with_name("smsc.js")


def modules() -> Path:
    """Return the folder with the package, filled first if it is missing; or skip. Safe to call from several processes."""
    cache = Path(os.environ.get("TEXTBACKD_CACHE") or "~/.cache/textbackd").expanduser() / "smsc"
    cache.mkdir(parents=True, exist_ok=True)
    whole = cache / "whole"
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        need("npm", "nodejs", "npm")
        if not (whole / "node_modules" / "smpp").is_dir():
            unfinished = cache / "unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            run("npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(unfinished), PACKAGE)
            shutil.rmtree(whole, ignore_errors=True)
            unfinished.rename(whole)
    return whole / "node_modules"


class Smsc(Peer):
    """The running SMSC. `events` is all that it has said."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.events: list[dict[str, Any]] = []
        self.port = 0
        self.gateway: Gateway | None = None  # so that what needs a bind can wait for one
        self._news = asyncio.Condition()
        self._last: dict[str, Any] = {}

    async def listen(self) -> None:
        """Take what the script says, until it ends."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            async with self._news:
                self.events.append(json.loads(line))
                self._news.notify_all()

    async def until(self, event: str, count: int = 1, **having: Any) -> list[dict[str, Any]]:
        """Return the events of a kind, once there are so many."""
        async with asyncio.timeout(SOON), self._news:
            await self._news.wait_for(lambda: len(self.all(event, **having)) >= count)
        return self.all(event, **having)

    def all(self, event: str, **having: Any) -> list[dict[str, Any]]:
        wanted = {"event": event} | having
        return [one for one in self.events if wanted.items() <= one.items()]

    async def order(self, do: str, **words: Any) -> None:
        """Have the script do something, and wait until it has."""
        assert self._process.stdin is not None
        done = len(self.all("done", do=do))
        self._process.stdin.write(json.dumps({"do": do} | words).encode() + b"\n")
        await self.until("done", done + 1, do=do)

    async def until_health(self, *wanted: Health) -> None:
        assert self.gateway is not None
        async with asyncio.timeout(SOON):
            while self.gateway.health() not in wanted:  # noqa: ASYNC110 (the gateway tells nobody)
                await asyncio.sleep(0.01)

    # ---- the contract's peer

    async def texts(self) -> list[tuple[str, str]]:
        """Return what was submitted; parts are joined by the header that the library has read."""
        whole: dict[tuple[str, str], str] = {}
        for place, part in enumerate(self.all("submit")):
            key = (f"+{part['to']}", part["udh"][0][4:6] if part["udh"] else f"alone {place}")
            whole[key] = whole.get(key, "") + part["message"]
        return [(to, body) for (to, _), body in whole.items()]

    async def refuse_the_number(self) -> None:
        await self.order("next", words=[0x0B])

    async def be_unfit(self) -> None:
        await self.order("next", words=[0x0A])

    async def throttle(self) -> None:
        await self.order("next", words=[0x58])

    async def garble(self) -> None:
        await self.order("next", words=["garble"])

    async def swallow(self) -> None:
        await self.order("next", words=["swallow"])

    async def vanish(self) -> None:
        await self.order("vanish")
        await self.until_health(Health.DOWN)

    async def deliver(self, sender: str, body: str, *, again: bool = False) -> None:
        """Let a text come in; `again` as an SMSC that lost us before it heard our answer, on a new connection."""
        if again and self._last:
            await self.lose_the_connection()
            await self.send_in(self._last["pdu"], **self._last["more"])
            return
        pdu = {"source_addr": sender.removeprefix("+"), "source_addr_ton": 1, "destination_addr": "12015550100"}
        ucs2 = segments(body).encoding == "ucs2"
        octets = body.encode("utf-16-be" if ucs2 else "gsm0338")
        more = {"hex": octets.hex()}
        self._last = {"pdu": pdu | {"data_coding": 8 if ucs2 else 0}, "more": more}
        await self.send_in(self._last["pdu"], **more)

    async def send_in(self, pdu: dict[str, Any], **more: Any) -> None:
        """Bring a deliver_sm and wait until it is acknowledged."""
        before = len(self.all("acknowledged"))
        await self.order("deliver", pdu=pdu, **more)
        await self.until("acknowledged", before + 1)

    async def lose_the_connection(self) -> None:
        bound = len(self.all("bound"))
        await self.order("drop")
        await self.until("bound", bound + 1)
        await self.until_health(Health.UP)

    async def report(self, accepted: Accepted, *, delivered: bool) -> None:
        assert accepted.reference is not None
        word, error = ("DELIVRD", "000") if delivered else ("UNDELIV", "027")
        body = (
            f"id:{accepted.reference} sub:001 dlvrd:001 submit date:2611231000 done date:2611231001 stat:{word} "
            f"err:{error} text:Sorry we missed"
        )
        await self.receipt(body)

    async def receipt(self, body: str, **fields: Any) -> None:
        pdu = {"source_addr": "13035550126", "source_addr_ton": 1, "destination_addr": "12015550100", "esm_class": 4}
        await self.send_in(pdu | fields, hex=body.encode().hex())


@asynccontextmanager
async def smsc(*tls: str) -> AsyncIterator[Smsc]:
    """Run an SMSC; `tls` are the files with key and certificate."""
    folder = await asyncio.to_thread(modules)
    process = await asyncio.create_subprocess_exec(
        "node", str(SCRIPT), *tls, env=os.environ | {"NODE_PATH": str(folder)},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    running = Smsc(process)
    listening = asyncio.create_task(running.listen())
    try:
        running.port = (await running.until("listening"))[0]["port"]
        yield running
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await listening
