"""A whole shop: a real Asterisk, the daemon beside it, an HTTP sink and a virtual modem at its other end.

The daemon runs in a thread with a loop of its own, since the scenarios block while SIPp plays.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.gateways.sink import HttpSink
from textbackd.config import loads, resolve_secrets
from textbackd.core.phone import E164
from textbackd.daemon import Daemon
from textbackd.flow.desk import Desk
from textbackd.store import acts, conversations, outbox
from textbackd.store.conversations import Conversation
from textbackd.store.database import open_database

from .asterisk import Asterisk

CONFIG = """
business: {{name: Anderson Roofing, country: US, timezone: America/Denver, numbers: ["+13035550102"]}}
staff: {staff}
pbx:
  office:
    host: {host}
    port: {port}
    username: {username}
    secret: "{secret}"
    attestation_variable: VERSTAT
    dial: {dial}
    ignore: {{dids: ["+13035550117", "+13035550118", "+13035550122"], contexts: [blacklisted]}}
lines: {{main: {line}}}
gateways: {{{gateways}}}
policy: {{delay: 4s, caps: off, brake: off, attestation: {attestation}, {policy}}}
web: {{listen: "127.0.0.1:0"}}
feature_code: {feature_code}
storage: "{folder}/textbackd.db"
"""
STAFF = '{anna: {mobile: "+19705550110", phone: PJSIP/101}}'
PATIENCE = 30.0  # seconds for a call to be in the database after its scene is over


class Shop:
    """The running pieces, as tests ask them."""

    def __init__(self, pbx: Asterisk, folder: Path, username: str, attestation: str) -> None:
        self.pbx, self.folder, self.username, self.attestation = pbx, folder, username, attestation
        self.sink = HttpSink()
        self.connected: Callable[[], bool] = lambda: False
        self.desk: Desk | None = None
        self.loop: asyncio.AbstractEventLoop | None = None

    def at_desk(self, work: Callable[[Desk], Coroutine[Any, Any, None]]) -> None:
        """Have one of the staff do something."""
        assert self.desk is not None
        assert self.loop is not None
        asyncio.run_coroutine_threadsafe(work(self.desk), self.loop).result(PATIENCE)

    def conversation(self, number: E164) -> Conversation:
        """Return how the conversation with a caller stands."""
        with _closing(self.folder) as db:
            found = conversations.find(db, number)
        assert found is not None
        return found

    def deeds(self, number: E164) -> list[tuple[str, str]]:
        """Return what was done in a conversation, the first first."""
        with _closing(self.folder) as db:
            return [(row["kind"], row["detail"]) for row in reversed(acts.listing(db, number=number))]

    def texts_to(self, number: str) -> list[dict[str, Any]]:
        """Return what the sink was asked to send to a number."""
        bodies = [json.loads(request.body) for request in self.sink.requests]
        return [body for body in bodies if body["to"] == number]

    def answers_to(self, number: str) -> list[dict[str, Any]]:
        """Return those of them that answer a call. What staff are told of other callers begins with a tag."""
        return [body for body in self.texts_to(number) if not body["text"].startswith("#")]

    def newest_call(self) -> int:
        """Return the number of the newest recorded call."""
        with _closing(self.folder) as db:
            return int(db.execute("SELECT coalesce(max(id), 0) FROM calls").fetchone()[0])

    def calls_after(self, number: int, how_many: int, outside: int = 1) -> list[dict[str, Any]]:
        """Return the calls recorded after a call, when there are so many, `outside` of them not internal, and no text waits."""
        found: list[dict[str, Any]] = wait_for(lambda: self._settled(number, how_many, outside), f"{how_many} calls")
        return found

    def _settled(self, number: int, how_many: int, outside_too: int) -> list[dict[str, Any]]:
        with _closing(self.folder) as db:
            calls = list(db.query("SELECT * FROM calls WHERE id > ? ORDER BY id", [number]))
            outside = [call for call in calls if call["reason"] != "internal"]
            waiting = outbox.counts(db).keys() & {"queued", "submitting"}
        return calls if len(calls) >= how_many and len(outside) >= outside_too and not waiting else []

    def wait_connected(self) -> None:
        """Wait until the daemon is logged in again."""
        wait_for(self.connected, "a connection to the PBX")

    def seconds_to_accepted(self, callers: set[str]) -> list[float]:
        """Return the seconds from hang-up to the gateway's word, the delay not counted, for the texts to these callers."""
        with _closing(self.folder) as db:
            rows = db.execute(
                "SELECT recipient, (julianday(accepted_at) - julianday(due_at)) * 86400 FROM outbox WHERE accepted_at > ''"
            ).fetchall()
        return [seconds for recipient, seconds in rows if recipient in callers]

    def outbox(self) -> list[dict[str, Any]]:
        """Return all texts."""
        with _closing(self.folder) as db:
            return outbox.listing(db)


@contextmanager
def _closing(folder: Path) -> Iterator[Any]:
    db = open_database(folder / "textbackd.db")
    try:
        yield db
    finally:
        db.close()


def wait_for(true: Callable[[], Any], what: str) -> Any:
    """Return the first true answer; fail after a long while."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if answer := true():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"never came: {what}")


@contextmanager
def open_shop(
    pbx: Asterisk,
    folder: Path,
    gateways: str | None = None,
    *,
    username: str = "textbackd",
    attestation: str = "none",
    line: str = '{dids: ["*"]}',
    policy: str = "",
    staff: str = STAFF,
    dial: str = "",
    feature_code: str = "",
) -> Iterator[Shop]:
    """Run a daemon beside `pbx` until the block ends; without `gateways`, all texts go to the sink."""
    shop = Shop(pbx, folder, username, attestation)
    parts = {"line": line, "policy": policy, "staff": staff, "dial": dial, "feature_code": feature_code}
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    ready = threading.Event()
    thread = threading.Thread(
        target=lambda: loop.run_until_complete(_serve(shop, gateways, parts, stop, ready)), daemon=True
    )
    thread.start()
    try:
        assert ready.wait(20), "the daemon never connected"
        yield shop
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        loop.close()


async def _serve(
    shop: Shop, gateways: str | None, parts: Mapping[str, str], stop: asyncio.Event, ready: threading.Event
) -> None:
    async with shop.sink:
        through = gateways or f'web: {{type: http, url: "{shop.sink.url}", rate: 600/min}}'
        text = CONFIG.format(
            host=shop.pbx.host,
            port=shop.pbx.ami_port,
            username=shop.username,
            secret=shop.pbx.textbackd_secret,
            gateways=through,
            attestation=shop.attestation,
            **parts,
            folder=shop.folder,
        )
        daemon = Daemon(resolve_secrets(loads(text, shop.folder / "textbackd.yaml")))
        shop.desk, shop.loop = daemon.desk, asyncio.get_running_loop()
        running = asyncio.create_task(daemon.run(stop))
        shop.connected = lambda: set(daemon.vitals.pbx_states().values()) == {"connected"}
        while not running.done() and not shop.connected():  # noqa: ASYNC110  # the daemon tells nobody; it is asked
            await asyncio.sleep(0.05)
        ready.set()
        await running
