"""The whole way of a caller's text to staff and back: a simulated PBX, a virtual modem, a mail server, a CRM and the daemon."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from tests.flow.office import Office, running, until
from tests.gateways.modem_shop import Shop
from tests.gateways.sink import HttpSink
from tests.handoff.mail_server import server
from textbackd.core.conversation import Turn
from textbackd.core.phone import E164
from textbackd.store import conversations
from textbackd.store.database import open_database

pytestmark = pytest.mark.slow

CALLER, ANNA = "+12015550100", "+13035550113"
SECTIONS = """
staff:
  anna: {{name: Anna, mobile: "{anna}", email: anna@example.com, notify: ["json://127.0.0.1:{notify}/send"]}}
email: {{host: 127.0.0.1, port: {smtp}, tls: "off", from: textbackd@example.com}}
hooks_out: {{crm: {{url: "{crm}", secret: "0123456789abcdef"}}}}
"""


def texts_to(shop: Shop, number: str) -> list[str]:
    """Return what went on the air to a number, parts of one text joined."""
    whole: dict[object, str] = {}
    for place, part in enumerate(shop.on_air()):
        if part.to == number:
            key = place if part.reference is None else ("long", part.reference)
            whole[key] = whole.get(key, "") + part.body
    return list(whole.values())


async def test_a_callers_text_reaches_staff_every_way_and_their_answer_reaches_the_caller_once(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    with shop.modem:
        async with HttpSink() as crm, HttpSink() as notify, server() as (postbox, smtp):
            port = notify.url.removeprefix("http://127.0.0.1:").partition("/")[0]
            sections = SECTIONS.format(anna=ANNA, smtp=smtp, notify=port, crm=crm.url)
            gateway = f'stick: {{type: gsm_modem, port: "{shop.modem.port}", rate: 600/min}}'
            async with running(tmp_path, gateway, sections=sections) as office:
                await office.play("direct_noanswer")
                await until(lambda: len(texts_to(shop, CALLER)) == 1)
                await shop.deliver(CALLER, "Can you come today? 👍")
                await until(lambda: len(texts_to(shop, ANNA)) == 1)
                assert texts_to(shop, ANNA) == [f"#1 Ann Smith {CALLER}: Can you come today? 👍"]
                await until(lambda: len(postbox.mails) == 1 and len(notify.requests) == 1)
                await shop.deliver(ANNA, "#1 We come at 3")
                await until(lambda: len(texts_to(shop, CALLER)) == 2)
                assert texts_to(shop, CALLER)[1] == "We come at 3"
                await until(lambda: _events(crm) == EXPECTED)
                _claimed(office)
    assert postbox.mails[0]["Subject"] == f"#1 Ann Smith {CALLER}: Can you come today? 👍"
    assert json.loads(notify.requests[0].body)["title"] == f"#1 Ann Smith {CALLER}: Can you come today? 👍"


EXPECTED = ["missed", "text_out", "text_in", "conversation", "text_out"]


def _events(crm: HttpSink) -> list[str]:
    return [json.loads(request.body)["event"] for request in crm.requests]


def _claimed(office: Office) -> None:
    with closing(open_database(office.folder / "textbackd.db")) as db:
        found = conversations.find(db, E164(CALLER))
    assert found is not None
    assert (found.assignee, found.turn) == ("anna", Turn.THEIRS)
