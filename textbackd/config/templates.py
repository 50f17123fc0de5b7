"""The fields that a text, or a gateway's request, may have in braces.   core/compose.py → here → settings.py"""

import re
from typing import Any, Final

from textbackd.config.secrets import without_variables
from textbackd.config.values import likely, text
from textbackd.core.compose import FIELD, FIELDS

REQUEST_FIELDS: Final = ("to", "from", "text", "id", "to_digits", "from_digits", "hook_url")
POLL_FIELDS: Final = ("since",)
_REQUEST_FIELD: Final = re.compile(r"\{([A-Za-z_]+)\}")


def text_template(written: Any) -> str | None:
    """Return the text, None for `none`. Raises ValueError for a field that nobody fills in, or a brace too many."""
    value = text(written)
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError("this is not a text. Write it in quotes, or none to send nothing.")
    if value.strip().casefold() == "none":
        return None
    if not value.strip():
        raise ValueError("the text is empty. Write none to send nothing.")
    for name in FIELD.findall(value):
        if name not in FIELDS:
            raise ValueError(_unknown(name, FIELDS))
    if "{" in (rest := FIELD.sub("", value)) or "}" in rest:
        raise ValueError("a brace stands alone. Write fields as {business}; other braces cannot be texted.")
    return value


def request_template(value: str) -> str:
    """Return a part of a request. Only {word} is a field here, since JSON has braces of its own."""
    for name in _REQUEST_FIELD.findall(without_variables(value)):
        if name not in REQUEST_FIELDS:
            raise ValueError(_unknown(name, REQUEST_FIELDS))
    return value


def poll_template(value: str) -> str:
    """Return the address of a list, in which only {since} is a field."""
    for name in _REQUEST_FIELD.findall(without_variables(value)):
        if name not in POLL_FIELDS:
            raise ValueError(_unknown(name, POLL_FIELDS))
    return value


def request_fields(value: Any) -> set[str]:
    """Return the fields that occur in a part of a request, however deep."""
    if isinstance(value, dict):
        return {name for item in value.values() for name in request_fields(item)}
    if isinstance(value, list):
        return {name for item in value for name in request_fields(item)}
    return set(_REQUEST_FIELD.findall(without_variables(value))) if isinstance(value, str) else set()


def request_tree(value: Any) -> Any:
    """Return a body or a query whose every text is a part of a request."""
    if isinstance(value, dict):
        return {key: request_tree(item) for key, item in value.items()}
    if isinstance(value, list):
        return [request_tree(item) for item in value]
    return request_template(value) if isinstance(value, str) else value


def _unknown(name: str, fields: tuple[str, ...]) -> str:
    meant = likely(name, fields)
    known = ", ".join(f"{{{field}}}" for field in fields)
    return f"there is no field {{{name[:40]}}}. " + (
        f"Did you mean {{{meant}}}?" if meant else f"The fields are {known}."
    )
