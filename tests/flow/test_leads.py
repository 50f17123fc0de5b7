"""A form and an appointment through the running daemon: from the doors to the gateway, and into the way of a missed call."""

import hashlib
import hmac
import json
import socket
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest

from tests.flow.office import running, until
from tests.gateways.sink import HttpSink
from textbackd.config import loads, resolve_secrets
from textbackd.daemon import Daemon
from textbackd.errors import TextbackdError

pytestmark = pytest.mark.slow
SECRET = "k7Jm0V2x9Qp4Rt6Yz8Aa1B"
MISSED = "+12015550100"  # the caller of the recorded call


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def sections(port: int) -> str:
    return f"""
webhooks: {{listen: "127.0.0.1:{port}"}}
leads: {{website: {{secret: {SECRET}, text: "Hi {{caller_name}}, this is {{business}}."}}}}
bookings: {{cal: {{type: cal_com, secret: {SECRET}}}}}
"""


async def post(port: int, path: str, body: bytes, **headers: str) -> int:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"http://127.0.0.1:{port}{path}", data=body, headers=sent) as answer,
    ):
        return answer.status


async def test_a_form_is_answered_by_text(tmp_path: Path) -> None:
    port = free_port()
    policy = "min_wait: 0s, delay: 0s, quiet_hours: off"
    async with HttpSink() as sink:
        gateway = f'web: {{type: http, url: "{sink.url}", timeout: 2s}}'
        async with running(tmp_path, gateway, policy, sections=sections(port)) as office:
            form = json.dumps({"phone": "201 555 0100", "name": "Jane"}).encode()
            assert await post(port, f"/lead/website/{SECRET}", form, Content_Type="application/json") == 200
            await until(lambda: any(text["state"] == "accepted" for text in office.texts()))
    (request,) = sink.requests
    assert json.loads(request.body)["to"] == MISSED
    assert json.loads(request.body)["text"] == "Hi Jane, this is Anderson Roofing."


async def test_staff_are_told_of_a_form_on_their_mobiles(tmp_path: Path) -> None:
    port = free_port()
    async with HttpSink() as sink:
        gateway = f'web: {{type: http, url: "{sink.url}", timeout: 2s}}'
        more = f'webhooks: {{listen: "127.0.0.1:{port}"}}\nleads: {{website: {{secret: {SECRET}}}}}'
        more += '\nstaff: {anna: {mobile: "+12015550199"}}'
        async with running(tmp_path, gateway, sections=more) as office:
            form = json.dumps({"phone": "201 555 0100", "message": "My roof leaks"}).encode()
            assert await post(port, f"/lead/website/{SECRET}", form, Content_Type="application/json") == 200
            await until(lambda: any(text["state"] == "accepted" for text in office.texts()))
    (told,) = (json.loads(request.body) for request in sink.requests)
    assert told["to"] == "+12015550199"
    assert "My roof leaks" in told["text"]


async def test_an_appointment_cancels_the_text_that_still_waits(tmp_path: Path) -> None:
    port = free_port()
    async with HttpSink() as sink:
        gateway = f'web: {{type: http, url: "{sink.url}", timeout: 2s}}'
        policy = "min_wait: 0s, delay: 10m, expire: 20m"
        async with running(tmp_path, gateway, policy, sections=sections(port)) as office:
            await office.play("direct_noanswer")
            await until(lambda: [text["state"] for text in office.texts()] == ["queued"])
            payload = {"uid": "u", "startTime": "2099-01-01T09:00:00Z", "attendees": [{"phoneNumber": MISSED}]}
            body = json.dumps({"triggerEvent": "BOOKING_CREATED", "createdAt": "x", "payload": payload}).encode()
            signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
            assert await post(port, "/booking/cal", body, X_Cal_Signature_256=signature) == 200
            assert [text["state"] for text in office.texts()] == ["cancelled"]
    assert sink.requests == []


@pytest.mark.parametrize(
    "section", ["leads: {x: {secret: file:weak}}", "bookings: {x: {type: generic, secret: file:weak}}"]
)
async def test_a_secret_that_can_be_guessed_is_told_at_the_start(tmp_path: Path, section: str) -> None:
    (tmp_path / "weak").write_text("123456")
    text = (
        "business: {name: A, country: US}\npbx: {office: {secret: x, port: 1}}\nlines: {main: {}}\n"
        f'gateways: {{web: {{type: http, url: "http://127.0.0.1:9/"}}}}\nstorage: "{tmp_path}/t.db"\n'
        f'web: {{listen: "127.0.0.1:0"}}\n{section}\n'
    )
    with pytest.raises(TextbackdError, match=r"x\.secret: the secret has fewer than 22 letters"):
        Daemon(resolve_secrets(loads(text, tmp_path / "textbackd.yaml")))
