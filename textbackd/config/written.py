"""Values → as they are written in the configuration.   settings.py → here → faults.py, sample.py, reference.py"""

from collections.abc import Mapping
from datetime import timedelta
from functools import singledispatch
from typing import Any, Final

from textbackd.config.hours import Holidays
from textbackd.core.limits import Limit, Share, SpendLimit
from textbackd.core.opening_hours import ALWAYS_OPEN, NEVER_OPEN, OpeningHours, QuietHours

_UNITS: Final = (
    (timedelta(days=1), "d"),
    (timedelta(hours=1), "h"),
    (timedelta(minutes=1), "m"),
    (timedelta(seconds=1), "s"),
)
# Text that YAML could read as something else stands in quotes.
_QUOTED: Final = set("{}[],&*#?|<>=!%@`\"'+:~$")


@singledispatch
def written(value: Any) -> str:
    """Return `value` in one line of YAML."""
    return str(value)


@written.register
def _(value: None) -> str:
    return "null"


@written.register
def _(value: str) -> str:
    plain = value and not (set(value) & _QUOTED) and not value[0].isdigit() and value == value.strip()
    if plain or _is_path_like(value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


@written.register
def _(value: bool) -> str:
    return str(value).lower()


@written.register(list)
@written.register(tuple)
def _(value: Any) -> str:
    return f"[{', '.join(written(item) for item in value)}]"


@written.register(Mapping)
def _(value: Mapping[Any, Any]) -> str:
    return f"{{{', '.join(f'{_key(key)}: {written(item)}' for key, item in value.items())}}}"


@written.register
def _(value: timedelta) -> str:
    # A day reads as 24h where it is a wait; the window of a limit, below, is a day.
    return "24h" if value == timedelta(days=1) else _window(value)


@written.register
def _(value: Limit) -> str:
    return f"{value.count}/{_window(value.window)}"


@written.register
def _(value: SpendLimit) -> str:
    return f"{value.amount}/{_window(value.window)}"


@written.register
def _(value: Share) -> str:
    return f"{value.percent}%/{value.of}"


@written.register
def _(value: QuietHours) -> str:
    return f'"{value}"'


@written.register
def _(value: OpeningHours) -> str:
    return {ALWAYS_OPEN: "always", NEVER_OPEN: "closed"}.get(value, "see above")


@written.register
def _(value: Holidays) -> str:
    days = (day.isoformat() for day in sorted(value.dates))
    return written([*value.regions, *days, *(f"ics:{path}" for path in value.files)])


def _window(window: timedelta) -> str:
    unit, name = next(((unit, name) for unit, name in _UNITS if window and not window % unit), _UNITS[-1])
    return f"{window // unit}{name}"


def _key(key: str) -> str:
    return f'"{key}"' if set(key) & _QUOTED else key


def _is_path_like(value: str) -> bool:
    return value.startswith(("/", "file:", "http://", "https://", "credential:")) and not set(value) & set("{},[]#$ ")
