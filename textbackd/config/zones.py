"""Which time zone is a business in that names none?   the machine, zone.tab → here → prepare.py"""

import importlib.resources
import os
import zoneinfo
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

# Two zones keep the same clock if they agree on these days: summer and winter of one year, north and south.
_PROBES: Final = (datetime(2026, 1, 15, 12, tzinfo=UTC), datetime(2026, 7, 15, 12, tzinfo=UTC))


def business_zone(country: str, machine: ZoneInfo) -> tuple[ZoneInfo, bool]:
    """Return the zone of a business in `country`, and whether it is sure.

    A country with one clock has its zone. In one with several the machine's is taken, a guess unless it is one of them.
    """
    names = _zones_by_country().get(country, ())
    if names and len({_clock(name) for name in names}) == 1:
        return ZoneInfo(names[0]), True
    return machine, machine.key in names


def countries_of(zone: ZoneInfo) -> list[str]:
    """Return the countries whose zone this is, as zone.tab has it."""
    return [country for country, names in _zones_by_country().items() if zone.key in names]


def machine_zone(environ: Mapping[str, str] | None = None, localtime: Path = Path("/etc/localtime")) -> ZoneInfo:
    """Return the zone that the machine is set to, UTC if it tells none."""
    written = (os.environ if environ is None else environ).get("TZ", "").lstrip(":")
    _, _, linked = str(localtime.resolve()).partition("zoneinfo/")
    for name in (written, linked):
        try:
            if name:
                return ZoneInfo(name)
        except (OSError, ValueError, KeyError):
            continue
    return ZoneInfo("UTC")


@lru_cache(maxsize=1)
def _zones_by_country() -> dict[str, tuple[str, ...]]:
    """Return the zones of every country, the largest first, from zone.tab (tab separated: country, place, zone)."""
    zones: dict[str, tuple[str, ...]] = {}
    for line in _zone_tab().splitlines():
        if not line.startswith("#") and len(columns := line.split("\t")) >= 3:
            zones[columns[0]] = (*zones.get(columns[0], ()), columns[2].strip())
    return zones


def _zone_tab() -> str:
    paths = [Path(folder, "zone.tab") for folder in zoneinfo.TZPATH]
    found = next((path for path in paths if path.is_file()), None)
    if found is not None:
        return found.read_text("utf-8")
    try:
        return (importlib.resources.files("tzdata") / "zoneinfo" / "zone.tab").read_text("utf-8")
    except (ModuleNotFoundError, OSError):
        return ""


def _clock(name: str) -> tuple[object, ...]:
    zone = ZoneInfo(name)
    return tuple(moment.astimezone(zone).utcoffset() for moment in _PROBES)
