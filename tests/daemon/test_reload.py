"""Another configuration comes into force while calls go on: none is dropped, none is texted twice, and a bad file changes nothing."""

import asyncio
import gc
import json
import logging
import socket
import threading
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from tests.daemon.living import SECTIONS, living
from tests.flow.office import TRACES, until
from tests.gateways.sink import Fault, HttpSink
from textbackd.config import load
from textbackd.demo.modem import VirtualModem
from textbackd.demo.pbx import DemoPbx, frames_of
from textbackd.doctor import service
from textbackd.store import halts
from textbackd.store.halts import HaltKind

pytestmark = pytest.mark.slow

MISSED = list(frames_of((TRACES / "direct_noanswer.ami").read_bytes()))
RINGING = next(n for n, (_, frame) in enumerate(MISSED) if b"Ringing" in frame) + 1
RELOADS = 100


def web(sink: HttpSink, timeout: int = 5) -> str:
    return f'web: {{type: http, url: "{sink.url}", timeout: {timeout}s, rate: 6000/min}}'


def said(sink: HttpSink) -> list[str]:
    return [
        json.loads(request.body)["text"].removesuffix(" Reply STOP for no more texts.") for request in sink.requests
    ]


async def play(pbx: DemoPbx, frames: list[tuple[float, bytes]]) -> None:
    for _, frame in frames:
        pbx.send(frame)
        await asyncio.sleep(0)


def call_from(caller: int) -> list[tuple[float, bytes]]:
    """Return a missed call of its own: another caller, other channels."""
    return [(wait, _renamed(frame.replace(b"2015550100", b"201555%04d" % caller), caller)) for wait, frame in MISSED]


def _renamed(frame: bytes, caller: int) -> bytes:
    lines = []
    for line in frame.split(b"\r\n"):
        name, colon, value = line.partition(b": ")
        if name.endswith((b"niqueid", b"inkedid")):
            value += b"%d" % (1000 + caller)
        elif name.endswith(b"Channel") and b"-" in value:
            value += b"%04d" % caller
        lines.append(name + colon + value)
    return b"\r\n".join(lines)


async def test_a_call_that_rings_while_the_configuration_changes_gets_one_text_in_the_new_words(tmp_path: Path) -> None:
    async with HttpSink() as sink, living(tmp_path, web(sink)) as shop:
        await play(shop.pbx, MISSED[:RINGING])
        await shop.reload(**shop.words("Two."))
        await play(shop.pbx, MISSED[RINGING:])
        await until(lambda: any(text["state"] == "accepted" for text in shop.texts()))
        assert (shop.pbx.logins, shop.pbx.listeners) == (1, 1)
    assert said(sink) == ["Two."]


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param({"policy": "{delay: soon}"}, id="a value that is none"),
        pytest.param({"lines": "{main: {dids: ['*'], gateways: [fax]}}"}, id="a gateway that is not there"),
        pytest.param({"gateways": '{web: {type: http, url: "${NOT_SET_ANYWHERE}"}}'}, id="a secret that is not there"),
        pytest.param({"leads": "{x: {secret: weak}}"}, id="a secret that only the daemon judges"),
        pytest.param({"business": "{"}, id="no YAML"),
    ],
)
async def test_a_bad_file_changes_nothing_and_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, bad: dict[str, str]
) -> None:
    async with HttpSink() as sink, living(tmp_path, web(sink)) as shop:
        before = shop.daemon.vitals
        shop.write_file(**{**shop.words("Two."), **bad})
        with caplog.at_level(logging.ERROR):
            shop.daemon.reload()
            await until(lambda: "runs on" in caplog.text)
        await play(shop.pbx, MISSED)
        await until(lambda: len(sink.requests) > 0)
        assert shop.daemon.vitals is before
    assert said(sink) == ["One."]
    assert "the new configuration has 1 fault; the one from " in caplog.text
    assert "leads" in bad or f"{tmp_path}/textbackd.yaml:" in caplog.text


