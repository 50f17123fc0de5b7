"""Written values → values: durations, limits, times, zones.   yaml_source → here → settings.py

A reader returns the value, or raises ValueError whose text goes to the person after `file:line: key:` and says what is
wrong and what to write instead. A value that already is what it should be passes, so that code can make settings too.
"""

import difflib
import re
from collections.abc import Iterable
from datetime import time, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

from textbackd.core.limits import Limit, Share, SpendLimit
from textbackd.core.opening_hours import QuietHours

_UNITS: Final = {
    "s": timedelta(seconds=1), "sec": timedelta(seconds=1), "m": timedelta(minutes=1), "min": timedelta(minutes=1),
    "h": timedelta(hours=1), "hour": timedelta(hours=1), "d": timedelta(days=1), "day": timedelta(days=1),
}  # fmt: skip
_UNIT: Final = "(?P<unit>s|sec|m|min|h|hour|d|day)"
_DURATION: Final = re.compile(rf"(?P<number>[0-9]{{1,6}})\s*{_UNIT}")
_WINDOW: Final = rf"(?P<number>[0-9]{{1,6}})?\s*{_UNIT}"
_LIMIT: Final = re.compile(rf"(?P<count>[0-9]{{1,9}})\s*/\s*{_WINDOW}")
_SPEND: Final = re.compile(rf"(?P<amount>[0-9]{{1,9}}(?:\.[0-9]{{1,4}})?)\s*/\s*{_WINDOW}")
_PRICE: Final = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")
_SHARE: Final = re.compile(r"(?P<percent>[0-9]{1,3})\s*%\s*/\s*(?P<of>[0-9]{1,6})")
_SPAN: Final = re.compile(r"([0-9]{1,2}):([0-9]{2})\s*[-\u2013]\s*([0-9]{1,2}):([0-9]{2})")
LONGEST: Final = timedelta(days=3660)


def shown(value: object) -> str:
    """Return `value` as a fault may quote it: short, in one line."""
    text = " ".join(str(value).split())
    kind = {bool: str(value).lower(), dict: "a block of keys", list: "a list"}.get(type(value))
    return kind or f"'{text if len(text) <= 40 else text[:37] + '...'}'"


