"""What a line may say about its clock, its words and its switch."""

from collections.abc import Callable
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from textbackd.config import Settings
from textbackd.core.compose import Language, Wish
from textbackd.core.night_switch import NightSwitch
from textbackd.core.reply_clock import Step

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
    ("written", "pbx", "asked", "closed"),
    [
        pytest.param("{device: 'Custom:DAYNIGHT0'}", None, "DEVICE_STATE(Custom:DAYNIGHT0)", LAMP, id="a lamp"),
        pytest.param("{hint: '*280@ext-local'}", None, "EXTENSION_STATE(*280@ext-local)", LAMP, id="a hint"),
        pytest.param("{freepbx_daynight: 3, pbx: office}", "office", "DAYNIGHT C3", {"NIGHT"}, id="FreePBX"),
        pytest.param("{astdb: shop/state, closed: [away, 2]}", None, "shop state", {"AWAY", "2"}, id="values of its own"),
    ],
)  # fmt: skip
def test_a_night_switch_comes_through(
    configured: Configured, written: str, pbx: str | None, asked: str, closed: frozenset[str]
) -> None:
    section = configured(lines=f"{{main: {{night_switch: {written}}}}}").lines["main"].night_switch
    assert section is not None
    switch = section.switch()
    assert isinstance(switch, NightSwitch)
    assert (switch.pbx, switch.closed) == (pbx, closed)
    assert " ".join(switch.action.values()).endswith(asked)


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


M15, M30, M45 = (timedelta(minutes=minutes) for minutes in (15, 30, 45))


@pytest.mark.parametrize(
    ("reply", "chain"),
    [
        pytest.param("{}", [Step(after=M15, do="tell")], id="told again after a quarter of an hour, and nothing rings"),
        pytest.param("{within: off}", [], id="nothing at all"),
        pytest.param("{within: 30m}", [Step(after=M30, do="tell")], id="later"),
        pytest.param(
            "{escalate: {bell: {after: 45m, ring: PJSIP/101}, boss: {after: 30m, tell: anna}}}",
            [
                Step(after=M15, do="tell"),
                Step(after=M30, do="tell", whom=("anna",)),
                Step(after=M45, do="ring", whom=("PJSIP/101",)),
            ],
            id="in the order of time, not of writing",
        ),
        pytest.param(
            "{within: off, escalate: {all: {after: 15m}, both: {after: 30m, tell: anna, ring: SIP/7}}}",
            [
                Step(after=M15, do="tell"),
                Step(after=M30, do="tell", whom=("anna",)),
                Step(after=M30, do="ring", whom=("SIP/7",)),
            ],
            id="one entry can do both",
        ),
    ],
)
def test_a_chain_is_what_was_written_in_the_order_of_time(
    configured: Configured, reply: str, chain: list[Step]
) -> None:
    settings = configured(
        pbx="{office: {secret: x, dial: {context: from-internal}}}",
        staff="{anna: {}}",
        lines=f"{{main: {{reply: {reply}}}}}",
    )
    assert list(settings.lines["main"].reply.chain()) == chain


@pytest.mark.parametrize(
    ("escalate", "fault"),
    [
        pytest.param("{tell: [anna]}", "lines.main.reply.escalate.x.after: ", id="no time"),
        pytest.param("{after: 30m, tell: [bob]}", "there is no member of staff 'bob'", id="nobody"),
        pytest.param("{after: 30m, ring: PJSIP/101}", "no PBX has `dial`, so nothing can ring", id="no right to"),
        pytest.param("{after: 30m, ring: 'Local/1@a'}", "'Local/1@a' is no phone", id="a piece of dialplan"),
        pytest.param('{after: 30m, ring: "PJSIP/1&SIP/2"}', "is no phone", id="two phones"),
    ],
)
def test_a_chain_that_cannot_be_is_a_fault(faults: Faults, escalate: str, fault: str) -> None:
    found = faults(staff="{anna: {}}", lines=f"{{main: {{reply: {{escalate: {{x: {escalate}}}}}}}}}")
    assert any(fault in each for each in found)


def test_urgent_words_are_those_of_the_language_unless_they_are_written(configured: Configured) -> None:
    lines = configured(
        lines="{a: {dids: ['+13125550101']}, b: {urgent: off, dids: ['+13125550102']}, c: {urgent: [leak]}}"
    ).lines
    assert ("gas leak" in lines["a"].urgent_words(), lines["b"].urgent_words(), lines["c"].urgent_words()) == (
        True, (), ("leak",),
    )  # fmt: skip


@pytest.mark.parametrize("prefix", ["9,System", "9&", "+", "x", "123456789"])
def test_a_prefix_holds_only_what_can_be_pressed(faults: Faults, prefix: str) -> None:
    assert any(
        "cannot be dialled" in fault for fault in faults(pbx=f"{{o: {{secret: x, dial: {{prefix: '{prefix}'}}}}}}")
    )
