"""The daemon's own pages, asked by a real client over a real socket."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import aiohttp
import pytest
from aiohttp import web

from textbackd.errors import TextbackdError
from textbackd.web.app import make_app, start, stop
from textbackd.web.health import Status, health, overall
from textbackd.web.metrics import Family, Histogram, Kind, Sample, Snapshot, families, render

pytestmark = pytest.mark.slow


@dataclass
class Patient:
    """Vitals that a test decides."""

    database: str | Exception | None = "ok"  # None: never answers
    pbx: Mapping[str, str] = field(default_factory=lambda: {"office": "connected"})
    gateways: Mapping[str, str] = field(default_factory=lambda: {"stick": "up"})
    stopped: str = ""  # who has stopped texting

    async def database_ok(self) -> str:
        if isinstance(self.database, Exception):
            raise self.database
        if self.database is None:
            await asyncio.Event().wait()
        return str(self.database)

    def pbx_states(self) -> Mapping[str, str]:
        return self.pbx

    def gateway_states(self) -> Mapping[str, str]:
        return self.gateways

    async def texting(self) -> str:
        return self.stopped or "on"


async def nothing_measured() -> Iterable[Family]:
    return []


@asynccontextmanager
async def asking(app: web.Application) -> AsyncIterator[aiohttp.ClientSession]:
    runner = await start(app, "127.0.0.1", 0)
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}") as session:
            yield session
    finally:
        await stop(runner)


HEALTH = [
    pytest.param(Patient(), 200, "ok", "ok", id="all is well"),
    pytest.param(Patient(pbx={}, gateways={}), 200, "ok", "ok", id="nothing configured"),
    pytest.param(Patient(gateways={"stick": "unknown"}), 200, "ok", "ok", id="a gateway before its first text"),
    *(
        pytest.param(Patient(pbx={"office": state, "b": "connected"}), 200, "degraded", "ok", id=f"a PBX is {state}")
        for state in ("connecting", "refused", "away")
    ),
    *(
        pytest.param(Patient(gateways={"stick": state, "web": "up"}), 200, "degraded", "ok", id=f"a gateway is {state}")
        for state in ("down", "paused")
    ),
    pytest.param(Patient(stopped="paused"), 200, "ok", "ok", id="a person has paused texting"),
    pytest.param(Patient(stopped="brake"), 200, "degraded", "ok", id="the brake has stopped texting"),
    pytest.param(Patient(database="disk full"), 503, "failing", "disk full", id="the database is not well"),
    pytest.param(Patient(database=OSError("x")), 503, "failing", "error", id="the database raises"),
    pytest.param(
        Patient(database="locked", pbx={"office": "away"}), 503, "failing", "locked", id="the database counts first"
    ),
]


@pytest.mark.parametrize(("patient", "code", "status", "database"), HEALTH)
async def test_healthz_tells_how_it_is(patient: Patient, code: int, status: str, database: str) -> None:
    async with asking(make_app(vitals=patient, measure=nothing_measured)) as session, session.get("/healthz") as answer:
        assert answer.status == code
        assert answer.content_type == "application/json"
        assert await answer.json() == {
            "status": status,
            "database": database,
            "pbx": dict(patient.pbx),
            "gateways": dict(patient.gateways),
            **({"texting": patient.stopped} if patient.stopped else {}),
        }


async def test_a_database_that_never_answers_is_failing() -> None:
    answer = await health(Patient(database=None), patience=timedelta(seconds=0.05))
    assert answer.status == 503
    assert answer.text == (
        '{"status": "failing", "database": "no answer", "pbx": {"office": "connected"}, "gateways": {"stick": "up"}}'
    )


def test_one_bad_pbx_among_many_is_degraded() -> None:
    assert overall("ok", {"a": "connected", "b": "away"}, {}) is Status.DEGRADED


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/nothing-here"])
async def test_every_answer_is_hardened(path: str) -> None:
    async with asking(make_app(vitals=Patient(), measure=nothing_measured)) as session, session.get(path) as answer:
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Server" not in answer.headers


async def test_a_page_that_fails_is_hardened_and_tells_nothing() -> None:
    async def broken() -> Iterable[Family]:
        raise RuntimeError("secret detail")

    async with asking(make_app(vitals=Patient(), measure=broken)) as session, session.get("/metrics") as answer:
        assert answer.status == 500
        assert "Server" not in answer.headers
        assert "secret detail" not in await answer.text()


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/", 404), ("GET", "/healthz/x", 404), ("POST", "/healthz", 405)]
)
async def test_what_is_not_there_is_told_in_a_short_text(method: str, path: str, status: int) -> None:
    app = make_app(vitals=Patient(), measure=nothing_measured)
    async with asking(app) as session, session.request(method, path) as answer:
        assert (answer.status, answer.content_type) == (status, "text/plain")
        assert len(await answer.text()) < 40


async def test_a_port_in_use_is_told_with_what_to_do() -> None:
    app = make_app(vitals=Patient(), measure=nothing_measured)
    first = await start(app, "127.0.0.1", 0)
    port = first.addresses[0][1]
    with pytest.raises(TextbackdError) as caught:
        await start(make_app(vitals=Patient(), measure=nothing_measured), "127.0.0.1", port)
    assert str(caught.value) == (
        f"web.listen: 127.0.0.1:{port} is in use by another program. Stop it or choose another port."
    )
    await stop(first)
    await stop(await start(make_app(vitals=Patient(), measure=nothing_measured), "127.0.0.1", port))


async def test_an_address_of_another_machine_is_told_with_what_to_do() -> None:
    # 192.0.2.0/24 is for documentation and nobody's address (RFC 5737).
    with pytest.raises(TextbackdError, match=r"^web\.listen: 192\.0\.2\.1:8470 is not an address of this machine"):
        await start(make_app(vitals=Patient(), measure=nothing_measured), "192.0.2.1", 8470)


async def test_metrics_are_gathered_anew_for_every_answer() -> None:
    asked = 0

    async def measure() -> Iterable[Family]:
        nonlocal asked
        asked += 1
        return families(Snapshot(outbox_length=asked))

    async with asking(make_app(vitals=Patient(), measure=measure)) as session:
        async with session.get("/metrics") as answer:
            assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
            assert "\ntextbackd_outbox_length 1\n" in await answer.text()
        async with session.get("/metrics") as answer:
            assert "\ntextbackd_outbox_length 2\n" in await answer.text()


EXPECTED: Final = """\
# HELP textbackd_calls_total Finished calls from outside.
# TYPE textbackd_calls_total counter
textbackd_calls_total{verdict="missed",reason="no_answer"} 3
textbackd_calls_total{verdict="answered",reason="bridged"} 12
# HELP textbackd_decisions_total What was decided about missed calls.
# TYPE textbackd_decisions_total counter
textbackd_decisions_total{decision="skip",reason="cooldown"} 1
# HELP textbackd_missed_three_times_total Callers missed three times in one case.
# TYPE textbackd_missed_three_times_total counter
textbackd_missed_three_times_total 2
# HELP textbackd_texts Texts by state.
# TYPE textbackd_texts gauge
textbackd_texts{state="accepted"} 2
# HELP textbackd_outbox_length Texts that wait for a gateway.
# TYPE textbackd_outbox_length gauge
textbackd_outbox_length 4
# HELP textbackd_hangup_to_accepted_seconds From the caller's hangup until a gateway took the text.
# TYPE textbackd_hangup_to_accepted_seconds histogram
textbackd_hangup_to_accepted_seconds_bucket{le="5.0"} 2
textbackd_hangup_to_accepted_seconds_bucket{le="10.0"} 3
textbackd_hangup_to_accepted_seconds_bucket{le="+Inf"} 4
textbackd_hangup_to_accepted_seconds_sum 47.25
textbackd_hangup_to_accepted_seconds_count 4
# HELP textbackd_ami_connected 1 while the PBX tells its calls.
# TYPE textbackd_ami_connected gauge
textbackd_ami_connected{pbx="office"} 1
textbackd_ami_connected{pbx="shop"} 0
# HELP textbackd_gateway_up 1 up, 0 down or paused; absent before its first text.
# TYPE textbackd_gateway_up gauge
textbackd_gateway_up{gateway="stick"} 1
textbackd_gateway_up{gateway="web"} 0
# HELP textbackd_incoming_total What came in.
# TYPE textbackd_incoming_total counter
textbackd_incoming_total{gateway="stick",kind="text"} 5
# HELP textbackd_notices What staff and programs are told.
# TYPE textbackd_notices gauge
textbackd_notices{channel="email",state="failed"} 1
# HELP textbackd_brake 1 while the brake has stopped all automatic texts.
# TYPE textbackd_brake gauge
textbackd_brake 1
# HELP textbackd_paused 1 while a person has paused all automatic texts.
# TYPE textbackd_paused gauge
textbackd_paused 0
# HELP textbackd_conversations Conversations that are not done, by turn.
# TYPE textbackd_conversations gauge
textbackd_conversations{turn="new"} 2
# HELP textbackd_callbacks_wanted Callers whom no text reaches, and who wait.
# TYPE textbackd_callbacks_wanted gauge
textbackd_callbacks_wanted 1
# HELP textbackd_callers_waiting Callers who wait for a person.
# TYPE textbackd_callers_waiting gauge
textbackd_callers_waiting 2
# HELP textbackd_longest_wait_seconds For how long the first of them has waited.
# TYPE textbackd_longest_wait_seconds gauge
textbackd_longest_wait_seconds 90.0
# HELP textbackd_first_answer_seconds From the first missed call to a person's word.
# TYPE textbackd_first_answer_seconds histogram
textbackd_first_answer_seconds_bucket{le="60.0"} 0
textbackd_first_answer_seconds_bucket{le="+Inf"} 0
textbackd_first_answer_seconds_sum 0.0
textbackd_first_answer_seconds_count 0
# HELP textbackd_waiting_steps What the reply clock has done for them.
# TYPE textbackd_waiting_steps gauge
textbackd_waiting_steps{step="tell"} 3
# HELP textbackd_optouts Numbers that want no texts.
# TYPE textbackd_optouts gauge
textbackd_optouts 7
# HELP textbackd_text_segments_total Segments of the texts that gateways took.
# TYPE textbackd_text_segments_total counter
textbackd_text_segments_total{line="main"} 9
# HELP textbackd_text_cost_total Their price, in the currency of the settings.
# TYPE textbackd_text_cost_total counter
textbackd_text_cost_total{line="main"} 0.25
# HELP textbackd_alarm_active 1 while something has been wrong for too long.
# TYPE textbackd_alarm_active gauge
textbackd_alarm_active{alarm="pbx_away",of="shop"} 1
textbackd_alarm_active{alarm="disk",of=""} 0
# HELP textbackd_ami_waiting_events Events of the PBX not yet worked through.
# TYPE textbackd_ami_waiting_events gauge
textbackd_ami_waiting_events{pbx="office"} 6
# HELP textbackd_database_size_bytes Size of the database and its log.
# TYPE textbackd_database_size_bytes gauge
textbackd_database_size_bytes 4096
# HELP textbackd_disk_free_bytes Free space beside the database.
# TYPE textbackd_disk_free_bytes gauge
textbackd_disk_free_bytes 8192
# HELP textbackd_configuration_read_timestamp_seconds When the configuration in force was read.
# TYPE textbackd_configuration_read_timestamp_seconds gauge
textbackd_configuration_read_timestamp_seconds 1782914520.0
# HELP textbackd_gateway_recovery_ask_total Recovery ask, as the gateway tells.
# TYPE textbackd_gateway_recovery_ask_total counter
textbackd_gateway_recovery_ask_total{gateway="stick"} 2.0
# HELP textbackd_gateway_signal_dbm Signal dbm, as the gateway tells.
# TYPE textbackd_gateway_signal_dbm gauge
textbackd_gateway_signal_dbm{gateway="stick"} -71.0
# HELP textbackd_gateway_info Always 1; the labels say what the gateway tells.
# TYPE textbackd_gateway_info gauge
textbackd_gateway_info{gateway="stick",operator="T-Mobile"} 1.0
# HELP textbackd_build_info Always 1; the labels say what runs.
# TYPE textbackd_build_info gauge
"""


def test_the_metrics_of_a_day() -> None:
    measured = Histogram((5.0, 10.0))
    for seconds in (0.25, 5.0, 7.0, 35.0):
        measured.observe(seconds)
    now = Snapshot(
        calls={("missed", "no_answer"): 3, ("answered", "bridged"): 12},
        decisions={("skip", "cooldown"): 1},
        missed_again=2,
        texts={"accepted": 2},
        outbox_length=4,
        hangup_to_accepted=measured,
        pbx={"office": "connected", "shop": "away"},
        gateways={"stick": "up", "web": "paused", "new": "unknown"},
        incoming={("stick", "text"): 5},
        notices={("email", "failed"): 1},
        texting="brake",
        turns={"new": 2},
        callbacks=1,
        waiting=2,
        longest_wait=timedelta(seconds=90),
        first_answer=Histogram((60.0,)),
        steps={"tell": 3},
        optouts=7,
        segments={"main": 9},
        cost={"main": 0.25},
        alarms={("pbx_away", "shop"): True, ("disk", ""): False},
        waiting_events={"office": 6},
        database_bytes=4096,
        disk_free_bytes=8192,
        configured_at=datetime(2026, 7, 1, 14, 2, tzinfo=UTC),
        vitals={"stick": {"signal_dbm": -71.0, "recovery_ask_total": 2.0}},
        told={"stick": {"operator": "T-Mobile"}},
    )
    *lines, build = render(families(now)).splitlines(keepends=True)
    assert "".join(lines) == EXPECTED
    assert build.startswith('textbackd_build_info{version="')


def test_labels_and_help_are_escaped() -> None:
    family = Family("textbackd_x", Kind.GAUGE, "a\\b\nc", (Sample("textbackd_x", {"l": 'a\\b"c\nd'}, 1.5),))
    assert render([family]) == (
        "# HELP textbackd_x a\\\\b\\nc\n# TYPE textbackd_x gauge\n" + 'textbackd_x{l="a\\\\b\\"c\\nd"} 1.5\n'
    )
