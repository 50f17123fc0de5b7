"""French (vous)."""

from typing import Final

from textbackd.core.words.words import TextKind, Words

FR: Final = Words(
    texts={
        TextKind.MISSED: "Désolés d'avoir manqué votre appel, ici {business}. Comment pouvons-nous vous aider ?",
        TextKind.BUSY: "Désolés, nous étions déjà en ligne quand vous avez appelé, ici {business}. "
        "Comment pouvons-nous vous aider ?",
        TextKind.QUEUE: "Désolés de vous avoir fait attendre sans vous répondre, ici {business}. "
        "Comment pouvons-nous vous aider ?",
        TextKind.CLOSED: "Désolés d'avoir manqué votre appel, ici {business}. Nous sommes fermés en ce moment. "
        "Nous rouvrons {opens_next}. Si c'est urgent, appelez le {on_call}. Comment pouvons-nous vous aider ?",
        TextKind.HOLIDAY: "Désolés d'avoir manqué votre appel, ici {business}. Nous sommes fermés en ce jour férié. "
        "Nous serons de retour {opens_next}. Si c'est urgent, appelez le {on_call}. Comment pouvons-nous vous aider ?",
        TextKind.VOICEMAIL: "Désolés d'avoir manqué votre appel, ici {business}. Nous avons bien votre message vocal. "
        "Voulez-vous ajouter quelque chose ?",
        TextKind.AGAIN: "Désolés d'avoir encore manqué votre appel, ici {business}. Comment pouvons-nous vous aider ?",
        TextKind.LATE: "Désolés de répondre si tard, nous avons manqué votre appel. Ici {business}. "
        "Comment pouvons-nous vous aider ?",
    },
    optout_hint="Répondez STOP pour ne plus recevoir de SMS.",
    called="(Vous avez appelé le {called_number}.)",
    time="{hour}h{minute}",
    today="aujourd'hui à {time}",
    tomorrow="demain à {time}",
    on_weekday="{weekday} à {time}",
    on_date="le {day} {month} à {time}",
    weekdays=("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
    months=(
        "janvier", "février", "mars", "avril", "mai", "juin",
        "juillet", "août", "septembre", "octobre", "novembre", "décembre",
    ),
    first_of_month="1er",
    owns=("désol", "desol", "excus", "manqu", "pas pu"),
    promotion=(
        "remises?", "r(?:é|e)ductions?", "promo(?:tions?)?", "soldes?", "offres? sp(?:é|e)ciales?", "bons? de r(?:é|e)duction",
        "cliquez ici", "meilleurs? prix", "cadeaux?",
    ),
    hollow=("important pour nous", "importance pour nous"),
)  # fmt: skip
