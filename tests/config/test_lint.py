"""What is allowed and probably not meant is told, and nothing else is."""

from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from textbackd.config import Settings, lint, load, loads
from textbackd.config.service_user import how_to_close
from textbackd.core.words import WORDS, Language

Configured = Callable[..., Settings]
ENVIRON = {"AMI_SECRET": "x"}
HELPFUL = "Sorry we missed you, this is {business}. How can we help?"


def test_a_configuration_without_oddities_has_no_warnings(configured: Configured) -> None:
    assert lint(configured(), ENVIRON) == []


@pytest.mark.parametrize(
    ("sections", "part"),
    [
        pytest.param(
            {"gateways": "{stick: {type: gsm_modem, port: /dev/none}}"},
            "textbackd.yaml:4: gateways.stick.port: /dev/none is not there. Plug in the modem,",
            id="a modem that is not plugged in",
        ),
        pytest.param(
            {"pbx": "{office: {secret: '${AMI_SECRET}', cdr: /none.csv}}"},
            "textbackd.yaml:2: pbx.office.cdr: /none.csv is not there.", id="call records that are not there",
        ),
        pytest.param(
            {"pbx": "{office: {secret: '${OTHER}'}}"}, "the environment variable OTHER is not set.", id="an unset variable"
        ),
        pytest.param(
            {"pbx": "{office: {secret: file:/none}}"}, "the secret's file /none is not there.", id="an absent file"
        ),
        pytest.param(
            {"gateways": "{web: {type: http, url: 'http://h/', headers: {K: '${KEY}'}}}"},
            "gateways.web.headers.K: the environment variable KEY is not set.", id="an unset variable in a header",
        ),
        pytest.param({"web": "{listen: '0.0.0.0:80'}"}, "open to the network", id="an inbox open to all"),
        pytest.param(
            {"business": "{name: A, country: GB}", "staff": "{anna: {mobile: 020 7946 0018}}"},
            "is a fixed line, which gets no texts.", id="a fixed line as a mobile",
        ),
    ],
)  # fmt: skip
def test_each_oddity_is_one_warning(configured: Configured, sections: dict[str, str], part: str) -> None:
    warnings = lint(configured(**sections), ENVIRON)
    assert len(warnings) == 1
    assert part in warnings[0]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        pytest.param("Sorry we missed you. How can we help?", "does not say who texts.", id="nobody signs"),
        pytest.param("This is {business}. How can we help?", "does not say that you missed", id="nobody owns the miss"),
        pytest.param("Sorry, this is {business}.", "asks nothing", id="no question"),
        pytest.param("Sorry, {business} here. What? When?", "asks 2 questions. Keep one.", id="two questions"),
        pytest.param(HELPFUL + " 20% off today", "'20% off' reads like promotion", id="promotion"),
        pytest.param(HELPFUL + " bit.ly/xyz", "'bit.ly/' reads like promotion", id="a link shortener"),
        pytest.param("Sorry, your call is important to us, {business}. Yes?", "important to us", id="an empty phrase"),
        pytest.param(HELPFUL + " {booking_url}", "stays empty", id="a field that is not set"),
        pytest.param(HELPFUL + " x" * 150, "takes 3 radio texts. Shorten it.", id="three radio texts"),
        pytest.param(
            HELPFUL + " ’" + "x" * 80,
            "takes 3 radio texts. ’ is not in the alphabet of texts",
            id="a quote of typographers",
        ),
    ],
)
def test_a_text_that_serves_badly_is_a_warning(configured: Configured, text: str, part: str) -> None:
    warnings = lint(configured(lines=f'{{main: {{texts: {{missed: "{text}"}}}}}}'), ENVIRON)
    assert len(warnings) == 1
    assert warnings[0].startswith("textbackd.yaml:3: lines.main.texts.missed: ")
    assert part in warnings[0]


