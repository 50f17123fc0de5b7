"""The words in seven languages: what every sentence keeps to, and how each language says when a shop opens."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from textbackd.core.compose import FIELD, FIELDS, Fields, Manner, Wish, compose
from textbackd.core.segments import is_gsm7, segments
from textbackd.core.transliterate import to_gsm7
from textbackd.core.words import WORDS, Language, TextKind, language_of, when

MADRID = ZoneInfo("Europe/Madrid")
EVERY_TEXT = [pytest.param(language, kind, id=f"{language}-{kind}") for language in Language for kind in TextKind]


@pytest.mark.parametrize(("language", "kind"), EVERY_TEXT)
def test_every_text_names_the_business_asks_one_question_and_knows_only_our_fields(
    language: Language, kind: TextKind
) -> None:
    text = WORDS[language].texts[kind]
    assert "{business}" in text
    assert text.count("?") == 1
    assert text.endswith("?")
    assert set(FIELD.findall(text)) <= set(FIELDS)
    assert "!" not in text


def longest(language: Language, weekday: str) -> Fields:
    return Fields(
        business="Anderson Roofing & Sons",
        called_number="+13035550101",
        opens_next=WORDS[language].on_weekday.format(weekday=weekday, time="13:00"),
        on_call="+13035550124",
    )


@pytest.mark.parametrize(("language", "kind"), EVERY_TEXT)
def test_every_text_takes_at_most_two_radio_texts_with_all_that_a_line_can_add(
    language: Language, kind: TextKind
) -> None:
    manner, words = Manner(language=language, hint_expected=True), WORDS[language]
    for weekday in words.weekdays:
        body = compose(words.texts[kind], longest(language, weekday), manner, first=True, other_sender=True)
        assert segments(body).count <= 2, body
        assert "{" not in body


def test_a_letter_outside_gsm7_stays_unless_it_would_take_a_third_radio_text() -> None:
    words, manner = WORDS[Language.ES], Manner(language=Language.ES, optout_hint=Wish.OFF)
    opens = words.on_weekday.format(weekday="sábado", time="8:00")
    closed = words.texts[TextKind.CLOSED]
    short, long = (Fields(business=name, opens_next=opens) for name in ("Ana", "Anderson Roofing & Sons"))
    assert "sábado" in compose(closed, short, manner, first=True, other_sender=False)
    assert "el sabado a las 8:00" in compose(closed, long, manner, first=True, other_sender=False)


@pytest.mark.parametrize(("language", "kind"), EVERY_TEXT)
def test_without_opening_and_on_call_a_text_needs_no_letter_outside_gsm7(language: Language, kind: TextKind) -> None:
    body = compose(
        WORDS[language].texts[kind],
        Fields(business="Anderson"),
        Manner(language=language),
        first=True,
        other_sender=True,
    )
    assert is_gsm7(body)
    assert is_gsm7(FIELD.sub("", WORDS[language].texts[kind])), "our own spelling, not what is left of it"
    assert "  " not in body


@pytest.mark.parametrize("language", Language)
def test_the_sentences_that_are_put_after_a_text_cost_no_other_alphabet(language: Language) -> None:
    words = WORDS[language]
    assert is_gsm7(words.optout_hint.replace("{", ""))
    assert "STOP" in words.optout_hint
    assert "{called_number}" in words.called
    assert (len(words.weekdays), len(set(words.weekdays)), len(set(words.months))) == (7, 7, 12)


@pytest.mark.parametrize(
    ("language", "today", "tomorrow", "monday", "later"),
    [
        ("en", "today at 1:00 pm", "tomorrow at 8:00 am", "on Monday at 8:00 am", "on January 1 at 8:05 am"),
        ("es", "hoy a las 13:00", "mañana a las 8:00", "el lunes a las 8:00", "el 1 de enero a las 8:05"),
        ("fr", "aujourd'hui à 13h00", "demain à 8h00", "lundi à 8h00", "le 1er janvier à 8h05"),
        ("de", "heute um 13:00 Uhr", "morgen um 8:00 Uhr", "am Montag um 8:00 Uhr", "am 1. Januar um 8:05 Uhr"),
        ("nl", "vandaag om 13:00", "morgen om 8:00", "maandag om 8:00", "op 1 januari om 8:05"),
        ("pt", "hoje às 13:00", "amanhã às 8:00", "na segunda-feira às 8:00", "no dia 1 de janeiro às 8:05"),
        ("it", "oggi alle 13:00", "domani alle 8:00", "lunedì alle 8:00", "il 1 gennaio alle 8:05"),
    ],
)
def test_each_language_says_when_it_opens(language: str, today: str, tomorrow: str, monday: str, later: str) -> None:
    words = WORDS[Language(language)]
    now = datetime(2026, 12, 22, 12, 30, tzinfo=MADRID)  # a Tuesday
    moments = ((22, 13, 0), (23, 8, 0), (28, 8, 0))
    told = [
        when(datetime(2026, 12, day, hour, minute, tzinfo=MADRID), now, MADRID, words) for day, hour, minute in moments
    ]
    told.append(when(datetime(2027, 1, 1, 8, 5, tzinfo=MADRID), now, MADRID, words))
    assert told == [today, tomorrow, monday, later]


@pytest.mark.parametrize(
    ("now", "opens", "said"),
    [
        pytest.param("2026-11-22T23:59", "2026-11-23T08:00", "tomorrow at 8:00 am", id="a minute before midnight"),
        pytest.param("2026-11-23T00:01", "2026-11-23T08:00", "today at 8:00 am", id="a minute after it"),
        pytest.param("2026-11-23T09:00", "2026-11-29T08:00", "on Sunday at 8:00 am", id="six days on is a weekday"),
        pytest.param("2026-11-23T09:00", "2026-11-30T08:00", "on November 30 at 8:00 am", id="in a week the weekday is today's"),
        pytest.param("2026-03-28T22:00", "2026-03-29T08:00", "tomorrow at 8:00 am", id="over the short night"),
        pytest.param("2026-10-24T22:00", "2026-10-25T08:00", "tomorrow at 8:00 am", id="over the long night"),
        pytest.param("2028-02-28T18:00", "2028-02-29T08:00", "tomorrow at 8:00 am", id="into a leap day"),
    ],
)  # fmt: skip
def test_today_and_tomorrow_are_the_line_s_own(now: str, opens: str, said: str) -> None:
    moments = [datetime.fromisoformat(each).replace(tzinfo=MADRID) for each in (opens, now)]
    assert when(moments[0], moments[1], MADRID, WORDS[Language.EN]) == said


def test_the_day_is_that_of_the_line_s_zone_not_of_utc() -> None:
    sydney = ZoneInfo("Australia/Sydney")
    now, opens = (datetime.fromisoformat(f"2026-11-23T{at}+00:00") for at in ("12:00", "21:00"))  # 23:00 and 8:00
    assert when(opens, now, sydney, WORDS[Language.EN]) == "tomorrow at 8:00 am"
    assert opens.date() == date(2026, 11, 23)


@pytest.mark.parametrize(
    ("opens", "said"),
    [
        pytest.param("00:30", "12:30 am", id="half an hour after midnight"),
        pytest.param("11:59", "11:59 am", id="in the morning"),
        pytest.param("12:00", "12:00 pm", id="noon"),
        pytest.param("13:05", "1:05 pm", id="after noon"),
    ],
)
def test_english_says_which_half_of_the_day(opens: str, said: str) -> None:
    moment = datetime.fromisoformat(f"2026-11-23T{opens}").replace(tzinfo=MADRID)
    assert when(moment, moment, MADRID, WORDS[Language.EN]) == f"today at {said}"


@pytest.mark.parametrize(
    ("country", "language"),
    [("US", "en"), ("MX", "es"), ("FR", "fr"), ("AT", "de"), ("NL", "nl"), ("BR", "pt"), ("IT", "it"), ("CH", "en"), ("", "en")],
)  # fmt: skip
def test_a_country_with_one_of_the_languages_is_spoken_to_in_it(country: str, language: str) -> None:
    assert language_of(country) == language


@pytest.mark.parametrize(
    ("body", "plain"),
    [
        pytest.param("„Grüße – “", '"Grüße - "', id="typographers' quotes and dashes; what GSM-7 has stays"),
        pytest.param("It’s done… 100 €", "It's done... 100 €", id="apostrophe, ellipsis; the euro is in the alphabet"),
        pytest.param("été à la fête, ça va", "été à la fete, ca va", id="only the accents that GSM-7 lacks"),
        pytest.param("e\u0301te\u0301", "été", id="letters and accents that came apart"),
        pytest.param("Łódź, žluťoučký", "Lodz, zlutoucky", id="Polish and Czech"),
        pytest.param("Привет", "Privet", id="Cyrillic"),
        pytest.param("Thanks 🙂 see you ❤️", "Thanks see you", id="pictures are left out"),
        pytest.param("a\u00a0b `c`", "a b 'c'", id="hard spaces and backticks"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_a_text_is_written_in_letters_that_gsm7_has(body: str, plain: str) -> None:
    assert to_gsm7(body) == plain
    assert is_gsm7(plain)
