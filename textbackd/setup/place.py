"""Where is this business, and what may it be called?  Guesses that the owner sees and confirms.   the box → here → cli/setup    Pure."""

import re
import unicodedata
from collections.abc import Collection, Sequence
from typing import Final

import phonenumbers

ELSEWHERE: Final = "US"  # where nothing tells a country
NO_NAMES: Final = frozenset({
    *("localhost", "localdomain", "local", "lan", "home", "internal", "invalid", "pbx", "freepbx", "asterisk", "raspberrypi"),
    *("debian", "ubuntu", "sangoma", "issabel", "voip", "phone", "phones", "server", "www", "sip", "ip6", "arpa"),
})  # fmt: skip
UNNAMED: Final = "Our Shop"
_LOCALE: Final = re.compile(r"[a-z]{2,3}_([A-Z]{2})\b")
_SUFFIX: Final = re.compile(r"\.(?:(?:co|com|org|net)\.)?[a-z]{2,24}$")


def guess_country(zone_countries: Sequence[str], locale: str, numbers: Collection[str]) -> str:
    """Return a country (ISO 3166): that of numbers in international form, else of the clock, which the locale may tell apart."""
    dialled = [found for number in numbers if number.startswith("+") and (found := _country_of(number))]
    if dialled:
        return max(dialled, key=dialled.count)
    spoken = _LOCALE.match(locale)
    if spoken and spoken[1] in phonenumbers.SUPPORTED_REGIONS and (spoken[1] in zone_countries or not zone_countries):
        return spoken[1]
    return next((country for country in zone_countries if country in phonenumbers.SUPPORTED_REGIONS), ELSEWHERE)


def guess_name(host: str) -> str:
    """Return a name of the business out of the full name of its box: pbx.anderson-roofing.com → Anderson Roofing."""
    domain = host.strip(".").casefold()
    if not _SUFFIX.search(domain) or domain.count(".") < 1:
        return UNNAMED
    own = _SUFFIX.sub("", domain).rpartition(".")[2]
    words = [word for word in re.split(r"[-_]", own) if word]
    return " ".join(word.capitalize() for word in words) if words and own not in NO_NAMES else UNNAMED


def key_for(name: str, otherwise: str) -> str:
    """Return the key under which somebody or something stands in the configuration: José Núñez → jose."""
    first = name.strip().partition(" ")[0]
    plain = unicodedata.normalize("NFKD", first).encode("ascii", "ignore").decode()
    key = re.sub(r"[^a-z0-9]", "", plain.casefold())[:20]
    return key or otherwise


def _country_of(number: str) -> str | None:
    try:
        region: str | None = phonenumbers.region_code_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return None
    return region
