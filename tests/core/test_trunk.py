"""Which channels come from outside."""

import pytest

from textbackd.core.trunk import Trunks, trunk_of


@pytest.mark.parametrize(
    ("channel", "context", "outside"),
    [
        pytest.param("PJSIP/acme-0000002a", "from-trunk", True, id="the usual context"),
        pytest.param("SIP/acme-0000002a", "from-trunk-sip-acme", True, id="FreePBX's own for a trunk"),
        pytest.param("DAHDI/1-1", "from-pstn", True, id="analogue"),
        pytest.param("PJSIP/101-0000002a", "from-internal", False, id="a phone"),
        pytest.param("PJSIP/anonymous-1", "from-sip-external", False, id="unknown senders: mostly scanners"),
        pytest.param("PJSIP/acme-0000002a", "", False, id="no context"),
    ],
)
def test_the_usual_contexts_of_trunks_are_known(channel: str, context: str, outside: bool) -> None:
    assert Trunks().has(channel, context) is outside


def test_a_channel_pattern_makes_a_trunk_whatever_its_context() -> None:
    trunks = Trunks(contexts=(), channels=("PJSIP/acme-*",))
    assert trunks.has("PJSIP/acme-0000002a", "default")
    assert not trunks.has("PJSIP/101-0000002a", "default")
    assert not trunks.has("PJSIP/101-0000002a", "from-trunk")


def test_the_case_of_a_context_counts_as_in_asterisk() -> None:
    assert not Trunks().has("PJSIP/acme-1", "From-Trunk")


@pytest.mark.parametrize(
    ("channel", "trunk"),
    [
        ("PJSIP/acme-0000002a", "PJSIP/acme"),
        ("PJSIP/acme-co-0000002a", "PJSIP/acme-co"),
        ("Console", "Console"),
        ("", ""),
    ],
)
def test_a_trunk_is_the_channel_without_its_serial_number(channel: str, trunk: str) -> None:
    assert trunk_of(channel) == trunk


def test_the_answer_for_one_call_holds_for_the_next_of_the_same_trunk() -> None:
    trunks = Trunks(channels=("PJSIP/acme-*",))
    assert [trunks.has(f"PJSIP/acme-{serial:08x}", "x") for serial in (1, 2)] == [True, True]


def test_names_from_the_wire_are_not_remembered_without_end() -> None:
    trunks = Trunks()
    for number in range(11_000):
        trunks.has(f"PJSIP/{number}-1", "default")
    assert len(trunks._known) < 10_002
