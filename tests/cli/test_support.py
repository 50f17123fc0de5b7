"""A support bundle: what a maintainer needs is in it, and whatever is planted, nothing of anybody."""

import json
import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cli.conftest import Shell
from tests.core.calls import a_call
from tests.store.rows import DAY, NOON, a_text, judged
from textbackd.cli.support import log, metrics
from textbackd.cli.support.bundle import Part, parts
from textbackd.cli.support.settings import outline, places
from textbackd.cli.support.words import Labels
from textbackd.config import lint, load, loads
from textbackd.core.call import Moment
from textbackd.core.phone import E164
from textbackd.store import acts, inbox, notices, outbox
from textbackd.store.acts import Act, ActKind
from textbackd.store.database import open_database, writing
from textbackd.store.inbox import Came, Incoming
from textbackd.store.journal import record
from textbackd.store.migrations import MIGRATION_NAMES
from textbackd.store.notices import NewNotice, Way

CONFIG = """
business:
  {{name: "{word} Roofing", country: US, timezone: America/Denver, numbers: ["{number}"], booking_url: "https://{word}.example.com"}}
pbx:
  {name}:
    {{host: {word}.example.net, username: {name}, secret: "{word}", trunks: {{contexts: ["{name}*"]}}, cdr: "mysql://{word}:{word}@{word}/x"}}
lines:
  {name}: {{dids: ["{number}"], texts: {{missed: "{word}! What can {{business}} do?"}}, gateways: [{name}], staff: [{name}]}}
gateways:
  {name}:
    type: http
    url: "http://127.0.0.1:9/{word}"
    headers: {{X-{name}: "{word}"}}
    json: {{to: "{{to}}", text: "{{text}}", key: "{word}"}}
    number: "{number}"
staff: {{{name}: {{name: "{word}", mobile: "{mobile}"}}}}
contacts: {{{name}: {{numbers: ["{number}"]}}}}
policy: {{delay: 7s}}
web: {{listen: "127.0.0.1:{port}"}}
storage: "{folder}/textbackd.db"
"""
# Long enough that no word of ours is by chance the same.
WORDS = st.text("qxzjkvw", min_size=6, max_size=12)
NUMBERS = st.integers(2_000_000, 9_999_999).map(lambda tail: f"+1303{tail}")


def plant(folder: Path, word: str, name: str, number: str, mobile: str, port: int = 9) -> Path:
    """Write a configuration and a database that hold these everywhere; return the configuration."""
    config = folder / f"{word}.yaml"
    config.write_text(CONFIG.format(word=word, name=name, number=number, mobile=mobile, folder=folder, port=port))
    caller = E164(number)
    (folder / "textbackd.db").unlink(missing_ok=True)
    with closing(open_database(folder / "textbackd.db")) as db:
        way = (Moment(NOON, "arrived", number), Moment(NOON, "rang", f"PJSIP/{word}"), Moment(NOON, word, word))
        call = a_call(linkedid=f"{word}-1.1", pbx=name, way=way, caller_presented=number, caller_name=word)
        text = a_text(recipient=caller, body=f"{word} {number}", gateways=[name])
        record(db, judged(call=call, caller=caller, line=name), text, same_case_within=DAY, now=NOON)
        taken = outbox.claim(db, name, NOON)
        assert taken is not None
        outbox.accepted(db, taken, word, NOON)
        with writing(db):
            acts.add_within(db, Act(at=NOON, kind=ActKind.NOTE, staff=name, number=caller, detail=word))
            notice = NewNotice(
                number=caller,
                matter=word,
                staff=name,
                way=Way.EMAIL,
                target=word,
                payload={"words": word},
                expires_at=NOON,
            )
            notices.add_within(db, notice, NOON)
            said = Incoming(
                gateway=name, reference=word, kind=Came.TEXT, sender=number, number=caller, recipient=mobile, body=word,
                media=0, received_at=NOON,
            )  # fmt: skip
            inbox.add_within(db, said, NOON)
            db.execute("UPDATE calls SET decision_reason = ?, reason = ?", [word, number])
            db.execute(
                "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES (?, ?, ?)", [word, word, ""]
            )
    return config


