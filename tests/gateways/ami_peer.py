"""A simulated PBX that sends texts, behind the daemon's own AMI client: the peer of the gateways through Asterisk.

A test gives a `Texting` (recorded exchanges, as data) and inherits `AmiContract`.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import ClassVar, Final

import pytest

from tests.gateways.contract import SOON, GatewayContract, Peer
from tests.gateways.web_peer import section_from
from textbackd.demo.pbx import DemoPbx
from textbackd.gateways.asterisk.gateway import AsteriskGateway
from textbackd.gateways.base import Accepted, Gateway, Lent
from textbackd.gateways.registry import build
from textbackd.pbx.client import AmiClient

Block = dict[str, str]
GARBLED: Final = {"Response": "Perhaps", "Message": "\x07 hotel"}


def error(message: str) -> Block:
    """Return a refusal as the manager writes it."""
    return {"Response": "Error", "Message": message}


@dataclass(frozen=True, slots=True, kw_only=True)
class Texting:
    """How one way of Asterisk answers, as recorded or as its source says."""

    section: str  # YAML of the gateway, in one line
    action: str
    read: Callable[[Block], tuple[str, str]]  # number and body of an action
    accepted: Block
    refused: Block | None = None
    unfit: Block
    throttled: Block
    text_event: Callable[[str, str, int], Block]  # sender, body, number of the text → the event
    report_event: Callable[[str, bool], Block] | None = None
    repeats: bool = False  # the same text may be told twice


@dataclass(frozen=True, slots=True)
class _Reply:
    block: Block | None  # None: silence
    takes: bool = False  # the text is out for all that


class TextingPbx(DemoPbx):
    """A simulated PBX that answers one more action."""

    def __init__(self, texting: Texting) -> None:
        super().__init__()
        self.texting = texting
        self.script: deque[_Reply] = deque()
        self.taken: list[tuple[str, str]] = []

    def _act(self, action: Block, writer: asyncio.StreamWriter) -> None:
        if action.get("Action") != self.texting.action:
            super()._act(action, writer)
            return
        self.actions.append(action)
        reply = self.script.popleft() if self.script else _Reply(self.texting.accepted, takes=True)
        if reply.takes:
            self.taken.append(self.texting.read(action))
        if reply.block is not None:
            writer.write("".join(_lines({**reply.block, "ActionID": action["ActionID"]})).encode())

    async def drop_after(self, action: str) -> None:
        """Cut the line as soon as an action has come."""
        await until(lambda: any(taken["Action"] == action for taken in self.actions))
        self.drop()

    def tell(self, event: Block) -> None:
        """Send an event to everybody."""
        self.send("".join(_lines(event)).encode())


def _lines(block: Block) -> Iterator[str]:
    yield from (f"{name}: {value}\r\n" for name, value in block.items())
    yield "\r\n"


class AmiPeer(Peer):
    """The PBX as the contract wants its peer."""

    def __init__(self, pbx: TextingPbx) -> None:
        self.pbx = pbx
        self.client: AmiClient | None = None
        self._told = 0

    async def texts(self) -> list[tuple[str, str]]:
        return self.pbx.taken

    async def refuse_the_number(self) -> None:
        assert self.pbx.texting.refused is not None
        self.pbx.script.append(_Reply(self.pbx.texting.refused))

    async def be_unfit(self) -> None:
        self.pbx.script.append(_Reply(self.pbx.texting.unfit))

    async def throttle(self) -> None:
        self.pbx.script.append(_Reply(self.pbx.texting.throttled))

    async def garble(self) -> None:
        self.pbx.script.append(_Reply(GARBLED, takes=True))

    async def swallow(self) -> None:
        self.pbx.script.append(_Reply(None, takes=True))

    async def vanish(self) -> None:
        await self.pbx.stop()
        await until(lambda: self.client is not None and not self.client.is_connected)

    async def deliver(self, sender: str, body: str, *, again: bool = False) -> None:
        if again and not self.pbx.texting.repeats:
            return
        self._told += not again
        self.pbx.tell(self.pbx.texting.text_event(sender, body, 1 if again else self._told))

    async def report(self, accepted: Accepted, *, delivered: bool) -> None:
        assert self.pbx.texting.report_event is not None
        self.pbx.tell(self.pbx.texting.report_event(accepted.reference or "", delivered))


async def until(true: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(SOON):
        while not true():  # noqa: ASYNC110  # what it waits for is of many kinds
            await asyncio.sleep(0.01)


@asynccontextmanager
async def running(texting: Texting) -> AsyncIterator[AmiPeer]:
    """Run a PBX until the block ends."""
    pbx = TextingPbx(texting)
    await pbx.start()
    try:
        yield AmiPeer(pbx)
    finally:
        await pbx.stop()


@asynccontextmanager
async def started(peer: AmiPeer) -> AsyncIterator[AsteriskGateway]:
    """Build the gateway as the daemon does, log the client in, and close both in the end."""
    pbx = peer.pbx
    peer.client = AmiClient(
        "office", host="127.0.0.1", port=pbx.port, username="textbackd", secret="demo", take=lambda _: None
    )
    gateway = build("texts", section_from(pbx.texting.section), Lent(managers={"office": peer.client}))
    assert isinstance(gateway, AsteriskGateway)
    connection = asyncio.create_task(peer.client.run())
    await gateway.start()
    try:
        await until(lambda: peer.client is not None and peer.client.is_connected)
        yield gateway
    finally:
        await gateway.close()
        connection.cancel()
        await asyncio.wait({connection})


class AmiContract(GatewayContract):
    """The contract for a way of Asterisk: subclass it as Test…, with `texting`."""

    texting: ClassVar[Texting]

    @pytest.fixture
    async def peer(self) -> AsyncIterator[Peer]:
        async with running(self.texting) as peer:
            yield peer

    @pytest.fixture
    async def gateway(self, peer: AmiPeer) -> AsyncIterator[Gateway]:
        async with started(peer) as gateway:
            yield gateway
