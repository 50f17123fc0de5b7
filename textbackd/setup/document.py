"""The configuration as data → as a text that explains itself.   draft.py → here → files.py    Pure.

Only what was answered stands in it; each key with what it means, each block with the names of what else may stand there. Both come from
the settings themselves, so they cannot differ from what is read.
"""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, Final

import yaml

from textbackd.config.outline import Model, fields, is_named, models_at
from textbackd.config.settings import Settings
from textbackd.config.yaml_source import Loc

# A stand-in where there is no gateway yet, for the configuration needs one. Nothing is ever sent to it: the mode is `observe`, and
# port 9 is for what is thrown away (RFC 863).
NOWHERE: Final[Mapping[str, str]] = {"type": "http", "url": "http://127.0.0.1:9/"}
NO_GATEWAY: Final = (
    "Nothing sends yet; this stands in until a gateway does. `textbackd setup` asks for one, docs/GATEWAYS.md has them."
)
WIDTH: Final = 100
ENDLESS: Final = 1_000_000  # columns: PyYAML breaks no line
HEAD: Final = """\
# textbackd texts back the callers whose call nobody took. This file says who, when, what and how.
#
# Written by `textbackd setup` from what was answered. Edit it as you like; `textbackd check` then
# says what is wrong with it, and `systemctl reload textbackd` takes it up.
#
# docs/CONFIG.md has every key with its default. Times are written as 5s, 10m, 24h or 7d. Secrets
# are file:NAME (beside this file, unless it starts with /), ${NAME} or credential:NAME.
"""


def document(data: Mapping[str, Any]) -> str:
    """Return the text of a configuration; read, it is `data` again."""
    return "\n".join([HEAD, *_block(data, (), data), *_rest(data)]) + "\n"


def _block(block: Mapping[str, Any], loc: Loc, data: Mapping[str, Any]) -> Iterator[str]:
    known = {key: field for model in models_at(loc, data) for key, field in fields(model)} if not _names(loc) else {}
    indent = len(loc) * 2
    for key, value in block.items():
        if key in known:
            yield from _comment(known[key].description or "", indent)
        inner = (*loc, key)
        if value == NOWHERE:
            yield from (*_comment(NO_GATEWAY, indent), f"{' ' * indent}{scalar(key)}: {scalar(value)}")
        elif isinstance(value, Mapping) and value and (_names(inner) or _blocks(inner, data)):
            yield f"{' ' * indent}{scalar(key)}:"
            yield from _block(value, inner, data)
        else:
            yield f"{' ' * indent}{scalar(key)}: {scalar(value)}"
        if not loc:
            yield ""
    if loc and (others := [key for key in known if key not in block]):
        yield from _comment(f"More: {', '.join(others)}.", indent)


def _rest(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield what else the file may say, a line for each section."""
    yield "# What else there is, each with its default until it is written:"
    for key, field in fields(Settings):
        if key not in data:
            yield from _comment(f"{key}: {field.description}", 0)


def _names(loc: Loc) -> bool:
    """Return whether what stands here are entries with names of the shop's own."""
    if not loc:
        return False
    field = next((each for model in models_at(loc[:-1]) for key, each in fields(model) if key == loc[-1]), None)
    return field is not None and is_named(field.annotation)


def _blocks(loc: Loc, data: Mapping[str, Any]) -> list[Model]:
    return [model for model in models_at(loc, data) if model is not Settings]


def scalar(value: Any) -> str:
    """Return a value in one line of YAML."""
    dumped: str = yaml.dump(
        [_plain(value)], Dumper=_Dumper, default_flow_style=True, allow_unicode=True, width=ENDLESS, sort_keys=False
    )
    return dumped.strip().removeprefix("[").removesuffix("]")


class _Dumper(yaml.SafeDumper):
    """PyYAML's, which keeps every text in its line and writes everything out."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if text.isprintable() else '"')


_Dumper.add_representer(str, _text)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def _comment(text: str, indent: int) -> Iterator[str]:
    for line in textwrap.wrap(text, WIDTH - indent - 2, break_on_hyphens=False):
        yield f"{' ' * indent}# {line}"
