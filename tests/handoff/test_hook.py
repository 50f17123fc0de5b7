"""Webhooks of ours: signed, told until a 2xx, ended by a 410."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr

from tests.gateways.sink import Answer, Fault, HttpSink
from tests.handoff.messages import a_message, failure_of
from tests.store.rows import NOON
from textbackd.config.sections.handoff import HookOut
from textbackd.handoff.hook import Hooks

SECRET = "0123456789abcdef"


def verified(body: bytes, header: str, secret: str, now: float) -> bool:
    """The verifier of docs/STAFF.md."""
    fields = dict(part.split("=", 1) for part in header.split(","))
    expected = hmac.new(secret.encode(), f"{fields['t']}.".encode() + body, hashlib.sha256).hexdigest()
    return abs(now - int(fields["t"])) <= 300 and hmac.compare_digest(expected, fields["v1"])


@asynccontextmanager
async def hooks(sink: HttpSink) -> AsyncIterator[Hooks]:
    channel = Hooks({"crm": HookOut(url=sink.url, secret=SecretStr(SECRET))}, lambda: NOON)
    try:
        yield channel
    finally:
        await channel.close()


async def test_the_signature_is_over_the_time_and_the_very_bytes_that_were_sent() -> None:
    async with HttpSink() as sink, hooks(sink) as channel:
        await channel.tell(a_message(target="crm"))
    (request,) = sink.requests
    header = request.headers["textbackd-signature"]
    assert request.method == "POST"
    assert request.headers["textbackd-event"] == "e1"
    assert json.loads(request.body) == a_message().event
    assert verified(request.body, header, SECRET, NOON.timestamp())
    assert not verified(request.body + b" ", header, SECRET, NOON.timestamp())
    assert not verified(request.body, header, "another secret!!", NOON.timestamp())
    assert not verified(request.body, header, SECRET, NOON.timestamp() + 301)


@pytest.mark.parametrize(
    ("step", "permanent", "words"),
    [
        pytest.param(Answer(500), False, "hooks_out.crm answered 500.", id="a fault of theirs"),
        pytest.param(Answer(401), False, "hooks_out.crm answered 401.", id="what a person can mend within a day"),
        pytest.param(
            Answer(302, headers={"Location": "http://127.0.0.1:9/"}), False,
            "hooks_out.crm answered 302. Write the address that it redirects to.", id="a redirect is not followed",
        ),
        pytest.param(Answer(410), True, "hooks_out.crm wants no more (410).", id="gone"),
        pytest.param(
            Fault.RST_AFTER_BODY, False, "hooks_out.crm: the connection broke before an answer came.", id="a broken line"
        ),
    ],
)  # fmt: skip
async def test_anything_but_a_2xx_is_no_success(step: Answer | Fault, permanent: bool, words: str) -> None:
    async with HttpSink() as sink, hooks(sink) as channel:
        sink.script(step)
        failure = await failure_of(channel, a_message(target="crm"))
    assert (str(failure), failure.permanent) == (words, permanent)
    assert len(sink.requests) == 1


async def test_after_a_410_nothing_more_is_sent_there() -> None:
    async with HttpSink() as sink, hooks(sink) as channel:
        sink.script(Answer(410))
        await failure_of(channel, a_message(target="crm"))
        assert (await failure_of(channel, a_message(target="crm"))).permanent
    assert len(sink.requests) == 1


async def test_a_program_that_is_configured_no_more_is_told_nothing() -> None:
    async with HttpSink() as sink, hooks(sink) as channel:
        assert (await failure_of(channel, a_message(target="old"))).permanent
    assert sink.requests == []
