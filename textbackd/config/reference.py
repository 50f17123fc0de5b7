"""docs/CONFIG.md, made from the settings.   settings.py → here → sample.py"""

import inspect
from collections.abc import Iterator
from typing import Final

from pydantic.fields import FieldInfo

from textbackd.config.countries import COUNTRIES, ELSEWHERE
from textbackd.config.outline import Model, default_of, fields, is_named, is_told, kind_of, models_in
from textbackd.config.settings import Settings
from textbackd.config.written import written
from textbackd.core.words import language_of

HEAD: Final = """\
# Configuration

Made from the settings in `textbackd/config/settings.py` and `sections/` by `python -m textbackd.config.sample`; edit those.

The file is YAML, `/etc/textbackd/textbackd.yaml` unless `--config FILE` names another. `textbackd check` tells every
fault at once, each with its line and what to write instead; it exits 2 for faults, 1 for warnings only, 0 otherwise. An
unknown key is a fault.

| value | written as |
|---|---|
| duration | a number and its unit: `5s`, `10m`, `24h`, `7d`; every one may be `0s` |
| limit, rate | how many in how long: `1/12h`, `6/min`; several in a list; `off` |
| phone number | `"+13125550123"`, or as it is dialled in the country of the business |
| opening hours | a block of days (`mon`, `mon-fri`, `"sat,sun"`) with their times: `["08:00-12:00", "13:00-17:00"]`, \
`"22:00-02:00"` past midnight, `closed`; or `always` |
| holidays | `US`, `US-IL` (country and region, ISO 3166), `2026-12-24`, `2026-12-24..2027-01-02`, `ics:FILE` (whole-day events \
of a calendar file), or a list of such |
| secret | `${NAME}` from the environment, `file:NAME` (beside the configuration unless it starts with `/`), \
`credential:NAME` from systemd |
| pattern | `*` stands for anything: `from-trunk*` |

YAML here has none of its old surprises: `NO` is Norway, `0123` and `8:30` are text, a key that stands twice is a fault.
Only `true`, `false`, `null` and plain whole numbers are more than text. A key without a value counts as not written.
"""


def reference() -> str:
    """Return the text of docs/CONFIG.md."""
    return HEAD + "".join(f"{line}\n" for line in (*_section("", Settings), *_by_country()))


def _by_country() -> Iterator[str]:
    """Yield the table of what follows from `business.country`, countries that do not differ in one row."""
    yield from (
        "",
        "## What follows from the country",
        "",
        "Each holds only where its key is not written: `business.languages` (whose words for STOP and HELP count),",
        "`lines.NAME.language` (what the texts are written in) and `lines.NAME.optout_hint` (whether a caller's first text says how to",
        "get no more, even if it then takes one more segment). `business.timezone` follows where the country has one clock.",
        "",
        "| `business.country` | `languages` | `language` | hint |",
        "|---|---|---|---|",
    )
    alike: dict[tuple[str, str, str], list[str]] = {}
    for country, one in COUNTRIES.items():
        differs = (
            ", ".join(one.languages),
            language_of(country).value,
            "always" if one.hint_expected else "if it fits",
        )
        alike.setdefault(differs, []).append(country)
    for differs, countries in sorted(alike.items(), key=lambda item: item[1]):
        yield f"| {' '.join(sorted(countries))} | {' | '.join(differs)} |"
    elsewhere = ", ".join(ELSEWHERE.languages)
    yield f"| elsewhere | {elsewhere} | {language_of('')} | if it fits |"


def _section(path: str, model: Model) -> Iterator[str]:
    yield ""
    yield f"## {path or 'The file'}"
    yield ""
    yield inspect.cleandoc(model.__doc__ or "")
    yield ""
    yield "| key | default | meaning |"
    yield "|---|---|---|"
    for key, field in fields(model):
        yield f"| `{key}` | {_default(field)} | {_cell(field.description or '')}{_example(field)} |"
    for key, field in fields(model):
        yield from _below(f"{path}.{key}".removeprefix("."), field)


def _below(path: str, field: FieldInfo) -> Iterator[str]:
    named = is_named(field.annotation)
    for model in models_in(field.annotation):
        kind = kind_of(model)
        yield from _section(path + (".NAME" if named else "") + (f" of type {kind}" if kind else ""), model)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**needed**"
    words = default_of(field)
    if words is None:
        return "none" if is_named(field.annotation) else "below"
    return words if words == "none" or is_told(field) else f"`{_cell(words)}`"


def _example(field: FieldInfo) -> str:
    if not field.examples or any(models_in(field.annotation)):
        return ""
    return f" Such as `{_cell(written(field.examples[0]))}`."


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
