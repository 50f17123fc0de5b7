"""`textbackd check`: 0 for a good file, 1 for warnings, 2 for faults."""

import re
from pathlib import Path

import pytest

from tests.cli.conftest import Shell

pytestmark = pytest.mark.slow


def test_a_good_file_is_well(shell: Shell, config: Path) -> None:
    done = shell("check", "--config", config)
    assert (done.code, done.err) == (0, "")
    assert f"\n{config}: all is well." in f"\n{done.out}"


def test_checking_makes_nothing(shell: Shell, config: Path) -> None:
    shell("check", "--config", config)
    assert {path.name for path in config.parent.iterdir()} == {"textbackd.yaml", "out", "err"}


def test_a_warning_is_told_and_ends_with_1(shell: Shell, config: Path) -> None:
    config.write_text(config.read_text() + 'web: {listen: "0.0.0.0:8470"}\n')
    done = shell("check", "--config", config)
    assert (done.code, done.err) == (1, "")
    assert "web.listen" in done.out
    assert done.out.endswith("1 warning. The configuration can be used.\n")


@pytest.mark.parametrize(
    ("secret", "until"),
    [
        pytest.param("file:ami.secret", "{folder}/ami.secret is there", id="a file that is not there"),
        pytest.param("${NOT_SET}", "NOT_SET is set", id="a variable that is not set"),
    ],
)
def test_what_cannot_start_without_a_secret_is_not_said_to_be_usable(
    shell: Shell, config: Path, secret: str, until: str
) -> None:
    config.write_text(config.read_text().replace("${AMI_SECRET}", secret))
    done = shell("check", "--config", config)
    assert (done.code, done.err) == (1, "")
    assert "pbx.office.secret" in done.out
    told = until.format(folder=config.parent)
    assert done.out.endswith(f"1 warning. textbackd will not start until {told}.\n")
    run = shell("run", "--config", config)
    assert run.code == 2


@pytest.mark.parametrize(
    ("staff", "told"),
    [
        pytest.param("", "note: no staff: nobody is told when a caller writes; look into the inbox.", id="no staff"),
        pytest.param(
            "staff: {anna: {phone: PJSIP/anna}}",
            "note: none of the staff has a `mobile`, `email`, `sip` or `notify`: nobody is told",
            id="no way to reach them",
        ),
        pytest.param("staff: {anna: {mobile: '+13035550142'}}", "", id="a mobile"),
    ],
)
def test_nobody_finds_out_by_a_lost_job_that_nobody_is_told(shell: Shell, config: Path, staff: str, told: str) -> None:
    config.write_text(f"{config.read_text()}{staff}\n")
    done = shell("check", "--config", config)
    assert done.code == 0
    assert told in " ".join(done.out.split())
    assert ("note:" in done.out) == bool(told)


def test_all_faults_are_told_at_once_each_with_its_line(shell: Shell, config: Path) -> None:
    text = config.read_text().replace("country: US", "country: USA") + "polcy: {}\n"
    config.write_text(text)
    done = shell("check", "--config", config)
    faults = done.sentence.splitlines()
    assert done.code == 2
    assert [fault.startswith(f"{config}:") for fault in faults[:2]] == [True, True]
    assert faults[-1] == f"2 faults in {config}. Nothing was started."
    assert "policy" in done.err


@pytest.mark.parametrize(
    "content", [b"", b"\x00\xff", b"a: [", b"\x89PNG\r\n" * 100], ids=["empty", "binary", "cut", "an image"]
)
def test_what_is_no_configuration_is_a_fault(shell: Shell, config: Path, content: bytes) -> None:
    config.write_bytes(content)
    done = shell("check", "--config", config)
    assert done.code == 2
    assert str(config) in done.sentence


LINES = """
lines:
  main: {dids: ["*"], hours: {mon-fri: ["08:00-12:00", "13:00-17:00"], sat: "22:00-02:00"}, holidays: US,
         night_switch: {freepbx_daynight: 0}, texts: {missed: "{business} \u2013 sorry. How can we help?", voicemail: none}}
  berlin: {dids: ["+13035550102"], hours: {sun: "00:00-24:00"}, timezone: Europe/Berlin, language: de}
contacts: {regulars: {text: "{business} calls you right back. Anything urgent meanwhile?"}}
gateways: {web: {type: http, url: "http://127.0.0.1:9/", price: 0.0079}}
"""


@pytest.fixture
def shop(config: Path) -> Path:
    """A configuration with two lines and a price."""
    kept = [row for row in config.read_text().splitlines() if not row.startswith(("lines", "gateways"))]
    config.write_text("\n".join(kept) + LINES)
    return config


def test_every_text_is_shown_with_its_segments_its_alphabet_and_its_price(shell: Shell, shop: Path) -> None:
    out = shell("check", "--config", shop).out
    assert "  missed, busy, queue, closed, holiday, again, late: 1 radio text (UCS-2, 42 characters), 0.0079\n" in out
    assert "  voicemail: nothing\n" in out
    assert "What contacts in regulars get: 1 radio text (GSM-7, 65 septets), 0.0079\n    “Anderson" in out
    assert "  again: 1 radio text (GSM-7, 110 septets), 0.0079\n" in out
    assert re.search(r"Wir sind \S[^.]* um 0:00 Uhr wieder da\.", " ".join(out.split())), "Sunday, as its hours say"
    assert max(len(line) for line in out.splitlines() if line.startswith("    ")) <= 80


@pytest.mark.parametrize(
    ("day", "told"),
    [
        pytest.param("2026-11-25", "  Open 08:00-12:00 and 13:00-17:00, closed otherwise.\n", id="a working day"),
        pytest.param("2026-11-26", "  Holiday: Thanksgiving Day.\n  Closed all day. Opens again on Friday 27 November", id="holiday"),
        pytest.param("2026-11-29", "  Open 00:00-02:00, closed otherwise.\n", id="last night's hours"),
        pytest.param("2026-11-29", "(Europe/Berlin)\n  Open all day.\n", id="24 hours"),
        pytest.param("2026-10-25", "  The clocks go back on this day, by an hour.\n", id="the long night"),
        pytest.param("2026-03-29", "  The clocks go forward on this day, by an hour.\n", id="the short night"),
        pytest.param("2026-11-25", "The PBX's day/night switch (DAYNIGHT C0) beats these hours.", id="the switch"),
        pytest.param("2026-11-25", "Wednesday 25 November 2026\n\nmain (America/Denver)\n", id="which day and line"),
        pytest.param("2026-11-25", "Quiet 21:00-08:00, by the caller's clock", id="quiet hours"),
        pytest.param("2028-02-29", "Tuesday 29 February 2028\n", id="a leap day"),
        pytest.param("today", "main (America/Denver)", id="today"),
    ],
)  # fmt: skip
def test_a_day_is_explained_in_words(shell: Shell, shop: Path, day: str, told: str) -> None:
    done = shell("check", "--explain-day", day, "--config", shop)
    assert (done.code, done.err) == (0, "")
    assert told in done.out
    assert max(map(len, done.out.splitlines())) <= 80


def test_what_is_no_day_is_wrong_usage(shell: Shell, shop: Path) -> None:
    done = shell("check", "--explain-day", "2026-02-30", "--config", shop)
    assert done.code == 2
    assert "Write the day as 2026-12-24, today or tomorrow." in done.sentence
