"""The configuration that an installation begins with: the sample, only watching.   sample.py → here → cli/box.py"""

from typing import Final
from zoneinfo import ZoneInfo

from textbackd.config.sample import sample
from textbackd.config.zones import countries_of

ELSEWHERE: Final = "US"  # where the machine's zone tells no country: as good a guess as any, and said to be one


def first(machine: ZoneInfo) -> str:
    """Return the text of a configuration in `mode: observe`, for a business where the machine's clock is."""
    countries = countries_of(machine)
    country = countries[0] if countries else ELSEWHERE
    text = sample()
    for line, instead in (
        ("  name: Anderson Roofing\n", "  name: Your Shop\n"),
        ("  country: US\n", f"  country: {country}\n"),
        (
            "  #timezone: America/Chicago\n",
            f"  timezone: {machine.key}\n" if countries else "  #timezone: America/Chicago\n",
        ),
        ("#mode: live\n", "mode: observe\n"),
    ):
        before, found, after = text.partition(line)
        if not found:
            raise ValueError(f"the sample has no line {line!r}")
        text = before + instead + after
    return text
