"""Texting paused and resumed from a desk phone of a real Asterisk, by the dialplan that is shipped."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from textbackd.store import halts
from textbackd.store.database import open_database

from .asterisk import Asterisk
from .scenarios import SCENARIOS, play
from .shop import Shop, open_shop
from .sipp import EXPECT_HANG_UP, Stage, Step, listens, presses

pytestmark = pytest.mark.lab

OPEN = '{listen: "127.0.0.1:4573"}'  # where the shipped dialplan looks
WITH_PIN = '{listen: "127.0.0.1:4573", pin: "2580"}'


def dial(pbx: Asterisk, code: str, steps: list[Step] | None = None) -> None:
    """Dial a code on the phone 101 and stay until Asterisk hangs up."""
    with Stage(pbx) as stage:
        stage.dial("101", code, steps or listens()).wait()


def paused(shop: Shop) -> list[tuple[str | None, str]]:
    with closing(open_database(shop.folder / "textbackd.db")) as db:
        return [(halt.line, halt.why) for halt in halts.active(db, datetime.now(UTC))]


def decision_on_a_missed_call(shop: Shop) -> str:
    before = shop.newest_call()
    play(SCENARIOS["direct_noanswer"], shop.pbx)
    return str(shop.calls_after(before, 1)[0]["decision_reason"])


def test_the_code_stops_the_texts_and_dialled_again_lets_them_go(asterisk: Asterisk, tmp_path: Path) -> None:
    with open_shop(asterisk, tmp_path, policy="cooldown: 0s", feature_code=OPEN) as shop:
        dial(asterisk, "*8398")
        assert paused(shop) == [(None, "by anna, from the phone PJSIP/101")]
        assert decision_on_a_missed_call(shop) == "paused"
        dial(asterisk, "*8398")
        assert paused(shop) == []
        assert decision_on_a_missed_call(shop) == "missed"
        dial(asterisk, "*83981")
        assert paused(shop) == [("main", "by anna, from the phone PJSIP/101")]
        dial(asterisk, "*83982")  # there is no second line
        assert [line for line, _ in paused(shop)] == ["main"]


@pytest.mark.parametrize(("keys", "is_paused"), [("2580#", True), ("1234#1234#1234#", False)])
def test_a_pin_is_heard_key_by_key(asterisk: Asterisk, tmp_path: Path, keys: str, is_paused: bool) -> None:
    with open_shop(asterisk, tmp_path, feature_code=WITH_PIN) as shop:
        first, *rest = (f"{pin}#" for pin in keys.rstrip("#").split("#"))
        then = [step for pin in rest for step in presses(pin, after=3, then=[])[1:]]
        dial(asterisk, "*8398", presses(first, after=2, then=[*then, EXPECT_HANG_UP]))
        assert bool(paused(shop)) == is_paused


def test_a_call_from_outside_never_reaches_the_code(asterisk: Asterisk, tmp_path: Path) -> None:
    with open_shop(asterisk, tmp_path, feature_code=OPEN) as shop, Stage(asterisk) as stage:
        stage.call("+12015550173", "*8398", [Step("expect_refusal")]).wait()
        assert paused(shop) == []


def test_a_phone_is_not_left_hanging_where_textbackd_is_not_there(asterisk: Asterisk) -> None:
    dial(asterisk, "*8398")
