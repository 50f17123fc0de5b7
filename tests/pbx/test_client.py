"""The connection to Asterisk, against a simulated one: what is sent, what is survived, what is told."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import pytest

from tests.hasty import hasty, until
from textbackd.core.events import Event
from textbackd.demo.pbx import DemoPbx
from textbackd.pbx.client import AmiClient, PbxError, PbxState

pytestmark = pytest.mark.slow


class Line:
    """A client on a simulated PBX, and what arrived."""

    def __init__(self, pbx: DemoPbx, secret: str, port: int, subscribed: Sequence[str]) -> None:
        self.pbx = pbx
        self.taken: list[Event | None] = []
        self.handed: list[Mapping[str, str]] = []
        self.client = AmiClient(
            "office", host="127.0.0.1", port=port, username="textbackd", secret=secret, take=self.taken.extend
        )
        for event in subscribed:
            self.client.subscribe(event, self.handed.append)

    @property
    def state(self) -> PbxState:
        return self.client.state

    def actions(self, name: str) -> list[dict[str, str]]:
        return [action for action in self.pbx.actions if action["Action"] == name]

    def of(self, name: str) -> list[Event]:
        """Return the events of a name that arrived."""
        return [event for event in self.taken if event is not None and event.name == name]


@asynccontextmanager
async def connected(
    secret: str = "demo",  # noqa: S107  # guards nothing
    *,
    port: int | None = None,
    subscribed: Sequence[str] = (),
) -> AsyncIterator[Line]:
    pbx = DemoPbx()
    await pbx.start()
    line = Line(pbx, secret, pbx.port if port is None else port, subscribed)
    task = asyncio.create_task(line.client.run())
    try:
        yield line
    finally:
        task.cancel()
        stopped, _ = await asyncio.wait({task}, timeout=60)
        await pbx.stop()
        assert stopped, "it goes on though it was stopped"


@hasty
async def test_it_logs_in_for_the_classes_that_it_needs_and_lists_the_calls() -> None:
    async with connected() as line:
        await until(lambda: bool(line.of("CoreShowChannelsComplete")))
        assert line.state is PbxState.CONNECTED
    assert [action["Events"] for action in line.actions("Login")] == ["call,agent,system"]
    assert line.taken[0] is None, "a connection begins before its first event"


@hasty
async def test_a_refused_secret_is_told_once_and_not_tried_every_second(caplog: pytest.LogCaptureFixture) -> None:
    async with connected("wrong") as line:
        began = asyncio.get_running_loop().time()
        await until(lambda: len(line.actions("Login")) == 4, seconds=600)
        assert asyncio.get_running_loop().time() - began > 3 * 20
        assert line.state is PbxState.REFUSED
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert "Authentication failed" in warnings[0].getMessage()
    assert "wrong" not in warnings[0].getMessage()


@hasty
async def test_nobody_at_the_other_end_is_away_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    async with connected(port=1) as line:
        await until(lambda: line.state is PbxState.AWAY)
        await asyncio.sleep(120)
        assert line.state is PbxState.AWAY
    assert len([record for record in caplog.records if "no manager answers at" in record.getMessage()]) == 1


@hasty
async def test_a_dropped_connection_is_made_again_and_the_events_go_on() -> None:
    async with connected() as line:
        await until(lambda: line.pbx.logins == 1 and line.state is PbxState.CONNECTED)
        line.pbx.drop()
        await until(lambda: line.pbx.logins == 2 and line.state is PbxState.CONNECTED)
        line.pbx.send(b"Event: Hangup\r\nUniqueid: 1\r\n\r\n")
        await until(lambda: bool(line.of("Hangup")))
    assert line.taken.count(None) == 2


@hasty
async def test_a_line_on_which_nobody_answers_any_more_is_given_up() -> None:
    async with connected() as line:
        await until(lambda: line.pbx.logins == 1 and line.state is PbxState.CONNECTED)
        line.pbx.silent = True
        await until(lambda: line.state is PbxState.AWAY, seconds=60)
        assert "does not answer any more" in line.client.complaint
        line.pbx.silent = False
        await until(lambda: line.state is PbxState.CONNECTED, seconds=60)


@hasty
async def test_a_quiet_line_that_answers_is_kept() -> None:
    async with connected() as line:
        await until(lambda: len(line.actions("Ping")) == 20, seconds=600)
    assert line.pbx.logins == 1


@hasty
async def test_a_pbx_that_comes_up_late_is_found() -> None:
    pbx = DemoPbx()
    await pbx.start()
    port = pbx.port
    await pbx.stop()
    async with connected(port=port) as line:
        await until(lambda: line.state is PbxState.AWAY)
        late = DemoPbx()
        await late.start(port)
        await until(lambda: line.state is PbxState.CONNECTED, seconds=120)
        await late.stop()


@pytest.mark.parametrize("value", ["a\r\nAction: Originate", "a\nb", "a\rb", "a\0b"])
@hasty
async def test_a_value_that_would_be_another_action_is_refused(value: str) -> None:
    async with connected() as line:
        await until(lambda: bool(line.of("CoreShowChannelsComplete")))
        with pytest.raises(ValueError, match="line end"):
            await line.client.ask({"Action": "Getvar", "Channel": value})
        assert line.actions("Getvar") == []
        assert line.state is PbxState.CONNECTED


@hasty
async def test_asking_gets_the_answer_to_this_question() -> None:
    async with connected() as line:
        await until(lambda: line.state is PbxState.CONNECTED)
        questions = [line.client.ask({"Action": "Getvar", "Variable": name}) for name in ("A", "B", "C")]
        answers = await asyncio.gather(*questions)
    assert [answer[0]["Variable"] for answer in answers] == ["A", "B", "C"]


@hasty
async def test_asking_without_a_connection_says_so() -> None:
    async with connected(port=1) as line:
        with pytest.raises(PbxError, match="not connected"):
            await line.client.ask({"Action": "Ping"})


async def _question(line: Line) -> asyncio.Task[list[object]]:
    """Ask what is not answered, and wait until it has been asked."""
    await until(lambda: bool(line.of("CoreShowChannelsComplete")))
    line.pbx.silent = True
    question = asyncio.create_task(line.client.ask({"Action": "Getvar", "Variable": "A"}))
    await until(lambda: bool(line.actions("Getvar")))
    return question


@hasty
async def test_a_question_on_a_line_that_drops_is_an_error_not_an_end() -> None:
    async with connected() as line:
        question = await _question(line)
        line.pbx.drop()
        with pytest.raises(PbxError, match="closed the connection"):
            await question
        line.pbx.silent = False
        await until(lambda: line.pbx.logins == 2)


@hasty
async def test_a_client_that_is_stopped_while_the_line_drops_stops() -> None:
    async with connected() as line:
        question = await _question(line)
        line.pbx.drop()
        await asyncio.gather(question, return_exceptions=True)


@hasty
async def test_a_character_split_over_two_chunks_and_a_latin_1_byte_survive() -> None:
    async with connected() as line:
        await until(lambda: line.state is PbxState.CONNECTED)
        first, second = "Event: Hangup\r\nCallerIDName: Zoë".encode()[:-1], "ë".encode()[1:]
        line.pbx.send(first)
        await asyncio.sleep(1)
        line.pbx.send(second + b"\r\n\r\nEvent: Hangup\r\nCallerIDName: M\xfcller\r\n\r\n")
        await until(lambda: len(line.of("Hangup")) == 2)
    assert [event.headers["CallerIDName"] for event in line.of("Hangup")] == ["Zoë", "M\ufffdller"]


@hasty
async def test_noise_from_the_pbx_does_not_end_the_connection() -> None:
    async with connected() as line:
        await until(lambda: line.state is PbxState.CONNECTED)
        line.pbx.send(bytes(range(256)) * 40 + b"\r\n\r\nEvent: \r\n\r\n: \r\n\r\nEvent: Hangup\r\n\r\n")
        await until(lambda: bool(line.of("Hangup")))
    assert line.pbx.logins == 1


@pytest.mark.parametrize(
    ("subscribed", "mask"),
    [
        pytest.param(["DongleReport", "Hangup"], "call,agent,system", id="events of the classes that are read anyway"),
        pytest.param(["UserEvent", "UserEvent"], "call,agent,system,user", id="two gateways with UserEvents"),
    ],
)
@hasty
async def test_the_login_asks_for_the_classes_of_what_is_subscribed(subscribed: list[str], mask: str) -> None:
    async with connected(subscribed=subscribed) as line:
        await until(lambda: line.state is PbxState.CONNECTED)
    assert [action["Events"] for action in line.actions("Login")] == [mask]


@hasty
async def test_a_subscriber_is_handed_the_events_of_its_name_and_no_others() -> None:
    async with connected(subscribed=["UserEvent"]) as line:
        await until(lambda: line.state is PbxState.CONNECTED)
        line.pbx.send(b"Event: UserEventful\r\nA: 0\r\n\r\nResponse: Success\r\nEvent: UserEvent\r\nA: 1\r\n\r\n")
        line.pbx.send("Event: UserEvent\r\nName: Zoë\r\nA: 2\r\nA: 3\r\n\r\n".encode())
        line.pbx.send(b"\r\nEvent: UserEvent\r\nA: 4\r\n\r\nEvent: Hangup\r\nA: 5\r\n\r\n")
        await until(lambda: bool(line.of("Hangup")))
    assert line.handed == [{"Event": "UserEvent", "Name": "Zoë", "A": "2"}, {"Event": "UserEvent", "A": "4"}]
    assert line.of("UserEvent") == [], "the tracker does not read it"


@hasty
async def test_an_event_that_the_tracker_reads_too_is_handed_to_both() -> None:
    async with connected(subscribed=["Hangup"]) as line:
        await until(lambda: line.state is PbxState.CONNECTED)
        line.pbx.send(b"Event: Hangup\r\nUniqueid: 1\r\n\r\n")
        await until(lambda: bool(line.of("Hangup")))
    assert [event["Uniqueid"] for event in line.handed] == ["1"]


@hasty
async def test_subscriptions_outlast_a_dropped_connection() -> None:
    async with connected(subscribed=["UserEvent"]) as line:
        await until(lambda: line.pbx.logins == 1 and line.state is PbxState.CONNECTED)
        line.pbx.drop()
        await until(lambda: line.pbx.logins == 2 and line.state is PbxState.CONNECTED)
        line.pbx.send(b"Event: UserEvent\r\n\r\n")
        await until(lambda: bool(line.handed))


@hasty
async def test_it_is_connected_only_while_an_action_would_reach_the_pbx() -> None:
    async with connected() as line:
        assert not line.client.is_connected
        await until(lambda: line.state is PbxState.CONNECTED)
        assert line.client.is_connected
        line.pbx.drop()
        await until(lambda: not line.client.is_connected)
        await until(lambda: line.client.is_connected)
    assert not line.client.is_connected


@hasty
async def test_a_refused_login_is_no_connection() -> None:
    async with connected("wrong") as line:
        await until(lambda: line.state is PbxState.REFUSED)
        assert not line.client.is_connected