def bundle(config: Path) -> dict[str, Part]:
    return {part.name: part for part in parts(config, NOON)}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(word=WORDS, name=WORDS, number=NUMBERS, mobile=NUMBERS)
def test_whatever_is_planted_nothing_of_it_is_in_the_bundle(
    tmp_path: Path, word: str, name: str, number: str, mobile: str
) -> None:
    config = plant(tmp_path, word, name, number, mobile)
    text = "".join(part.name + part.text for part in parts(config, NOON))
    for private in (word, name, number[1:], number[2:], number[-7:], mobile[-7:], str(tmp_path)):
        assert private not in text


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(word=WORDS, number=NUMBERS)
def test_nor_of_a_configuration_with_faults(tmp_path: Path, word: str, number: str) -> None:
    config = tmp_path / f"{word}.yaml"
    config.write_text(f'business: {{name: {word}, country: {word}}}\n{word}: "{number}"\npolicy: {{delay: {word}}}\n')
    text = "".join(part.text for part in parts(config, NOON))
    assert word not in text
    assert number[1:] not in text
    assert "line 3: policy.delay" in text


LOG = [
    pytest.param("call ended linkedid=secret-1.1 caller=+1303•••42 verdict=missed reason=no_answer decision=text because=missed",
        "call ended verdict=missed reason=no_answer decision=text because=missed", id="our words stay"),
    pytest.param("text accepted by gateway outbox_id=ab12 gateway=jane to=+1303 segments=2",
        "text accepted by gateway segments=2", id="ids and names go"),
    pytest.param("text not accepted by gateway outbox_id=1 fate=not_sent why='jane said no fate=jane'",
        "text not accepted by gateway fate=not_sent", id="what others said goes"),
    pytest.param("call ended rows=13035550142", "call ended", id="a long number goes"),
    pytest.param("Jane called from 13035550142", "  …", id="what is no sentence of ours goes"),
    pytest.param("sqlite3.OperationalError: jane", "  …", id="an error's words go"),
    pytest.param("ValueError: jane", "  ValueError", id="and its kind stays"),
    pytest.param('  File "/opt/x/textbackd/daemon/daemon.py", line 12, in jane', "  at textbackd/daemon/daemon.py:12",
        id="a place in our sources stays"),
    pytest.param('  File "/home/jane/textbackd/jane.py", line 12, in f', "  …", id="a place elsewhere goes"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "left"), LOG)
def test_of_a_log_line_our_own_words_are_left(line: str, left: str) -> None:
    assert list(log.scrubbed([(3, line)])) == [f"-3s {left}"]


@given(
    word=WORDS,
    number=NUMBERS,
    sentence=st.sampled_from(sorted(log.sentences())),
    key=st.sampled_from(["why", "kind", "verdict"]),
)
def test_no_field_of_a_log_line_tells_anything(word: str, number: str, sentence: str, key: str) -> None:
    (left,) = log.scrubbed([(0, f"{sentence} {key}={word} to={number} {word}='{word} {number}'")])
    assert word not in left
    assert number[-7:] not in left


PAGE = """\
# HELP textbackd_texts Texts by state.
textbackd_texts{state="accepted"} 3
textbackd_gateway_up{gateway="stick"} 1
textbackd_gateway_up{gateway="jane"} 1
textbackd_hangup_to_accepted_seconds_bucket{le="2.5"} 2
textbackd_build_info{version="0.1.0",python="3.11.7"} 1
textbackd_gateway_told{gateway="stick",operator="Jane Mobile"} 1
textbackd_jane 1
jane 1
"""


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(PAGE.encode())

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_of_the_metrics_stay_names_and_labels_of_ours(port: int, config: Path) -> None:
    read = load(config)
    shop = loads(config.read_text().replace("web:", "stick:", 1) + f'web: {{listen: "127.0.0.1:{port}"}}\n')
    page = metrics.fetch(shop)
    assert page is not None
    assert metrics.fetch(read.model_copy(update={"web": read.web.model_copy(update={"listen": "127.0.0.1:9"})})) is None
    assert list(metrics.scrubbed(page, Labels(shop))) == [
        'textbackd_texts{state="accepted"} 3',
        'textbackd_gateway_up{gateway="gateway1"} 1',
        'textbackd_gateway_up{gateway="other"} 1',
        'textbackd_hangup_to_accepted_seconds_bucket{le="2.5"} 2',
        'textbackd_build_info{version="0.1.0", python="3.11.7"} 1',
    ]


