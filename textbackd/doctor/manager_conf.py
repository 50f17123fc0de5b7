"""What manager.conf says: sections, templates and all that it includes.   pyst2's asterisk.config → here → ami.py

pyst2 reads plain files; a section with `(…)` behind its name, `#include` and a comment between `;--` and `--;` it takes for errors.
So these are resolved before it sees the lines. Source: Asterisk's config.c, and "Using the `(!)` and `(+)` options" of its wiki.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from asterisk.config import Config, ParseError

DEEPEST: Final = 8  # files that include each other
MOST_BYTES: Final = 1 << 20
_INCLUDE: Final = re.compile(r'#\s*(?:try)?include\s+["<]?([^">;]+?)[">]?\s*(?:;.*)?$')
_SECTION: Final = re.compile(r"(\[[^\]]+\])\s*\(([^)]*)\)")
_NAMED: Final = re.compile(r"\s*\[([^\]]+)\]")
_COMMENT: Final = re.compile(r";--(?!-).*?--;", re.DOTALL)


@dataclass(slots=True)
class ManagerConf:
    """The settings of each section; of a key that comes again the last counts, but permit, deny and acl are lists."""

    sections: dict[str, dict[str, str]] = field(default_factory=dict)
    lists: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)  # that were read
    places: dict[str, Path] = field(default_factory=dict)  # section → the file in which it begins
    unread: list[Path] = field(default_factory=list)  # that are there and may not be read, or cannot

    def of(self, section: str, key: str, default: str = "") -> str:
        """Return one setting."""
        return self.sections.get(section, {}).get(key, default)

    def is_on(self, section: str, key: str) -> bool:
        """Return whether a setting is one of Asterisk's words for yes."""
        return self.of(section, key).casefold() in ("yes", "true", "y", "t", "1", "on")


class _Lines(Config):
    """pyst2's reader, of lines that are here already."""

    def __init__(self, name: str, lines: list[str]) -> None:
        self._given = lines
        super().__init__(name)

    def load(self) -> None:
        self.raw_lines = self._given


LISTS: Final = ("permit", "deny", "acl", "eventfilter")


def read_manager_conf(path: Path) -> ManagerConf:
    """Return what the file and all that it includes say. Never raises: what cannot be read is named in `unread`."""
    conf, templates = ManagerConf(), dict[str, list[str]]()
    lines = [_without_template(line, templates) for line in _lines(path, conf, 0)]
    for category in _categories(path, lines, conf):
        for parent in templates.get(f"[{category.name}]", []):
            conf.sections.setdefault(category.name, {}).update(conf.sections.get(parent, {}))
            for key, values in conf.lists.get(parent, {}).items():
                conf.lists.setdefault(category.name, {}).setdefault(key, []).extend(values)
        _take(conf, category)
    return conf


def _categories(path: Path, lines: list[str], conf: ManagerConf) -> list[Config]:
    try:
        return list(_Lines(str(path), lines).categories)
    except (ParseError, IndexError):
        conf.unread.append(path)
        return []


def _take(conf: ManagerConf, category: Config) -> None:
    settings = conf.sections.setdefault(category.name, {})
    for item in category.items:
        key, value = item.name.casefold(), item.value.strip()
        settings[key] = value
        if key in LISTS:
            conf.lists.setdefault(category.name, {}).setdefault(key, []).append(value)


def _lines(path: Path, conf: ManagerConf, depth: int) -> Iterator[str]:
    """Yield the lines of a file, with those of the files that it includes in their place."""
    if depth > DEEPEST:
        return
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES).decode("utf-8", "replace")
    except (OSError, ValueError):
        conf.unread.append(path)
        return
    conf.files.append(path)
    for line in _COMMENT.sub("", text).splitlines():
        if included := _INCLUDE.match(line.strip()):
            for other in _files(path.parent, included[1].strip()):
                yield from _lines(other, conf, depth + 1)
        elif named := _NAMED.match(line):
            conf.places.setdefault(named[1], path)
            yield line
        elif "=" in line:
            yield line


def _files(folder: Path, pattern: str) -> list[Path]:
    """Return what an include names, which may be a pattern and is seen from Asterisk's folder."""
    if any(sign in pattern for sign in "*?["):
        where = Path("/") if pattern.startswith("/") else folder
        return sorted(where.glob(pattern.lstrip("/")))
    return [folder / pattern] if (folder / pattern).exists() else []


def _without_template(line: str, templates: dict[str, list[str]]) -> str:
    """Return a line as pyst2 reads it, and note on which templates its section is built."""
    found = _SECTION.match(line.strip())
    if found is None:
        return line
    names = [name.strip() for name in found[2].split(",")]
    templates.setdefault(found[1], []).extend(name for name in names if name not in ("", "!", "+"))
    return found[1]
