"""Italian (Lei)."""

from typing import Final

from textbackd.core.words.words import TextKind, Words

IT: Final = Words(
    texts={
        TextKind.MISSED: "Ci dispiace di aver perso la sua chiamata, qui {business}. Come possiamo aiutarla?",
        TextKind.BUSY: "Ci dispiace, eravamo al telefono quando ha chiamato, qui {business}. Come possiamo aiutarla?",
        TextKind.QUEUE: "Ci dispiace averla fatta aspettare senza risposta, qui {business}. Come possiamo aiutarla?",
        TextKind.CLOSED: "Ci dispiace di aver perso la sua chiamata, qui {business}. Ora siamo chiusi. "
        "Riapriamo {opens_next}. Per urgenze chiami il {on_call}. Come possiamo aiutarla?",
        TextKind.HOLIDAY: "Ci dispiace di aver perso la sua chiamata, qui {business}. Oggi siamo chiusi per "
        "festività. Riapriamo {opens_next}. Per urgenze chiami il {on_call}. Come possiamo aiutarla?",
        TextKind.VOICEMAIL: "Ci dispiace di aver perso la sua chiamata, qui {business}. Abbiamo ricevuto il suo messaggio. "
        "Vuole aggiungere qualcosa?",
        TextKind.AGAIN: "Ci dispiace di aver perso di nuovo la sua chiamata, qui {business}. Come possiamo aiutarla?",
        TextKind.LATE: "Ci scusi se rispondiamo solo ora, abbiamo perso la sua chiamata. Qui {business}. Come possiamo aiutarla?",
    },
    optout_hint="Risponda STOP per non ricevere altri SMS.",
    called="(Ha chiamato il {called_number}.)",
    time="{hour}:{minute}",
    today="oggi alle {time}",
    tomorrow="domani alle {time}",
    on_weekday="{weekday} alle {time}",
    on_date="il {day} {month} alle {time}",
    weekdays=("lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato", "domenica"),
    months=(
        "gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno",
        "luglio", "agosto", "settembre", "ottobre", "novembre", "dicembre",
    ),
    owns=("dispiace", "scus", "purtroppo", "perso"),
    promotion=(
        "sconti", "sconto", "buoni sconto", "offert[ae]", "promozion[ei]", "saldi", "clicchi qui", "miglior prezzo",
        "omaggio", "tempo limitato",
    ),
    hollow=("importante per noi",),
)  # fmt: skip
