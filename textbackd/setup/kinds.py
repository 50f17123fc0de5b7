"""Which gateways there are, and what has to be asked for each: out of their settings.   config/gateways → here → cli/setup    Pure."""

import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from textbackd.config.outline import Model, fields, kind_of, models_in
from textbackd.config.settings import Settings

# Asked beside what is needed, where a kind has it.
WORTH_ASKING: Final = ("number", "price")
ALSO: Final[Mapping[str, tuple[str, ...]]] = {
    "gammu_smsd": ("sqlite",),
    "gsm_modem": ("imei", "port"),
    "kannel": ("url",),
    "smpp": ("port",),
    "smstools": ("spool",),
}
# The keys under which kinds stand in the configuration, where their own name would say less.
NAMED: Final[Mapping[str, str]] = {
    "gsm_modem": "stick",
    "http": "web",
    "android_sms_gateway": "phone",
    "asterisk_message": "trunk",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One key of a gateway."""

    key: str
    what: str  # its description
    example: str
    is_needed: bool
    is_secret: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of gateway."""

    type: str
    what: str
    name: str  # the key that it gets
    asked: tuple[Asked, ...]

    @property
    def needs(self) -> str:
        """What one has to have at hand."""
        return ", ".join(one.key for one in self.asked if one.is_needed) or "nothing"


def kinds() -> dict[str, Kind]:
    """Return every kind by its type, in the order of the configuration."""
    field = dict(fields(Settings))["gateways"]
    return {kind: _kind(kind, model) for model in models_in(field.annotation) if (kind := kind_of(model))}


def _kind(kind: str, model: Model) -> Kind:
    what = str(model.__doc__).partition("\n")[0]
    return Kind(type=kind, what=what, name=NAMED.get(kind, kind.partition("_")[0]), asked=tuple(_asked(kind, model)))


def _asked(kind: str, model: Model) -> Iterator[Asked]:
    every = dict(fields(model))
    needed = [key for key, field in every.items() if field.is_required() and key != "type"]
    more = [key for key in (*ALSO.get(kind, ()), *WORTH_ASKING) if key in every]
    for key in dict.fromkeys((*needed, *more)):
        field, examples = every[key], every[key].examples or [""]
        yield Asked(
            key=key,
            what=field.description or "",
            example=str(examples[0]),
            is_needed=key in needed,
            is_secret=is_secret(field),
        )


def is_secret(field: FieldInfo) -> bool:
    """Return whether what stands there is not for everybody's eyes."""
    return SecretStr in _types(field.annotation)


def _types(annotation: Any) -> Iterator[Any]:
    yield annotation
    for argument in typing.get_args(annotation):
        yield from _types(argument)
