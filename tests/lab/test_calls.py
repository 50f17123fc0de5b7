"""Real calls on real Asterisks: each scene gets its verdict, and exactly those callers a text to whom one is due."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from .asterisk import Asterisk
from .fixtures import booted
from .scenarios import SCENARIOS, Scenario, Truth, play
from .shop import Shop, open_shop

pytestmark = pytest.mark.lab

# These stop Asterisk, or need the daemon to come at a moment of the call; they have tests of their own below.
SPECIAL = ("midcall_missed", "midcall_answered", "restart_while_ringing", "crash_while_ringing")


@pytest.fixture(scope="module")
def shop(asterisk: Asterisk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with open_shop(asterisk, tmp_path_factory.mktemp("shop")) as opened:
        yield opened


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name not in SPECIAL])
def test_a_real_call_gets_its_verdict_and_its_caller_a_text_if_one_is_due(
    shop: Shop, name: str, record_property: Callable[[str, object], None]
) -> None:
    scenario = SCENARIOS[name]
    before = shop.newest_call()
    play(scenario, shop.pbx)
    check(shop, scenario, before, record_property)


def check(shop: Shop, scenario: Scenario, after: int, record_property: Callable[[str, object], None]) -> None:
    """Compare what was recorded since a call with the truths, caller by caller."""
    truths = expected(scenario)
    calls = shop.calls_after(after, len(truths), sum(t.reason != "internal" for t in truths))
    due = {t.caller for t in truths if t.text}
    texted = {caller for caller in {t.caller for t in truths} if shop.answers_to(caller)}
    record_property("texted", {"due": len(due), "texted": len(texted), "right": len(due & texted)})
    record_property("seconds", shop.seconds_to_accepted(due))
    inside: tuple[str, str, str] = (
        "ignored",
        "internal",
        "",
    )  # consultations before a transfer and the like are calls of their own
    seen: list[tuple[str, str, str]] = sorted((c["verdict"], c["reason"] or "", c["not_textable"] or "") for c in calls)
    told: list[tuple[str, str, str]] = sorted((t.verdict, t.reason or "", t.not_textable or "") for t in truths)
    assert [s for s in seen if s != inside] == [t for t in told if t != inside]
    assert seen.count(inside) >= told.count(inside)
    assert texted == due
    assert all(len(shop.answers_to(caller)) == 1 for caller in due), "texted twice"


def expected(scenario: Scenario) -> list[Truth]:
    """Return the truths call by call; one that came over two trunks is one call."""
    return list(scenario.truths[:1]) if scenario.name == "failover_duplicate" else list(scenario.truths)


@pytest.mark.parametrize("moment", [("midcall_missed", "ringing"), ("midcall_answered", "talking")], ids=lambda m: m[0])
def test_a_call_that_was_there_before_us_gets_its_verdict(
    asterisk: Asterisk, tmp_path: Path, moment: tuple[str, str], record_property: Callable[[str, object], None]
) -> None:
    name, when = moment
    with ExitStack() as stack:
        opened: list[Shop] = []
        play(
            SCENARIOS[name], asterisk, {when: lambda: opened.append(stack.enter_context(open_shop(asterisk, tmp_path)))}
        )
        check(opened[0], SCENARIOS[name], 0, record_property)


@pytest.mark.parametrize("version", [16, 22])
@pytest.mark.parametrize("name", ["restart_while_ringing", "crash_while_ringing"])
def test_a_restart_in_the_middle_of_a_call_texts_nobody_twice_and_invents_nothing(
    version: int, name: str, tmp_path: Path
) -> None:
    booted(version)  # builds the root if need be
    pbx = Asterisk(version, f"restarted-{name}-{os.getpid()}")
    pbx.start()
    try:
        with open_shop(pbx, tmp_path) as shop:
            play(SCENARIOS[name], pbx)
            shop.wait_connected()
            calls = shop.calls_after(0, 1)
    finally:
        pbx.stop()
    # With `core restart now` Asterisk still tells the end of the call, which nobody had answered.
    ends = {"restart_while_ringing": {("missed", "no_answer"), ("uncertain", "pbx_restarted")}}
    assert {(c["verdict"], c["reason"]) for c in calls} <= ends.get(name, {("uncertain", "pbx_restarted")})
    assert len(calls) == 1


def test_a_missed_call_is_one_pdu_at_the_modem(asterisk: Asterisk, tmp_path: Path) -> None:
    from textbackd.demo.modem import VirtualModem  # noqa: PLC0415  # only this test needs it

    truth: Truth = SCENARIOS["direct_noanswer"].truths[0]
    with VirtualModem(air=tmp_path / "air", link=tmp_path / "modem") as modem:
        gateway = f'stick: {{type: gsm_modem, port: "{modem.port}", rate: 60/min}}'
        with open_shop(asterisk, tmp_path, gateway) as shop:
            play(SCENARIOS["direct_noanswer"], asterisk)
            shop.calls_after(0, 1)
            assert [text["state"] in ("accepted", "delivered") for text in shop.outbox()] == [True]
    on_air = (tmp_path / "air").read_text().splitlines()
    assert len(on_air) == 1
    assert truth.caller in on_air[0]
