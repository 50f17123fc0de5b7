"""Dutch (u)."""

from typing import Final

from textbackd.core.words.words import TextKind, Words

NL: Final = Words(
    texts={
        TextKind.MISSED: "Sorry, we hebben uw telefoontje gemist. Dit is {business}. Waarmee kunnen we u helpen?",
        TextKind.BUSY: "Sorry, we waren in gesprek toen u belde. Dit is {business}. Waarmee kunnen we u helpen?",
        TextKind.QUEUE: "Sorry dat u moest wachten en niemand opnam. Dit is {business}. Waarmee kunnen we u helpen?",
        TextKind.CLOSED: "Sorry, we hebben uw telefoontje gemist. Dit is {business}. We zijn nu gesloten. "
        "We zijn {opens_next} weer open. Als het niet kan wachten, bel dan {on_call}. Waarmee kunnen we u helpen?",
        TextKind.HOLIDAY: "Sorry, we hebben uw telefoontje gemist. Dit is {business}. We zijn gesloten vanwege de feestdag. "
        "We zijn {opens_next} weer open. Als het niet kan wachten, bel dan {on_call}. Waarmee kunnen we u helpen?",
        TextKind.VOICEMAIL: "Sorry, we hebben uw telefoontje gemist. Dit is {business}. We hebben uw bericht ontvangen. "
        "Wilt u er nog iets aan toevoegen?",
        TextKind.AGAIN: "Sorry, we hebben u opnieuw gemist. Dit is {business}. Waarmee kunnen we u helpen?",
        TextKind.LATE: "Sorry, we hebben eerder uw telefoontje gemist. Dit is {business}. Waarmee kunnen we u helpen?",
    },
    optout_hint="Antwoord STOP en u krijgt geen sms meer.",
    called="(U belde {called_number}.)",
    time="{hour}:{minute}",
    today="vandaag om {time}",
    tomorrow="morgen om {time}",
    on_weekday="{weekday} om {time}",
    on_date="op {day} {month} om {time}",
    weekdays=("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag"),
    months=(
        "januari", "februari", "maart", "april", "mei", "juni",
        "juli", "augustus", "september", "oktober", "november", "december",
    ),
    owns=("excuses", "spijt", "helaas", "gemist"),
    promotion=(
        "kortingen", "korting", "aanbieding(?:en)?", "kortingscodes?", "acties?", "uitverkoop", "klik hier", "beste prijs",
        "gratis cadeau",
    ),
    hollow=("belangrijk voor ons",),
)  # fmt: skip
