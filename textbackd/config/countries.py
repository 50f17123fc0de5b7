"""What differs from country to country, for keys that are not written.   here → prepare.py, settings.py, docs/CONFIG.md

Languages are those that callers of a business there write in: the official and the widely used ones (Unicode CLDR, territory
information). Where senders are expected to say how to get no more texts is told by CTIA, Messaging Principles and Best Practices,
for the United States, and by the anti-spam law CASL, section 6(2)(c), for Canada. Quiet hours are the same everywhere: the laws
that set hours for texts (in the United States 47 CFR 64.1200(c)(1)) are about advertisements, which these texts are not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One country. What a shop writes goes before it."""

    languages: tuple[str, ...] = ("en",)  # ISO 639-1; their words for STOP and HELP count
    hint_expected: bool = False  # a caller's first text says how to get no more, even if that takes one more segment


HINT_EXPECTED: Final = frozenset({"US", "CA"})
ELSEWHERE: Final = Profile()
COUNTRIES: Final[Mapping[str, Profile]] = {
    country: Profile(languages=tuple(languages.split()), hint_expected=country in HINT_EXPECTED)
    for country, languages in {
        "US": "en es", "PR": "es en", "CA": "en fr", "GB": "en", "IE": "en", "AU": "en", "NZ": "en", "ZA": "en", "SG": "en zh",
        "MX": "es", "ES": "es", "AR": "es", "CL": "es", "CO": "es", "PE": "es", "EC": "es", "UY": "es", "VE": "es", "CR": "es",
        "PA": "es", "GT": "es", "DO": "es", "BO": "es", "PY": "es", "SV": "es", "HN": "es", "NI": "es", "CU": "es",
        "BR": "pt", "PT": "pt", "FR": "fr", "MC": "fr", "BE": "nl fr de", "LU": "fr de", "NL": "nl", "DE": "de", "AT": "de",
        "LI": "de", "CH": "de fr it", "IT": "it", "SM": "it", "PL": "pl", "SE": "sv", "DK": "da", "NO": "nb", "FI": "fi sv",
        "CZ": "cs", "SK": "sk", "RO": "ro", "MD": "ro ru", "TR": "tr", "RU": "ru", "BY": "ru", "UA": "uk ru", "GR": "el",
        "CY": "el tr", "IL": "he ar", "AE": "ar", "SA": "ar", "EG": "ar", "MA": "ar fr", "TN": "ar fr", "DZ": "ar fr", "JO": "ar",
        "SR": "nl",
        "AO": "pt", "MZ": "pt", "CV": "pt", "VA": "it", "CN": "zh", "TW": "zh", "HK": "zh", "MO": "zh pt", "JP": "ja", "KR": "ko",
    }.items()
}  # fmt: skip


def profile(country: str | None) -> Profile:
    """Return what holds in a country (ISO 3166, "US"); one that is not listed is like English-speaking ones."""
    return COUNTRIES.get(country or "", ELSEWHERE)
