"""Opening hours and holidays as they are written → values.   values.py → here → settings.py"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import phonenumbers
from pydantic import ValidationInfo

from textbackd.config.readers import context_of
from textbackd.config.regions import region_days
from textbackd.config.values import shown, span
from textbackd.core.opening_hours import ALWAYS_OPEN, DAYS, NEVER_OPEN, Interval, OpeningHours

_ADVICE: Final = 'Write it as "08:00-12:00", or closed.'
_NAMES: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_RANGE: Final = re.compile(r"(\d{4}-\d\d-\d\d)\s*\.\.\s*(\d{4}-\d\d-\d\d)")
_LONGEST_RANGE: Final = 366  # days; whoever is closed for longer writes `hours: closed`
_REGION: Final = re.compile(r"([A-Z]{2})(?:-[A-Z0-9]{1,3})?")  # ISO 3166-1 country, ISO 3166-2 subdivision


@dataclass(frozen=True, slots=True)
class Holidays:
    """The days on which a line keeps holidays: those of whole regions, single ones, and those of calendar files."""

    regions: tuple[str, ...] = ()  # "US" or "US-IL": ISO 3166
    dates: frozenset[date] = frozenset()
    files: tuple[Path, ...] = ()  # iCalendar, read when a call asks for a day

    def __bool__(self) -> bool:
        return bool(self.regions or self.dates or self.files)


NO_HOLIDAYS: Final = Holidays()


class InnerFaultsError(ValueError):
    """Several faults inside one value, each with the rest of its place."""

    def __init__(self, faults: list[tuple[tuple[str | int, ...], str]]) -> None:
        self.faults = faults
        super().__init__("; ".join(sentence for _, sentence in faults))


def weekly_hours(value: Any) -> OpeningHours:
    """Return the hours written as {mon-fri: ["08:00-12:00"], sat: closed}; days that are not named are closed."""
    if isinstance(value, OpeningHours):
        return value
    if value in ("always", "closed"):
        return ALWAYS_OPEN if value == "always" else NEVER_OPEN
    if not isinstance(value, dict):
        raise ValueError(f'{shown(value)} is not opening hours. Write them as {{mon-fri: ["08:00-17:00"]}}, or always.')
    week: dict[str, tuple[Interval, ...]] = {}
    faults: list[tuple[tuple[str | int, ...], str]] = []
    for key, written in value.items():
        _add(key, written, week, faults)
    if faults:
        raise InnerFaultsError(faults)
    return OpeningHours(week=tuple(week.get(day, ()) for day in DAYS))


def _add(
    key: str, written: Any, week: dict[str, tuple[Interval, ...]], faults: list[tuple[tuple[str | int, ...], str]]
) -> None:
    try:
        days = _days(key)
        intervals = tuple(_intervals(written))
    except ValueError as exc:
        faults.append(((key,), str(exc)))
        return
    for day in days:
        if day in week:
            faults.append(((key,), f"{day} has hours already. Name each day once."))
        week[day] = intervals


def _days(key: str) -> list[str]:
    """Return the days of `mon`, `mon-fri` or `sat,sun`, each as its first three letters."""
    days: list[str] = []
    for part in key.split(","):
        first, _, last = (piece.strip() for piece in part.partition("-"))
        start, end = _day(first, key), _day(last or first, key)
        days += [DAYS[(start + step) % 7] for step in range((end - start) % 7 + 1)]
    return days


def _day(name: str, key: str) -> int:
    folded = name.casefold()
    for number, full in enumerate(_NAMES):
        if folded == full or (folded == full[:3]):
            return number
    raise ValueError(f"{shown(key)} names no day. Write days as mon, mon-fri or sat,sun.")


def _intervals(written: Any) -> Iterator[Interval]:
    if isinstance(written, str) and written.strip().casefold() == "closed":
        return
    for item in written if isinstance(written, list) else [written]:
        if not isinstance(item, str):
            raise ValueError(f"{shown(item)} is not a stretch of time. {_ADVICE}")
        opens, closes = span(item, _ADVICE)
        if opens == closes:
            raise ValueError(f'{shown(item)} starts when it ends. Write a whole day as "00:00-24:00".')
        yield Interval(opens, closes if closes > opens else closes + timedelta(days=1))


def kept_holidays(value: Any, info: ValidationInfo) -> Holidays:
    """Return the holidays written as US-IL, 2026-12-24, 2026-12-24..2027-01-02, ics:FILE, or a list of such."""
    if isinstance(value, Holidays):
        return value
    folder = context_of(info).folder
    found: list[Holidays] = []
    faults: list[tuple[tuple[str | int, ...], str]] = []
    for number, item in enumerate(value if isinstance(value, list) else [value]):
        try:
            found.append(_kept(item, folder))
        except ValueError as exc:
            faults.append(((number,) if isinstance(value, list) else (), str(exc)))
    if faults:
        raise InnerFaultsError(faults)
    return Holidays(
        regions=tuple(dict.fromkeys(region for each in found for region in each.regions)),
        dates=frozenset(day for each in found for day in each.dates),
        files=tuple(dict.fromkeys(path for each in found for path in each.files)),
    )


def _kept(item: object, folder: Path) -> Holidays:
    """Return what one item means. Raises ValueError."""
    if isinstance(item, str) and item.strip().startswith("ics:"):
        return Holidays(files=(_calendar(item.strip().removeprefix("ics:").strip(), folder),))
    if isinstance(item, str) and (ends := _RANGE.fullmatch(item.strip())):
        return Holidays(dates=_days_between(ends[1], ends[2]))
    if (day := _date(item)) is not None:
        return Holidays(dates=frozenset({day}))
    if (region := _region(item)) is not None:
        _ = region_days(region)  # whether there is one
        return Holidays(regions=(region,))
    advice = "Write US, US-IL, 2026-12-24, 2026-12-24..2027-01-02 or ics:FILE."
    raise ValueError(f"{shown(item)} is neither a country nor a date. {advice}")


def _calendar(name: str, folder: Path) -> Path:
    if not name or "\0" in name:
        raise ValueError("ics: names no file. Write ics:closed.ics.")
    return folder / name


def _days_between(first: str, last: str) -> frozenset[date]:
    """Return the days from `first` to `last`, both included."""
    start, end = _date(first), _date(last)
    if start is None or end is None:
        raise ValueError(f"{shown(first if start is None else last)} is a day that no calendar has.")
    if not 0 <= (end - start).days < _LONGEST_RANGE:
        raise ValueError(
            f"'{first}..{last}' is no stretch of at most {_LONGEST_RANGE} days. Write the earlier day first."
        )
    return frozenset(start + timedelta(days=number) for number in range((end - start).days + 1))


def _date(item: object) -> date | None:
    try:
        return date.fromisoformat(item) if isinstance(item, str) and len(item) == len("2026-12-24") else None
    except ValueError:
        return None


def _region(item: object) -> str | None:
    found = _REGION.fullmatch(item.upper()) if isinstance(item, str) else None
    return found[0] if found and found[1] in phonenumbers.SUPPORTED_REGIONS else None
