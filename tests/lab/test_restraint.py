"""Who is not texted on a real Asterisk: forged numbers; and who still is, though somebody tried to call back.

That a caller who gets through or is called back within `delay` gets no text is told by the scenes `redial_answered` and
`called_back` (test_calls.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from .asterisk import Asterisk
from .scenarios import CUSTOMER, LONG_ENOUGH, Scenario, Truth, call, line, miss_on_126, missed, outbound, play
from .shop import Shop, open_shop
from .sipp import Stage, gives_up, rings, waits

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def shop(asterisk: Asterisk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with open_shop(asterisk, tmp_path_factory.mktemp("shop"), attestation="B") as opened:
        yield opened


def ring_out(stage: Stage, truth: Truth) -> None:
    stage.phone("101", rings())
    call(stage, truth, waits())


@pytest.mark.parametrize(
    ("number", "caller", "decided"),
    [
        pytest.param(133, "+12015550171", ("skip", "attestation", "FAILED"), id="a forged number"),
        pytest.param(101, "+12025550172", ("skip", "attestation", "NONE"), id="nobody vouches, and B is asked for"),
        pytest.param(134, "+12035550173", ("text", "missed", ""), id="a B"),
    ],
)
def test_the_variable_that_the_dialplan_sets_decides_whether_a_number_is_believed(
    shop: Shop, number: int, caller: str, decided: tuple[str, str, str]
) -> None:
    before = shop.newest_call()
    truth = Truth(did=line(number), verdict="missed", reason="no_answer", caller=caller)
    play(Scenario(name="attested", story="", case=1, truths=(truth,), player=ring_out), shop.pbx)
    (found,) = shop.calls_after(before, 1)
    assert (found["decision"], found["decision_reason"], found["decision_detail"]) == decided
    assert len(shop.answers_to(caller)) == (decided[0] == "text")


def try_to_call_back(stage: Stage, first: Truth, second: Truth) -> None:
    miss_on_126(stage, first)
    stage.outside(rings())
    stage.dial(second.caller, second.did, gives_up(after=LONG_ENOUGH))


def test_a_call_back_that_nobody_takes_holds_the_text_only_while_it_rings(
    asterisk: Asterisk, tmp_path_factory: pytest.TempPathFactory
) -> None:
    first = replace(missed(126, "gave_up"), caller=CUSTOMER)
    scene = Scenario(name="tried", story="", case=24, truths=(first, outbound("103")), player=try_to_call_back)
    with open_shop(asterisk, tmp_path_factory.mktemp("back")) as shop:
        play(scene, asterisk)
        miss, attempt = shop.calls_after(0, 2, 2)
        (text,) = shop.outbox()
    assert (miss["decision"], attempt["reason"], text["state"]) == ("text", "outbound", "accepted")
    assert (
        text["accepted_at"] >= attempt["ended_at"]
    )  # due 4 s after the hang-up, while the colleague's call still rang
    assert len(shop.answers_to(CUSTOMER)) == 1
