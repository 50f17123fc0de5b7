"""Second part of `textbackd setup`: the business, its hours, its numbers, and who you are.   pbx.py → here → gateway.py"""

import os
import pwd
import socket
from collections.abc import Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

from textbackd.cli.setup.interview import NONE, Interview, optional
from textbackd.config.zones import business_zone, countries_of
from textbackd.setup.draft import Draft
from textbackd.setup.hours import read_hours, say_hours
from textbackd.setup.place import UNNAMED, guess_country, guess_name, key_for
from textbackd.setup.seen import Seen

USUAL_HOURS: Final = "mon-fri 8-17"
FEW: Final = 8  # numbers that are worth a line each


def likely_country(draft: Draft, machine: ZoneInfo) -> str:
    """Return the country in which numbers are read until somebody has said which."""
    named = draft.at("business", "country") if is_named(draft) else None
    return str(named or guess_country(countries_of(machine), os.environ.get("LANG", ""), ()))


def is_named(draft: Draft) -> bool:
    """Return whether somebody has said who the business is."""
    return draft.at("business", "name") not in (None, UNNAMED)


def ask_business(interview: Interview, draft: Draft, machine: ZoneInfo, seen: Seen) -> Draft:
    """Ask who texts, where, and when somebody is there."""
    interview.head("Your business")
    named = is_named(draft)
    name = draft.at("business", "name") if named else guess_name(socket.getfqdn())
    draft = interview.answer(
        draft, ("business", "name"), "name", "The name that callers know", default=name, needed=not named
    )
    numbers = [number for number, _ in seen.dids]
    guessed = guess_country(countries_of(machine), os.environ.get("LANG", ""), numbers)
    country = draft.at("business", "country") if named else guessed
    draft = interview.answer(
        draft, ("business", "country"), "country", "Its country", default=country, read=lambda said: said.upper()
    )
    draft = _zone(interview, draft, machine)
    return _hours(interview, draft)


def _zone(interview: Interview, draft: Draft, machine: ZoneInfo) -> Draft:
    zone, sure = business_zone(draft.at("business", "country"), machine)
    there = draft.at("business", "timezone")
    if sure and there is None and zone.key == machine.key and "timezone" not in interview.given:
        interview.tell(f"Its clock is {zone.key}, as this box has it.")
        return draft.put(zone.key, "business", "timezone")
    if not sure and there is None:
        interview.tell(f"{draft.at('business', 'country')} has several clocks; this box is set to {machine.key}.")
    return interview.answer(draft, ("business", "timezone"), "timezone", "Its time zone", default=there or zone.key)


def _hours(interview: Interview, draft: Draft) -> Draft:
    line = first_line(draft)
    there = draft.at("lines", line, "hours")
    return interview.answer(
        draft,
        ("lines", line, "hours"),
        "hours",
        "When is somebody there?",
        default=say_hours(there) if there else USUAL_HOURS,
        read=read_hours,
    )


def first_line(draft: Draft) -> str:
    """Return the name of the line that is asked about: the first."""
    return str(next(iter(draft.at("lines"))))


# ---- numbers


def ask_lines(interview: Interview, draft: Draft, seen: Seen) -> Draft:
    """Make a line of each number, where there are several and they are not alike."""
    if "line" in interview.given:
        return _lines(interview, draft, interview.given["line"])
    numbers = [number for number, _ in seen.dids[:FEW]]
    written = draft.at("lines")
    if len(numbers) < 2 or len(written) > 1 or interview.silent:
        return draft
    interview.tell(f"Callers dial {', '.join(numbers)}.")
    if interview.agree("", "One line for all of them, with the same hours and words?", default=True):
        return draft
    named = [
        f"{interview.ask('', f'A name for {number}', default='main' if not place else f'line{place + 1}')}={number}"
        for place, number in enumerate(numbers)
    ]
    return _lines(interview, draft, "\n".join(named))


def _lines(interview: Interview, draft: Draft, named: str) -> Draft:
    """Return the draft with lines out of NAME=NUMBER; the first takes what no other does, and the rest have its hours."""
    first = first_line(draft)
    lines: dict[str, Any] = {}
    for each in named.splitlines():
        name, _, numbers = each.partition("=")
        known = lines.setdefault(name.strip(), {"dids": ["*"] if not lines else []})
        known["dids"] = [*(number.strip() for number in numbers.split(",") if number.strip()), *known["dids"]]
    model: Mapping[str, Any] = draft.at("lines", first)
    lines = {name: {**model, **line} for name, line in lines.items()}
    fuller = draft.put(lines, "lines")
    if faults := fuller.faults("lines"):
        interview.refuse("line", named.replace("\n", " "), faults)
        return draft
    return fuller


# ---- you


def ask_you(interview: Interview, draft: Draft) -> Draft:
    """Ask for somebody who gets the replies, and a mobile to try it out with."""
    interview.head("You")
    interview.tell("Callers' replies come to your mobile, and your answers go back to them.")
    key = next(iter(draft.at("staff") or {}), "you")
    there = draft.at("staff", key, "mobile")
    trial = interview.answer(
        draft, ("staff", key, "mobile"), "mobile", "Your mobile number", default=there or NONE, read=optional()
    )
    if trial.at("staff", key, "mobile") is None:
        return draft if there is None else trial
    named = interview.ask("your-name", "Your first name", default=draft.at("staff", key, "name") or _who())
    if there is not None:
        return _checked(interview, trial.put(named, "staff", key, "name"), key, named)
    own = key_for(named, "you")
    return _checked(
        interview, draft.put({"name": named, "mobile": trial.at("staff", key, "mobile")}, "staff", own), own, named
    )


def _checked(interview: Interview, draft: Draft, key: str, named: str) -> Draft:
    if faults := draft.faults("staff", key):
        interview.refuse("your-name", named, faults)
    return draft


def _who() -> str:
    """Return who sits here, as the box knows them."""
    user = os.environ.get("SUDO_USER") or pwd.getpwuid(os.getuid()).pw_name
    try:
        full = pwd.getpwnam(user).pw_gecos.partition(",")[0]
    except KeyError:
        full = ""
    return "Owner" if user == "root" else (full.partition(" ")[0] or user).capitalize()
