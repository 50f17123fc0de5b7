"""Which number is this, and can it take a text?  Pure.   pbx events → here → core/decide.py

Numbers are read once, at the edge, as E.164 (ITU-T E.164: `+` and at most 15 digits). Asterisk normalises nothing: `+1…`, 10 or
11 digits, `001…`, `011…` and words arrive as the carrier sent them, so the country of the business decides how they are read.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final, NewType

import phonenumbers
from phonenumbers import PhoneNumberType
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_number

E164 = NewType("E164", str)

# What Asterisk and carriers put in CallerIDNum when they tell no number; RFC 3323 and 3325 name "anonymous" and "unavailable".
WITHHELD: Final = frozenset({
    "", "<unknown>", "unknown", "anonymous", "restricted", "private", "withheld", "unavailable", "blocked", "asserted",
    "no caller id", "out of area", "id unavailable", "number withheld", "nocallerid", "none", "null", "s",
})  # fmt: skip


class NotTextable(StrEnum):
    """Why no text can or should go to a number. The value is the token in the database and in `--json` output."""

    WITHHELD = "withheld"  # the caller asked not to be known, or the carrier told no number
    INVALID = "invalid"  # not a number that exists in any numbering plan
    SHORT_CODE = "short_code"  # too short to be anybody's phone: a service number or an extension
    LANDLINE = "landline"  # a fixed line, where the numbering plan can tell
    FOREIGN = "foreign"  # of a region that the business does not text
    PREMIUM = "premium"  # premium, shared cost, personal, satellite: costs more than it brings
    TOLL_FREE = "toll_free"  # a call centre's number, nobody's phone
    SERVICE = "service"  # pager, voicemail access, universal access number


_BY_TYPE: Final = {
    PhoneNumberType.FIXED_LINE: NotTextable.LANDLINE,
    PhoneNumberType.PREMIUM_RATE: NotTextable.PREMIUM,
    PhoneNumberType.SHARED_COST: NotTextable.PREMIUM,
    # +44 70 looks like a mobile and is dear to text.
    PhoneNumberType.PERSONAL_NUMBER: NotTextable.PREMIUM,
    PhoneNumberType.TOLL_FREE: NotTextable.TOLL_FREE,
    PhoneNumberType.PAGER: NotTextable.SERVICE,
    PhoneNumberType.UAN: NotTextable.SERVICE,
    PhoneNumberType.VOICEMAIL: NotTextable.SERVICE,
}
# Regions that a country's networks, tariffs and numbering treat as home: the same prefix range, no roaming price.
HOME: Final = {
    "US": frozenset({"PR", "VI", "GU", "AS", "MP"}),
    "GB": frozenset({"GG", "JE", "IM"}),
    "FI": frozenset({"AX"}),
    "NO": frozenset({"SJ"}),
    "AU": frozenset({"CC", "CX"}),
}
SHORT_CODE_DIGITS: Final = 6  # the longest short code in North America; shorter than any subscriber number that we text


# Dialled before a number, and no part of it: *67 and *82 in North America hide and show the caller; so do *31# and #31# elsewhere
# (3GPP TS 22.030). The line or the network takes them.
SERVICE_CODE: Final = re.compile(r"[*#]\d\d[*#]?", re.ASCII)
OUTSIDE_LINE: Final = frozenset("90")  # what offices dial first to get one


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadNumber:
    """A presented number, read in the light of the country of the business."""

    e164: E164 | None  # None: withheld, or not a number of any plan
    region: str | None  # ISO 3166 region, "JM" for +1 876…; None where there is none (satellite, invalid)
    not_textable: NotTextable | None  # None: a text may go there


@lru_cache(maxsize=4096)
def read_number(presented: str, country: str) -> ReadNumber:
    """Return the number behind `presented` (as the carrier sent it), read as if dialled in `country` (ISO 3166, "US").

    Never raises: what cannot be read has no `e164` and says why in `not_textable`.
    """
    cleaned = presented.strip().strip('"')
    if cleaned.casefold() in WITHHELD:
        return ReadNumber(e164=None, region=None, not_textable=NotTextable.WITHHELD)
    if not _looks_dialled(cleaned):
        return ReadNumber(e164=None, region=None, not_textable=NotTextable.INVALID)
    digits = sum(character.isdigit() for character in cleaned)
    number = _parse(cleaned, country)
    if number is None or not _has_full_length(number):
        short = 0 < digits <= SHORT_CODE_DIGITS
        return ReadNumber(e164=None, region=None, not_textable=NotTextable.SHORT_CODE if short else NotTextable.INVALID)
    return _classified(number, country)


@lru_cache(maxsize=4096)
def read_dialled(dialled: str, country: str) -> ReadNumber:
    """Return the number that somebody of the office called, read without what they dialled to get a line or to hide theirs.

    A 9 or 0 is taken for that only where no plan has the number with it.
    """
    number = without_service_code(dialled.strip())
    found = read_number(number, country)
    if found.region is not None or number[:1] not in OUTSIDE_LINE:
        return found
    inner = read_number(without_service_code(number[1:]), country)
    return found if inner.region is None else inner


def without_service_code(dialled: str) -> str:
    """Return what was dialled, without *67 and its kin before it."""
    return SERVICE_CODE.sub("", dialled, count=1) if SERVICE_CODE.match(dialled) else dialled


def _looks_dialled(presented: str) -> bool:
    # The library reads letters as keypad digits (1-800-FLOWERS); a caller ID with letters in it is a word, not a number.
    return not any(character.isalpha() for character in presented)


def _parse(presented: str, country: str) -> phonenumbers.PhoneNumber | None:
    """Return the first reading that a numbering plan knows, else the first that can be read at all."""
    parsed = [
        number for reading in _readings(presented, country) if (number := _try_parse(reading, country)) is not None
    ]
    return next((number for number in parsed if phonenumbers.is_valid_number(number)), parsed[0] if parsed else None)


def _readings(presented: str, country: str) -> list[str]:
    """Return the ways to read it, likeliest first. Carriers often leave out the `+`, or write `00` for it."""
    if presented.startswith("+"):
        return [presented]
    if presented.startswith("00"):
        return [presented, "+" + presented[2:]]
    if presented.startswith("0"):
        return [presented]
    own_code = str(phonenumbers.country_code_for_region(country))
    international = "+" + presented
    return [international, presented] if presented.startswith(own_code) else [presented, international]


def _try_parse(reading: str, country: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(reading, country)
    except phonenumbers.NumberParseException:
        return None


def _has_full_length(number: phonenumbers.PhoneNumber) -> bool:
    # The library also calls possible what can be dialled inside one town only.
    return phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE


def _classified(number: phonenumbers.PhoneNumber, country: str) -> ReadNumber:
    e164 = E164(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    if not phonenumbers.is_valid_number(number):
        abroad = number.country_code != phonenumbers.country_code_for_region(country)
        return ReadNumber(e164=e164, region=None, not_textable=NotTextable.FOREIGN if abroad else NotTextable.INVALID)
    region = phonenumbers.region_code_for_number(number)
    why = _BY_TYPE.get(phonenumbers.number_type(number))
    # Region "001" is no country: satellite and international networks (+881, +882).
    if region == "001":
        why = NotTextable.PREMIUM
    elif (
        region != country
        and region not in HOME.get(country, ())
        and why not in (NotTextable.PREMIUM, NotTextable.TOLL_FREE)
    ):
        # Country code 1 is not one country: +1 876 is Jamaica, so the region is compared, not the prefix.
        why = NotTextable.FOREIGN
    return ReadNumber(e164=e164, region=region, not_textable=why)


def zones_of(number: E164) -> tuple[str, ...]:
    """Return the IANA names of every time zone in which a number may be; none where that is not known.

    From the numbering plan: an area code may lie in two zones, a country's mobiles in all of its zones. Who has moved house and
    kept the number is taken to be where the number is from.
    """
    zones = time_zones_for_number(phonenumbers.parse(number))
    return tuple(zone for zone in zones if zone != UNKNOWN_TIMEZONE)


@lru_cache(maxsize=4096)
def written(number: E164, country: str) -> str:
    """Return a number as people in `country` write it: their own without the country's code, others with it.

    The same digits stay: nothing is guessed, and a number of no plan comes back as it is.
    """
    parsed = _try_parse(number, country)
    if parsed is None:
        return number
    is_home = parsed.country_code == phonenumbers.country_code_for_region(country)
    form = phonenumbers.PhoneNumberFormat.NATIONAL if is_home else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(parsed, form)


def mask(number: str | None) -> str:
    """Return a number as logs may show it: `+1303***0142`."""
    if not number:
        return "withheld"
    return f"{number[:5]}***{number[-4:]}" if len(number) > 9 else "***"


def as_dialled(number: E164, country: str) -> str:
    """Return what a person in `country` (ISO 3166, "US") presses to call a number, digits only: 13035550142, 0114930…"""
    written = phonenumbers.format_out_of_country_calling_number(phonenumbers.parse(number), country)
    return "".join(filter(str.isdigit, written))
