"""Secrets are looked up when they are needed, and shown never."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from textbackd.config import GsmModem, HttpGateway, Settings, loads, resolve_secrets
from textbackd.errors import ConfigError

Configured = Callable[..., Settings]


def ami_secret(settings: Settings) -> str:
    return settings.pbx["office"].secret.get_secret_value()


def test_a_variable_is_looked_up_in_the_environment(configured: Configured) -> None:
    assert ami_secret(resolve_secrets(configured(), {"AMI_SECRET": "hunter2"})) == "hunter2"


def test_a_file_is_read_beside_the_configuration_without_its_last_line_break(tmp_path: Path) -> None:
    (tmp_path / "ami.secret").write_text(" hunter2 \n")
    text = "business: {name: A, country: US}\nlines: {main: {}}\ngateways: {m: {type: gsm_modem, port: x}}\n"
    settings = loads(text + "pbx: {office: {secret: file:ami.secret}}\n", tmp_path / "textbackd.yaml")
    assert ami_secret(resolve_secrets(settings, {})) == " hunter2 "


def test_a_credential_is_read_where_systemd_puts_it(configured: Configured, tmp_path: Path) -> None:
    (tmp_path / "ami").write_text("hunter2")
    settings = configured(pbx="{office: {secret: credential:ami}}")
    assert ami_secret(resolve_secrets(settings, {"CREDENTIALS_DIRECTORY": str(tmp_path)})) == "hunter2"


def test_a_secret_may_stand_in_the_file(configured: Configured) -> None:
    assert ami_secret(resolve_secrets(configured(pbx="{office: {secret: hunter2}}"), {})) == "hunter2"


def test_variables_are_filled_in_wherever_a_request_may_hold_a_secret(configured: Configured) -> None:
    settings = configured(
        gateways="{web: {type: http, url: 'http://h/${KEY}', headers: {X-Key: 'k ${KEY}'}, query: {u: ['${KEY}']}, "
        "json: {a: {b: '${KEY}'}, to: '{to}', text: '{text}', n: 1}, bearer: '${KEY}'}}"
    )
    web = resolve_secrets(settings, {"AMI_SECRET": "x", "KEY": "s3"}).gateways["web"]
    assert isinstance(web, HttpGateway)
    assert web.bearer is not None
    assert (web.url, web.headers["X-Key"], web.query) == ("http://h/s3", "k s3", {"u": ["s3"]})
    assert web.json_body == {"a": {"b": "s3"}, "to": "{to}", "text": "{text}", "n": 1}
    assert web.bearer.get_secret_value() == "s3"


def test_a_password_in_the_address_of_call_records_is_filled_in(configured: Configured) -> None:
    settings = configured(pbx="{office: {secret: x, cdr: 'mysql://u:${DB}@h/asteriskcdrdb'}}")
    assert resolve_secrets(settings, {"DB": "s3"}).pbx["office"].cdr == "mysql://u:s3@h/asteriskcdrdb"


def test_every_secret_that_is_missing_is_named_at_once_with_its_place(configured: Configured, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    settings = configured(
        pbx=f"{{office: {{secret: '${{AMI_SECRET}}'}}, a: {{secret: file:{tmp_path}/none}}, b: {{secret: credential:c}}, "
        f"c: {{secret: file:{tmp_path}/empty}}, d: {{secret: file:{tmp_path}/binary}}, e: {{secret: file:{tmp_path}}}}}",
        gateways="{stick: {type: gsm_modem, port: /dev/null, pin: '${PIN}'}}",
    )
    with pytest.raises(ConfigError) as caught:
        resolve_secrets(settings, {"AMI_SECRET": ""})
    parts = [
        "textbackd.yaml:2: pbx.office.secret: the environment variable AMI_SECRET is not set.",
        "textbackd.yaml:2: pbx.a.secret: the secret's file",
        "textbackd.yaml:2: pbx.b.secret: systemd hands over no credentials here.",
        "is empty. Write the secret into it.",
        "cannot be read (it is not text).",
        "cannot be read (Is a directory).",
        "textbackd.yaml:4: gateways.stick.pin: the environment variable PIN is not set.",
    ]
    assert len(caught.value.faults) == len(parts)
    assert all(part in fault for part, fault in zip(parts, caught.value.faults, strict=True))


def test_a_secret_that_holds_braces_of_a_request_is_not_looked_into_for_variables(configured: Configured) -> None:
    settings = resolve_secrets(configured(), {"AMI_SECRET": "${OTHER}"})
    assert ami_secret(settings) == "${OTHER}"


def test_no_representation_shows_a_secret(configured: Configured) -> None:
    settings = configured(
        pbx="{office: {secret: hunter2, cdr: 'mysql://u:hunter2@h/d'}}",
        gateways="{stick: {type: gsm_modem, port: /dev/null, pin: 4711}, "
        "web: {type: http, url: 'http://h/?p=hunter2', headers: {A: hunter2}, query: {a: hunter2, to: '{to}'}, "
        "body: 'hunter2 {text}', basic_auth: {username: u, password: hunter2}}, "
        "json: {type: http, url: 'http://h/', json: {p: hunter2, to: '{to}', t: '{text}'}, bearer: hunter2}}",
    )
    for shown in (repr(settings), str(settings), f"{resolve_secrets(settings, {})!r}"):
        assert "hunter2" not in shown
        assert "4711" not in shown
    assert isinstance(settings.gateways["stick"], GsmModem)


def test_what_nobody_wrote_stays_unwritten_when_secrets_are_looked_up() -> None:
    written = loads(
        "business: {name: A, country: US}\npbx: {office: {secret: '${AMI}'}}\nlines: {main: {policy: {delay: 9s}}}\n"
        'gateways: {web: {type: http, url: "http://127.0.0.1:9/"}}\npolicy: {cooldown: 2h}\n'
    )
    settings = resolve_secrets(written, {"AMI": "secret"})
    line = settings.lines["main"]
    assert line.policy.model_fields_set == {"delay"}
    assert settings.policy_of(line).cooldown == timedelta(hours=2)
    assert settings.pbx["office"].secret.get_secret_value() == "secret"


def test_what_a_line_does_not_word_stays_in_its_language_when_secrets_are_looked_up() -> None:
    written = loads(
        "business: {name: A, country: US}\npbx: {office: {secret: '${AMI}'}}\n"
        "lines: {main: {language: es, texts: {busy: 'Ahora no, {business}'}}}\n"
        'gateways: {web: {type: http, url: "http://127.0.0.1:9/"}}\n'
    )
    assert set(resolve_secrets(written, {"AMI": "secret"}).lines["main"].texts.worded()) == {"busy"}
