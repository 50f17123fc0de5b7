"""What a day/night switch answers, and what that means."""

import pytest

from textbackd.core import night_switch
from textbackd.core.night_switch import Asked, NightSwitch

LAMP, HINT = night_switch.device("Custom:DAYNIGHT0"), night_switch.hint("*280@ext-local")
FREEPBX, DND = night_switch.freepbx(0), night_switch.astdb("DND/101")


@pytest.mark.parametrize(
    ("asked", "variable"),
    [
        (LAMP, "DEVICE_STATE(Custom:DAYNIGHT0)"),
        (HINT, "EXTENSION_STATE(*280@ext-local)"),
        (FREEPBX, "DB(DAYNIGHT/C0)"),
        (DND, "DB(DND/101)"),
    ],
)
def test_a_switch_is_read_by_one_dialplan_function(asked: Asked, variable: str) -> None:
    assert asked[0] == variable


@pytest.mark.parametrize(
    ("asked", "answer", "closed"),
    [
        pytest.param(LAMP, "INUSE", True, id="the lamp is on"),
        pytest.param(LAMP, "NOT_INUSE", False, id="the lamp is off"),
        pytest.param(LAMP, "RINGING", True, id="the lamp blinks"),
        pytest.param(LAMP, "UNKNOWN", None, id="a custom device that was never set"),
        pytest.param(LAMP, "INVALID", None, id="a device that does not exist"),
        pytest.param(HINT, "UNAVAILABLE", None, id="a hint whose device is away"),
        pytest.param(HINT, "", None, id="nothing"),
        pytest.param(FREEPBX, "NIGHT", True, id="FreePBX's night"),
        pytest.param(FREEPBX, "DAY", False, id="FreePBX's day"),
        pytest.param(FREEPBX, "", None, id="no such call flow control"),
        pytest.param(DND, "YES", True, id="do not disturb"),
        pytest.param(DND, "yes ", True, id="as people write it"),
        pytest.param(DND, "1", True, id="one"),
        pytest.param(DND, "0", False, id="nought"),
        pytest.param(DND, "", None, id="the key is not there"),
    ],
)
def test_an_answer_means_closed_open_or_nothing(asked: Asked, answer: str, closed: bool | None) -> None:
    variable, means_closed, silent = asked
    switch = NightSwitch(pbx=None, variable=variable, closed=means_closed, silent=silent)
    assert switch.is_closed(answer) is closed
