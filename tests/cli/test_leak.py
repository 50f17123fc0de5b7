"""`textbackd leak`: what it prints for people and programs, and what it says where it cannot tell."""

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Shell
from tests.report.shop import Rung, all_rows, day, write_csv
from tests.report.test_leak_month import MONTH, OFFICE

pytestmark = pytest.mark.slow

DENVER = ("--timezone", "America/Denver")
KEYS = {
    "from", "to", "calls", "answered", "missed", "uncertain", "missed_by_reason", "lost_after_answer", "unique_callers", "answered_later",
    "called_back", "never_reached", "by_hour", "by_weekday", "by_line", "calculator", "assumed", "not_shown",
}  # fmt: skip


@pytest.fixture
def month(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "Master.csv", all_rows(MONTH))


def told(shell: Shell, *args: str | Path) -> dict[str, Any]:
    done = shell("leak", "--json", *args)
    assert (done.code, done.err) == (0, "")
    found: dict[str, Any] = json.loads(done.out)
    return found


def test_a_month_is_told_as_json_without_a_configuration(shell: Shell, month: Path) -> None:
    found = told(shell, "--cdr", month, *DENVER)
    assert found.keys() >= KEYS
    assert (found["calls"], found["missed"], found["never_reached"], found["calculator"]) == (200, 69, 30, None)


def test_the_options_reach_the_figures(shell: Shell, month: Path) -> None:
    found = told(
        shell,
        "--cdr",
        month,
        *DENVER,
        "--since",
        "2026-03-09",
        "--until",
        "2026-03-15",
        "--job-value",
        "400",
        "--close-rate",
        "0.25",
    )
    assert (found["calls"], found["missed"]) == (48, 16)
    assert found["calculator"]["at_most"] == 16 * 400 * 50, "a week has seven days, called or not"
    assert told(shell, "--cdr", month, "--country", "gb")["assumed"] == {
        "country": "GB", "timezone": "Europe/London", "trunks": [{"name": "PJSIP/trunk", "why": "context"}], "queue_log": None,
    }  # fmt: skip


def test_a_configuration_gives_country_zone_and_trunks(shell: Shell, month: Path, config: Path) -> None:
    assert told(shell, "--cdr", month, "--config", config)["assumed"]["timezone"] == "America/Denver"
    named = config.with_name("named.yaml")
    named.write_text(config.read_text().replace("{secret:", "{trunks: {channels: ['PJSIP/trunk-*']}, secret:"))
    found = told(shell, "--cdr", month, "--config", named)
    assert (found["calls"], found["assumed"]["trunks"]) == (200, [{"name": "PJSIP/trunk", "why": "told"}])
    assert shell("leak", "--cdr", month, "--config", "/nowhere.yaml").code == 2


def test_people_read_it_in_eighty_columns_without_colours_when_piped(shell: Shell, month: Path) -> None:
    out = shell("leak", "--cdr", month, *DENVER, "--job-value", "400", "--close-rate", "25%").out
    assert max(map(len, out.splitlines())) <= 80
    assert "\x1b" not in out
    assert out.splitlines() == [line.rstrip() for line in out.splitlines()]
    words = " ".join(out.split())
    for sentence in (
        "Missed calls, Mon 02 Mar 2026 to Mon 30 Mar 2026",
        "Calls from outside 200",
        "Missed 69 34 %",
        "23 the caller gave up while it rang",
        "4 of them let go of again, and nobody took over",
        "30 were never reached",
        "29 of those had never called before",
        "35,000 a year more likely: 7.0 new callers a week whom nobody reached × 25 % who buy × 400 × 50 weeks",
        "- Calls from outside come in over PJSIP/trunk (its calls come in through from-trunk).",
    ):
        assert sentence in words


def test_without_a_job_value_it_says_how_to_give_one(shell: Shell, month: Path) -> None:
    assert "--job-value 350" in shell("leak", "--cdr", month).out


