"""The whole way of a call, from AMI bytes to the request at a gateway: real client, tracker, database and outbox."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.flow.office import TRACES, Office, running, until
from tests.gateways.sink import Answer, Fault, HttpSink
from textbackd.core.conversation import Turn
from textbackd.core.phone import E164
from textbackd.demo.pbx import DemoPbx, frames_of
from textbackd.flow.clock import wall
from textbackd.store import conversations, halts, never

pytestmark = pytest.mark.slow


def _web(sink: HttpSink) -> str:
    return f'web: {{type: http, url: "{sink.url}", timeout: 2s, rate: 600/min}}'


async def test_a_call_that_rings_out_gives_exactly_one_text_that_names_the_business(tmp_path: Path) -> None:
    async with HttpSink() as sink, running(tmp_path, _web(sink)) as office:
        await office.play("direct_noanswer")
        await until(lambda: any(text["state"] == "accepted" for text in office.texts()))
    request = json.loads(sink.requests[0].body)
    assert len(sink.requests) == 1
    assert request["to"] == "+12015550100"
    assert request["text"] == (
        "Sorry we missed your call, this is Anderson Roofing. What can we help you with? Reply STOP for no more texts."
    )


@pytest.mark.parametrize(
    "story",
    ["direct_answered", "group_answered", "queue_answered", "internal_noanswer", "outbound_noanswer", "cid_anonymous"],
)
async def test_who_was_answered_or_is_no_caller_gets_no_text(tmp_path: Path, story: str) -> None:
    async with HttpSink() as sink, running(tmp_path, _web(sink)) as office:
        await office.play(story, "direct_noanswer")  # the second proves that the first has been worked through
        await until(lambda: len(sink.requests) > 0)
    assert [json.loads(request.body)["to"] for request in sink.requests] == ["+12015550100"]


@pytest.mark.parametrize("version", ["asterisk16", "asterisk22"])
@pytest.mark.parametrize("story", ["click_to_call_answered", "woken_phone_connects"])
async def test_a_call_that_we_have_the_pbx_make_closes_the_matter_if_they_talk(
    tmp_path: Path, story: str, version: str
) -> None:
    caller = E164("+12015550100")
    async with HttpSink() as sink, running(tmp_path, _web(sink)) as office:
        await office.play("direct_noanswer")
        await until(lambda: len(office.calls(caller)) == 1)
        await office.pbx.play(TRACES.parent / version / f"{story}.ami", pause=lambda _: 0.0)
        await until(lambda: _turn(office, caller) is Turn.DONE)
        assert office.resolution(caller) == "called_back"


async def test_the_third_miss_of_a_caller_is_told_to_staff(tmp_path: Path) -> None:
    staff = 'staff: {anna: {mobile: "+13035550113"}}'
    async with HttpSink() as sink, running(tmp_path, _web(sink), sections=f"{staff}\n") as office:
        await office.play("three_misses")
        await until(lambda: any(text["to"] == "+13035550113" for text in office.texts()))
    (told,) = [text["text"] for text in office.texts() if text["to"] == "+13035550113"]
    assert "+15015550100 tried to call. Please call back." in told


def _turn(office: Office, number: E164) -> Turn:
    turns: list[Turn] = []
    office.write(lambda db: turns.extend(found.turn for found in [conversations.find(db, number)] if found))
    return turns[0]


async def test_twenty_misses_at_once_give_twenty_texts_to_twenty_callers(tmp_path: Path) -> None:
    policy = "min_wait: 0s, delay: 0s, caps: off, brake: off"
    async with HttpSink() as sink, running(tmp_path, _web(sink), policy) as office:
        await office.play("flood20")
        await until(lambda: sum(text["state"] == "accepted" for text in office.texts()) == 20)
    assert len({json.loads(request.body)["to"] for request in sink.requests}) == len(sink.requests) == 20


async def test_of_twenty_misses_at_once_ten_are_texted_in_the_first_minute_and_ten_wait_for_the_next(
    tmp_path: Path,
) -> None:
    policy = "min_wait: 0s, delay: 0s, brake: off, caps: {prefix: off, all: [10/1m]}"
    async with HttpSink() as sink, running(tmp_path, _web(sink), policy) as office:
        await office.play("flood20")
        await until(lambda: len(office.texts()) == 20)
        await until(lambda: [text["state"] for text in office.texts()].count("accepted") == 10)
    assert sorted(text["state"] for text in office.texts()) == ["accepted"] * 10 + ["queued"] * 10
    assert len(sink.requests) == 10


async def test_of_twenty_numbers_of_one_range_five_are_texted_and_all_are_recorded(tmp_path: Path) -> None:
    async with HttpSink() as sink, running(tmp_path, _web(sink), "min_wait: 0s, delay: 0s, brake: off") as office:
        await office.play("flood20")
        await until(lambda: sum(office.decisions().values()) == 20)
        await until(lambda: len(sink.requests) == 5)
    assert office.decisions() == {"missed": 5, "cap": 15}


async def test_calls_from_numbers_in_a_row_pull_the_brake_and_a_person_releases_it(tmp_path: Path) -> None:
    async with HttpSink() as sink, running(tmp_path, _web(sink)) as office:
        await office.play("flood20")
        await until(lambda: sum(office.decisions().values()) == 20)
        assert office.decisions()["brake"] >= 17
        assert len(sink.requests) <= 2
        office.write(lambda db: halts.resume(db, line=None, now=wall()))
        await office.play("direct_noanswer")
        await until(lambda: "+12015550100" in [json.loads(request.body)["to"] for request in sink.requests])


async def test_three_misses_of_one_caller_give_one_text_and_three_calls_in_one_case_and_people_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with HttpSink() as sink, running(tmp_path, _web(sink)) as office:
        await office.play("three_misses")
        await until(lambda: len(office.calls("+15015550100")) == 3 and len(sink.requests) == 1)
    calls = office.calls("+15015550100")
    assert len({call["case_id"] for call in calls}) == 1
    assert sorted(call["decision_reason"] for call in calls) == ["cooldown", "cooldown", "missed"]
    (alarm,) = [record for record in caplog.records if "missed three times" in record.message]
    assert (alarm.levelname, alarm.__dict__["caller"], alarm.__dict__["misses"]) == ("WARNING", "+1501***0100", 3)


async def test_the_same_events_twice_are_one_call_and_one_text(tmp_path: Path) -> None:
    async with HttpSink() as sink, running(tmp_path, _web(sink)) as office:
        await office.play("direct_noanswer", "direct_noanswer", "direct_busy")
        await until(lambda: len(office.calls("+12075550100")) == 1)
        await until(lambda: len(sink.requests) == 2)
    assert len(office.calls("+12015550100")) == 1


async def test_a_gateway_that_takes_the_text_and_stays_silent_leaves_it_unknown_and_never_gets_it_again(
    tmp_path: Path,
) -> None:
    async with HttpSink() as sink, running(tmp_path, _web(sink)) as office:
        sink.script(Fault.NO_ANSWER)
        await office.play("direct_noanswer")
        await until(lambda: any(text["state"] == "unknown" for text in office.texts()))
        await office.play("direct_busy")
        await until(lambda: any(text["state"] == "accepted" for text in office.texts()))
    assert [json.loads(request.body)["to"] for request in sink.requests] == ["+12015550100", "+12075550100"]


async def test_a_second_gateway_takes_over_only_when_the_first_proved_that_nothing_went_out(tmp_path: Path) -> None:
    async with HttpSink() as first, HttpSink() as second:
        gateways = _web(first) + ", " + _web(second).replace("web:", "spare:")
        first.script(Answer(429))
        async with running(tmp_path, gateways) as office:
            await office.play("direct_noanswer")
            await until(lambda: any(text["state"] == "accepted" for text in office.texts()))
        text = office.texts()[0]
    assert (text["gateway"], text["attempts"]) == ("spare", 2)
    assert len(second.requests) == 1


async def test_observing_records_and_decides_but_sends_nothing(tmp_path: Path) -> None:
    async with (
        HttpSink() as sink,
        running(tmp_path, _web(sink), "min_wait: 0s, delay: 0s}\nmode: observe\nstaff: {") as office,
    ):
        await office.play("direct_noanswer", "direct_busy")
        await until(lambda: len(office.texts()) == 2)
        await asyncio.sleep(0.3)
    assert {text["state"] for text in office.texts()} == {"suppressed"}
    assert sink.requests == []


async def test_a_text_that_no_gateway_took_in_time_expires(tmp_path: Path) -> None:
    gateways = 'web: {type: http, url: "http://127.0.0.1:9/"}'
    async with running(tmp_path, gateways, "min_wait: 0s, delay: 0s, expire: 1s") as office:
        await office.play("direct_noanswer")
        await until(lambda: any(text["state"] == "expired" for text in office.texts()))
    assert office.texts()[0]["accepted_at"] is None


async def test_a_caller_who_gets_through_before_the_text_goes_gets_none_and_the_case_is_resolved(
    tmp_path: Path,
) -> None:
    async with HttpSink() as sink, running(tmp_path, _web(sink), "min_wait: 0s, delay: 1s") as office:
        await office.play("redial_answered", "direct_noanswer")
        await until(lambda: len(sink.requests) == 1)
        await until(lambda: all(text["state"] != "queued" for text in office.texts()))
    states = {text["to"]: text["state"] for text in office.texts()}
    assert states == {"+14845550100": "cancelled", "+12015550100": "accepted"}


async def test_at_night_a_text_is_held_until_the_caller_s_morning_unless_the_caller_gets_through_before(
    tmp_path: Path,
) -> None:
    now = wall().astimezone(ZoneInfo("America/New_York")).replace(second=0, microsecond=0)
    night = f"{now - timedelta(hours=2):%H:%M}-{now + timedelta(hours=3):%H:%M}"
    policy = f'min_wait: 0s, delay: 0s, night: hold, quiet_hours: "{night}"'
    async with HttpSink() as sink, running(tmp_path, _web(sink), policy) as office:
        await office.play("redial_answered", "direct_noanswer")
        await until(lambda: [text["state"] for text in office.texts()] == ["cancelled", "queued"])
        text = office.texts()[1]
        call = office.calls("+12015550100")[0]
    assert text["text"].startswith(
        "Sorry we missed your call earlier, this is Anderson Roofing. What can we help you with?"
    )
    assert call["decision_reason"] == "held"
    assert call["decision_detail"].endswith("night in America/New_York")
    assert sink.requests == []


async def test_no_text_goes_to_a_caller_who_is_on_the_phone_with_us_again(tmp_path: Path) -> None:
    async with HttpSink() as sink, running(tmp_path, _web(sink)) as office:
        frames = [frame for _, frame in frames_of((TRACES / "redial_answered.ami").read_bytes())]
        hangup = next(n for n, f in enumerate(frames) if f.startswith(b"Event: Hangup") and b"PJSIP/trunk" in f)
        answered = next(
            n for n, f in enumerate(frames[hangup + 1 :], hangup + 1) if f.startswith(b"Event: BridgeEnter")
        )
        office.pbx.send(
            b"".join(frames[: answered + 2])
        )  # the second call is in progress when the first one's text is due
        await office.play("direct_noanswer")
        await until(lambda: len(sink.requests) == 1)
        assert {text["to"]: text["state"] for text in office.texts()}["+14845550100"] == "queued"
        office.pbx.send(b"".join(frames[answered + 2 :]))
        await until(lambda: all(text["state"] != "queued" for text in office.texts()))
    assert {text["to"]: text["state"] for text in office.texts()}["+14845550100"] == "cancelled"


async def test_the_never_list_counts_from_the_next_call_on_without_a_restart(tmp_path: Path) -> None:
    async with HttpSink() as sink, running(tmp_path, _web(sink)) as office:
        office.write(lambda db: never.add(db, E164("+12075550100"), "", "sells adverts", wall()))
        await office.play("direct_busy", "direct_noanswer")
        await until(lambda: len(sink.requests) == 1)
    (ignored,) = office.calls("+12075550100")
    assert (ignored["verdict"], ignored["reason"], ignored["decision_reason"]) == ("ignored", "never_list", "ignored")
    assert [text["to"] for text in office.texts()] == ["+12015550100"]


async def test_two_pbxs_in_one_daemon_each_have_their_calls_and_one_being_away_does_not_hold_up_the_other(
    tmp_path: Path,
) -> None:
    second = DemoPbx()
    await second.start()
    branch = f"{{host: 127.0.0.1, port: {second.port}, secret: demo}}, attic: {{port: 9, secret: x}}"
    async with HttpSink() as sink, running(tmp_path, _web(sink), more_pbx=f", branch: {branch}") as office:
        await until(lambda: second.listeners == 1)
        await office.play("direct_noanswer")
        await second.play(TRACES / "direct_busy.ami", pause=lambda _: 0.0)
        await until(lambda: len(sink.requests) == 2)
        assert office.calls("+12015550100")[0]["pbx"] == "office"
        assert office.calls("+12075550100")[0]["pbx"] == "branch"
    await second.stop()
