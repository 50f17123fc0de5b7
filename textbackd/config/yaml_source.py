"""YAML text → plain data, and the line of everything in it.   the file → here → settings.py, faults.py

YAML 1.1 reads `NO` as false, `0123` as 83 and `8:30` as 510, and takes the last of two equal keys. Here only `true`,
`false`, `null` and plain whole numbers are more than text, a key is always text, and a surprise is a fault.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

MAX_BYTES: Final = 256 * 1024  # hundreds of lines' worth of settings; PyYAML takes seconds for more
MAX_DEPTH: Final = 32  # the settings need 6; templates of a JSON body a few more
MAX_VALUES: Final = 20_000  # what aliases may unfold to; the files that grow beyond any memory need a few hundred bytes

NO_LINE: Final = 0  # of a fault of the file as a whole
_BOOL: Final = "tag:yaml.org,2002:bool"
_INT: Final = "tag:yaml.org,2002:int"
_NULL: Final = "tag:yaml.org,2002:null"
_STR: Final = "tag:yaml.org,2002:str"
# A number with a leading zero or `+` is somebody's number, so it stays text; 18 digits fit every integer type.
_PATTERNS: Final = {
    _BOOL: (re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), "tTfF"),
    _INT: (re.compile(r"^(?:0|-?[1-9][0-9]{0,17})$"), "-0123456789"),
    _NULL: (re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""]),
}

# The tags of blocks and lists that have none written, and what is said of any other.
_PLAIN: Final = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
_TAGGED: Final = "tags (!name) are not understood. Write the value alone."

Loc = tuple[str | int, ...]


class _Loader(yaml.SafeLoader):
    """PyYAML's loader without the readings of YAML 1.1 that nobody means."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own name and shape


for _tag, (_pattern, _first) in _PATTERNS.items():
    _Loader.add_implicit_resolver(_tag, _pattern, list(_first))


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong at one place of the file; the sentence says what, and what to write instead."""

    line: int  # counted from 1; NO_LINE of a file that cannot be read
    loc: Loc  # ("lines", "main", "dids", 0); () for the file as a whole
    sentence: str


class SourceError(Exception):
    """The text cannot be read at all, or holds what no configuration may."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__("; ".join(fault.sentence for fault in faults))


@dataclass(slots=True)
class Source:
    """The data of one file, and where each piece of it stands."""

    data: dict[str, Any]
    lines: dict[Loc, int] = field(default_factory=dict)  # the line of each value's key, or of a list's item

    def line(self, loc: Loc) -> int:
        """Return the line of what is at `loc`, or of the nearest thing around it that is written."""
        return nearest_line(self.lines, loc)


def nearest_line(lines: Mapping[Loc, int], loc: Loc) -> int:
    """Return the line of what is at `loc`, or of the nearest thing around it that is written; 1 for the file."""
    while loc and loc not in lines:
        loc = loc[:-1]
    return lines.get(loc, 1)