@pytest.mark.parametrize(
    "texts",
    [
        pytest.param(f"missed: '{HELPFUL}'", id="a good text"),
        pytest.param("missed: 'Anderson Roofing here, sorry. What is it?'", id="the name written out"),
        pytest.param("missed: 'We missed you. {business} here, how can we help?'", id="a miss owned without a sorry"),
        pytest.param("closed: '{business} is closed. What is it about?'", id="a closed door needs no excuse"),
        pytest.param("missed: none", id="no text"),
        pytest.param("voicemail: 'Thanks, we will call back. {business}'", id="an answer to voicemail need not ask"),
    ],
)
def test_a_text_that_serves_is_no_warning(configured: Configured, texts: str) -> None:
    assert lint(configured(lines=f"{{main: {{texts: {{{texts}}}}}}}"), ENVIRON) == []


@pytest.mark.parametrize(
    ("group", "part"),
    [
        pytest.param("{regulars: {text: '{business} calls you right back.'}}", "", id="whom one knows one need not ask"),
        pytest.param("{regulars: {numbers: ['+13125550123']}}", "", id="no text of their own"),
        pytest.param("{regulars: {text: 'We call you right back.'}}", "does not say who texts.", id="nobody signs"),
        pytest.param("{regulars: {text: '{business}, 20% off'}}", "reads like promotion", id="promotion"),
        pytest.param("{regulars: {text: '{business} {booking_url}'}}", "stays empty", id="a field that is not set"),
        pytest.param("{regulars: {text: '{business} " + "x" * 310 + "'}}", "takes 3 radio texts.", id="too long"),
        pytest.param("{staff: {text: '{business} here'}}", "nobody gets it", id="calls of the staff do not count"),
    ],
)  # fmt: skip
def test_the_text_of_a_group_of_contacts_is_looked_at_too(configured: Configured, group: str, part: str) -> None:
    warnings = lint(configured(contacts=group), ENVIRON)
    assert len(warnings) == bool(part)
    assert part in "".join(warnings)


@pytest.mark.parametrize(
    ("line", "machine", "warned"),
    [
        pytest.param("{hours: {mon: '08:00-12:00'}}", "UTC", True, id="hours in a zone that is a guess"),
        pytest.param("{holidays: US}", "UTC", True, id="holidays in a zone that is a guess"),
        pytest.param("{}", "UTC", False, id="a line that is always open"),
        pytest.param("{hours: {mon: '08:00-12:00'}}", "America/Chicago", False, id="a machine in the country"),
    ],
)
def test_a_guessed_zone_is_a_warning_where_hours_rest_on_it(line: str, machine: str, warned: bool) -> None:
    text = (
        "business: {name: A, country: US}\npbx: {office: {secret: '${AMI_SECRET}'}}\n"
        f"lines: {{main: {line}}}\ngateways: {{stick: {{type: gsm_modem, port: /dev/null}}}}\n"
    )
    warnings = lint(loads(text, machine=ZoneInfo(machine)), ENVIRON)
    assert [": business.timezone: US has several time zones" in warning for warning in warnings] == [True] * warned


def shop(folder: Path, secret: str, mode: int) -> Settings:
    path = folder / "textbackd.yaml"
    path.write_text(
        f"business: {{name: A, country: NO}}\npbx: {{office: {{secret: '{secret}'}}}}\n"
        "lines: {main: {}}\ngateways: {stick: {type: gsm_modem, port: /dev/null}}\n"
    )
    path.chmod(mode)
    return load(path)


def test_a_secret_in_a_configuration_that_everybody_can_read_is_a_warning(tmp_path: Path) -> None:
    assert "everybody can read this file." in lint(shop(tmp_path, "hunter2", 0o644), {})[0]
    assert lint(shop(tmp_path, "hunter2", 0o640), {}) == []


def test_a_reference_in_a_configuration_that_everybody_can_read_is_no_warning(tmp_path: Path) -> None:
    assert lint(shop(tmp_path, "${A}", 0o644), {"A": "x"}) == []


def test_a_secret_file_that_everybody_can_read_is_a_warning(tmp_path: Path) -> None:
    secret = tmp_path / "ami.secret"
    secret.write_text("hunter2")
    secret.chmod(0o644)
    (warned,) = lint(shop(tmp_path, "file:ami.secret", 0o640), {})
    assert f"everybody can read {secret}. Run: {how_to_close(secret)}" in warned
    secret.chmod(0o640)
    assert lint(shop(tmp_path, "file:ami.secret", 0o640), {}) == []


