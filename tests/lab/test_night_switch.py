"""The PBX's own day/night switch on real Asterisks: it is read with the shop's rights, and flips the words without a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from textbackd.config import loads

from .ami import Listener
from .asterisk import Asterisk
from .scenarios import SCENARIOS, play
from .shop import Shop, open_shop

pytestmark = pytest.mark.lab

SWITCHES = {
    "freepbx": "{freepbx_daynight: 0}",
    "astdb": "{astdb: DAYNIGHT/C0}",
    "device": "{device: 'Custom:DAYNIGHT0'}",
    "hint": "{hint: '*280@ext-local'}",
}


def flip(pbx: Asterisk, state: str) -> None:
    """Flip the switch as FreePBX's feature code does: AstDB and the lamp."""
    pbx.cli(f"database put DAYNIGHT C0 {state}")
    pbx.cli(f"devstate change Custom:DAYNIGHT0 {'INUSE' if state == 'NIGHT' else 'NOT_INUSE'}")
    pbx.wait_for_output("core show hint *280", "InUse" if state == "NIGHT" else "Idle")


def next_text(shop: Shop) -> str:
    """Let a call ring out and return the words that its caller gets."""
    scenario = SCENARIOS["direct_noanswer"]
    caller = scenario.truths[0].caller
    before, texts = shop.newest_call(), len(shop.answers_to(caller))
    play(scenario, shop.pbx)
    shop.calls_after(before, 1)
    return str(shop.answers_to(caller)[texts:][0]["text"])


@pytest.mark.parametrize("switch", [SWITCHES["freepbx"], SWITCHES["hint"]], ids=["AstDB", "a lamp"])
def test_a_flipped_switch_changes_the_words_of_the_next_text(asterisk: Asterisk, tmp_path: Path, switch: str) -> None:
    with open_shop(asterisk, tmp_path, line=f'{{dids: ["*"], night_switch: {switch}}}', policy="cooldown: 0s") as shop:
        flip(asterisk, "NIGHT")
        by_night = next_text(shop)
        flip(asterisk, "DAY")
        by_day = next_text(shop)
    assert "closed right now" in by_night
    assert "closed" not in by_day


@pytest.mark.parametrize("name", SWITCHES)
def test_every_kind_of_switch_is_read_with_the_rights_of_the_manual(asterisk: Asterisk, name: str) -> None:
    settings = loads(
        "business: {name: A, country: US}\npbx: {office: {secret: x}}\ngateways: {web: {type: http, url: 'http://h/'}}\n"
        f"lines: {{main: {{night_switch: {SWITCHES[name]}}}}}\n"
    )
    section = settings.lines["main"].night_switch
    assert section is not None
    switch = section.switch()
    assert switch is not None
    told = []
    with Listener(asterisk) as ami:
        for state in ("NIGHT", "DAY"):
            flip(asterisk, state)
            fields = {key: value for key, value in switch.action.items() if key != "Action"}
            frames = [*ami.act(switch.action["Action"], **fields), *ami.events()]
            told += [
                switch.is_closed(frame.get("Value") or frame["Val"])
                for frame in frames
                if {"Value", "Val"} & set(frame)
            ]
    assert told == [True, False]
    assert "Dangerous function" not in asterisk.messages.read_text()
