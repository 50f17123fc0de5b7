"""Two gateways, of which the first dies at each step of taking a text: one copy, whichever it is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.flow.office import Office, running, until
from tests.gateways.sink import Answer, Fault, HttpSink

pytestmark = [pytest.mark.faults, pytest.mark.slow]

FIRST, SECOND = "+12015550100", "+12075550100"  # the callers of two recorded calls


@asynccontextmanager
async def shop(folder: Path) -> AsyncIterator[tuple[Office, HttpSink, HttpSink]]:
    """Run a daemon with two HTTP gateways, each in front of a sink."""
    async with HttpSink() as one, HttpSink() as two:
        gateways = ", ".join(
            f'{name}: {{type: http, url: "{sink.url}", timeout: 1s, rate: 6000/min}}'
            for name, sink in (("one", one), ("two", two))
        )
        async with running(folder, gateways, "min_wait: 0s, delay: 0s, caps: off, brake: off") as office:
            yield office, one, two


def states(office: Office) -> dict[str, str]:
    return {text["to"]: text["state"] for text in office.texts()}


# What the first gateway does, and whether the text may be with it.
DEATHS = [
    *(pytest.param(fault, True, id=fault.value) for fault in Fault if fault not in (Fault.SLOW, Fault.ENDLESS)),
    *(pytest.param(Answer(status), True, id=str(status)) for status in (500, 502, 503, 408)),
    *(pytest.param(Answer(status), False, id=str(status)) for status in (401, 402, 403, 429, 301)),
]


@pytest.mark.parametrize(("death", "may_be_out"), DEATHS)
async def test_a_text_goes_to_the_second_gateway_only_if_the_first_proved_not_to_have_it(
    tmp_path: Path, death: Answer | Fault, may_be_out: bool
) -> None:
    async with shop(tmp_path) as (office, one, two):
        one.script(death)
        await office.play("direct_noanswer")
        await until(lambda: states(office).get(FIRST) in ("accepted", "unknown"))
        # A second caller's text afterwards gives the first one every chance to be sent again.
        await office.play("direct_busy")
        await until(lambda: states(office).get(SECOND) == "accepted")
        state = states(office)[FIRST]
    copies = [FIRST in received.body.decode() for sink in (one, two) for received in sink.taken].count(True)
    assert state == ("unknown" if may_be_out else "accepted")
    assert copies <= 1
    assert copies == 1 or state == "unknown"
    assert not (may_be_out and any(FIRST in received.body.decode() for received in two.requests))


async def test_when_nothing_listens_at_the_first_the_second_has_it_within_a_moment(tmp_path: Path) -> None:
    async with shop(tmp_path) as (office, one, two):
        await one.close()
        await office.play("direct_noanswer")
        await until(lambda: states(office).get(FIRST) == "accepted")
    assert len(two.taken) == 1
