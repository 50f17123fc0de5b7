"""Would the vendor take our requests? Asked of the vendors' own OpenAPI documents, which nobody here wrote.

A new document is a row in VENDORS.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import pytest

from tests.gateways.contract import LONG_BODY, TEXT
from tests.gateways.prism import running
from tests.gateways.web_peer import HOOK_SECRET, gateway_from
from textbackd.gateways.base import Accepted
from textbackd.gateways.web.dialect import Dialect, Lists
from textbackd.gateways.web.exchange import Answer, Exchange, Request
from textbackd.gateways.web.fields import FORM

pytestmark = pytest.mark.slow

PATIENCE: Final = timedelta(seconds=60)
NOW: Final = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Documented:
    """A vendor that has published what it takes."""

    document: str  # the file's name
    prefix: str  # what stands before the document's paths in the vendor's real addresses
    section: str  # YAML of the gateway, without its address
    recipient: str  # the field of a request that names the number


VENDORS: Final = {
    "twilio": Documented(
        document="twilio_api_v2010.json",
        prefix="",
        section=f'type: twilio, account: "AC{"0" * 32}", token: x, number: "+13035550142"',
        recipient="To",
    ),
    "telnyx": Documented(
        document="telnyx_messages.json",
        prefix="/v2",
        section='type: telnyx, key: x, number: "+13035550142", public_key: "e5vWQ8bfF8hjSJcpl5sXS1h0JZnZ2bnQ3bTqvFJq8Qs="',
        recipient="to",
    ),
    "vonage": Documented(
        document="vonage_sms.yml",
        prefix="/sms",
        section='type: vonage, key: abcd1234, secret: secret-1, number: "+13035550142"',
        recipient="to",
    ),
    "bandwidth": Documented(
        document="bandwidth_messaging.yml",
        prefix="/api/v2",
        section='type: bandwidth, account: "9900000", application: app-1, username: u, password: x, number: "+13035550142"',
        recipient="to",
    ),
    "android_sms_gateway": Documented(
        document="android_sms_gateway.json",
        prefix="",
        section="type: android_sms_gateway, username: sms, password: x, signing_key: x",
        recipient="phoneNumbers",
    ),
}


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    documents = {vendor.document: vendor.prefix for vendor in VENDORS.values()}
    with running(documents, tmp_path_factory.mktemp("prism")) as started:
        yield {name: started[vendor.document] for name, vendor in VENDORS.items()}


def dialect_of(name: str, addresses: Mapping[str, str]) -> Dialect:
    section = f'{{{VENDORS[name].section}, webhook: "{HOOK_SECRET}", url: "{{url}}"}}'
    return gateway_from(section, addresses[name])._dialect


async def ask(request: Request) -> Answer:
    exchange = Exchange(PATIENCE)
    try:
        return await exchange.ask(request)
    finally:
        await exchange.close()


def without(request: Request, field: str) -> Request:
    """Return the request without one of its fields."""
    body = request.body or b""
    if request.headers["Content-Type"] == FORM:
        return replace(
            request, body=urlencode([pair for pair in parse_qsl(body.decode()) if pair[0] != field]).encode()
        )
    content: dict[str, Any] = json.loads(body)
    return replace(request, body=json.dumps({name: value for name, value in content.items() if name != field}).encode())


@pytest.mark.parametrize("name", VENDORS)
@pytest.mark.parametrize("body", [pytest.param(TEXT.body, id="short"), pytest.param(LONG_BODY, id="long")])
async def test_the_vendors_document_allows_our_request(name: str, body: str, addresses: Mapping[str, str]) -> None:
    dialect = dialect_of(name, addresses)
    text = replace(TEXT, body=body, valid_until=NOW + timedelta(minutes=10))
    answer = await ask(dialect.request(text, now=NOW))
    assert answer.status < 300, answer.text
    assert isinstance(dialect.outcome(answer), Accepted), answer.text


@pytest.mark.parametrize("name", VENDORS)
async def test_the_vendors_document_forbids_a_request_without_a_recipient(
    name: str, addresses: Mapping[str, str]
) -> None:
    request = dialect_of(name, addresses).request(TEXT, now=NOW)
    answer = await ask(without(request, VENDORS[name].recipient))
    assert 400 <= answer.status < 500, answer.text


@pytest.mark.parametrize("name", ["twilio", "bandwidth"])
async def test_the_vendors_document_allows_our_search(name: str, addresses: Mapping[str, str]) -> None:
    dialect = dialect_of(name, addresses)
    assert isinstance(dialect, Lists)
    answer = await ask(dialect.search(TEXT, NOW))
    assert answer.status == 200, answer.text