def test_it_tells_a_maintainer_what_counts(tmp_path: Path) -> None:
    config = plant(tmp_path, "qqqqqq", "zzzzzz", "+13035550142", "+13035550113")
    with closing(open_database(tmp_path / "textbackd.db")) as db:
        db.execute("UPDATE calls SET decision_reason = 'missed', reason = 'no_answer'")
        db.execute("DELETE FROM _sqlite_migrations WHERE name = 'qqqqqq'")
    made = bundle(config)
    written = made["configuration.txt"].text.splitlines()
    assert {
        "business.country: US", "business.timezone: America/Denver", "policy.delay: 7s", "lines.line1.gateways: [gateway1]",
        "gateways.gateway1.type: http", "pbx.pbx1.secret: secret, written there", "business.numbers: [a number]",
    } <= set(written)  # fmt: skip
    database, (call,) = json.loads(made["database.json"].text), json.loads(made["calls.json"].text)
    assert (database["quick_check"], database["rows"]["calls"], database["schema"][-1]) == (
        True,
        1,
        MIGRATION_NAMES[-1],
    )
    assert database["kinds"]["outbox"] == [["missed", "accepted", 1]]
    assert (call["verdict"], call["reason"], call["decision"], call["caller"]) == ("missed", "no_answer", "text", 1)
    assert [step for _, step in call["way"]] == ["arrived", "rang", "other"]


def test_the_warnings_of_check_are_told_by_their_place(config: Path) -> None:
    warnings = lint(loads(config.read_text().replace('"http://127.0.0.1:9/"', '"http://example.com/"')))
    assert warnings
    assert all(place.startswith("line ") for place in places(warnings))
    assert places(["no place at all"]) == ["somewhere"]


def test_every_key_that_is_written_is_told(config: Path) -> None:
    read = load(config)
    assert "gateways.gateway1.url: text of 19 characters, 1 segments" in outline(read, Labels(read))


@pytest.mark.slow
def test_the_command_makes_one_private_file_and_says_what_is_in_it(shell: Shell, tmp_path: Path) -> None:
    config = plant(tmp_path, "qqqqqq", "zzzzzz", "+13035550142", "+13035550113")
    file = tmp_path / "bundle.zip"
    done = shell("support-bundle", file, "--config", config)
    assert (done.code, done.err) == (0, "")
    assert file.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(file) as opened:
        names = opened.namelist()
        whole = file.read_bytes() + b"".join(opened.read(name) for name in names)
    assert [line.split()[0] for line in done.out.splitlines()[:-2]] == names
    for private in (b"qqqqqq", b"zzzzzz", b"3035550142", b"5550113"):
        assert private not in whole
    assert "cannot be written (File exists)" in shell("support-bundle", file, "--config", config).sentence


@pytest.mark.slow
def test_it_helps_with_no_database_and_a_broken_one(shell: Shell, config: Path, tmp_path: Path) -> None:
    assert shell("support-bundle", tmp_path / "one.zip", "--config", config).code == 0
    (tmp_path / "textbackd.db").write_text("ruined " * 1000)
    assert shell("support-bundle", tmp_path / "two.zip", "--config", config).code == 0
    with zipfile.ZipFile(tmp_path / "two.zip") as opened:
        assert json.loads(opened.read("database.json")) == {"error": "SQLITE_NOTADB"}
    assert datetime.now(UTC).year > 2000
