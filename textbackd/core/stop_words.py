"""The words by which people end, allow and ask about texts, by language.   here → core/keywords.py      Pure data.

English holds everywhere: it is what carriers teach, and what any phone may be set to. Sources: the words that 47 CFR
64.1200(a)(10) calls a revocation by themselves (stop, quit, end, revoke, opt out, cancel, unsubscribe), the default keyword lists
that SMS vendors publish (Twilio, AWS), and each language's own words for the same. A word that people also write about an
appointment or a roof ("cancel", "end", "remove") means STOP only where it stands alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class StopWords:
    """One language. Written as people write; keywords.py folds case, accents, spaces and punctuation away."""

    alone: tuple[str, ...] = ()  # STOP, when the text says nothing else
    clear: tuple[str, ...] = ()  # STOP, alone or with courtesy around it: these can mean nothing else
    courtesy: tuple[str, ...] = ()  # what people say around it
    within: tuple[str, ...] = ()  # somewhere in a sentence: it may mean STOP, which a person has to read
    help: tuple[str, ...] = ()  # HELP, when the text says nothing else


START: Final = ("start", "unstop")
YES: Final = ("yes",)

# fmt: off
WORDS: Final[Mapping[str, StopWords]] = {
    "en": StopWords(
        alone=("cancel", "end", "quit", "revoke", "remove"),
        clear=("stop", "stop all", "stop texting", "stop texting me", "stop messaging", "stop messaging me",
            "stop texts", "stop the texts", "stop these texts", "stop all texts", "stop messages",
            "stop the messages", "stop sms", "stop sending texts", "stop sending me texts",
            "stop sending messages", "stop sending me messages", "stop text", "unsubscribe", "unsubscribe me",
            "opt out", "opt me out", "remove me", "remove me from your list", "remove me from the list",
            "take me off your list", "take me off the list"),
        courtesy=("please", "pls", "plz", "kindly", "thanks", "thank you", "thx", "now", "immediately"),
        within=("stop", "cancel", "unsubscribe", "opt out", "opt me out", "remove me", "take me off", "don't text",
            "do not text", "don't message", "do not message", "don't contact", "do not contact", "don't send me",
            "do not send me", "no texts", "no more texts", "no more messages", "quit texting", "quit messaging",
            "leave me alone", "lose my number", "lose this number", "delete my number", "remove my number",
            "not interested"),
        help=("help", "info"),
    ),
    "es": StopWords(
        alone=("parar", "alto", "baja", "cancelar"),
        clear=("no más", "no más mensajes", "no más textos", "darme de baja", "dame de baja"),
        courtesy=("por favor", "porfavor", "gracias", "ya"),
        within=("no más", "de baja", "cancelar", "no me escriba", "no me escriban", "no me envie", "no me envien",
            "no me mande", "no me manden", "dejen de", "deje de"),
        help=("ayuda",),
    ),
    "fr": StopWords(
        alone=("arrêt",),
        clear=("stop", "arretez", "arreter", "désabonner", "désabonnez-moi", "me désabonner", "stop sms",
            "arrêt sms"),
        courtesy=("svp", "stp", "s'il vous plaît", "s'il te plaît", "merci"),
        within=("arretez", "arreter", "désabonner", "désabonnez", "ne plus m'envoyer", "ne m'envoyez plus",
            "ne m'écrivez plus", "plus de sms", "plus de messages", "annuler",
            "d'annuler"),
        help=("aide",),
    ),
    "de": StopWords(
        alone=("ende",),
        clear=("stop", "stopp", "stoppen", "abmelden", "austragen", "bitte austragen", "keine sms mehr",
            "keine nachrichten mehr"),
        courtesy=("bitte", "danke", "sofort"),
        within=("stopp", "stoppen", "abmelden", "austragen", "keine sms", "keine nachrichten",
            "nicht mehr schreiben", "nicht mehr anschreiben", "schreiben sie mir nicht", "schreibt mir nicht",
            "absagen", "stornieren"),
        help=("hilfe",),
    ),
    "it": StopWords(
        alone=("ferma", "cancella", "cancellare"),
        clear=("stop", "cancellami", "disiscrivi", "disiscrivimi", "basta messaggi", "basta sms"),
        courtesy=("per favore", "perfavore", "per piacere", "grazie", "subito"),
        within=("cancellare", "cancellami", "disiscrivi", "disiscrivimi", "basta messaggi", "basta sms",
            "non scrivermi", "non scrivetemi", "non mandarmi", "non mandatemi", "disdire", "annullare"),
    ),
    "pt": StopWords(
        alone=("parar", "sair", "cancelar"),
        clear=("pare", "nao quero mensagens", "sem mais mensagens"),
        courtesy=("por favor", "porfavor", "obrigado", "obrigada"),
        within=("pare de", "parem de", "cancelar", "nao me mande", "nao me envie", "nao me escreva",
            "nao quero receber", "sem mais mensagens"),
        help=("ajuda",),
    ),
    "nl": StopWords(
        alone=("afmelden",),
        clear=("stop", "meld mij af", "geen sms meer", "geen berichten meer"),
        courtesy=("alstublieft", "alsjeblieft", "aub", "svp", "graag", "bedankt", "dank u"),
        within=("afmelden", "meld mij af", "geen sms", "geen berichten", "niet meer sms", "niet meer appen",
            "annuleren", "stoppen met"),
    ),
    "pl": StopWords(
        alone=("koniec",),
        clear=("stop", "wypisz", "wypisz mnie"),
        courtesy=("prosze", "dziekuje"),
        within=("wypisz", "wypisac", "nie pisz", "nie piszcie", "nie wysylajcie", "odwolac"),
    ),
    "sv": StopWords(
        alone=("avsluta",),
        clear=("stopp", "stop"),
        courtesy=("tack", "snalla"),
        within=("stopp", "avsluta", "inga fler sms", "avboka"),
    ),
    "da": StopWords(
        alone=("afmeld",),
        clear=("stop", "stopp"),
        courtesy=("tak", "venligst"),
        within=("afmeld", "ikke flere sms", "aflyse"),
    ),
    "nb": StopWords(
        alone=("avslutt", "avsluta"),
        clear=("stopp", "stop"),
        courtesy=("takk", "vennligst"),
        within=("stopp", "avslutt", "ikke flere sms"),
    ),
    "fi": StopWords(
        alone=("lopeta",),
        clear=("stop",),
        courtesy=("kiitos",),
        within=("lopeta", "lopettakaa"),
    ),
    "cs": StopWords(
        clear=("stop", "odhlasit"),
        courtesy=("prosim", "dekuji"),
        within=("odhlasit",),
    ),
    "sk": StopWords(
        clear=("stop", "odhlasit"),
        courtesy=("prosim", "dakujem"),
        within=("odhlasit",),
    ),
    "ro": StopWords(
        alone=("renunt",),
        clear=("stop",),
        courtesy=("va rog", "multumesc"),
        within=("renunt",),
    ),
    "tr": StopWords(
        alone=("dur", "iptal", "ret"),
        courtesy=("lutfen",),
        within=("iptal",),
    ),
    "ru": StopWords(
        clear=("стоп",),
        courtesy=("пожалуйста", "спасибо"),
        within=("стоп", "не пишите"),
    ),
    "uk": StopWords(
        clear=("стоп",),
        courtesy=("будь ласка", "дякую"),
        within=("стоп", "не пишіть"),
    ),
    "el": StopWords(
        clear=("διακοπη",),
        courtesy=("παρακαλω",),
        within=("διακοπη",),
    ),
    "he": StopWords(
        clear=("הסר",),
        courtesy=("בבקשה",),
        within=("הסר",),
    ),
    "ar": StopWords(
        clear=("إيقاف", "توقف"),
        courtesy=("من فضلك",),
        within=("إيقاف", "توقف"),
    ),
    "zh": StopWords(
        alone=("td",),
        clear=("退订", "退訂", "停止", "请退订", "請退訂"),
        within=("退订", "退訂", "停止"),
    ),
    "ja": StopWords(
        clear=("停止", "配信停止", "停止してください", "停止お願いします"),
        courtesy=("お願いします",),
        within=("停止",),
    ),
    "ko": StopWords(
        clear=("수신거부",),
        courtesy=("부탁드립니다",),
        within=("수신거부", "수신 거부"),
    ),
}
# fmt: on
