"""A configuration that is being asked together, answer by answer.   cli/setup → here → document.py, files.py

It is always one that can be read: what is not answered yet stands in it with what a shop without an answer would have. A secret that was
typed is kept here, and in the configuration stands the file that will hold it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Self

from textbackd.config import Settings, loads, resolve_secrets
from textbackd.config.load import faults_in
from textbackd.config.yaml_source import Loc
from textbackd.setup.document import NOWHERE, document

NO_GATEWAY: Final = "none"
AMI_FILE: Final = "ami.secret"
EMPTY: Final[Mapping[str, Any]] = {
    "mode": "observe",
    "business": {"name": "Our Shop", "country": "US"},
    "pbx": {"office": {"secret": f"file:{AMI_FILE}"}},
    "lines": {"main": {"dids": ["*"]}},
    "gateways": {NO_GATEWAY: NOWHERE},
}


@dataclass(frozen=True, slots=True)
class Draft:
    """What has been answered so far."""

    path: Path  # of the configuration; secrets are beside it
    data: Mapping[str, Any] = field(default_factory=lambda: EMPTY)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)  # name of the file → what will be in it

    @property
    def text(self) -> str:
        """The configuration as it will be written."""
        return document(self.data)

    def at(self, *loc: str) -> Any:
        """Return what stands at a place, None for nothing."""
        found: Any = self.data
        for step in loc:
            found = found.get(step) if isinstance(found, Mapping) else None
        return found

    def put(self, value: Any, *loc: str) -> Self:
        """Return the draft with a value at a place; None takes away what stands there."""
        return replace(self, data=_put(self.data, loc, value))

    def hide(self, name: str, secret: str) -> Self:
        """Return the draft with a secret for a file."""
        return replace(self, secrets={**self.secrets, name: secret})

    def faults(self, *loc: str) -> list[str]:
        """Return what is wrong at a place and below it, in the words of the configuration."""
        found = faults_in(self.text, self.path)
        return [_sentence(fault.loc[len(loc) :], fault.sentence) for fault in found if fault.loc[: len(loc)] == loc]

    def settings(self) -> Settings:
        """Return what it means. Raises ConfigError."""
        return loads(self.text, self.path)

    def resolved(self) -> Settings:
        """Return what it means, with the secrets that will be in files. Raises ConfigError."""
        names = {f"file:{name}": f"TEXTBACKD_SETUP_{number}" for number, name in enumerate(self.secrets)}
        stands_in = {written: f"${{{variable}}}" for written, variable in names.items()}
        settings = loads(document(_replaced(self.data, stands_in)), self.path)
        return resolve_secrets(settings, dict(zip(names.values(), self.secrets.values(), strict=True)))


def _put(data: Mapping[str, Any], loc: tuple[str, ...], value: Any) -> dict[str, Any]:
    first, *rest = loc
    if rest:
        inner = data.get(first)
        value = _put(inner if isinstance(inner, Mapping) else {}, tuple(rest), value) or None
    return {key: each for key, each in {**data, first: value}.items() if each is not None}


def _replaced(value: Any, by: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _replaced(inner, by) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_replaced(inner, by) for inner in value]
    return by.get(value, value) if isinstance(value, str) else value


def _sentence(loc: Loc, sentence: str) -> str:
    """Return a fault of what was answered, or of a key inside it."""
    inside = ".".join(str(step) for step in loc if isinstance(step, str))
    return f"{inside}: {sentence}" if inside else sentence
