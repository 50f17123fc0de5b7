"""A vendor that speaks HTTP, for the contract: a sink that answers as the vendor documents, and webhooks as it signs them.

A vendor's test gives a `Vendor` (recorded exchanges, as data) and inherits `VendorContract`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar, Final

import pytest

from tests.gateways.contract import GatewayContract, Peer
from tests.gateways.sink import Answer, Fault, HttpSink, Received
from textbackd.config import loads, resolve_secrets
from textbackd.gateways.base import Accepted, Gateway, Hook, Lent, OutboundText
from textbackd.gateways.registry import build
from textbackd.gateways.web.gateway import WebGateway

HOOK_SECRET: Final = "k7Jm0V2x9Qp4Rt6Yz8Aa1B"
HOOK_URL: Final = f"https://sms.example.com/hook/web/{HOOK_SECRET}"
TIMEOUT: Final = timedelta(seconds=1)
CONFIG: Final = """
business: {{name: Anderson Roofing, country: US, timezone: America/Denver}}
pbx: {{office: {{secret: demo}}}}
lines: {{main: {{dids: ["*"]}}}}
webhooks: {{url: "https://sms.example.com"}}
gateways: {{web: {section}}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """How one vendor answers, as recorded or documented. `{url}` in the section is the sink's address without a path."""

    section: str  # YAML of the gateway, in one line
    read: Callable[
        [Received], tuple[str, str] | None
    ]  # number and body of a text; None: a request that is not for sending
    accept: Callable[[int, Received], Answer]  # what the n-th request gets when all is well
    refused: Answer = field(default_factory=lambda: Answer(400))
    unfit: Answer = field(default_factory=lambda: Answer(401))
    throttled: Answer = field(default_factory=lambda: Answer(429))
    opted_out: Answer | None = None
    text_hook: Callable[[str, str, str], Hook] | None = None  # sender, body, id → the webhook for a text that came in
    report_hook: Callable[[str, bool], Hook] | None = (
        None  # reference, delivered → the webhook for what became of a text
    )


class WebPeer(Peer):
    """The vendor behind a sink."""

    def __init__(self, vendor: Vendor, sink: HttpSink) -> None:
        self.vendor, self.sink = vendor, sink
        self.gateway: WebGateway | None = None
        self.hooks: list[asyncio.Task[Any]] = []
        self._told = 0

    async def texts(self) -> list[tuple[str, str]]:
        return [text for received in self.sink.taken if (text := self.vendor.read(received)) is not None]

    async def refuse_the_number(self) -> None:
        self.sink.script(self.vendor.refused)

    async def be_unfit(self) -> None:
        self.sink.script(self.vendor.unfit)

    async def throttle(self) -> None:
        self.sink.script(self.vendor.throttled)

    async def opt_out(self) -> None:
        assert self.vendor.opted_out is not None
        self.sink.script(self.vendor.opted_out)

    async def garble(self) -> None:
        self.sink.script(Answer(200, body=b"<html>Welcome to the hotel\xff", taken=True))

    async def swallow(self) -> None:
        self.sink.script(Fault.NO_ANSWER)

    async def vanish(self) -> None:
        await self.sink.close()

    async def deliver(self, sender: str, body: str, *, again: bool = False) -> None:
        assert self.vendor.text_hook is not None
        self._told += not again
        self._hook(self.vendor.text_hook(sender, body, "in-1" if again else f"in-{self._told}"))

    async def report(self, accepted: Accepted, *, delivered: bool) -> None:
        assert self.vendor.report_hook is not None
        self._hook(self.vendor.report_hook(accepted.reference or "", delivered))

    def _hook(self, hook: Hook) -> None:
        assert self.gateway is not None
        self.hooks.append(asyncio.create_task(self.gateway.hook(hook)))


def section_from(section: str, url: str = "http://127.0.0.1:9") -> Any:
    """Return the settings of a gateway, secrets resolved."""
    return resolve_secrets(loads(CONFIG.format(section=section.replace("{url}", url)))).gateways["web"]


def gateway_from(section: str, url: str = "http://127.0.0.1:9") -> WebGateway:
    """Return the gateway that a section makes, as the daemon builds it."""
    gateway = build("web", section_from(section, url), Lent(hook_url=HOOK_URL))
    assert isinstance(gateway, WebGateway)
    return gateway


def post(body: str | bytes, *, headers: Mapping[str, str] | None = None, query: str = "", method: str = "POST") -> Hook:
    """Return a webhook as our listener hands it on."""
    target = f"/hook/web/{HOOK_SECRET}" + (f"?{query}" if query else "")
    content = body.encode() if isinstance(body, str) else body
    named = {name.lower(): value for name, value in (headers or {}).items()}
    return Hook(method=method, target=target, headers=named, body=content)


@asynccontextmanager
async def started(vendor: Vendor, peer: WebPeer) -> AsyncIterator[WebGateway]:
    """Start the vendor's gateway towards its peer, and close it."""
    address = peer.sink.url.removesuffix("/send")
    gateway = gateway_from(vendor.section, address)
    await gateway.start()
    peer.gateway = gateway
    try:
        yield gateway
    finally:
        await gateway.close()
        for hook in peer.hooks:
            hook.cancel()
        await asyncio.gather(*peer.hooks, return_exceptions=True)


class VendorContract(GatewayContract):
    """The contract for a vendor: subclass it as Test…, with `vendor`."""

    vendor: ClassVar[Vendor]

    @pytest.fixture
    async def peer(self) -> AsyncIterator[Peer]:
        count = 0

        def usual(received: Received) -> Answer:
            nonlocal count
            count += 1
            return self.vendor.accept(count, received)

        async with HttpSink(usual=usual) as sink:
            yield WebPeer(self.vendor, sink)

    @pytest.fixture
    async def gateway(self, peer: WebPeer) -> AsyncIterator[Gateway]:
        async with started(self.vendor, peer) as gateway:
            yield gateway

    async def test_it_does_not_show_its_credentials_when_printed(self, gateway: Gateway) -> None:
        assert not [secret for secret in self.secrets if secret in f"{gateway!r} {vars(gateway)!r}"]


async def one_request(vendor: Vendor, text: OutboundText) -> Received:
    """Return the request that a text makes."""
    async with HttpSink(usual=lambda received: vendor.accept(1, received)) as sink:
        peer = WebPeer(vendor, sink)
        async with started(vendor, peer) as gateway:
            await gateway.send(text)
    return sink.requests[0]
