"""Can this text wait until the morning?   gateways → here → flow/replies_in.py      Pure.

A text that names one of the line's urgent words wakes whoever is on call. The words are compared as core/keywords.py folds them:
without case, accents and punctuation, and whole. "Not urgent" is not urgent.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from textbackd.core.keywords import LOOKED_AT, contains, words_of

# What people write when something must not wait, by language. The words of trades that are called out at night.
URGENT: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({
    "en": (
        "emergency", "urgent", "urgently", "gas leak", "smell gas", "smells of gas", "smell of gas", "carbon monoxide",
        "water everywhere", "flooding", "flooded", "burst pipe", "pipe burst", "sewage", "no heat", "no heating",
        "on fire", "sparks", "sparking", "electric shock", "locked out",
    ),
    "es": ("emergencia", "urgente", "fuga de gas", "huele a gas", "olor a gas", "agua por todas partes", "inundado",
           "inundada", "inundación", "tubería rota", "se quema", "chispas", "sin calefacción"),
    "fr": ("urgence", "urgent", "urgente", "fuite de gaz", "odeur de gaz", "ça sent le gaz", "de l'eau partout", "inondé",
           "inondée", "inondation", "tuyau éclaté", "au feu", "étincelles", "plus de chauffage", "pas de chauffage"),
    "de": ("Notfall", "dringend", "Gasgeruch", "riecht nach Gas", "Gasleck", "Wasser überall", "überall Wasser",
           "Rohrbruch", "Wasserrohrbruch", "überschwemmt", "überflutet", "brennt", "Funken", "Stromschlag",
           "Heizung ausgefallen", "Heizungsausfall", "ausgesperrt"),
    "nl": ("noodgeval", "spoed", "dringend", "gaslek", "gaslucht", "ruik gas", "ruikt naar gas", "overal water",
           "overstroming", "leiding gesprongen", "staat in brand", "vonken", "geen verwarming", "buitengesloten"),
    "pt": ("emergência", "urgente", "fuga de gás", "vazamento de gás", "cheiro a gás", "cheiro de gás", "água por todo o lado",
           "inundação", "inundado", "inundada", "cano rebentado", "cano estourado", "faíscas", "sem aquecimento"),
    "it": ("emergenza", "urgente", "urgenza", "fuga di gas", "odore di gas", "puzza di gas", "acqua dappertutto",
           "acqua ovunque", "allagato", "allagata", "allagamento", "tubo rotto", "scintille", "senza riscaldamento"),
})  # fmt: skip
# With these an urgent word says the opposite.
CALM: Final = (
    "not urgent", "isn't urgent", "nothing urgent", "not an emergency", "no emergency", "non urgent", "non emergency",
    "no es urgente", "nada urgente", "no es una emergencia", "pas urgent", "rien d'urgent", "pas une urgence",
    "nicht dringend", "kein Notfall", "nichts dringendes", "niet dringend", "geen spoed", "geen noodgeval",
    "não é urgente", "nada urgente", "não é uma emergência", "non è urgente", "niente di urgente", "non è un'emergenza",
)  # fmt: skip


def words_for(languages: Iterable[str]) -> tuple[str, ...]:
    """Return the urgent words that come with textbackd, of English and these languages."""
    return tuple(dict.fromkeys(word for language in ("en", *languages) for word in URGENT.get(language, ())))


def is_urgent(body: str, words: Iterable[str]) -> bool:
    """Return whether a text names one of the words as something that is so."""
    return contains(_without_calm(words_of(body[:LOOKED_AT])), map(_folded, words))


def _without_calm(words: Iterable[str]) -> list[str]:
    # Every word has blanks of its own, so that of the same phrase twice in a row both are found.
    said = "".join(f" {word} " for word in words)
    for calm in CALM:
        said = said.replace("".join(f" {word} " for word in words_of(calm)), " ")
    return said.split()


def _folded(phrase: str) -> str:
    return " ".join(words_of(phrase))