async def test_doctor_sees_which_configuration_is_in_force(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    async def warned() -> bool:
        found = await asyncio.to_thread(service.gather, load(tmp_path / "textbackd.yaml"), is_running=True)
        return any(one.do == ("systemctl reload textbackd",) for one in service.judge(found))

    pages = f'{{listen: "127.0.0.1:{port}"}}'
    async with HttpSink() as sink, living(tmp_path, web(sink), web=pages) as shop:
        assert not await warned()
        shop.write_file(**shop.words("Two."))
        assert await warned()
        await shop.reload(**shop.words("Two."))
        assert not await warned()


async def test_a_file_that_is_gone_is_a_fault_like_any_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with HttpSink() as sink, living(tmp_path, web(sink)) as shop:
        (tmp_path / "textbackd.yaml").unlink()
        shop.daemon.reload()
        await until(lambda: "runs on" in caplog.text)
        await shop.reload(**shop.words("Two."))


async def test_an_address_that_another_program_has_is_a_fault_like_any_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        async with HttpSink() as sink, living(tmp_path, web(sink)) as shop:
            shop.write_file(web=f'{{listen: "127.0.0.1:{taken.getsockname()[1]}"}}')
            shop.daemon.reload()
            await until(lambda: "is in use by another program" in caplog.text)
            await shop.reload(web='{listen: "127.0.0.1:0"}')


async def test_a_text_in_hand_is_finished_before_its_gateway_is_another(tmp_path: Path) -> None:
    async with HttpSink(delay=1.0) as slow, HttpSink() as other, living(tmp_path, web(slow)) as shop:
        await play(shop.pbx, MISSED)
        await until(lambda: len(slow.requests) > 0)
        await shop.reload(gateways=f"{{{web(other)}}}")
        await play(shop.pbx, call_from(7))
        await until(lambda: [text["state"] for text in shop.texts()] == ["accepted", "accepted"])
    assert (len(slow.requests), len(other.requests)) == (1, 1)


async def test_a_modem_that_did_not_change_stays_as_it_is(tmp_path: Path) -> None:
    with VirtualModem(link=tmp_path / "modem") as modem:
        stick = f'stick: {{type: gsm_modem, port: "{modem.port}", rate: 600/min}}'
        async with living(tmp_path, stick) as shop:
            await until(lambda: shop.daemon.vitals.gateway_states() == {"stick": "up"}, 60)
            opening = next(command for command in modem.commands if "CMEE" in command)
            opened = modem.commands.count(opening)
            await shop.reload(**shop.words("Two."))
            await play(shop.pbx, MISSED)
            await until(lambda: [text["state"] for text in shop.texts()] == ["delivered"], 60)
            assert modem.commands.count(opening) == opened


async def test_what_a_program_is_being_told_it_is_told_once(tmp_path: Path) -> None:
    async with HttpSink() as sink, HttpSink(delay=1.0) as crm:
        hook = f'{{crm: {{url: "{crm.url}", secret: "{"s" * 32}", events: [missed]}}}}'
        crm.script(Fault.SLOW)
        async with living(tmp_path, web(sink), hooks_out=hook) as shop:
            await play(shop.pbx, MISSED)
            await until(lambda: len(crm.requests) > 0)
            await shop.reload(**shop.words("Two."))
            await play(shop.pbx, call_from(9))
            await until(lambda: len(crm.requests) > 1)
    assert [b"+12015550100" in request.body for request in crm.requests] == [True, False]


async def test_what_waits_goes_nowhere_once_texting_is_only_observed(tmp_path: Path) -> None:
    async with HttpSink() as sink, living(tmp_path, web(sink), policy="{delay: 4s}") as shop:
        await play(shop.pbx, MISSED)
        await until(lambda: [text["state"] for text in shop.texts()] == ["queued"])
        await shop.reload(mode="observe")
        await until(lambda: [text["state"] for text in shop.texts()] == ["suppressed"])
    assert sink.requests == []


async def test_what_waits_for_a_gateway_that_is_gone_goes_out_through_another(tmp_path: Path) -> None:
    async with HttpSink() as sink, living(tmp_path, 'gone: {type: http, url: "http://127.0.0.1:9/"}') as shop:
        await play(shop.pbx, MISSED)
        await until(lambda: [text["attempts"] for text in shop.texts()] >= [1])
        await shop.reload(gateways=f"{{{web(sink)}}}")
        await until(lambda: [text["state"] for text in shop.texts()] == ["accepted"])
    assert len(sink.requests) == 1


async def test_a_pbx_that_is_reached_in_another_way_is_connected_to_anew_and_others_are_left_alone(
    tmp_path: Path,
) -> None:
    async with HttpSink() as sink, living(tmp_path, web(sink)) as shop:
        other, moved = DemoPbx(), DemoPbx()
        await other.start()
        await moved.start()
        one = f"office: {{host: 127.0.0.1, port: {shop.pbx.port}, secret: demo}}"
        await shop.reload(pbx=f"{{{one}, shed: {{host: 127.0.0.1, port: {other.port}, secret: demo}}}}")
        await until(lambda: other.listeners == 1)
        await shop.reload(pbx=f"{{{one}, shed: {{host: 127.0.0.1, port: {moved.port}, secret: demo}}}}")
        await until(lambda: (other.listeners, moved.listeners) == (0, 1))
        await play(moved, MISSED)
        await until(lambda: len(sink.requests) == 1)
        await shop.reload(pbx=f"{{{one}}}")
        await until(lambda: moved.listeners == 0)
        assert (shop.pbx.logins, shop.pbx.listeners) == (1, 1)
        await play(shop.pbx, call_from(8))
        await until(lambda: len(sink.requests) == 2)
        await other.stop()
        await moved.stop()


async def test_a_pause_outlives_a_reload(tmp_path: Path) -> None:
    async with HttpSink() as sink, living(tmp_path, web(sink)) as shop:
        now = shop.daemon.vitals._common.clock()
        shop.write(lambda db: halts.halt(db, HaltKind.PAUSE, line="main", until=None, why="holiday", now=now))
        await shop.reload(**shop.words("Two."))
        await play(shop.pbx, MISSED)
        await until(lambda: shop.decisions() == {"paused": 1})
    assert sink.requests == []


async def test_a_feature_code_comes_and_goes_with_the_configuration(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with HttpSink() as sink, living(tmp_path, web(sink)) as shop:
        await shop.reload(feature_code=f'{{listen: "127.0.0.1:{port}"}}')
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"agi_network: yes\n\n")
        assert await reader.readline() == b"ANSWER\n"
        writer.close()
        await shop.reload(feature_code="")
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)


