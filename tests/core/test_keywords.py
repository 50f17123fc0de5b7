"""STOP, START, HELP, what may mean STOP, and what people write otherwise: one row a text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textbackd.core.keywords import LOOKED_AT, MOST_WORDS, Keyword, read
from textbackd.core.stop_words import WORDS

# text, and the languages of the shop beside English
STOP = {
    "en": [
        "STOP", "stop", "Stop.", "STOP!!", " stop ", "sToP", "“STOP”", "'stop'", '"Stop"', "STOP 🛑", "🙏 stop", "S T O P",
        "S.T.O.P.", "-stop-", "STOP\n", "\ufeffSTOP", "st\u200bop", "ＳＴＯＰ", "ⓢⓣⓞⓟ", "𝗦𝗧𝗢𝗣", "stop stop stop", "Stop all",
        "STOPALL", "UNSUBSCRIBE", "Unsubscribe me", "CANCEL", "end", "Quit!", "revoke", "REMOVE", "Remove me", "optout", "opt out",
        "Opt-out", "opt me out please", "stop please", "please stop", "Please, STOP!", "pls stop", "stop thanks", "Stop. Thank you.",
        "STOP NOW", "stop texting me", "Stop texting", "please stop texting me", "stop messaging me please", "Stop sending me texts",
        "stop sending messages", "stop the texts", "stop all texts", "Remove me from your list", "take me off your list please",
    ],
    "fr": ["ARRET", "Arrêt", "arre\u0302t", "STOP SMS", "stop svp",
        "Stop, s'il vous plaît", "stop s’il te plaît", "Désabonner", "DESABONNER", "arrêtez svp", "Désabonnez-moi"],
    "es": ["PARAR", "Alto", "BAJA", "cancelar", "NO MAS", "no más", "¡No más!", "no más, por favor", "No mas mensajes", "stop por favor"],
    "pt": ["PARAR", "sair", "Cancelar", "stop por favor", "stop, obrigado"],
    "de": ["STOPP", "Stopp!", "bitte stopp", "Stopp bitte", "abmelden",
        "ENDE", "austragen", "Bitte stoppen", "keine SMS mehr", "Bitte keine SMS mehr!"],
    "it": ["FERMA", "cancella", "Disiscrivi", "stop grazie", "disiscrivimi per favore"],
    "nl": ["afmelden", "stop aub", "Stop alstublieft", "geen sms meer"],
    "pl": ["WYPISZ", "koniec", "stop proszę"],
    "sv": ["STOPP", "avsluta", "stopp tack"],
    "da": ["AFMELD", "stop tak"],
    "nb": ["STOPP", "stopp takk"],
    "fi": ["LOPETA"],
    "cs": ["ODHLÁSIT", "odhlasit"],
    "sk": ["ODHLÁSIŤ"],
    "ro": ["RENUNȚ", "renunt"],
    "tr": ["DUR", "İPTAL", "iptal", "RET"],
    "ru": ["СТОП", "стоп!"],
    "uk": ["СТОП"],
    "el": ["ΔΙΑΚΟΠΗ", "διακοπή"],
    "he": ["הסר"],
    "ar": ["إيقاف", "توقف"],
    "zh": ["退订", "停止", "TD", "请退订", "退订!"],
    "ja": ["停止", "配信停止", "停止してください。"],
    "ko": ["수신거부", "수신 거부"],
}  # fmt: skip

ASK = {
    "en": [
        "stop by at 5", "Please cancel my appointment", "don't stop", "can you stop the leak?", "Can you stop by tomorrow morning",
        "please don't text me", "Don’t text me again", "do not contact me", "no more texts", "Why do you text me? Stop it",
        "ok stop", "stop it", "cancel please", "please end", "Leave me alone", "lose my number!!",
        "I never asked for this, unsubscribe me from it",
        "I want to opt out of everything that you do", "not interested, thanks", "please please please stop texting me right now",
        "STOP\n\nSent from my phone", "quit texting me", "Remove my number from whatever list this is", "take me off this thing",
    ],
    "fr": ["Ne m'envoyez plus de SMS", "arrêtez de m'écrire tous les jours", "Merci d’annuler le rendez-vous"],
    "es": ["Por favor, no me escriban más", "cancelar mi cita de mañana", "dejen de mandarme cosas"],
    "de": ["Schreiben Sie mir nicht mehr", "bitte keine Nachrichten von Ihnen", "Ich muss den Termin absagen", "Ende bitte"],
    "it": ["non scrivetemi più", "vorrei disdire la visita"],
    "nl": ["Graag geen sms van u", "ik wil de afspraak annuleren"],
    "pt": ["não me mande mais nada", "cancelar a visita de amanhã"],
    "zh": ["请不要再发了，我要退订你们的短信"],
    "ja": ["もう配信停止にしてほしいのですが"],
    "ko": ["앞으로는 수신거부 하겠습니다"],
}  # fmt: skip

ORDINARY = [
    "", " ", "👍", "?", "Yes please", "yes, tomorrow at 8", "No", "ok", "1", "My roof leaks", "I need it by the end of the week", "the end",
    "Help! My basement is under water", "please help", "can you help me with a quote", "more info please",
    "my furnace quit", "start on Monday?",
    "Can you remove a tree", "the bus stops here", "endless", "Stopford Road 5", "Liked “Reply STOP to end”",
    "👍 to “We missed you. Reply STOP to opt out”", "A „Stopp“ war gemeint", "Prohibited", "s", "td", "alto", "ENDE", "退订",
    "https://example.com/stopped", "cancellation?", "I'd like to know what it costs to have the gutters cleaned",
]  # fmt: skip
OTHERS = [
    ("START", Keyword.START), ("start", Keyword.START), ("Start!", Keyword.START), ("UNSTOP", Keyword.START),
    ("please start", Keyword.START),
    ("Start please", Keyword.START), ("YES", Keyword.YES), ("Yes!", Keyword.YES), ("yes 👍", Keyword.YES), ("HELP", Keyword.HELP),
    ("help", Keyword.HELP), ("Help?", Keyword.HELP), ("INFO", Keyword.HELP), ("Non-stop rain here", Keyword.ASK),
]  # fmt: skip
IN_OTHER_LANGUAGES = [("AIDE", "fr"), ("ayuda", "es"), ("Hilfe!", "de"), ("ajuda", "pt")]


def rows(texts: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(text, language) for language, listed in texts.items() for text in listed]


@pytest.mark.parametrize(("text", "language"), rows(STOP))
def test_this_is_stop(text: str, language: str) -> None:
    assert read(text, [language]) is Keyword.STOP


@pytest.mark.parametrize(("text", "language"), rows(ASK))
def test_this_is_for_a_person_to_read(text: str, language: str) -> None:
    assert read(text, [language]) is Keyword.ASK


@pytest.mark.parametrize("text", ORDINARY)
def test_this_is_an_ordinary_text(text: str) -> None:
    assert read(text, []) is None


@pytest.mark.parametrize(("text", "keyword"), OTHERS)
def test_start_yes_and_help_stand_alone(text: str, keyword: Keyword) -> None:
    assert read(text, []) is keyword


@pytest.mark.parametrize(("text", "language"), IN_OTHER_LANGUAGES)
def test_help_has_its_word_in_other_languages(text: str, language: str) -> None:
    assert (read(text, [language]), read(text, [])) == (Keyword.HELP, None)


def test_a_word_of_a_language_that_the_shop_has_not_is_an_ordinary_text() -> None:
    assert (read("Alto", ["es"]), read("Alto", ["de"])) == (Keyword.STOP, None)


def test_a_language_that_we_do_not_know_is_no_fault() -> None:
    assert read("STOP", ["xx", ""]) is Keyword.STOP


def test_an_endless_text_is_read_only_so_far() -> None:
    assert read("a " * LOOKED_AT + "stop", []) is None


ORDINARY_WORDS = st.text(min_size=2, max_size=9, alphabet=st.characters(categories=("Ll", "Lu", "Lo")))
STOP_WORDS = st.sampled_from(
    [said for words in WORDS.values() for said in (*words.alone, *words.clear, *words.courtesy)]
)


@given(st.lists(ORDINARY_WORDS | STOP_WORDS, min_size=MOST_WORDS + 1, max_size=30))
def test_no_sentence_of_more_than_six_words_is_ever_stop(words: list[str]) -> None:
    assert read(" ".join(words), WORDS) in (None, Keyword.ASK)


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    read(text, WORDS)


@given(
    st.sampled_from(["STOP", "unsubscribe", "opt-out"]),
    st.text(alphabet=" .,!?…-–\"'“”«»()🙏🛑👍\u200b\ufeff\n", max_size=8),
)
def test_what_stands_around_a_word_does_not_matter(word: str, around: str) -> None:
    assert read(f"{around}{word}{around}", []) is Keyword.STOP
