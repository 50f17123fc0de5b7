"""What follows from the rest of the file is filled in before it is validated.   yaml_source.py → here → settings.py

Nothing here finds fault: what is not as it should be is left alone, for the validation to name.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from textbackd.config.countries import profile
from textbackd.config.readers import Context, country_code, keys_of
from textbackd.config.zones import business_zone
from textbackd.core.words import language_of

DERIVED: Final = ("gateways", "staff", "name", "language")  # an empty key gives way to what follows from the rest


def context_for(data: Mapping[str, Any], folder: Path) -> Context:
    """Return what the values of the file are read against."""
    return Context(
        country=_country(data),
        folder=folder,
        gateways=frozenset(keys_of(data, "gateways")),
        staff=frozenset(keys_of(data, "staff")),
        pbx=frozenset(keys_of(data, "pbx")),
        lines=frozenset(keys_of(data, "lines")),
    )


def filled(data: Mapping[str, Any], machine: ZoneInfo) -> tuple[dict[str, Any], bool]:
    """Return the data with the defaults that follow from the rest of it, and whether the zone is a guess."""
    full = dict(data)
    everybody = {"gateways": list(keys_of(data, "gateways")), "staff": list(keys_of(data, "staff"))}
    spoken = {"language": language_of(_country(full) or "")}
    _each(full, "lines", lambda _, line: {**everybody, **spoken, **_written(line)})
    _each(full, "staff", lambda name, person: {"name": name, **_written(person)})
    _fill_languages(full)
    return full, _fill_zone(full, machine)


def _fill_languages(full: dict[str, Any]) -> None:
    business, country = full.get("business"), _country(full)
    if isinstance(business, Mapping) and business.get("languages") is None and country is not None:
        full["business"] = {**business, "languages": list(profile(country).languages)}


def _fill_zone(full: dict[str, Any], machine: ZoneInfo) -> bool:
    business, country = full.get("business"), _country(full)
    if not isinstance(business, Mapping) or business.get("timezone") is not None or country is None:
        return False
    zone, sure = business_zone(country, machine)
    full["business"] = {**business, "timezone": zone}
    return not sure


def _each(full: dict[str, Any], section: str, fill: Any) -> None:
    entries = full.get(section)
    if isinstance(entries, Mapping):
        full[section] = {
            name: fill(name, {} if entry is None else entry) if entry is None or isinstance(entry, Mapping) else entry
            for name, entry in entries.items()
        }


def _written(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if value is not None or key not in DERIVED}


def _country(data: Mapping[str, Any]) -> str | None:
    business = data.get("business")
    try:
        return country_code(business.get("country")) if isinstance(business, Mapping) else None
    except ValueError:
        return None
