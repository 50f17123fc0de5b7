"""A call that came over two trunks is one call; a redial is not."""

from datetime import timedelta
from typing import Any

import pytest

from tests.core.calls import T0, a_call, seconds, talked
from textbackd.core.attestation import Attestation
from textbackd.core.call import Call
from textbackd.core.merge import WITHIN, Merger, merge, same_call

FIRST = a_call(linkedid="1.1")
OTHER = "PJSIP/trunk2-1"


def later(starts: float, lasts: float = 20, **changes: Any) -> Call:
    """Return a second call over the other trunk that starts so many seconds after the first."""
    times: dict[str, Any] = {"started_at": T0 + seconds(starts), "ended_at": T0 + seconds(starts + lasts)}
    return a_call(**{"linkedid": "1.9", "channel": OTHER, **times, **changes})


@pytest.mark.parametrize(
    ("second", "same"),
    [
        pytest.param(later(5), True, id="it starts while the first rings"),
        pytest.param(later(22), True, id="it starts two seconds after the first has ended, inclusive"),
        pytest.param(later(22.1), False, id="it starts later"),
        pytest.param(later(5, channel="PJSIP/trunk-2"), False, id="a redial over the same trunk"),
        pytest.param(later(5, did_presented="+13035550102"), False, id="another number of ours"),
        pytest.param(later(5, caller_presented="+13035550143"), False, id="another caller"),
        pytest.param(
            later(5, caller_presented="3035550142"), True, id="the other trunk writes the number in another way"
        ),
        pytest.param(
            later(5, pbx="branch", channel="PJSIP/trunk-7"), True, id="another PBX, its trunk of the same name"
        ),
        pytest.param(later(5, started_at=None), False, id="without times"),
    ],
)
def test_two_calls_are_one_when_they_come_over_two_trunks_at_about_the_same_time(second: Call, same: bool) -> None:
    assert same_call(FIRST, second) is same
    assert same_call(second, FIRST) is same


def test_the_merged_call_has_the_first_ones_name_and_whatever_happened_in_either() -> None:
    one = merge(later(5, talks=(talked(60, since=10),)), FIRST)
    assert (one.linkedid, one.merged, one.channel) == ("1.1", ("1.9",), FIRST.channel)
    assert (one.started_at, one.waited) == (T0, seconds(25))
    assert len(one.talks) == 1


def no_twin(_: Call) -> bool:
    return False


def test_a_shop_with_one_trunk_has_its_calls_at_once() -> None:
    assert Merger(WITHIN, no_twin).add(FIRST) == [FIRST]


def test_a_call_is_held_while_its_twin_is_in_progress_also_when_the_second_trunk_is_new() -> None:
    merger = Merger(timedelta(0), lambda _: True)
    assert merger.add(FIRST) == []
    open_no_more = Merger(WITHIN, no_twin, several_trunks=True)
    assert open_no_more.add(FIRST) == []
    assert [call.merged for call in open_no_more.due(T0 + seconds(22))] == [()]


def test_the_twin_is_looked_for_before_the_first_one_is_let_go() -> None:
    merger = Merger(WITHIN, no_twin, several_trunks=True)
    assert merger.add(FIRST) == []
    assert merger.add(later(5, lasts=60)) == []
    assert [call.merged for call in merger.flush()] == [("1.9",)]


def test_callers_who_withhold_their_number_are_never_taken_for_one() -> None:
    merger = Merger(WITHIN, no_twin, several_trunks=True)
    hidden = a_call(caller_presented="anonymous")
    assert merger.add(hidden) == [hidden]
    assert merger.add(later(5, caller_presented="anonymous")) != []


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        (None, None, None),
        (Attestation.A, None, Attestation.A),
        (None, Attestation.B, Attestation.B),
        (Attestation.A, Attestation.FAILED, Attestation.FAILED),
    ],
)
def test_of_two_words_on_the_number_the_worse_counts(
    first: Attestation | None, second: Attestation | None, together: Attestation | None
) -> None:
    merged = merge(a_call(attestation=first), a_call(channel="PJSIP/other-1", attestation=second))
    assert merged.attestation is together
