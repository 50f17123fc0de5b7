"""Calls that textbackd has a real Asterisk make: a click connects desk phone and caller, a woken phone asks for a 1 first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from textbackd.core.conversation import Turn
from textbackd.core.phone import E164
from textbackd.flow.desk import Refused

from .asterisk import Asterisk
from .shop import Shop, open_shop, wait_for
from .sipp import (
    EXPECT_HANG_UP,
    HANG_UP,
    Stage,
    Step,
    answers,
    answers_and_hangs_up,
    pause,
    press,
    refuses,
    rings,
    waits,
)

pytestmark = pytest.mark.lab

CALLER, OURS = E164("+12015550171"), "+13035550115"  # nobody is registered there
DIAL = "{context: from-internal, number_format: e164, rings_for: 4s}"
ANNA = "+19705550110"
# The phone 102 rings at once for whoever waits, and Anna is told of it a moment later.
CHAIN = "reply: {within: off, escalate: {bell: {after: 0s, ring: PJSIP/102}, next: {after: 8s, tell: anna}}}"
PROMPT = 2.0  # seconds after which a phone that was picked up has heard something


@contextmanager
def waiting(pbx: Asterisk, folder: Path, *, line: str = "", user: str = "calling") -> Iterator[Shop]:
    """A shop that was called, and whose caller waits for a person."""
    with open_shop(
        pbx, folder, username=user, dial=DIAL, line=f'{{dids: ["*"], {line}}}', policy="min_wait: 0s"
    ) as shop:
        with Stage(pbx) as stage:
            stage.call(CALLER, OURS, waits())
        shop.calls_after(0, 1)
        yield shop


def picks_up_and_presses(key: str, then: Sequence[Step]) -> list[Step]:
    return answers(after=1, then=[pause(PROMPT), *press(key), *then])


def made(shop: Shop) -> list[tuple[str, str | None, bool]]:
    """Return (direction, number, whether they talked) of the calls after the first."""
    return [(call["direction"], call["did"], bool(call["talked_s"])) for call in shop.calls_after(1, 1, outside=0)]


def test_a_click_rings_the_desk_phone_and_then_the_caller_and_the_talk_closes_the_matter(
    asterisk: Asterisk, tmp_path: Path
) -> None:
    with waiting(asterisk, tmp_path) as shop:
        with Stage(asterisk) as stage:
            phone = stage.phone("101", answers(after=1))
            customer = stage.outside(answers_and_hangs_up(after=1, talk=2))
            shop.at_desk(lambda desk: desk.call_back(CALLER, "anna"))
            customer.wait()
            phone.wait()
            shown, heard = phone.messages(), customer.messages()
        assert made(shop) == [("outbound", CALLER, True)]
        assert shop.conversation(CALLER).turn is Turn.DONE
        assert shop.deeds(CALLER) == [("claimed", ""), ("called_back", "PJSIP/101")]
    assert f'"{CALLER}" <sip:101@' in shown
    assert f"INVITE sip:{CALLER}@" in heard


def test_a_desk_phone_that_nobody_picks_up_calls_nobody(asterisk: Asterisk, tmp_path: Path) -> None:
    with waiting(asterisk, tmp_path) as shop:
        with Stage(asterisk) as stage:
            stage.phone("101", rings())
            shop.at_desk(lambda desk: desk.call_back(CALLER, "anna"))
            wait_for(asterisk.channels, "a ringing phone")
        assert made(shop) == [("internal", None, False)]
        assert shop.conversation(CALLER).turn is not Turn.DONE


def test_an_account_without_the_right_is_told_what_to_add(asterisk: Asterisk, tmp_path: Path) -> None:
    with (
        waiting(asterisk, tmp_path, user="textbackd") as shop,
        pytest.raises(Refused, match="Add `originate` to `write`"),
    ):
        shop.at_desk(lambda desk: desk.call_back(CALLER, "anna"))


def test_whoever_picks_up_a_woken_phone_and_presses_1_is_connected_with_the_caller(
    asterisk: Asterisk, tmp_path: Path
) -> None:
    with waiting(asterisk, tmp_path, line=CHAIN) as shop:
        with Stage(asterisk) as stage:
            phone = stage.phone("102", picks_up_and_presses("1", [EXPECT_HANG_UP]))
            customer = stage.outside(answers_and_hangs_up(after=1, talk=2))
            shop.at_desk(lambda desk: desk.take_up(CALLER, "anna"))
            customer.wait()
            phone.wait()
            shown, heard = phone.messages(), customer.messages()
        assert made(shop) == [("outbound", CALLER, True)]
        assert shop.conversation(CALLER).turn is Turn.DONE
        assert ("escalated", "PJSIP/102: picked up") in shop.deeds(CALLER)
    assert '"textbackd: Ann Smith waits" <sip:102@' in shown
    assert "textbackd" not in heard
    assert "Ann Smith" not in heard


@pytest.mark.parametrize(
    ("steps", "outcome"),
    [
        pytest.param(picks_up_and_presses("2", [EXPECT_HANG_UP]), "picked up", id="another key"),
        pytest.param(answers(after=1, then=[pause(PROMPT), HANG_UP]), "picked up", id="hangs up"),
        pytest.param(rings(), "nobody came", id="nobody there"),
        pytest.param(refuses(486), "busy or not there", id="busy"),
    ],
)
def test_a_phone_that_was_woken_in_vain_calls_nobody_and_the_next_step_goes_on(
    asterisk: Asterisk, tmp_path: Path, steps: list[Step], outcome: str
) -> None:
    with waiting(asterisk, tmp_path, line=CHAIN) as shop:
        with Stage(asterisk) as stage:
            stage.phone("102", steps)
            shop.at_desk(lambda desk: desk.take_up(CALLER, "anna"))
            wait_for(lambda: ("escalated", f"PJSIP/102: {outcome}") in shop.deeds(CALLER), "what became of the phone")
        told = wait_for(lambda: shop.texts_to(ANNA), "a text to Anna")
        assert f"PJSIP/102 rang: {outcome}." in str(told)
        assert shop.conversation(CALLER).turn is Turn.OURS
        assert made(shop) == [("internal", None, False)]
