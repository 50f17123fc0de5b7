"""Real calls on real Asterisks: each scenario gets its verdict, and exactly those callers a text to whom one is due."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .asterisk import Asterisk
from .scenarios import SCENARIOS, Scenario, Truth, play
from .shop import Shop, open_shop

pytestmark = pytest.mark.lab

FIRST = [
    "direct_noanswer", "direct_caller_hangup", "short_hangup", "direct_answered", "direct_busy", "unregistered",
    "group_noanswer", "group_answered", "queue_abandon", "vm_no_message", "internal_noanswer", "outbound_noanswer",
    "cid_anonymous", "ten_at_once",
]  # fmt: skip


@pytest.fixture(scope="module")
def shop(asterisk: Asterisk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with open_shop(asterisk, tmp_path_factory.mktemp("shop")) as opened:
        yield opened


@pytest.mark.parametrize("name", FIRST)
def test_a_real_call_gets_its_verdict_and_its_caller_a_text_if_one_is_due(shop: Shop, name: str) -> None:
    scenario = SCENARIOS[name]
    play(scenario, shop.pbx)
    for caller in dict.fromkeys(truth.caller for truth in scenario.truths):
        _check(shop, scenario, caller)


def _check(shop: Shop, scenario: Scenario, caller: str) -> None:
    truths = [truth for truth in scenario.truths if truth.caller == caller]
    calls = shop.calls_when(caller, len(truths))
    assert [(call["verdict"], call["reason"]) for call in calls] == [(truth.verdict, truth.reason) for truth in truths]
    assert len(shop.texts_to(caller)) == sum(truth.text for truth in truths)


def test_a_missed_call_is_one_pdu_at_the_modem(asterisk: Asterisk, tmp_path: Path) -> None:
    from textbackd.demo.modem import VirtualModem  # noqa: PLC0415

    truth: Truth = SCENARIOS["direct_noanswer"].truths[0]
    with VirtualModem(air=tmp_path / "air", link=tmp_path / "modem") as modem:
        gateway = f'stick: {{type: gsm_modem, port: "{modem.port}", rate: 60/min}}'
        with open_shop(asterisk, tmp_path, gateway) as shop:
            play(SCENARIOS["direct_noanswer"], asterisk)
            shop.calls_when(truth.caller, 1)
            assert [text["state"] for text in shop.outbox()] == ["accepted"]
    on_air = (tmp_path / "air").read_text().splitlines()
    assert len(on_air) == 1
    assert truth.caller in on_air[0]
