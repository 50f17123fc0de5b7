"""The sample and the documentation are made from the settings, and stay in step with them."""

import re
from pathlib import Path
from textwrap import dedent

import pytest

from textbackd.config import load, loads
from textbackd.config.outline import fields, models_in
from textbackd.config.reference import reference
from textbackd.config.resolve import secrets_in
from textbackd.config.sample import REFERENCE, SAMPLE, sample
from textbackd.config.settings import Settings

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("path", "content"), [pytest.param(SAMPLE, sample(), id="sample"), pytest.param(REFERENCE, reference(), id="docs")]
)
def test_the_written_file_is_what_the_settings_make(path: Path, content: str) -> None:
    assert (ROOT / path).read_text("utf-8") == content, "Run: .venv/bin/python -m textbackd.config.sample"


def test_the_sample_is_a_configuration_that_works() -> None:
    settings = load(ROOT / SAMPLE)
    assert list(settings.gateways) == ["stick"]
    assert settings.mode == "live"


def test_the_sample_works_with_everything_taken_in() -> None:
    everything = re.sub(r"^( *)#(?=[a-z_]+:)", r"\1", sample(), flags=re.MULTILINE)
    settings = loads(everything)
    assert list(settings.gateways) == ["stick", "web"]
    assert list(settings.staff) == ["anna"]
    assert settings.lines["main"].texts.worded().keys() == type(settings.lines["main"].texts).model_fields.keys()
    assert settings.policy.model_fields_set == type(settings.policy).model_fields.keys()


def test_everything_that_can_be_left_out_is_shown_with_its_default_or_an_example() -> None:
    everything = re.sub(r"^( *)#(?=[a-z_]+:)", r"\1", sample(), flags=re.MULTILINE)
    least = loads(sample())
    full = loads(everything)
    assert full.policy.never == ("+13125550188",)  # an example: there is no default to show
    assert full.policy.model_copy(update={"never": ()}) == least.policy
    assert full.web.url == "https://inbox.example.com"  # an example as well
    assert full.web.model_copy(update={"url": None}) == least.web
    assert full.storage == least.storage


def test_every_key_has_a_description_that_is_a_sentence() -> None:
    seen = list(models_in(Settings))
    for model in seen:
        assert model.__doc__
        for key, field in fields(model):
            assert field.description, f"{model.__name__}.{key}"
            assert field.description.endswith("."), f"{model.__name__}.{key}"
            seen += [inner for inner in models_in(field.annotation) if inner not in seen]


def test_every_key_is_in_the_documentation() -> None:
    written = reference()
    seen = list(models_in(Settings))
    for model in seen:
        for key, field in fields(model):
            assert f"| `{key}` |" in written
            seen += [inner for inner in models_in(field.annotation) if inner not in seen]


def test_every_row_of_a_table_stands_on_one_line() -> None:
    rows = [line for line in reference().splitlines() if "|" in line]
    assert [row for row in rows if not (row.startswith("|") and row.endswith("|"))] == []
    assert not reference().count("\\\n")


def test_the_account_for_the_manager_may_read_calls_and_ask_and_nothing_else() -> None:
    lines = (ROOT / "config" / "manager-textbackd.conf").read_text("utf-8").splitlines()
    written = dict(line.split(" = ") for line in lines if line and line[0] not in ";[")
    assert written["read"] == "call,agent,system"
    assert written["write"] == "reporting"
    assert (written["deny"], written["permit"]) == ("0.0.0.0/0.0.0.0", "127.0.0.1/255.255.255.255")


def test_the_installer_makes_the_secret_that_the_smallest_configuration_of_the_readme_names() -> None:
    steps, _, yaml = (ROOT / "README.md").read_text("utf-8").partition("```yaml\n")
    made = (ROOT / "scripts" / "box.sh").read_text("utf-8")
    assert "sudo scripts/install" in steps
    smallest = loads(dedent(yaml.partition("```")[0]), Path("/etc/textbackd/textbackd.yaml"))
    secrets = [text.removeprefix("file:") for _, text, whole in secrets_in(smallest) if whole]
    assert secrets
    assert [secret for secret in secrets if f"SECRET={secret}\n" not in made] == []
