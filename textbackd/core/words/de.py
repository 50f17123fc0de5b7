"""German (Sie)."""

from typing import Final

from textbackd.core.words.words import TextKind, Words

DE: Final = Words(
    texts={
        TextKind.MISSED: "Entschuldigung, wir haben Ihren Anruf verpasst. Hier ist {business}. "
        "Wie können wir Ihnen helfen?",
        TextKind.BUSY: "Entschuldigung, wir waren gerade in einem anderen Gespräch. Hier ist {business}. "
        "Wie können wir Ihnen helfen?",
        TextKind.QUEUE: "Entschuldigung, dass Sie vergeblich gewartet haben. Hier ist {business}. "
        "Wie können wir Ihnen helfen?",
        TextKind.CLOSED: "Entschuldigung, wir haben Ihren Anruf verpasst. Hier ist {business}. Wir haben zurzeit "
        "geschlossen. Wir sind {opens_next} wieder da. Wenn es eilt: {on_call}. Wie können wir Ihnen helfen?",
        TextKind.HOLIDAY: "Entschuldigung, wir haben Ihren Anruf verpasst. Hier ist {business}. Heute ist bei uns "
        "Feiertag. Wir sind {opens_next} wieder da. Wenn es eilt: {on_call}. Wie können wir Ihnen helfen?",
        TextKind.VOICEMAIL: "Entschuldigung, wir haben Ihren Anruf verpasst. Hier ist {business}. Ihre Nachricht haben wir erhalten. "
        "Möchten Sie noch etwas ergänzen?",
        TextKind.AGAIN: "Entschuldigung, wir haben Ihren Anruf wieder verpasst. Hier ist {business}. "
        "Wie können wir Ihnen helfen?",
        TextKind.LATE: "Entschuldigung, dass wir uns erst jetzt melden, wir haben Ihren Anruf verpasst. Hier ist {business}. "
        "Wie können wir Ihnen helfen?",
    },
    optout_hint="Mit der Antwort STOP bekommen Sie keine SMS mehr.",
    called="(Sie haben {called_number} angerufen.)",
    time="{hour}:{minute} Uhr",
    today="heute um {time}",
    tomorrow="morgen um {time}",
    on_weekday="am {weekday} um {time}",
    on_date="am {day}. {month} um {time}",
    weekdays=("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
    months=(
        "Januar", "Februar", "März", "April", "Mai", "Juni",
        "Juli", "August", "September", "Oktober", "November", "Dezember",
    ),
    owns=("entschuldig", "tut uns leid", "leider", "verpasst"),
    promotion=(
        "rabatte?", "gutscheine?", "sonderangebote?", "aktionspreise?", "angebote?", "schnäppchen", "hier klicken",
        "bester preis", "gratis", "nur für kurze zeit",
    ),
    hollow=("wichtig für uns", "ist uns wichtig"),
)  # fmt: skip
