"""What a configuration may say but hardly means.   settings.py → here → `textbackd check`"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from textbackd.config.contact_files import read_contacts
from textbackd.config.gateways import GsmModem
from textbackd.config.ics import CalendarError, read_calendar
from textbackd.config.load import sentence
from textbackd.config.preview import Preview, group_preview, previews
from textbackd.config.resolve import secrets_in
from textbackd.config.secrets import SecretMissingError, file_of, fill_variables, is_plain, resolve, world_readable
from textbackd.config.sections.line import Line
from textbackd.config.service_user import how_to_close
from textbackd.config.settings import Settings
from textbackd.config.yaml_source import Fault, Loc
from textbackd.core.compose import MOST_SEGMENTS, Language, TextKind
from textbackd.core.opening_hours import ALWAYS_OPEN
from textbackd.core.phone import NotTextable, read_number
from textbackd.core.segments import outside_gsm7
from textbackd.core.words import WORDS, Words

LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
# What the shop owes a word about; a closed door needs no excuse, and a message left was taken.
MISSES: Final = (TextKind.MISSED, TextKind.BUSY, TextKind.QUEUE, TextKind.AGAIN, TextKind.LATE)
UNTEXTED: Final = ("never", "staff")  # groups of contacts whose calls do not count
QUESTION_MARKS: Final = "?\uff1f\u061f\u037e"
# Link shorteners, which carriers filter in every language; the words of promotion stand with each language (core/words).
_SHORTENERS: Final = r"\b(?:bit\.ly|tinyurl\.com|t\.co|goo\.gl|ow\.ly)/"
Found = Iterator[tuple[Loc, str]]


def lint(settings: Settings, environ: Mapping[str, str] | None = None) -> list[str]:
    """Return a sentence for everything that is allowed and probably not meant, in the order of the file.

    `environ` is where ${NAME} is looked up, the environment of the process if none is given. Nothing is changed or
    sent, and nothing opened but the files of secrets.
    """
    environment = os.environ if environ is None else environ
    rules = (_contacts, _devices, _numbers, _on_call, _calendars, _texts, _group_texts, _zone, _web)
    found = [*_secrets(settings, environment), *(warning for rule in rules for warning in rule(settings))]
    faults = [Fault(settings.origin.line(loc), loc, words) for loc, words in found]
    return [sentence(settings.origin.path, fault) for fault in sorted(faults, key=lambda fault: fault.line)]


def awaited(settings: Settings, environ: Mapping[str, str] | None = None) -> list[str]:
    """Return what `run` does not start without, each as the end of "will not start until …"."""
    environment = os.environ if environ is None else environ
    missing = (_missing(text, environment, whole) for _, text, whole in _within_sight(settings, environment))
    return list(dict.fromkeys(each.until for each in missing if each is not None))


def _within_sight(settings: Settings, environ: Mapping[str, str]) -> Iterator[tuple[Loc, str, bool]]:
    for loc, text, whole in secrets_in(settings):
        # Only the service is handed credentials; outside of it nobody can tell whether they are there.
        if not (whole and text.startswith("credential:") and "CREDENTIALS_DIRECTORY" not in environ):
            yield loc, text, whole


def _missing(text: str, environ: Mapping[str, str], whole: bool) -> SecretMissingError | None:
    try:
        _ = resolve(text, environ) if whole else fill_variables(text, environ)
    except SecretMissingError as exc:
        return exc
    return None


def _secrets(settings: Settings, environ: Mapping[str, str]) -> Found:
    path = settings.origin.path
    close = how_to_close(path) if world_readable(path) else None
    for loc, text, whole in _within_sight(settings, environ):
        yield from ((loc, words) for words in _secret(text, environ, whole=whole, close=close))


def _secret(text: str, environ: Mapping[str, str], *, whole: bool, close: str | None) -> Iterator[str]:
    if (missing := _missing(text, environ, whole)) is not None:
        yield str(missing)
        return
    if whole and is_plain(text) and close:
        yield f"the secret is written here, and everybody can read this file. Move it to file:NAME, or run: {close}"
    if whole and (path := file_of(text, environ)) and world_readable(path):
        yield f"everybody can read {path}. Run: {how_to_close(path)}"


def _devices(settings: Settings) -> Found:
    for name, gateway in settings.gateways.items():
        if isinstance(gateway, GsmModem) and gateway.port and not _exists(gateway.port):
            advice = "Plug in the modem, or find it: textbackd modem scan"
            yield ("gateways", name, "port"), f"{gateway.port} is not there. {advice}"
    for name, pbx in settings.pbx.items():
        if pbx.cdr and "://" not in pbx.cdr and not _exists(pbx.cdr):
            yield ("pbx", name, "cdr"), f"{pbx.cdr} is not there. Switch on cdr_csv in Asterisk, or take the key out."


def _numbers(settings: Settings) -> Found:
    for name, person in settings.staff.items():
        if person.mobile and _is_landline(person.mobile, settings.business.country):
            yield ("staff", name, "mobile"), f"{person.mobile} is a fixed line, which gets no texts. Write a mobile."


def _on_call(settings: Settings) -> Found:
    mobiles = {person.mobile for person in settings.staff.values()}
    for name, line in settings.lines.items():
        if line.on_call is None or not line.urgent_words() or not mobiles or line.on_call in mobiles:
            continue
        if _is_landline(line.on_call, settings.business.country):
            said = f"{line.on_call} is a fixed line: an urgent text at night wakes who gets the replies instead"
        else:
            said = f"{line.on_call} is nobody's mobile under `staff`, so whoever is woken there cannot answer by text"
        yield ("lines", name, "on_call"), f"{said}. Write somebody of `staff`."


def _contacts(settings: Settings) -> Found:
    for name, group in settings.contacts.items():
        for number, path in enumerate(group.files):
            for fault in read_contacts(path, settings.business.country).faults:
                yield ("contacts", name, "files", number), fault


def _is_landline(number: str, country: str) -> bool:
    return read_number(number, country).not_textable is NotTextable.LANDLINE


def _calendars(settings: Settings) -> Found:
    for name, line in settings.lines.items():
        for path in line.holidays.files:
            try:
                _ = read_calendar(path)
            except CalendarError as exc:
                yield ("lines", name, "holidays"), str(exc)


def _zone(settings: Settings) -> Found:
    if settings.origin.zone_guessed and any(_needs_zone(line) for line in settings.lines.values()):
        country, zone = settings.business.country, settings.business.timezone.key
        said = f"{country} has several time zones, and the machine is set to {zone}"
        yield ("business", "timezone"), f"{said}. Write the shop's own, such as `timezone: America/Chicago`."


def _needs_zone(line: Line) -> bool:
    return line.timezone is None and (line.hours != ALWAYS_OPEN or bool(line.holidays))


def _web(settings: Settings) -> Found:
    if settings.web.host not in LOOPBACK:
        said = "the inbox is open to the network, and without encryption"
        yield ("web", "listen"), f"{said}. Listen on 127.0.0.1, and put a proxy with TLS before it."


def _texts(settings: Settings) -> Found:
    for name, line in settings.lines.items():
        worded = line.texts.worded()
        for shown in previews(settings, name, None):
            own = shown.kind in worded
            if not own and shown.template not in WORDS[line.language].texts.values():
                continue  # the words of another kind, which are looked at there
            rules = _wording(shown.kind, shown.template, line, settings) if own else ()
            for words in (*rules, *_length(shown)):
                yield ("lines", name, "texts", str(shown.kind)), words


def _group_texts(settings: Settings) -> Found:
    for name in settings.contacts:
        shown, where = group_preview(settings, name, None), ("contacts", name, "text")
        if shown is None:
            continue
        if name in UNTEXTED:
            yield (
                where,
                f"nobody gets it, since calls of the group {name} do not count. Take it out, or rename the group.",
            )
            continue
        line = next(iter(settings.lines.values()))
        for words in (*_wording(None, shown.template, line, settings), *_length(shown)):
            yield where, words


def _wording(kind: TextKind | None, text: str, line: Line, settings: Settings) -> Iterator[str]:
    """Yield what a text lacks. `kind` is None for a group of contacts: whom one knows one need neither ask nor beg pardon."""
    if "{business}" not in text and settings.business.name.casefold() not in text.casefold():
        yield "the text does not say who texts. Put {business} into it."
    yield from _empty_fields(text, line, settings)
    asked = sum(text.count(mark) for mark in QUESTION_MARKS)
    if not asked and kind not in (None, TextKind.VOICEMAIL):
        yield "the text asks nothing, so fewer callers answer. End it with a question."
    if asked > 1:
        yield f"the text asks {asked} questions. Keep one."
    languages = [WORDS[each] for each in {Language.EN, line.language}]  # English is written everywhere
    if kind in MISSES and not _says(text, (word for words in languages for word in words.owns)):
        yield "the text does not say that you missed the call. Say sorry first."
    if promotion := _promotion(text, languages):
        yield f"'{promotion}' reads like promotion, which carriers filter and callers did not ask for. Take it out."
    if _says(text, (phrase for words in languages for phrase in words.hollow)):
        yield "nobody believes that their call is important to us. Say sorry instead."


def _empty_fields(text: str, line: Line, settings: Settings) -> Iterator[str]:
    if text in WORDS[line.language].texts.values():
        return  # ours have these fields in case the line fills them
    if "{booking_url}" in text and line.booking_url is None and settings.business.booking_url is None:
        yield "{booking_url} stays empty, since business.booking_url is not written. Write it, or take the field out."
    if "{on_call}" in text and line.on_call is None:
        yield "{on_call} stays empty, since the line has no on_call. Write it, or take the field out."


def _says(text: str, phrases: Iterable[str]) -> bool:
    return any(phrase in text.casefold() for phrase in phrases)


def _promotion(text: str, languages: Iterable[Words]) -> str | None:
    words = "|".join(word for each in languages for word in each.promotion)
    found = re.search(rf"\b(?:{words})\b|{_SHORTENERS}", text, re.IGNORECASE)
    return found[0] if found else None


def _length(shown: Preview) -> Iterator[str]:
    count = shown.segments.count
    if count > MOST_SEGMENTS:
        odd = "".join(outside_gsm7(shown.body)[:5])
        halves = (
            f"{odd} is not in the alphabet of texts and halves their room: replace it, or write `transliterate: true`"
        )
        yield f"the text takes {count} radio texts. {halves if odd else 'Shorten it'}."


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False
