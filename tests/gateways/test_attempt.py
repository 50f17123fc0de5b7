"""A gateway that is tried without a text: what it says of credentials and reach, and that nothing is sent."""

import pytest

from tests.gateways.sink import Answer, Fault, HttpSink
from tests.gateways.web_peer import gateway_from

TWILIO = '{type: twilio, account: AC1, token: "0123456789abcdef0123456789abcdef", number: "+13035550142", url: "{url}"}'
FLOWROUTE = '{type: flowroute, key: k1, secret: "s3cr3t", number: "+13035550142", url: "{url}/v2.2/messages"}'
VOIPMS = (
    '{type: voipms, username: a@example.com, password: "s3cr3t-s3cr3t", number: "+13035550142", url: "{url}/rest.php"}'
)
POLLED = '{type: http, url: "{url}/send", poll: {url: "{url}/inbox", items: messages, from: f, text: t, id: i}}'
OLD = '{type: http, url: "{url}/send"}'


@pytest.mark.parametrize(
    ("section", "step", "objection"),
    [
        pytest.param(TWILIO, Answer(200, b'{"messages": []}'), "", id="a list that is empty is well"),
        pytest.param(TWILIO, Answer(401, b'{"code": 20003}'), "it does not accept the credentials", id="a vendor's own code"),
        pytest.param(TWILIO, Answer(404, b"{}"), "it answered 404 Not Found", id="a wrong account"),
        pytest.param(TWILIO, Fault.RST_AFTER_BODY, "the connection broke before an answer came", id="no answer"),
        pytest.param(FLOWROUTE, Answer(200, b'{"data": []}'), "", id="an inbox that is empty is well"),
        pytest.param(FLOWROUTE, Answer(200, b"<html>"), "what it answers cannot be read: is the address right?", id="no list"),
        pytest.param(FLOWROUTE, Answer(401, b""), "it does not accept the credentials", id="a status"),
        pytest.param(VOIPMS, Answer(200, b'{"status": "no_sms"}'), "", id="voip.ms without texts is well"),
        pytest.param(
            VOIPMS, Answer(200, b'{"status": "invalid_credentials"}'), "it does not accept the credentials",
            id="credentials refused with status 200",
        ),
    ],
)  # fmt: skip
async def test_who_can_be_asked_for_a_list_is_asked(section: str, step: Answer | Fault, objection: str) -> None:
    async with HttpSink() as sink:
        sink.script(step)
        said = await gateway_from(section, sink.url).attempt()
    assert said.startswith(objection) if objection else said == ""
    assert len(sink.requests) == 1
    assert "s3cr3t" not in said


@pytest.mark.parametrize("section", [OLD, POLLED])
async def test_who_cannot_be_asked_is_only_reached(section: str) -> None:
    async with HttpSink() as sink:
        gateway = gateway_from(section, sink.url)
        assert await gateway.attempt() == ""
        assert sink.requests == []
    assert (await gateway.attempt()).startswith("there is no connection to it")


@pytest.mark.parametrize("section", [TWILIO, FLOWROUTE, VOIPMS, OLD])
async def test_a_vendor_that_is_not_there_is_told(section: str) -> None:
    async with HttpSink() as sink:
        url = sink.url
    assert await gateway_from(section, url).attempt() == "there is no connection to it (Connection refused)"
