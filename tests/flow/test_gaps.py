"""A daemon that was away, or lost its connection, finds the calls of that time: real client, records, database and outbox."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.flow.office import TRACES, Office, running, until
from tests.gateways.sink import HttpSink
from textbackd.demo.pbx import frames_of
from textbackd.store.database import Store
from textbackd.store.watched import Watched

pytestmark = pytest.mark.slow

DENVER = ZoneInfo("America/Denver")  # as the configuration of the office says
FRESH, OLD, ANSWERED = "+12025550123", "+12035550123", "+12055550123"


@asynccontextmanager
async def office_with_records(folder: Path) -> AsyncIterator[tuple[HttpSink, Office]]:
    async with HttpSink() as sink:
        web = f'web: {{type: http, url: "{sink.url}", timeout: 2s, rate: 600/min}}'
        async with running(folder, web, cdr=folder / "Master.csv") as office:
            yield sink, office


def write(folder: Path, caller: str, ago: timedelta, *, answered: bool = False, uniqueid: str = "") -> None:
    """Write the row of a call that ended some time ago, as cdr_csv does."""
    ended = datetime.now(UTC) - ago
    began = ended - timedelta(seconds=20)
    start, end = (f"{at.astimezone(DENVER):%F %T}" for at in (began, ended))
    with (folder / "Master.csv").open("a") as file:
        file.write(
            f'"","{caller}","+13035550101","from-trunk","<{caller}>","PJSIP/trunk-00000010","PJSIP/101-00000011","Dial",'
            f'"PJSIP/101,20","{start}","{start if answered else ""}","{end}",20,{20 if answered else 0},'
            f'"{"ANSWERED" if answered else "NO ANSWER"}","DOCUMENTATION","{uniqueid or f"{int(began.timestamp())}.{caller[1:]}"}"\n'
        )


async def watched_until(folder: Path, ago: timedelta) -> None:
    store = Store(folder / "textbackd.db")
    await store.open()
    await Watched(store, "office").note(datetime.now(UTC) - ago, ["PJSIP/trunk"])
    await store.close()


async def test_calls_of_a_time_without_the_daemon_are_texted_while_fresh_and_else_only_listed(tmp_path: Path) -> None:
    await watched_until(tmp_path, timedelta(hours=3))
    write(tmp_path, "+12065550123", timedelta(hours=4))
    write(tmp_path, OLD, timedelta(hours=1))
    write(tmp_path, FRESH, timedelta(minutes=2))
    write(tmp_path, ANSWERED, timedelta(minutes=2), answered=True)
    async with office_with_records(tmp_path) as (sink, office):
        await until(lambda: [text["state"] for text in office.texts()] == ["accepted"])
        assert [json.loads(request.body)["to"] for request in sink.requests] == [FRESH]
    assert [(call["verdict"], call["decision_reason"]) for call in office.calls(OLD)] == [("missed", "expired")]
    assert [(call["reason"], call["decision"]) for call in office.calls(FRESH)] == [("no_answer", "text")]
    assert [call["verdict"] for call in office.calls(ANSWERED)] == ["answered"]
    assert office.calls("+12065550123") == []


async def test_a_gap_that_is_looked_at_again_texts_nobody_again(tmp_path: Path) -> None:
    write(tmp_path, FRESH, timedelta(minutes=2))
    for newcomer in (FRESH, OLD):
        await watched_until(tmp_path, timedelta(hours=3))
        write(tmp_path, newcomer, timedelta(minutes=1))
        async with office_with_records(tmp_path) as (sink, office):
            await until(lambda newcomer=newcomer: len(office.calls(newcomer)) > 0)  # type: ignore[misc]
            await until(lambda: {text["state"] for text in office.texts()} == {"accepted"})
    assert sorted(text["to"] for text in office.texts()) == [FRESH, OLD]
    assert [json.loads(request.body)["to"] for request in sink.requests] == [OLD]
    assert len(office.calls(FRESH)) == 2


async def test_a_call_whose_end_was_not_seen_is_explained_by_its_record(tmp_path: Path) -> None:
    (tmp_path / "Master.csv").touch()
    caller = "+12015550100"
    async with office_with_records(tmp_path) as (sink, office):
        frames = [frame for _, frame in frames_of((TRACES / "direct_noanswer.ami").read_bytes())]
        for frame in frames:
            if b"DialEnd" in frame or b"Hangup" in frame:
                break
            office.pbx.send(frame)
        await until(lambda: office.pbx.listeners == 1)
        office.pbx.drop()
        await until(lambda: [call["reason"] for call in office.calls(caller)] == ["not_seen"])
        assert office.texts() == []
        write(tmp_path, caller, timedelta(seconds=1), uniqueid="1795441576.42")
        await until(lambda: [text["state"] for text in office.texts()] == ["accepted"])
        (call,) = office.calls(caller)
    assert (call["verdict"], call["reason"], call["decision"]) == ("missed", "no_answer", "text")
    assert call["decision_detail"] == "uncertain (not_seen) before"
    assert [step[1] for step in json.loads(call["way"])][-1] == "found_in_records"
    assert len(sink.requests) == 1