def likely(written: str, known: Iterable[str]) -> str | None:
    """Return the one of `known` that was most likely meant."""
    by_folded = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(written.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


def is_off(value: object) -> bool:
    """Return whether somebody switched this off: `off`, or `false`, which other programs call it."""
    return value is False or (isinstance(value, str) and value.strip().casefold() == "off")


def off_or(value: Any) -> Any:
    """Return None for `off`, anything else as it is."""
    return None if is_off(value) else value


def off_or_listed(value: Any) -> Any:
    """Return no items for `off`, one for a single value, a list as it is."""
    return () if is_off(value) else listed(value)


def listed(value: Any) -> Any:
    """Return a single value as a list of one; lists as they are."""
    return [value] if isinstance(value, str | int) and not isinstance(value, bool) else value


def text(value: Any) -> Any:
    """Return a number that stands where text belongs (`name: 1848`) as the text that was written."""
    if isinstance(value, bool):
        raise ValueError(f"{shown(value)} is not text here. Put it in quotes.")
    return str(value) if isinstance(value, int) else value


def duration(value: Any) -> timedelta:
    """Return a duration written as 5s, 10m, 24h or 7d."""
    if isinstance(value, timedelta):
        return value
    found = _DURATION.fullmatch(str(value).strip())
    if found is None or isinstance(value, bool):
        raise ValueError(f"{shown(value)} is not a duration. Write a number and its unit: 5s, 10m, 24h or 7d.")
    result = int(found["number"]) * _UNITS[found["unit"]]
    if result > LONGEST:
        raise ValueError(f"{shown(value)} is longer than ten years. Write it as 5s, 10m, 24h or 7d.")
    return result


def limit(value: Any) -> Limit:
    """Return a limit written as 4/7d, or a speed written as 6/min."""
    if isinstance(value, Limit):
        return value
    found = _LIMIT.fullmatch(str(value).strip())
    if found is None:
        raise ValueError(f"{shown(value)} is not a limit. Write how many in how long: 1/12h, 4/7d or 6/min.")
    return Limit(int(found["count"]), _window(value, found))


def rate(value: Any) -> Limit:
    """Return a speed written as 6/min; at least one in its time."""
    result = limit(value)
    if result.count == 0:
        raise ValueError(f"{shown(value)} would never send. Write 6/min, or take the gateway out of `gateways`.")
    return result


def spend_limit(value: Any) -> SpendLimit:
    """Return a limit of money written as 5/1d or 2.50/1d."""
    if isinstance(value, SpendLimit):
        return value
    found = _SPEND.fullmatch(str(value).strip())
    if found is None:
        raise ValueError(f"{shown(value)} is not a limit of money. Write how much in how long: 5/1d or 50/30d.")
    return SpendLimit(Decimal(found["amount"]), _window(value, found))


def price(value: Any) -> Decimal:
    """Return an amount of money written as 0.0079, in the currency that the shop counts in."""
    if isinstance(value, Decimal):
        return value
    if not _PRICE.fullmatch(str(value).strip()):
        raise ValueError(f"{shown(value)} is not a price. Write what one segment costs: 0.0079.")
    return Decimal(str(value).strip())


def share(value: Any) -> Share:
    """Return a share written as 40%/50: 40 per cent of the last 50."""
    if isinstance(value, Share):
        return value
    found = _SHARE.fullmatch(str(value).strip())
    if found is None or int(found["percent"]) > 100 or int(found["of"]) == 0:
        raise ValueError(f"{shown(value)} is not a share. Write a percentage and of how many texts: 40%/50.")
    return Share(int(found["percent"]), int(found["of"]))


def quiet_hours(value: Any) -> QuietHours:
    """Return a night written as 21:00-08:00."""
    if isinstance(value, QuietHours):
        return value
    start, end = span(value, 'Write quiet hours as "21:00-08:00", or off.')
    if start == end % timedelta(days=1):
        raise ValueError(f'{shown(value)} starts when it ends. Write quiet hours as "21:00-08:00", or off.')
    return QuietHours(_wall(start), _wall(end % timedelta(days=1)))


def span(value: Any, advice: str) -> tuple[timedelta, timedelta]:
    """Return the two wall-clock times of "08:00-12:00" as time since midnight; only the second may be 24:00."""
    found = _SPAN.fullmatch(str(value).strip())
    if found is None:
        raise ValueError(f"{shown(value)} is not a stretch of time. {advice}")
    hours = [int(part) for part in found.groups()]
    start, end = (timedelta(hours=hours[at], minutes=hours[at + 1]) for at in (0, 2))
    if hours[1] > 59 or hours[3] > 59 or hours[0] > 23 or end > timedelta(days=1):
        raise ValueError(f"{shown(value)} holds a time that no clock shows. {advice}")
    return start, end


def zone(value: Any) -> ZoneInfo:
    """Return the time zone of an IANA name such as America/Chicago."""
    if isinstance(value, ZoneInfo):
        return value
    try:
        return ZoneInfo(str(value))
    except (OSError, ValueError, KeyError) as exc:
        meant = likely(str(value), available_timezones())
        advice = f"Did you mean {meant}?" if meant else "Write it as America/Chicago or Europe/Berlin."
        raise ValueError(f"{shown(value)} is not a time zone. {advice}") from exc


def _window(value: object, found: re.Match[str]) -> timedelta:
    window = int(found["number"] or 1) * _UNITS[found["unit"]]
    if not timedelta(0) < window <= LONGEST:
        raise ValueError(f"{shown(value)} has no time that can be counted in. Write it as 1/12h, 4/7d or 6/min.")
    return window


def _wall(since_midnight: timedelta) -> time:
    minutes = int(since_midnight.total_seconds()) // 60
    return time(minutes // 60, minutes % 60)
