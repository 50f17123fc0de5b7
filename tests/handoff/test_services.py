"""Services through apprise: a real one of its kinds, which posts JSON to the sink."""

import json

import pytest
from pydantic import SecretStr

from tests.gateways.sink import Answer, HttpSink
from tests.handoff.messages import a_message, failure_of
from textbackd.errors import TextbackdError
from textbackd.handoff.services import Services


def services(sink: HttpSink, *more: str) -> Services:
    return Services({"anna": [SecretStr(sink.url.replace("http://", "json://")), *map(SecretStr, more)]})


async def test_a_service_gets_title_and_words() -> None:
    async with HttpSink() as sink:
        await services(sink).tell(a_message(target="0", words="<b>Zoë</b> 👍 & more"))
    told = json.loads(sink.requests[0].body)
    assert (told["title"], told["message"]) == (a_message().title, "<b>Zoë</b> 👍 & more")


async def test_what_a_service_does_not_take_is_tried_again() -> None:
    async with HttpSink() as sink:
        sink.script(Answer(500))
        failure = await failure_of(services(sink), a_message(target="0"))
    assert (str(failure), failure.permanent) == ("staff.anna.notify[0]: the service did not take it.", False)


async def test_a_service_that_is_configured_no_more_is_told_nothing() -> None:
    async with HttpSink() as sink:
        assert (await failure_of(services(sink), a_message(target="1"))).permanent
        assert (await failure_of(services(sink), a_message(staff="ben", target="0"))).permanent
    assert sink.requests == []


@pytest.mark.parametrize("url", ["nothing://x", "chat", "", "http://example.com", "tgram://half"])
async def test_an_address_that_apprise_does_not_know_is_a_fault_without_the_address(url: str) -> None:
    async with HttpSink() as sink:
        with pytest.raises(TextbackdError, match=r"^staff\.anna\.notify\[1\]: apprise knows no such service") as fault:
            services(sink, url)
    assert not url or url not in str(fault.value)
