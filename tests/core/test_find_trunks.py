"""The trunks are found in old records, and a phone is never taken for one."""

from collections.abc import Sequence

import pytest

from textbackd.core.find_trunks import Found, Glimpse, Why, find_trunks
from textbackd.core.trunk import Trunks

CALLERS = [f"+1201555{number:04}" for number in range(9)]


def seen(
    channel: str, to: str = "PJSIP/101-2", src: str = CALLERS[0], dst: str = "s", dcontext: str = "ivr-1", did: str = ""
) -> Glimpse:
    return Glimpse(f"{channel}-00000001", to, src, dst, dcontext, did)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([seen("SIP/voip", dcontext="from-pstn")], [Found("SIP/voip", Why.CONTEXT, "from-pstn")], id="by its context"),
        pytest.param([seen("SIP/voip", did="+13035550101")], [Found("SIP/voip", Why.DID)], id="by a DID"),
        pytest.param([seen("SIP/voip", src=caller) for caller in CALLERS[:3]], [Found("SIP/voip", Why.CALLERS)], id="by many callers"),
        pytest.param([seen("SIP/voip", src=caller) for caller in CALLERS[:2]], [], id="two callers may be a phone whose number changed"),
        pytest.param([seen("SIP/101", src=caller) for caller in CALLERS], [], id="an extension is no trunk, whoever calls from it"),
        pytest.param([seen("SIP/101", did="+13035550101")], [], id="a phone that dialled one of the office's own numbers"),
        pytest.param([seen("SIP/alice", src="101") for _ in range(9)], [], id="a phone with a name shows one number"),
        pytest.param(
            [seen("SIP/101", to="SIP/way-out-9", src="101", dst=number, dcontext="from-internal") for number in CALLERS],
            [Found("SIP/way-out", Why.DIALLED)],
            id="over which phones call many numbers",
        ),
        pytest.param(
            [seen("SIP/voip", to="SIP/alice-9", dst=number, dcontext="from-pstn") for number in CALLERS],
            [Found("SIP/voip", Why.CONTEXT, "from-pstn")],
            id="a phone with a name that rings for many DIDs",
        ),
        pytest.param([seen("Local/101@from-pstn", dcontext="from-pstn")], [], id="a Local channel is nobody"),
        pytest.param([], [], id="no rows"),
    ],
)  # fmt: skip
def test_a_trunk_gives_itself_away(rows: Sequence[Glimpse], expected: list[Found]) -> None:
    assert find_trunks(rows, Trunks()) == expected


def test_who_names_trunks_gets_no_others() -> None:
    rows = [
        *(seen("SIP/voip", src=caller) for caller in CALLERS),
        seen("SIP/backup"),
        seen("SIP/other", dcontext="from-trunk"),
    ]
    assert find_trunks(rows, Trunks((), ("SIP/back*",)), guess=False) == [Found("SIP/backup", Why.TOLD)]
