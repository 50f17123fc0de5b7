"""The configuration file → frozen settings, or every fault at once.   settings.py, faults.py → here → cli, daemon"""

from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from textbackd.config.crosscheck import crossed
from textbackd.config.faults import faults_of
from textbackd.config.prepare import context_for, filled
from textbackd.config.settings import Origin, Settings
from textbackd.config.yaml_source import NO_LINE, Fault, Source, SourceError, parse, read
from textbackd.config.zones import machine_zone
from textbackd.errors import ConfigError


def load(path: Path, *, machine: ZoneInfo | None = None) -> Settings:
    """Return the settings in the file at `path`. Raises ConfigError with all that is wrong with it, and nothing else.

    `machine` is the zone that the machine is set to; it is asked if none is given.
    """
    try:
        return _settings(read(path), path, machine)
    except SourceError as exc:
        raise ConfigError(path, [sentence(path, fault) for fault in exc.faults]) from exc


def loads(text: str, path: Path = Path("textbackd.yaml"), *, machine: ZoneInfo | None = None) -> Settings:
    """Return the settings in `text`, as if it stood in the file at `path`. Raises ConfigError."""
    try:
        return _settings(parse(text), path, machine)
    except SourceError as exc:
        raise ConfigError(path, [sentence(path, fault) for fault in exc.faults]) from exc


def faults_in(text: str, path: Path) -> list[Fault]:
    """Return all that is wrong with `text`, as if it stood in the file at `path`: for whoever asks for one value after the other."""
    try:
        _ = _settings(parse(text), path, None)
    except SourceError as exc:
        return exc.faults
    return []


def sentence(path: Path, fault: Fault) -> str:
    """Return a fault as a person reads it: `textbackd.yaml:3: policy.delay: what is wrong. What to write instead.`"""
    key = dotted(fault.loc)
    place = f"{path}:{fault.line}" if fault.line != NO_LINE else f"{path}"
    return f"{place}: {key + ': ' if key else ''}{fault.sentence}"


def dotted(loc: tuple[str | int, ...]) -> str:
    """Return a place as it is told: lines.main.dids[0]. Keys that are unreadable are shortened."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{_printable(step)}" for step in loc)
    return "".join(steps).removeprefix(".")


def _settings(source: Source, path: Path, machine: ZoneInfo | None) -> Settings:
    data, guessed = filled(source.data, machine or machine_zone())
    context = context_for(data, path.parent.absolute())
    faults = list(crossed(source, context))
    try:
        settings = Settings.model_validate(data, context=context)
    except ValidationError as exc:
        faults += faults_of(exc, source)
    if faults:
        raise SourceError(sorted(faults, key=lambda fault: fault.line))
    return settings.from_origin(Origin(path=path, lines=source.lines, zone_guessed=guessed))


def _printable(step: str) -> str:
    cleaned = "".join(character if character.isprintable() else "?" for character in step)
    return cleaned if len(cleaned) <= 40 else cleaned[:37] + "..."
