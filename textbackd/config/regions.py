"""Which countries and regions have holidays that we know?   the library `holidays` → here → hours.py, kept_days.py"""

from collections.abc import Mapping
from datetime import date
from typing import Any


def region_days(region: str) -> Mapping[date, str]:
    """Return the holidays of "US" or "US-IL" (ISO 3166), of any year: those that are not computed yet are when asked for.

    Raises ValueError if there are none.
    """
    import holidays  # noqa: PLC0415  # 19 MB, so only where a line names a region

    country, _, part = region.partition("-")
    try:
        # Named in English, where the library can: otherwise the machine's locale would choose.
        days: Any = holidays.country_holidays(country, subdiv=part or None, language="en_US")
    except NotImplementedError as exc:
        known = holidays.list_supported_countries().get(country)
        if known is None:
            raise ValueError(f"the holidays of {country} are not known. Write the dates, or ics:FILE.") from exc
        parts = ", ".join(f"{country}-{each}" for each in known) or f"only {country} itself"
        raise ValueError(f"{country} has no part {part}. Its parts are {parts}.") from exc
    found: Mapping[date, str] = days
    return found
