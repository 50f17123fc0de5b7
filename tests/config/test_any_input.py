"""Whatever stands in the file, loading it ends in settings or in sentences."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from textbackd.config import Settings, lint, load, loads
from textbackd.config.outline import fields, is_named, models_in
from textbackd.errors import ConfigError

pytestmark = pytest.mark.slow

Attempt = Callable[[], Settings]


def faults_of(attempt: Attempt) -> list[str]:
    try:
        lint(attempt(), environ={})
    except ConfigError as exc:
        assert exc.faults
        return exc.faults
    return []


def assert_readable(faults: list[str], path: Path) -> None:
    for fault in faults:
        assert fault.startswith(f"{path}:")
        assert "\n" not in fault.removeprefix(str(path))
        assert "Input should" not in fault
        fault.encode()  # can be printed


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_no_bytes_make_load_raise_anything_but_a_configuration_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "textbackd.yaml"
    path.write_bytes(content)
    assert_readable(faults_of(lambda: load(path)), path)


# Letters that mean something in YAML, so that more than the first character is read.
yaml_like = st.text(st.sampled_from("ab:- \n\t[]{},&*!|>'\"%@`#?\\0~<.\x85\u2028é💥"), max_size=60)


@given(yaml_like)
def test_no_text_that_looks_like_yaml_does_either(text: str) -> None:
    assert_readable(faults_of(lambda: loads(text)), Path("textbackd.yaml"))


NAMES = sorted({key for model in models_in(Settings) for key, _ in fields(model)})


def below(model: Any) -> set[str]:
    """Return every key that may stand somewhere below a block."""
    keys = set()
    for key, field in fields(model):
        keys.add(key)
        for inner in models_in(field.annotation):
            keys |= below(inner) | ({"name"} if is_named(field.annotation) else set())
    return keys


KEYS = sorted(below(Settings))
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=8),
    st.sampled_from([
        "*", "off", "none", "5s", "1/12h", "40%/50", "US", "http", "gsm_modem", "+13125550123", "08:00-12:00", "closed",
        "file:x", "${A}", "{to}", "{business}", "http://h/", "10m/3", "/(/", "main", "999999d", "1/0s", "22:00-22:00",
    ]),
)  # fmt: skip
trees = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)),
    max_leaves=20,
)
good = {
    "business": {"name": "A", "country": "US"},
    "pbx": {"office": {"secret": "x"}},
    "lines": {"main": {}},
    "gateways": {"web": {"type": "http", "url": "http://h/"}, "stick": {"type": "gsm_modem", "port": "/dev/null"}},
    "policy": {"caps": {}, "brake": {}},
    "staff": {"anna": {}},
    "web": {},
}


@st.composite
def damaged(draw: st.DrawFn) -> dict[str, Any]:
    """A configuration that works, with something put in at any place."""
    whole: dict[str, Any] = json.loads(json.dumps(good))
    for _ in range(draw(st.integers(1, 4))):
        place: Any = whole
        while True:
            key = draw(st.sampled_from(sorted({*place, *(KEYS if place is not whole else [])})))
            if isinstance(place.get(key), dict) and draw(st.booleans()):
                place = place[key]
            else:
                place[key] = draw(trees)
                break
    return whole


@settings(max_examples=300)
@given(damaged())
def test_no_value_at_any_place_does_either(data: dict[str, Any]) -> None:
    assert_readable(faults_of(lambda: loads(json.dumps(data))), Path("textbackd.yaml"))


def test_the_undamaged_configuration_works() -> None:
    assert faults_of(lambda: loads(json.dumps(good))) == []