def test_a_credential_is_looked_for_only_where_systemd_hands_some_over(configured: Configured, tmp_path: Path) -> None:
    settings = configured(pbx="{office: {secret: credential:ami}}")
    assert lint(settings, {}) == []
    assert "the credential" in lint(settings, {"CREDENTIALS_DIRECTORY": str(tmp_path)})[0]


def test_no_warning_shows_a_secret(tmp_path: Path) -> None:
    assert "hunter2" not in " ".join(lint(shop(tmp_path, "hunter2", 0o644), {}))


@pytest.mark.parametrize("language", Language)
def test_the_texts_that_come_with_the_program_have_no_warnings(configured: Configured, language: Language) -> None:
    written = ", ".join(f'{kind}: "{text}"' for kind, text in WORDS[language].texts.items())
    assert lint(configured(lines=f"{{main: {{language: {language}, texts: {{{written}}}}}}}"), ENVIRON) == []
    assert lint(configured(lines=f"{{main: {{language: {language}}}}}"), ENVIRON) == []


@pytest.mark.parametrize(
    ("language", "text", "part"),
    [
        pytest.param("de", "Sorry, {business}: heute 20 % Rabatt. Ja?", "'Rabatt' reads like promotion", id="a rebate"),
        pytest.param("es", "Disculpe, {business}: hoy descuento. Si?", "'descuento' reads like promotion", id="a discount"),
        pytest.param("fr", "Excusez-nous, {business}: votre appel est important pour nous. Oui?", "nobody believes", id="important"),
        pytest.param("nl", "Excuses, {business}: alles on sale. Ja?", "'on sale' reads like promotion", id="English is read everywhere"),
        pytest.param("de", "Leider ist bei {business} ein Sale-Schild weg. Ja?", "", id="a word of another language is none"),
        pytest.param("en", "{business}, sorry. Call {on_call}. Yes?", "{on_call} stays empty", id="nobody on call"),
    ],
)  # fmt: skip
def test_the_lint_knows_the_line_s_language(configured: Configured, language: str, text: str, part: str) -> None:
    warnings = lint(configured(lines=f"{{main: {{language: {language}, texts: {{missed: '{text}'}}}}}}"), ENVIRON)
    assert len(warnings) == bool(part)
    assert part in "".join(warnings)


@pytest.mark.parametrize(
    ("on_call", "country", "part"),
    [
        pytest.param("+13035550113", "US", "", id="one of the staff"),
        pytest.param("+13035550124", "US", "cannot answer by text", id="somebody else"),
        pytest.param("+4989123456", "DE", "is a fixed line", id="a fixed line"),
    ],
)
def test_whoever_is_woken_at_night_can_answer(configured: Configured, on_call: str, country: str, part: str) -> None:
    sections = {
        "business": f"{{name: Anderson Roofing, country: {country}}}",
        "lines": f'{{main: {{on_call: "{on_call}"}}}}',
        "staff": '{anna: {mobile: "+13035550113"}}',
    }
    warnings = [warning for warning in lint(configured(**sections), ENVIRON) if "on_call" in warning]
    assert len(warnings) == bool(part)
    assert part in "".join(warnings)


def test_a_text_that_serves_for_several_kinds_is_told_once(configured: Configured) -> None:
    long = "x" * 320
    (warning,) = lint(configured(lines=f"{{main: {{texts: {{missed: 'Sorry, {{business}} {long}?'}}}}}}"), ENVIRON)
    assert "lines.main.texts.missed: the text takes 3 radio texts" in warning


def test_a_booking_link_of_the_line_fills_the_field(configured: Configured) -> None:
    line = "{booking_url: 'https://h/', texts: {missed: 'Sorry, {business}, {booking_url}. Yes?'}}"
    assert lint(configured(lines=f"{{main: {line}}}"), ENVIRON) == []
