"""Which keys there are, and where: the settings as a tree.   settings.py → here → faults.py, sample.py, reference.py"""

import inspect
import types
import typing
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from textbackd.config.section import DEFAULT
from textbackd.config.settings import Settings
from textbackd.config.written import written
from textbackd.config.yaml_source import Loc

Model = type[BaseModel]


def keys(model: Model) -> dict[str, str]:
    """Return the keys of a block as they are written, each with the name of its field; a kind's own before those it shares."""
    written = (name for part in model.__mro__ for name in inspect.get_annotations(part))
    own_first = dict.fromkeys(name for name in written if name in model.model_fields)
    return {model.model_fields[name].alias or name: name for name in own_first}


def fields(model: Model) -> Iterator[tuple[str, FieldInfo]]:
    """Yield the keys of a block as they are written, each with its field."""
    for key, name in keys(model).items():
        yield key, model.model_fields[name]


def field_at(loc: Loc) -> FieldInfo | None:
    """Return the field that a place in the file belongs to, None for list items, entries of a section, unknown keys."""
    found = (dict(fields(model)).get(str(loc[-1])) for model in models_at(loc[:-1])) if loc else ()
    return next((field for field in found if field is not None), None)


def models_at(loc: Loc, data: Any = None) -> list[Model]:
    """Return the models whose keys may stand at a place in the file; what `data` says of its `type` narrows them."""
    found: list[Model] = [Settings]
    rest = list(loc)
    while rest:
        step = str(rest.pop(0))
        data = data.get(step) if isinstance(data, Mapping) else None
        annotations = [field.annotation for model in found for key, field in fields(model) if key == step]
        if rest and any(is_named(annotation) for annotation in annotations):
            data = data.get(rest[0]) if isinstance(data, Mapping) else None
            rest.pop(0)
        found = list(dict.fromkeys(model for annotation in annotations for model in models_in(annotation)))
    return [model for model in found if _fits(model, data)] or found


def models_in(annotation: Any) -> Iterator[Model]:
    """Yield the models inside a type such as `Mapping[Name, GsmModem | HttpGateway]`."""
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        if issubclass(annotation, BaseModel):
            yield annotation
        return
    for argument in typing.get_args(annotation):
        yield from models_in(argument)


def is_named(annotation: Any) -> bool:
    """Return whether a type is a section whose entries are blocks with names of the shop's own."""
    origin = typing.get_origin(annotation)
    return isinstance(origin, type) and issubclass(origin, Mapping) and any(models_in(annotation))


def kind_of(model: Model) -> str | None:
    """Return what a block says as its `type`, None if it has no such key."""
    field = model.model_fields.get("type")
    kinds = typing.get_args(field.annotation) if field is not None else ()
    return str(kinds[0]) if kinds else None


def is_told(field: FieldInfo) -> bool:
    """Return whether the default follows from something else, and is told in words."""
    return _told(field) is not None


def default_of(field: FieldInfo) -> str | None:
    """Return the default of a field as a person reads it, None for a block and for what must be written."""
    told = _told(field)
    if told is not None:
        return told
    if field.is_required() or any(models_in(field.annotation)):
        return None
    default = field.get_default(call_default_factory=True)
    return written(default) if default or isinstance(default, timedelta) else "none"


def _told(field: FieldInfo) -> str | None:
    extra = field.json_schema_extra
    return str(extra[DEFAULT]) if isinstance(extra, Mapping) and DEFAULT in extra else None


def _fits(model: Model, data: Any) -> bool:
    return isinstance(data, Mapping) and kind_of(model) is not None and kind_of(model) == data.get("type")