async def test_the_database_stays_the_same_until_a_restart(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with HttpSink() as sink, living(tmp_path, web(sink)) as shop:
        await shop.reload(storage=f'"{tmp_path}/other.db"', **shop.words("Two."))
        await play(shop.pbx, MISSED)
        await until(lambda: len(sink.requests) > 0)
    assert said(sink) == ["Two."]
    assert not (tmp_path / "other.db").exists()
    assert "systemctl restart textbackd" in caplog.text


async def test_nobody_who_looks_at_the_health_is_turned_away_while_the_configuration_changes(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    answers: list[int] = []

    async def look() -> None:
        async with aiohttp.ClientSession() as session:
            while True:
                async with session.get(f"http://127.0.0.1:{port}/healthz", headers={"Connection": "close"}) as answer:
                    answers.append(answer.status)

    async with HttpSink() as sink, living(tmp_path, web(sink), web=f'{{listen: "127.0.0.1:{port}"}}') as shop:
        looking = asyncio.create_task(look())
        for n in range(5):
            await shop.reload(**shop.words(f"{n}."))
            await until(partial(_has, answers, len(answers) + 3))
        looking.cancel()
        await asyncio.wait({looking})
        assert looking.cancelled()
    assert set(answers) == {200}


def _has(answers: list[int], count: int) -> bool:
    return len(answers) >= count


def _refused(caplog: pytest.LogCaptureFixture, times: int) -> bool:
    return sum("runs on" in message for message in caplog.messages) >= times


def _held() -> tuple[int, int, int]:
    gc.collect()
    return len(asyncio.all_tasks()), len(list(Path("/proc/self/fd").iterdir())), threading.active_count()


async def test_a_hundred_reloads_while_calls_come_lose_nothing_double_nothing_and_leak_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with HttpSink() as sink, living(tmp_path, web(sink)) as shop:
        await shop.reload(**shop.words("Warm."))
        await asyncio.sleep(1)
        before = _held()
        for n in range(RELOADS):
            frames = call_from(1000 + n)
            await play(shop.pbx, frames[:RINGING])
            if n % 5 == 0:
                shop.write_file(policy="{delay: soon}")
                shop.daemon.reload()
                await until(partial(_refused, caplog, n // 5 + 1))
            # Every third time the gateway is another one, with whatever it has in hand.
            changed = {**shop.words(f"{n}."), "gateways": f"{{{web(sink, timeout=5 + n // 3)}}}"}
            reloading = asyncio.create_task(shop.reload(**changed, policy=SECTIONS["policy"]))
            await play(shop.pbx, frames[RINGING:])
            await reloading
        await until(lambda: len(sink.requests) >= RELOADS, 60)
        await asyncio.sleep(3)
        after = _held()
        assert (shop.pbx.logins, shop.pbx.listeners) == (1, 1)
    callers = [json.loads(request.body)["to"] for request in sink.requests]
    assert sorted(callers) == [f"+1201555{1000 + n}" for n in range(RELOADS)]
    assert all(now <= then + 3 for now, then in zip(after, before, strict=True)), (before, after)
