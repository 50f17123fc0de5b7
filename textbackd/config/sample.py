"""Write config/textbackd.example.yaml and docs/CONFIG.md from the settings:  python -m textbackd.config.sample

The sample is a configuration that works as it stands. Everything else stands in it commented out, a `#` right before
the key, with its default or an example, so that taking the `#` away is all there is to do.
"""

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pydantic.fields import FieldInfo

from textbackd.config import reference
from textbackd.config.outline import Model, default_of, fields, is_named, kind_of, models_in
from textbackd.config.settings import Settings
from textbackd.config.written import written

SAMPLE: Final = Path("config/textbackd.example.yaml")
REFERENCE: Final = Path("docs/CONFIG.md")
WIDTH: Final = 100
HEAD: Final = """\
# textbackd texts back the callers whose call nobody took. This file says who, when, what and how.
#
# What is not commented out is all that is needed; the rest stands here with its default, or with an
# example. Take away the # before a key to change it. docs/CONFIG.md has all of it as tables.
#
# Times are written as 5s, 10m, 24h or 7d. Secrets are ${NAME} from the environment, file:NAME (beside
# this file, unless it starts with /) or credential:NAME from systemd.
# `textbackd check` reads this file and says what is wrong with it and what to write instead.
"""
# The names of the sample's own entries, and which of a section's kinds are shown beside the first.
ENTRIES: Final = {
    "pbx": "office",
    "lines": "main",
    "contacts": "suppliers",
    "staff": "anna",
    "escalate": "second",
    "rota": "early",
    "hooks_out": "crm",
    "gsm_modem": "stick",
    "http": "web",
    "leads": "website",
    "cal_com": "cal",
}
# What excludes another key that is shown, and what docs/gateways/http.md shows in whole examples.
NOT_SHOWN: Final = frozenset({
    *("form", "query", "body", "bearer", "headers"),
    *("result", "poll", "reports", "signature", "answer"),
    *("device", "hint", "astdb"),
})  # fmt: skip
# Of several keys of which one is needed, the one that the working part has.
CHOSEN: Final = frozenset({"imei"})


def sample() -> str:
    """Return the text of the sample."""
    return HEAD + "".join(f"{line}\n" for line in _section(Settings, indent=0, commented=False))


def _section(model: Model, *, indent: int, commented: bool) -> Iterator[str]:
    for key, field in _shown(model):
        blocks = list(models_in(field.annotation))
        off = commented or not _is_needed(key, field)
        if indent == 0:
            yield ""
        yield from _described(field, indent)
        if not blocks:
            yield _line(f"{key}: {_value(field)}", indent, commented=off)
        else:
            yield _line(f"{key}:", indent, commented=off)
            yield from _blocks(key, field, blocks, indent + 2, commented=off)


def _blocks(key: str, field: FieldInfo, blocks: list[Model], indent: int, *, commented: bool) -> Iterator[str]:
    if not is_named(field.annotation):
        yield from _section(blocks[0], indent=indent, commented=commented)
        return
    for number, model in enumerate(model for model in blocks if (kind_of(model) or key) in ENTRIES):
        off = commented or number > 0
        kind = kind_of(model)
        if kind:
            yield from _comment(str(model.__doc__).partition("\n")[0], indent)
        yield _line(f"{ENTRIES[kind or key]}:", indent, commented=off)
        yield from _section(model, indent=indent + 2, commented=off)
    others = [kind for model in blocks if (kind := kind_of(model)) and kind not in ENTRIES]
    if others:
        yield from _comment(f"Other types, see docs/CONFIG.md: {', '.join(others)}.", indent)


def _shown(model: Model) -> list[tuple[str, FieldInfo]]:
    """Return the fields of a block: what is needed first, so that the working part stands together."""
    shown = [(key, field) for key, field in fields(model) if key not in NOT_SHOWN]
    return sorted(shown, key=lambda item: not _is_needed(*item))


def _is_needed(key: str, field: FieldInfo) -> bool:
    return field.is_required() or key in CHOSEN


def _described(field: FieldInfo, indent: int) -> Iterator[str]:
    default = default_of(field)
    has_another = field.examples and default is not None
    yield from _comment((field.description or "") + (f" Default: {default}." if has_another else ""), indent)


def _comment(text: str, indent: int) -> Iterator[str]:
    for line in textwrap.wrap(text, WIDTH - indent - 2):
        yield " " * indent + "# " + line


def _line(text: str, indent: int, *, commented: bool) -> str:
    return " " * indent + ("#" if commented else "") + text


def _value(field: FieldInfo) -> str:
    """Return what to show: an example where there is one, else the default."""
    return written(field.examples[0]) if field.examples else default_of(field) or ""


def main(root: Path) -> None:
    """Write both files below `root`."""
    (root / SAMPLE).write_text(sample(), "utf-8")
    (root / REFERENCE).write_text(reference.reference(), "utf-8")


if __name__ == "__main__":
    main(Path(__file__).parents[2])