def read(path: Path) -> Source:
    """Return the data of the file at `path`. Raises SourceError for all that can be wrong with a file."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as exc:
        raise _failed(NO_LINE, _unreadable(exc)) from exc
    if len(raw) > MAX_BYTES:
        raise _failed(NO_LINE, f"the file is larger than {MAX_BYTES // 1024} KiB. Is this the configuration?")
    return parse(_decoded(raw))


def parse(text: str) -> Source:
    """Return the data of a configuration in YAML. Raises SourceError."""
    root = _composed(text)
    if root is None:
        raise _failed(1, "the file is empty. Start from config/textbackd.example.yaml.")
    if not isinstance(root, yaml.MappingNode):
        what = "a list" if isinstance(root, yaml.SequenceNode) else "text"
        raise _failed(_line(root), f"the file is {what}, not keys with values. Start it with `business:`.")
    reader = _Reader()
    data = reader.mapping(root, ())
    if reader.faults:
        raise SourceError(reader.faults)
    return Source(data, reader.lines)


def _unreadable(exc: OSError | ValueError) -> str:
    if isinstance(exc, FileNotFoundError):
        return "there is no such file. Start from config/textbackd.example.yaml, or name another with --config FILE."
    if isinstance(exc, IsADirectoryError):
        return "this is a folder, not a file. Name the file in it, such as textbackd.yaml."
    if isinstance(exc, PermissionError):
        return "this file may not be read. Run as root or as the user textbackd, or mend its permissions."
    reason = exc.strerror if isinstance(exc, OSError) else "its name is no file name"
    return f"this file cannot be read ({reason}). Name another with --config FILE."


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = raw.count(b"\n", 0, exc.start) + 1
        sentence = "this is not UTF-8 text. Save the file as UTF-8 in your editor."
        raise _failed(line, sentence) from exc


def _composed(text: str) -> yaml.Node | None:
    try:
        return yaml.compose(text, Loader=_Loader)
    except yaml.reader.ReaderError as exc:
        line = text.count("\n", 0, exc.position) + 1
        raise _failed(line, "there is a control character here that no text has. Delete it.") from exc
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        raise _failed(mark.line + 1 if mark else 1, _syntax(exc)) from exc
    except RecursionError as exc:
        raise _failed(1, "brackets are nested too deeply. Settings need six levels.") from exc
    # PyYAML trips over its own conversions: "\UFFFFFFFF" is no character, `%YAML` takes numbers of any length.
    except (yaml.YAMLError, ValueError, OverflowError) as exc:
        raise _failed(
            1, "an escape sequence or a % line is not YAML. Look for backslashes between double quotes."
        ) from exc


# What PyYAML calls it → what a person can do about it. The first phrase that occurs in the problem is taken.
_PROBLEMS: Final = (
    ("'\\t'", "there is a tab here. Use spaces to indent."),
    ("mapping values are not allowed", "a colon too many, or the indentation is off. Put text with a colon in quotes."),
    ("could not find expected ':'", "a key has no colon. Write `key: value`, with a space after the colon."),
    ("while parsing a block", "the indentation is off. Keys that belong together start in the same column."),
    ("expected <block end>", "the indentation is off. Keys that belong together start in the same column."),
    ("expected ',' or", "a bracket stays open, or a comma is missing. Write lists as [a, b] and blocks as {a: 1}."),
    ("found unexpected end of stream", "a quote is not closed. Put the same quote at the end of the text."),
    ("expected escape sequence", "a backslash between double quotes starts an escape. Use single quotes."),
    ("unknown escape character", "a backslash between double quotes starts an escape. Use single quotes."),
    ("cannot start any token", "text may not start with this character. Put it in quotes."),
    ("found undefined alias", "text that starts with * is an alias in YAML. Put it in quotes."),
    ("expected alphabetic or numeric", "text that starts with * or & has a meaning in YAML. Put it in quotes."),
    ("expected a single document", "a second document starts here (`---`). Keep everything in one."),
    ("found duplicate anchor", "two anchors (&name) have the same name. Rename one."),
)  # fmt: skip


def _syntax(exc: yaml.MarkedYAMLError) -> str:
    problem = f"{exc.problem or ''} {exc.context or ''}"
    found = next((sentence for phrase, sentence in _PROBLEMS if phrase in problem), None)
    return (
        found or "this is not YAML. Look at the indentation, the colons and the quotes in this line and the one before."
    )


@dataclass(slots=True)
class _Reader:
    """Turns nodes into data, noting lines and faults on the way."""

    lines: dict[Loc, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    values: int = 0

    def mapping(self, node: yaml.MappingNode, loc: Loc) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key, value in self._keys(node, loc):
            here = (*loc, key.value)
            self.lines.setdefault(here, _line(key))
            data[key.value] = self._value(value, here)
        return data

    def _keys(self, node: yaml.MappingNode, loc: Loc) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
        """Yield the keys that are text and stand here for the first time, with their values."""
        seen: dict[str, int] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._fault(key, loc, "a key is a list or a block. Put text that starts with [ or { in quotes.")
            elif key.value == "<<" and not key.style:  # in quotes it is a word like any other
                self._fault(key, loc, "merge keys (<<) are not understood. Write the keys out.")
            elif key.value in seen:
                sentence = f"this key stands in line {seen[key.value]} already. Delete one of the two, or join them."
                self._fault(key, (*loc, key.value), sentence)
            elif self._is_text(key, loc):
                seen[key.value] = _line(key)
                yield key, value

    def _value(self, node: yaml.Node, loc: Loc) -> Any:
        self.values += 1
        # Aliases may point to what they stand in, or unfold to billions of values; either shows here.
        if len(loc) > MAX_DEPTH:
            self._refuse(
                node, loc, "this is nested too deeply, or an alias (*name) points to what it stands in. Write it out."
            )
        if self.values > MAX_VALUES:
            self._refuse(
                node, loc, f"there are more than {MAX_VALUES} values here, aliases (*name) included. Write fewer."
            )
        if isinstance(node, yaml.CollectionNode) and node.tag not in _PLAIN:
            self._fault(node, loc, _TAGGED)
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, loc)
        if isinstance(node, yaml.SequenceNode):
            return self._items(node, loc)
        return self._scalar(node, loc)

    def _items(self, node: yaml.SequenceNode, loc: Loc) -> list[Any]:
        items = []
        for number, item in enumerate(node.value):
            self.lines.setdefault((*loc, number), _line(item))
            items.append(self._value(item, (*loc, number)))
        return items

    def _scalar(self, node: yaml.Node, loc: Loc) -> str | int | bool | None:
        text: str = node.value
        if node.tag == _STR:
            return text if self._is_text(node, loc) else ""
        if node.tag not in _PATTERNS or not _PATTERNS[node.tag][0].match(text):
            self._fault(node, loc, _TAGGED)
            return ""
        if node.tag == _NULL:
            return None
        return int(text) if node.tag == _INT else text.lower() == "true"

    def _is_text(self, node: yaml.Node, loc: Loc) -> bool:
        # "\ud800" between double quotes is half a character: nothing can print, store or send it.
        if any("\ud800" <= character <= "\udfff" for character in node.value):
            self._fault(node, loc, "half a character (\\ud800 to \\udfff) stands here. Write the character itself.")
            return False
        return True

    def _fault(self, node: yaml.Node, loc: Loc, sentence: str) -> None:
        self.faults.append(Fault(_line(node), loc, sentence))

    def _refuse(self, node: yaml.Node, loc: Loc, sentence: str) -> None:
        """Stop reading: going on would take for ever."""
        self._fault(node, loc[:3], sentence)
        raise SourceError(self.faults)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _failed(line: int, sentence: str) -> SourceError:
    return SourceError([Fault(line, (), sentence)])
