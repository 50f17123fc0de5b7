"""What Prometheus and Grafana are given: held against promtool, and the dashboard and the alerts against /metrics."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
import yaml

from tests.debian import need
from tests.flow.office import running, until
from tests.flow.test_leads import free_port
from tests.gateways.sink import HttpSink
from textbackd.web.metrics import Snapshot, families

CONFIG: Final = Path(__file__).parents[2] / "config"
ALERTS: Final = CONFIG / "prometheus-alerts.yml"
DASHBOARD: Final = json.loads((CONFIG / "grafana-dashboard.json").read_text("utf-8"))
# What only some gateways have.
OF_MODEMS: Final = {"signal_dbm": -71.0, "sim_storage_used": 3.0, "sim_storage_size": 20.0}
KNOWN: Final = {family.name for family in families(Snapshot(vitals={"stick": OF_MODEMS}))}
# What needs no picture: it is part of another number, or names what is running.
NOT_SHOWN: Final = {"textbackd_gateway_info", "textbackd_configuration_read_timestamp_seconds"}
NAME: Final = re.compile(r"\btextbackd_\w+")
HISTOGRAM: Final = re.compile(r"_(bucket|sum|count)$")


def promtool(*arguments: str, given: str = "") -> str:
    """Return what promtool complains of."""
    need("promtool", "prometheus")
    done = subprocess.run(
        ["promtool", *arguments], input=given, capture_output=True, text=True, timeout=60, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def panels() -> Iterator[dict[str, Any]]:
    yield from DASHBOARD["panels"]


def queries() -> list[str]:
    return [target["expr"] for panel in panels() for target in panel.get("targets", ())]


def names(queries: list[str]) -> set[str]:
    return {
        HISTOGRAM.sub("", name) if HISTOGRAM.sub("", name) in KNOWN else name
        for query in queries
        for name in NAME.findall(query)
    }


async def test_the_metrics_of_a_running_daemon_are_as_prometheus_wants_them(tmp_path: Path) -> None:
    pages = free_port()
    async with HttpSink() as sink:
        gateway = f'web: {{type: http, url: "{sink.url}", timeout: 2s, price: 0.05}}'
        async with running(tmp_path, gateway, pages=pages) as office, aiohttp.ClientSession() as session:
            await office.play("direct_noanswer", "direct_answered")
            await until(lambda: [text["state"] for text in office.texts()] == ["accepted"])

            async def measured() -> str:
                async with session.get(f"http://127.0.0.1:{pages}/metrics") as answer:
                    return await answer.text()

            await until(lambda: _has(measured, 'textbackd_calls_total{verdict="answered",'))
            said = await measured()
    assert promtool("check", "metrics", given=said) == ""
    for line in (
        'textbackd_calls_total{verdict="missed",reason="no_answer"} 1',
        'textbackd_text_segments_total{line="main"} 1',
        'textbackd_text_cost_total{line="main"} 0.05',
        'textbackd_conversations{turn="new"} 1',
        'textbackd_ami_waiting_events{pbx="office"} 0',
        'textbackd_alarm_active{alarm="pbx_away",of="office"} 0',
    ):
        assert f"\n{line}\n" in said


async def _has(measured: Any, line: str) -> bool:
    return line in await measured()


def test_every_metric_of_the_dashboard_is_there_and_every_metric_is_on_the_dashboard() -> None:
    shown = names(queries())
    assert shown - KNOWN == set()
    assert KNOWN - shown - NOT_SHOWN == set()


def test_every_metric_of_the_alerts_is_there() -> None:
    assert names([rule["expr"] for rule in ALL]) - KNOWN == set()


def test_the_dashboard_can_be_imported_anywhere() -> None:
    ids = [panel["id"] for panel in panels()]
    assert len(ids) == len(set(ids))
    variables = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}
    assert (variables["datasource"]["type"], variables["datasource"]["query"]) == ("datasource", "prometheus")
    sources = {target["datasource"]["uid"] for panel in panels() for target in panel.get("targets", ())}
    assert sources == {"${datasource}"}
    assert all("$instance" in query for query in queries())
    assert DASHBOARD["schemaVersion"] >= 36  # of Grafana 9
    assert "id" not in DASHBOARD  # that of the Grafana it was made with would overwrite another one's


def test_no_two_panels_lie_on_each_other() -> None:
    taken = set[tuple[int, int]]()
    for panel in panels():
        at = panel["gridPos"]
        cells = {(at["x"] + dx, at["y"] + dy) for dx in range(at["w"]) for dy in range(at["h"])}
        assert not taken & cells, panel["title"]
        assert at["x"] + at["w"] <= 24  # columns of Grafana's grid
        taken |= cells


def test_the_queries_of_the_dashboard_are_understood(tmp_path: Path) -> None:
    said = [query.replace("$instance", ".*") for query in queries()]
    rules = [{"record": f"panel:{number}", "expr": query} for number, query in enumerate(said)]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}), "utf-8")
    assert promtool("check", "rules", str(file)) == ""


ALL: Final = [rule for group in yaml.safe_load(ALERTS.read_text("utf-8"))["groups"] for rule in group["rules"]]
LATE: Final = "textbackd_hangup_to_accepted_seconds_bucket"
FIRES: Final = [
    pytest.param("TextbackdAlarm", {'textbackd_alarm_active{alarm="disk", of=""}': "0 1+0x60"}, id="an alarm"),
    pytest.param(
        "TextbackdTextsLate",
        {f'{LATE}{{le="60.0"}}': "0+1x60", f'{LATE}{{le="120.0"}}': "0+2x60", f'{LATE}{{le="+Inf"}}': "0+2x60"},
        id="texts that come late",
    ),
    pytest.param("TextbackdTextsWait", {"textbackd_outbox_length": "51+0x60"}, id="texts that wait"),
    pytest.param("TextbackdFallsBehind", {'textbackd_ami_waiting_events{pbx="a"}': "2000+0x60"}, id="events that wait"),
    pytest.param("TextbackdCallerWaits", {"textbackd_longest_wait_seconds": "260000+60x60"}, id="a caller who waits"),
    pytest.param(
        "TextbackdNoticesFail",
        {'textbackd_notices{channel="email", state="failed"}': "0+0x30 1+0x30"},
        id="a notice that never got there",
    ),
    pytest.param("TextbackdDiskNearlyFull", {"textbackd_disk_free_bytes": "1000000+0x60"}, id="a full disk"),
]


@pytest.mark.parametrize(("alert", "given"), FIRES)
def test_an_alert_fires_and_only_that_one(tmp_path: Path, alert: str, given: dict[str, str]) -> None:
    series = {**given, "textbackd_build_info": "1+0x60"}
    others = [_silent(rule["alert"]) for rule in ALL if rule["alert"] != alert]
    assert promtool("test", "rules", _written(tmp_path, series, others)) == ""
    assert alert in promtool("test", "rules", _written(tmp_path, series, [_silent(alert)]))


def test_every_alert_is_seen_to_fire() -> None:
    assert {str(case.values[0]) for case in FIRES} | {"TextbackdGone"} == {rule["alert"] for rule in ALL}


def test_a_daemon_that_is_gone_is_an_alert(tmp_path: Path) -> None:
    given = {"textbackd_build_info": "1+0x5 _x40 stale"}
    assert "TextbackdGone" in promtool("test", "rules", _written(tmp_path, given, [_silent("TextbackdGone")]))


def test_the_alerts_are_silent_while_all_is_well(tmp_path: Path) -> None:
    given = {"textbackd_build_info": "1+0x60", 'textbackd_alarm_active{alarm="disk", of=""}': "0+0x60"}
    every = [_silent(rule["alert"]) for rule in ALL]
    assert promtool("test", "rules", _written(tmp_path, given, every)) == ""


def _silent(alert: str) -> dict[str, Any]:
    return {"eval_time": "40m", "alertname": alert, "exp_alerts": []}


def _written(folder: Path, given: dict[str, str], expected: list[dict[str, Any]]) -> str:
    series = [{"series": name, "values": values} for name, values in given.items()]
    test = {"interval": "1m", "input_series": series, "alert_rule_test": expected}
    (folder / "tests.yml").write_text(yaml.safe_dump({"rule_files": [str(ALERTS)], "tests": [test]}), "utf-8")
    return str(folder / "tests.yml")
