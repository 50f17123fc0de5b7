"""What a line may say about its clock, its words and its switch."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest

from textbackd.config import Settings
from textbackd.core.compose import Language, Wish
from textbackd.core.night_switch import NightSwitch

Configured = Callable[..., Settings]
Faults = Callable[..., list[str]]


def test_a_line_keeps_the_business_s_clock_and_country_s_language_unless_it_says_otherwise(
    configured: Configured,
) -> None:
    settings = configured(
        business="{name: A, country: DE}",
        lines="{main: {dids: ['+4930123456']}, west: {timezone: America/Denver, language: en}}",
    )
    main, west = settings.lines["main"], settings.lines["west"]
    assert settings.timetable(main).zone == ZoneInfo("Europe/Berlin")
    assert settings.timetable(west).zone == ZoneInfo("America/Denver")
    assert (main.language, west.language) == (Language.DE, Language.EN)


@pytest.mark.parametrize(
    ("written", "wish"),
    [("auto", Wish.AUTO), ("on", Wish.ON), ("true", Wish.ON), ("off", Wish.OFF), ("false", Wish.OFF)],
)
def test_a_hint_is_wished_as_people_write_it(configured: Configured, written: str, wish: Wish) -> None:
    line = configured(lines=f"{{main: {{optout_hint: {written}, name_called_number: {written}}}}}").lines["main"]
    assert (line.optout_hint, line.name_called_number) == (wish, wish)


LAMP = frozenset({"INUSE", "BUSY", "ONHOLD", "RINGING", "RINGINUSE"})


@pytest.mark.parametrize(
    ("written", "pbx", "variable", "closed"),
    [
        pytest.param("{device: 'Custom:DAYNIGHT0'}", None, "DEVICE_STATE(Custom:DAYNIGHT0)", LAMP, id="a lamp"),
        pytest.param("{hint: '*280@ext-local'}", None, "EXTENSION_STATE(*280@ext-local)", LAMP, id="a hint"),
        pytest.param("{freepbx_daynight: 3, pbx: office}", "office", "DB(DAYNIGHT/C3)", {"NIGHT"}, id="FreePBX"),
        pytest.param("{astdb: shop/state, closed: [away, 2]}", None, "DB(shop/state)", {"AWAY", "2"}, id="values of its own"),
    ],
)  # fmt: skip
def test_a_night_switch_comes_through(
    configured: Configured, written: str, pbx: str | None, variable: str, closed: frozenset[str]
) -> None:
    section = configured(lines=f"{{main: {{night_switch: {written}}}}}").lines["main"].night_switch
    assert section is not None
    switch = section.switch()
    assert isinstance(switch, NightSwitch)
    assert (switch.pbx, switch.variable, switch.closed) == (pbx, variable, closed)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        pytest.param("{language: klingon}", "language: 'klingon' is not a language that comes with", id="no language of ours"),
        pytest.param("{optout_hint: maybe}", "optout_hint: 'maybe' is not a choice here.", id="no wish"),
        pytest.param("{transliterate: perhaps}", "Write it as `transliterate: true`.", id="no switch"),
        pytest.param("{on_call: 7}", "on_call: '7' is not a phone number", id="nobody on call"),
        pytest.param("{timezone: Mars}", "timezone: 'Mars' is not a time zone.", id="no zone"),
        pytest.param("{night_switch: {}}", "night_switch: no switch is named. Write one of freepbx_daynight,", id="none"),
        pytest.param(
            "{night_switch: {device: 'a', astdb: b/c}}", "night_switch: device and astdb are two switches.", id="two"
        ),
        pytest.param("{night_switch: {device: 'x)'}}", "night_switch.device: 'x)' is no name in Asterisk.", id="another function"),
        pytest.param("{night_switch: {device: '${SHELL(x)}'}}", "is no name in Asterisk.", id="an expression"),
        pytest.param("{night_switch: {astdb: night}}", "'night' is not a key of AstDB. Write family/key", id="no family"),
        pytest.param("{night_switch: {freepbx_daynight: -1}}", "'-1' is not an index.", id="no index"),
        pytest.param("{night_switch: {device: a, pbx: ofice}}", "there is no PBX 'ofice'. Did you mean office?", id="no PBX"),
    ],
)  # fmt: skip
def test_what_a_line_cannot_mean_is_a_fault(faults: Faults, line: str, fault: str) -> None:
    found = faults(lines=f"{{main: {line}}}")
    assert len(found) == 1
    assert found[0].startswith("lines.main.")
    assert fault in found[0]
