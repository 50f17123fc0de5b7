"""What every block of the settings is made of: the base of all, and the types of values.   values.py → here → settings.py

A type is a reader from values.py or readers.py put before or after pydantic's own check of the shape.
"""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, SecretStr, model_validator

from textbackd.config import readers, values
from textbackd.config.templates import request_template, request_tree, text_template
from textbackd.core.limits import Limit, SpendLimit
from textbackd.core.phone import E164

DEFAULT = "default"  # words for a default that follows from something else; the field's own is then only a stand-in
Value = TypeVar("Value")
Text = Annotated[str, BeforeValidator(values.text)]
Name = Annotated[str, AfterValidator(readers.own_name)]
Named = Annotated[Mapping[Name, Value], AfterValidator(MappingProxyType)]
Number = Annotated[E164, BeforeValidator(readers.phone_number)]
Did = Annotated[str, BeforeValidator(readers.did_pattern)]
Listed = Annotated[tuple[Value, ...], BeforeValidator(values.listed)]
Port = Annotated[int, BeforeValidator(readers.network_port)]
Duration = Annotated[timedelta, BeforeValidator(values.duration)]
Rate = Annotated[Limit, BeforeValidator(values.rate)]
Kept = Annotated[timedelta, BeforeValidator(values.duration), AfterValidator(readers.kept_for)]
Secret = Annotated[SecretStr, BeforeValidator(readers.secret_text)]
Counted = Annotated[Limit, BeforeValidator(values.limit)]
Spent = Annotated[SpendLimit, BeforeValidator(values.spend_limit)]
Limits = Annotated[tuple[Counted, ...], BeforeValidator(values.off_or_listed)]
SpendLimits = Annotated[tuple[Spent, ...], BeforeValidator(values.off_or_listed)]
CannedReply = Annotated[str, BeforeValidator(text_template)]
LineText = Annotated[str | None, BeforeValidator(text_template)]
Headers = Annotated[
    Mapping[str, Annotated[Text, AfterValidator(request_template)]],
    AfterValidator(readers.header_names),
    AfterValidator(MappingProxyType),
]
# The parts of a request with the shop's own keys. They stay plain dicts and lists, which json.dumps asks for.
Fields = Annotated[dict[str, Any], AfterValidator(request_tree)]


def nothing() -> Mapping[str, Any]:
    """Return the default of a block that has entries of the shop's own."""
    return MappingProxyType({})


class Section(BaseModel):
    """One block of keys. A key without a value counts as not written, so that a sample can be emptied line by line."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, arbitrary_types_allowed=True)

    @model_validator(mode="before")
    @classmethod
    def _without_empty_keys(cls, data: Any) -> Any:
        if data is None:
            return {}
        if not isinstance(data, Mapping):
            return data
        known = {info.alias or name for name, info in cls.model_fields.items()}
        return {key: value for key, value in data.items() if value is not None or key not in known}
