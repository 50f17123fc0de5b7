"""One text through a gateway, and what is done with what comes in meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from textbackd.config import loads
from textbackd.core.phone import E164
from textbackd.demo.pbx import DemoPbx
from textbackd.gateways.base import (
    Accepted,
    Arrival,
    DeliveryReport,
    Fate,
    Health,
    InboundText,
    OutboundText,
    SendFailed,
)
from textbackd.setup.trial import Outcome, Trial, exchange, hears, try_out

CONFIG = """
business: {{name: {name}, country: US, timezone: America/Denver}}
pbx: {{office: {{port: {port}, secret: demo}}}}
lines: {{main: {{dids: ["*"]}}}}
gateways: {{trunk: {{type: asterisk_message, endpoint: trunk, domain: sip.example.com}}, {more}}}
"""
TO, OTHER = E164("+13035550126"), "+13035550199"


def a_trial(
    *, name: str = "A", port: int = 9, more: str = "", patience: float = 5, skip: int = 99
) -> tuple[Trial, list[str]]:
    """Return a trial of the trunk, and what it says. `skip`: after so many looks whoever waits has had enough."""
    said: list[str] = []
    looks = iter(range(1000))
    trial = Trial(
        settings=loads(CONFIG.format(name=name, port=port, more=more)),
        gateway="trunk",
        to=TO,
        patience=timedelta(seconds=patience),
        said=said.append,
        skip=lambda: next(looks) >= skip,
    )
    return trial, said


def a_text(sender: str, body: str) -> InboundText:
    return InboundText(id=body, sender=sender, recipient=None, body=body, received_at=datetime.now(UTC))


def a_report() -> DeliveryReport:
    return DeliveryReport(reference="7", recipient=TO, delivered=True, final=True, detail="delivered")


class Shelf:
    """A gateway on which some arrivals lie; it notes which were taken away."""

    name = "trunk"

    def __init__(self, *arrivals: Arrival, refusal: SendFailed | None = None) -> None:
        self.arrivals, self.refusal = arrivals, refusal
        self.sent: list[OutboundText] = []
        self.taken: list[Arrival] = []

    async def start(self) -> None: ...

    async def send(self, text: OutboundText) -> Accepted:
        self.sent.append(text)
        if self.refusal is not None:
            raise self.refusal
        return Accepted(reference="7")

    async def incoming(self) -> AsyncIterator[Arrival]:
        for arrival in self.arrivals:
            yield arrival
            self.taken.append(arrival)

    def health(self) -> Health:
        return Health.UP

    async def close(self) -> None: ...


async def test_the_answer_is_taken_away_and_told() -> None:
    trial, said = a_trial()
    shelf = Shelf(a_report(), a_text("303-555-0126", "Fine"), a_text(OTHER, "My roof leaks"))
    assert await exchange(shelf, trial) == Outcome(is_taken=True, answer="Fine")
    assert [each.body for each in shelf.taken if isinstance(each, InboundText)] == ["Fine"]
    assert said == ["The gateway took the text, as 7.", "Delivery report: delivered."]


async def test_a_callers_text_stays_for_the_daemon() -> None:
    trial, said = a_trial()
    shelf = Shelf(a_text(OTHER, "My roof leaks"), a_text(TO, "Fine"))
    assert await exchange(shelf, trial) == Outcome(is_taken=True)
    assert shelf.taken == []
    assert "left for textbackd" in said[-1]


async def test_whoever_has_had_enough_waits_no_longer() -> None:
    trial, _ = a_trial(patience=3600, skip=0)
    assert await exchange(Shelf(a_text(TO, "Fine")), trial) == Outcome(is_taken=True)


@pytest.mark.parametrize(("fate", "said"), [
    (Fate.NOT_SENT, "no credit"),
    (Fate.UNKNOWN, "no credit It may have gone out all the same, so it is not sent again."),
])  # fmt: skip
async def test_a_text_that_fails_is_handed_over_once(fate: Fate, said: str) -> None:
    trial, _ = a_trial()
    shelf = Shelf(refusal=SendFailed("no credit", fate=fate))
    assert await exchange(shelf, trial) == Outcome(is_taken=False, trouble=said)
    assert len(shelf.sent) == 1


@pytest.mark.parametrize(("name", "body"), [
    ("Anderson Roofing", "A test of textbackd at Anderson Roofing. Please answer with any word."),
    ("李的屋顶", "A test of textbackd at 李的屋顶. Please answer with any word."),
    ("李的屋顶" * 9, "A test of textbackd. Please answer with any word."),
])  # fmt: skip
def test_the_test_takes_one_radio_text(name: str, body: str) -> None:
    assert a_trial(name=name)[0].body == body


async def test_through_the_pbx_it_logs_in_first(tmp_path: Path) -> None:
    pbx = DemoPbx()
    await pbx.start()
    trial, _ = a_trial(port=pbx.port)
    outcome = await asyncio.to_thread(try_out, trial)
    await pbx.stop()
    assert not outcome.is_taken
    assert [action["Action"] for action in pbx.actions if action["Action"] in ("Login", "MessageSend")] == [
        "Login",
        "MessageSend",
    ]


@pytest.mark.parametrize(("gateway", "heard"), [
    ("{type: gsm_modem, imei: '004999010640000'}", True),
    ("{type: smstools}", True),
    ("{type: telnyx, key: x, number: '+13035550142'}", False),
    ("{type: http, url: 'http://127.0.0.1:9/'}", False),
    ("{type: http, url: 'http://127.0.0.1:9/', poll: {url: 'http://127.0.0.1:9/', id: id, from: f, text: t}}", True),
])  # fmt: skip
def test_a_vendors_webhook_needs_the_daemon(gateway: str, heard: bool) -> None:
    settings = loads(CONFIG.format(name="A", port=9, more=f"other: {gateway}"))
    assert hears(settings.gateways["other"]) is heard
