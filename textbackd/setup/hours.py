"""Opening hours as people say them → as the configuration has them.   cli/setup → here → config/hours.py    Pure.

"mon-fri 8-17, sat 9-12", "mon,tue 8:30-12 13-17:30", "mon-fri 9am-5pm", "always". Which names are days is for config/hours.py to say.
"""

import re
from collections.abc import Iterator
from typing import Final

ADVICE: Final = "Write it as: mon-fri 8-17, sat 9-12; or always."
WHOLE: Final = ("always", "closed")
SAID_FOR: Final = {"daily": "mon-sun", "weekdays": "mon-fri", "weekend": "sat,sun", "weekends": "sat,sun"}
_CLOCK: Final = r"([0-9]{1,2})(?:[:.]([0-9]{2}))?\s*(am|pm)?"
_SPAN: Final = re.compile(rf"{_CLOCK}\s*[-\u2013]\s*{_CLOCK}", re.IGNORECASE)
_DAYS: Final = re.compile(r"[a-z]+(?:\s*-\s*[a-z]+)?", re.IGNORECASE)
_BETWEEN: Final = re.compile(r"(?:[\s,;:&]|and\b)*", re.IGNORECASE)

Hours = str | dict[str, str | list[str]]


def read_hours(said: str) -> Hours:
    """Return "always", or {"mon-fri": ["08:00-17:00"]}. Raises ValueError for what is no opening hours at all."""
    if said.strip().casefold() in WHOLE:
        return said.strip().casefold()
    hours: dict[str, str | list[str]] = {}
    for days, spans in _groups(said):
        if not spans:
            raise ValueError(f"{', '.join(days)} has no times. {ADVICE}")
        hours[",".join(SAID_FOR.get(day, day) for day in days)] = "closed" if spans == ["closed"] else spans
    if not hours:
        raise ValueError(f"these are no opening hours. {ADVICE}")
    return hours


def say_hours(hours: object) -> str:
    """Return hours as they can be typed again."""
    if not isinstance(hours, dict):
        return str(hours)
    return ", ".join(f"{days} {' '.join(_short(span) for span in _listed(spans))}" for days, spans in hours.items())


def _groups(said: str) -> Iterator[tuple[list[str], list[str]]]:
    """Yield days with their times; a day after a time begins the next group."""
    days: list[str] = []
    spans: list[str] = []
    for word in _words(said):
        if isinstance(word, str) and word != "closed":
            if spans:
                yield days, spans
                days, spans = [], []
            days.append(word)
        elif not days:
            raise ValueError(f"the times come before their days. {ADVICE}")
        else:
            spans.append(word if isinstance(word, str) else _written(word))
    if days:
        yield days, spans


def _words(said: str) -> Iterator[str | re.Match[str]]:
    at = 0
    while (at := _BETWEEN.match(said, at).end()) < len(said):  # type: ignore[union-attr]  # it matches nothing at all, too
        found = _SPAN.match(said, at) or _DAYS.match(said, at)
        if found is None:
            raise ValueError(f"'{said[at : at + 20]}' is neither days nor times. {ADVICE}")
        at = found.end()
        yield found if found.re is _SPAN else "".join(found[0].split()).casefold()


def _written(span: re.Match[str]) -> str:
    hour, minute, half, until, until_minute, until_half = span.groups()
    half = half or (until_half if half is None and int(hour) <= int(until) else None)  # 1-5pm
    return f"{_clock(hour, minute, half)}-{_clock(until, until_minute, until_half)}"


def _clock(hour: str, minute: str | None, half: str | None) -> str:
    number = int(hour)
    if half is not None and 1 <= number <= 12:
        number = number % 12 + (12 if half.casefold() == "pm" else 0)
    return f"{number:02}:{minute or '00'}"


def _listed(spans: object) -> list[str]:
    return [str(span) for span in spans] if isinstance(spans, list) else [str(spans)]


def _short(span: str) -> str:
    return re.sub(r"\b0?([0-9]{1,2}):00", r"\1", span)
