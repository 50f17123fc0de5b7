"""The configuration without what is somebody's: which keys are written, and what they say as far as it is no name, number or text.

config → words.py → here → bundle.py
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any, Final, get_args
from zoneinfo import ZoneInfo

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from textbackd.cli.support.words import Labels
from textbackd.config import Settings
from textbackd.config.outline import Model, fields, is_named, models_in
from textbackd.config.section import Section
from textbackd.config.sections.business import Business
from textbackd.config.written import written
from textbackd.core.limits import Limit, Share, SpendLimit
from textbackd.core.opening_hours import OpeningHours, QuietHours
from textbackd.core.segments import segments
from textbackd.core.words import WORDS

# Values that are nobody's, whatever they are.
_HARMLESS: Final = (bool, timedelta, Decimal, Limit, Share, SpendLimit, QuietHours, OpeningHours, ZoneInfo, StrEnum)
_LARGEST: Final = 1_000_000  # a larger number may be a phone's
_COUNTRY: Final = Business.model_fields["country"]  # elsewhere two capitals may be a name, as that of HP
_PLACE: Final = re.compile(r".*?:(?P<line>[0-9]+): (?P<key>[\w.\[\]*-]+): .*", re.DOTALL)
_SECRETS: Final = {"file": "in a file", "credential": "a credential"}


def outline(settings: Settings, labels: Labels) -> list[str]:
    """Return one line for each key that is written."""
    return list(_section("", settings, labels))


def _section(path: str, section: Section, labels: Labels) -> Iterator[str]:
    for key, field in fields(type(section)):
        name = next(name for name, known in type(section).model_fields.items() if known is field)
        if name in section.model_fields_set:
            yield from _field(f"{path}.{key}".lstrip("."), getattr(section, name), field, labels)


def _field(path: str, value: Any, field: FieldInfo, labels: Labels) -> Iterator[str]:
    if isinstance(value, Section):
        yield from _section(path, value, labels)
    elif is_named(field.annotation) and isinstance(value, Mapping):
        section = path.rpartition(".")[2]
        for number, (name, entry) in enumerate(value.items(), 1):
            label = labels.about(section).of(name) if "." not in path else f"entry{number}"
            yield f"{path}.{label}:"
            yield from _section(f"{path}.{label}", entry, labels)
    else:
        yield f"{path}: {_shown(value, field, labels.about(path.rpartition('.')[2]))}"


def _shown(value: Any, field: FieldInfo, labels: Labels) -> str:
    if not field.is_required() and value == field.get_default(call_default_factory=True):
        return "as by default"
    if isinstance(value, tuple | list):
        return f"[{', '.join(_item(item, field, labels) for item in value)}]"
    return _item(value, field, labels)


def _item(value: Any, field: FieldInfo, labels: Labels) -> str:
    if value is None or isinstance(value, _HARMLESS):
        return written(value)
    if isinstance(value, int):
        return str(value) if abs(value) < _LARGEST else "a large number"
    if isinstance(value, SecretStr):
        return f"secret, {_where(value.get_secret_value())}"
    if isinstance(value, str):
        return _text(value, field, labels)
    return f"{len(value)} entries" if isinstance(value, Mapping) else "set"


def _where(secret: str) -> str:
    kind = secret.partition(":")[0]
    return _SECRETS.get(kind, "from the environment" if secret.startswith("${") else "written there")


def _text(value: str, field: FieldInfo, labels: Labels) -> str:
    if value in _choices(field.annotation) or value in WORDS or field is _COUNTRY:
        return value
    if labels.is_name(value):
        return labels.of(value)
    if re.fullmatch(r"\+[0-9]{7,15}", value):
        return "a number"
    return f"text of {len(value)} characters, {segments(value).count} segments"


def _choices(annotation: Any) -> frozenset[str]:
    """Return the words that a type such as `Literal["live", "observe"] | None` allows."""
    inner = get_args(annotation)
    words = (arg for arg in inner if isinstance(arg, str))
    return frozenset(words).union(*(_choices(arg) for arg in inner if not isinstance(arg, str)))


# ---- faults and warnings


def places(findings: Iterable[str]) -> list[str]:
    """Return where something is wrong, without what it says, which quotes the file."""
    return [_place(finding) for finding in findings]


def _place(finding: str) -> str:
    found = _PLACE.fullmatch(finding)
    if found is None:
        return "somewhere"
    steps = re.findall(r"\w+|\[[0-9]{1,4}\]", found["key"])
    kept = (step if step.startswith("[") or step in _keys() else "NAME" for step in steps)
    return f"line {found['line'][:6]}: {'.'.join(kept).replace('.[', '[')}"


@cache
def _keys() -> frozenset[str]:
    """Return every key that the configuration knows."""
    todo: list[Model] = [Settings]
    keys: set[str] = set()
    seen: set[Model] = set()
    while todo:
        model = todo.pop()
        if model in seen:
            continue
        seen.add(model)
        for key, field in fields(model):
            keys.add(key)
            todo += models_in(field.annotation)
    return frozenset(keys)
