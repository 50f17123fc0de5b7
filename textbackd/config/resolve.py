"""Settings with secrets as written → with the secrets themselves.   load.py → here → daemon"""

import os
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from pydantic import SecretStr

from textbackd.config.load import sentence
from textbackd.config.secrets import SecretMissingError, fill_variables, resolve
from textbackd.config.section import Section
from textbackd.config.settings import Settings
from textbackd.config.yaml_source import Fault, Loc
from textbackd.errors import ConfigError

# Called with the place of a text, the text, and whether all of it is a secret; returns what comes in its place.
Change = Callable[[Loc, str, bool], str]


def resolve_secrets(settings: Settings, environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings with every secret looked up. Raises ConfigError with all that are not there.

    `environ` is where ${NAME} and $CREDENTIALS_DIRECTORY are looked up, the process's environment if none is given.
    """
    environment = os.environ if environ is None else environ
    faults: list[str] = []

    def look_up(loc: Loc, text: str, whole: bool) -> str:
        try:
            return resolve(text, environment) if whole else fill_variables(text, environment)
        except SecretMissingError as exc:
            faults.append(sentence(settings.origin.path, Fault(settings.origin.line(loc), loc, str(exc))))
            return text

    resolved: Settings = _changed(settings, look_up, ())
    if faults:
        raise ConfigError(settings.origin.path, faults)
    return resolved


def secrets_in(settings: Settings) -> Iterator[tuple[Loc, str, bool]]:
    """Yield every text that is or may hold a secret, with its place and whether all of it is one."""
    found: list[tuple[Loc, str, bool]] = []

    def note(loc: Loc, text: str, whole: bool) -> str:
        found.append((loc, text, whole))
        return text

    _changed(settings, note, ())
    yield from found


def _changed(value: Any, change: Change, loc: Loc, *, hidden: bool = False) -> Any:
    """Return `value` with every secret in it changed; `hidden` says that every text in it may hold one."""
    if isinstance(value, SecretStr):
        return SecretStr(change(loc, value.get_secret_value(), True))
    if isinstance(value, Section):
        return value.model_copy(update=dict(_fields(value, change, loc)))
    if isinstance(value, Mapping):
        entries = {key: _changed(item, change, (*loc, key), hidden=hidden) for key, item in value.items()}
        # A JSON body stays a dict, since json.dumps takes no other mapping.
        return entries if isinstance(value, dict) else MappingProxyType(entries)
    if isinstance(value, tuple | list):
        return type(value)(_changed(item, change, (*loc, number), hidden=hidden) for number, item in enumerate(value))
    return change(loc, value, False) if hidden and isinstance(value, str) else value


def _fields(section: Section, change: Change, loc: Loc) -> Iterator[tuple[str, Any]]:
    for name, field in type(section).model_fields.items():
        place = (*loc, field.alias or name)
        # What may hold a secret is kept out of repr, which is how it is told here as well.
        written = getattr(section, name)
        resolved = _changed(written, change, place, hidden=not field.repr)
        # A field that is only copied would count as written by the shop: a line's own policy consists of those.
        if resolved != written:
            yield name, resolved
