"""What pydantic found → sentences for a person.   settings.py → here → load.py

Nothing that pydantic words reaches anybody: each of its kinds of error has a sentence of ours, which says what to write
instead.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from textbackd.config.hours import InnerFaultsError
from textbackd.config.outline import field_at, keys, kind_of, models_at
from textbackd.config.values import likely, shown
from textbackd.config.written import written
from textbackd.config.yaml_source import Fault, Loc, Source

_A_BLOCK: Final = "a block of keys"
_SHAPES: Final = {
    "model_type": _A_BLOCK,
    "model_attributes_type": _A_BLOCK,
    "dict_type": _A_BLOCK,
    "mapping_type": _A_BLOCK,
    "tuple_type": "a list",
    "list_type": "a list",
    "string_type": "text",
}
_GIVEN: Final = {
    dict: _A_BLOCK, list: "a list", bool: "true or false", int: "a number", str: "text", type(None): "nothing",
}  # fmt: skip


def faults_of(exc: ValidationError, source: Source) -> list[Fault]:
    """Return every fault of a failed validation, with its place in the file."""
    errors = exc.errors(include_url=False)
    return [fault for error in errors if not _is_echo(error, errors) for fault in _faults(error, source)]


def _is_echo(error: ErrorDetails, errors: list[ErrorDetails]) -> bool:
    """Return whether a list is called too short only because the items in it have faults of their own."""
    loc = error["loc"]
    inside = (other["loc"] for other in errors if len(other["loc"]) > len(loc))
    return error["type"] == "too_short" and any(other[: len(loc)] == loc for other in inside)


def _faults(error: ErrorDetails, source: Source) -> Iterator[Fault]:
    loc = _place(error["loc"], source)
    if error["type"] in ("union_tag_invalid", "union_tag_not_found"):
        loc = (*loc, "type")
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, InnerFaultsError):
        for rest, sentence in cause.faults:
            yield Fault(source.line((*loc, *rest)), (*loc, *rest), sentence)
    else:
        yield Fault(source.line(loc), loc, _sentence(error, loc, source, cause))


def _place(loc: Loc, source: Source) -> Loc:
    """Return pydantic's path as it is in the file: without the tag of a union and the `[key]` of a bad key."""
    place: Loc = ()
    data: Any = source.data
    for step in loc:
        inside = isinstance(data, Mapping) and step in data
        if step == "[key]" or (not inside and isinstance(data, Mapping) and data.get("type") == step):
            continue
        place = (*place, step)
        data = _inside(data, step)
    return place


def _inside(data: Any, step: str | int) -> Any:
    if isinstance(data, Mapping):
        return data.get(step)
    return data[step] if isinstance(data, list) and isinstance(step, int) and step < len(data) else None


def _sentence(error: ErrorDetails, loc: Loc, source: Source, cause: object) -> str:
    kind = error["type"]
    if kind == "value_error" and isinstance(cause, ValueError):
        return str(cause)
    if kind in _SHAPES:
        return f"this must be {_SHAPES[kind]}, not {_GIVEN.get(type(error['input']), 'this')}.{_example(loc)}"
    if kind in ("literal_error", "union_tag_invalid"):
        return _no_choice(error)
    if kind == "extra_forbidden":
        return _unknown_key(loc, source)
    if kind == "union_tag_not_found":
        first, *others = _tags(loc)
        return f"this key is missing. Write it as `type: {first}`; the others are {', '.join(others)}."
    return _BY_KIND.get(kind, "this value is not understood.") + _example(loc)


_BY_KIND: Final = {
    "missing": "this key is missing.",
    "too_short": "this is empty; at least one is needed.",
    "string_too_short": "this is empty.",
}


def _unknown_key(loc: Loc, source: Source) -> str:
    known = list(dict.fromkeys(name for model in models_at(loc[:-1], source.data) for name in keys(model)))
    meant = likely(str(loc[-1]), known)
    return "there is no such key. " + (f"Did you mean {meant}?" if meant else f"The keys here are {', '.join(known)}.")


def _tags(loc: Loc) -> list[str]:
    return [kind for model in models_at(loc[:-1]) if (kind := kind_of(model)) is not None]


def _no_choice(error: ErrorDetails) -> str:
    context = error.get("ctx", {})
    choices = str(context.get("expected_tags") or context.get("expected", "")).replace("'", "").replace(" or ", ", ")
    given = context.get("tag", error["input"])
    meant = likely(str(given), choices.split(", "))
    return f"{shown(given)} is none of {choices}. " + (f"Did you mean {meant}?" if meant else "Write one of these.")


def _example(loc: Loc) -> str:
    """Return what to write at `loc`, from the examples of its field."""
    field = field_at(loc)
    if field is not None and field.examples:
        return f" Write it as `{loc[-1]}: {written(field.examples[0])}`."
    return " Look at docs/CONFIG.md for what may stand here."