class _Page(HTMLParser):
    """Looks for what a page that needs nothing else must not have."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.shown: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "line", "rect"):
            self.open.append(tag)
        self.loads += [
            f"{tag} {name}" for name, value in attrs if name in ("src", "href", "onload") or "url(" in (value or "")
        ]
        self.loads += [tag] if tag in ("script", "link", "iframe", "img") else []

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.shown += data.split()


def read_page(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text("utf-8"))
    assert page.open == []
    return page


def test_the_page_is_whole_in_itself_and_shows_the_figures(shell: Shell, month: Path, tmp_path: Path) -> None:
    done = shell("leak", "--cdr", month, *DENVER, "--html", tmp_path / "leak.html", "--job-value", "400")
    assert (done.code, done.out.endswith("Open it in a browser, or print it.\n")) == (0, True)
    page = read_page(tmp_path / "leak.html")
    assert page.loads == []
    assert {"200", "69", "30", "Thu", "+13035550102"} <= set(page.shown)


SHORT = "no year can be reckoned: it takes a week at least"


@pytest.mark.parametrize(
    ("until", "is_told"),
    [pytest.param("2026-03-07", False, id="six days"), pytest.param("2026-03-09", True, id="a week")],
)
def test_no_year_is_reckoned_from_less_than_a_week(
    shell: Shell, month: Path, tmp_path: Path, until: str, is_told: bool
) -> None:
    asked = ("leak", "--cdr", month, *DENVER, "--until", until, "--job-value", "400")
    shell(*asked, "--html", tmp_path / "leak.html")
    for words in (" ".join(shell(*asked).out.split()), " ".join(read_page(tmp_path / "leak.html").shown)):
        assert ("a year at most" in words, SHORT in words) == (is_told, not is_told)


def test_a_page_shows_code_as_code_and_no_backticks(shell: Shell, month: Path, tmp_path: Path) -> None:
    shell("leak", "--cdr", month, "--html", tmp_path / "leak.html")
    assert "`" not in " ".join(read_page(tmp_path / "leak.html").shown)
    assert "<code>did</code>" in (tmp_path / "leak.html").read_text("utf-8")


def test_what_others_wrote_stays_text_on_the_page(shell: Shell, tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    rows = all_rows([Rung(day(2, "09:00"), "gave up", evil, evil), Rung(day(2, "10:00"), "gave up", "\x1b[2J", OFFICE)])
    source = write_csv(tmp_path / "Master.csv", rows)
    shell("leak", "--cdr", source, "--html", tmp_path / "leak.html")
    assert "script" in " ".join(read_page(tmp_path / "leak.html").shown)
    assert "\x1b" not in shell("leak", "--cdr", source).out


def test_a_page_about_nothing_can_be_made(shell: Shell, tmp_path: Path) -> None:
    source = write_csv(tmp_path / "Master.csv", [])
    assert shell("leak", "--cdr", source, "--html", tmp_path / "leak.html").code == 0
    assert "no calls" in " ".join(read_page(tmp_path / "leak.html").shown)
    assert shell("leak", "--cdr", source, "--job-value", "5").code == 0


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        pytest.param(["--cdr", "/nowhere/Master.csv"], 1, "cannot be read", id="no file"),
        pytest.param(["--cdr", "x.csv", "--since", "yesterday"], 2, "write a day as 2026-03-01", id="no time"),
        pytest.param(["--cdr", "x.csv", "--country", "Narnia"], 2, "two letters", id="no country"),
        pytest.param(["--cdr", "x.csv", "--timezone", "Mars/Base"], 2, "not a time zone", id="no zone"),
        pytest.param(["--cdr", "x.csv", "--close-rate", "0.3"], 2, "--job-value", id="a share of nothing"),
        pytest.param(
            ["--cdr", "x.csv", "--job-value", "1", "--close-rate", "30"],
            2,
            "Write 0.3 or 30%",
            id="percent instead of a share",
        ),
        pytest.param([], 2, "--cdr", id="no source"),
        pytest.param(
            ["--cdr", "x.csv", "--until", "9999-12-31"], 2, "Write a year from 2000 on", id="the last day of all"
        ),
        pytest.param(
            ["--cdr", "x.csv", "--since", "0001-01-01"], 2, "Write a year from 2000 on", id="the first day of all"
        ),
        pytest.param(["--cdr", "x.csv", "--since", "999999d"], 2, "or how far back as 90d", id="too far back"),
        pytest.param(
            ["--cdr", "x.csv", "--since", "2026-03-02", "--until", "2026-03-01"],
            2,
            "--since 2026-03-02 comes after --until 2026-03-01. Write the earlier one first",
            id="the wrong way round",
        ),
        pytest.param(
            ["--cdr", "x.csv", "--since", "1d", "--until", "2d"], 2, "comes after", id="the wrong way round, back"
        ),
        pytest.param(["--cdr", "x.csv", "--job-value", "nan"], 2, "is no amount. Write 350", id="a value that is none"),
        pytest.param(["--cdr", "x.csv", "--job-value", "inf"], 2, "is no amount. Write 350", id="a value without end"),
        pytest.param(["--cdr", "x.csv", "--job-value", "1e300"], 2, "is no amount. Write 350", id="a value beyond all"),
        pytest.param(["--cdr", "x.csv", "--job-value", "-5"], 2, "is no amount. Write 350", id="a value below nothing"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(shell: Shell, args: list[str], code: int, words: str) -> None:
    done = shell("leak", *args)
    assert done.code == code
    assert words in done.sentence


def test_where_no_trunk_can_be_told_it_says_what_to_do(shell: Shell, tmp_path: Path) -> None:
    rows = [
        {**row, "dcontext": "somewhere", "channel": row["channel"].replace("trunk", "101")}
        for row in all_rows(MONTH[:9])
    ]
    source = write_csv(tmp_path / "Master.csv", rows)
    done = shell("leak", "--cdr", source)
    assert done.code == 1
    assert "which have calls of PJSIP/101. Name the one that calls from outside come in over: --trunk" in done.sentence
    assert told(shell, "--cdr", source, "--trunk", "PJSIP/10*")["calls"] == 9
    assert "--trunk SIP/x: no call came in over it" in shell("leak", "--cdr", source, "--trunk", "SIP/x").sentence


def test_the_queue_log_beside_the_records_is_read(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "cdr-csv").mkdir()
    source = write_csv(tmp_path / "cdr-csv" / "Master.csv", all_rows(MONTH))
    at = 1_773_000_000
    lines = [f"{at}|{at}.9|sales|NONE|ENTERQUEUE||+13035550190|1", f"{at + 40}|{at}.9|sales|NONE|ABANDON|1|1|40"]
    (tmp_path / "queue_log").write_text("\n".join(lines) + "\n")
    found = told(shell, "--cdr", source, *DENVER)
    assert (found["calls"], found["missed_by_reason"]["queue_gave_up"]) == (201, 9)
    assert found["assumed"]["queue_log"] == str(tmp_path / "queue_log")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(
            "# A shop\nNothing in here\nis a record.\n", "none of its 3 lines is a call record.", id="another file"
        ),
        pytest.param("# A shop", "its line is no call record.", id="one line"),
    ],
)
@pytest.mark.parametrize("option", [[], ["--json"]], ids=["", "json"])
def test_what_is_no_file_of_records_is_not_taken_for_a_shop_that_missed_nothing(
    shell: Shell, tmp_path: Path, content: str, said: str, option: list[str]
) -> None:
    (tmp_path / "README.md").write_text(content)
    done = shell("leak", "--cdr", tmp_path / "README.md", *option)
    assert (done.code, done.out, done.sentence) == (1, "", f"{tmp_path}/README.md: {said}\n")
