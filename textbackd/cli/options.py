"""What several commands share: the option `--config` and reading what it names, numbers, and what others wrote."""

import textwrap
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import click
from click.core import ParameterSource

from textbackd.cli import DEFAULT_CONFIG
from textbackd.config import Settings, load, loads, values
from textbackd.core.phone import E164, read_number
from textbackd.report import period


def _inherited(ctx: click.Context, param: click.Parameter, value: Path) -> Path:
    """Return the file that was given; `line --config FILE pause` means the same as `line pause --config FILE`."""
    is_default = ctx.get_parameter_source(param.name or "") is ParameterSource.DEFAULT
    outer = ctx.parent.params.get("config") if ctx.parent else None
    return outer if is_default and isinstance(outer, Path) else value


def moment(option: str, written: str, zone: ZoneInfo, after: timedelta = timedelta(0)) -> datetime:
    """Return the beginning of a day (2026-03-01), or so long after it; or how long ago (90d)."""
    try:
        day = date.fromisoformat(written.strip())
    except ValueError:
        return _ago(option, written)
    try:
        return datetime.combine(period.within(day) + after, time(), zone).astimezone(UTC)
    except ValueError as error:
        raise click.UsageError(f"{option} {error}") from error


def _ago(option: str, written: str) -> datetime:
    try:
        return datetime.now(UTC) - values.duration(written)
    except ValueError as error:
        raise click.UsageError(f"{option} {written}: write a day as 2026-03-01, or how far back as 90d.") from error


WIDTH: Final = 80  # columns of the narrowest terminal in use

config_option: Final[Callable[[Any], Any]] = click.option(
    "--config",
    "config",
    type=click.Path(path_type=Path),
    default=DEFAULT_CONFIG,
    show_default=True,
    metavar="FILE",
    callback=_inherited,
    help="The configuration.",
)

EMBEDDED: Final = """
business: {name: Your Shop, country: US}
pbx: {office: {secret: none}}
lines: {main: {dids: ["*"]}}
gateways: {none: {type: http, url: "http://127.0.0.1:9/"}}
"""


def load_or_embedded(config: Path) -> Settings:
    """Return the configuration; the embedded defaults if none was named and there is none at the usual place."""
    if config == DEFAULT_CONFIG and not config.exists():
        return loads(EMBEDDED, Path("(embedded defaults)"))
    return load(config)


def number_of(settings: Settings, written: str) -> E164:
    """Return a number as a person wrote it, read in the country of the business."""
    number = read_number(written, settings.business.country).e164
    if number is None:
        raise click.UsageError(f"{written!r} is not a phone number. Write it like +13125550123.")
    return number


def wrapped(text: str, before: str = "") -> list[str]:
    """Return a text in lines of eighty columns, each after `before`; line ends of its own stay."""
    # An address is copied from the terminal, so it stays in one piece.
    wrapper = textwrap.TextWrapper(WIDTH - len(before), break_long_words=False, break_on_hyphens=False)
    return [before + part for line in text.splitlines() for part in wrapper.wrap(line) or [""]]


def printable(text: str) -> str:
    """Return what others wrote without what could move a terminal's cursor."""
    return "".join(c for c in text if c.isprintable())
