"""Spanish, to a customer (usted), understood in Spain and in America."""

from typing import Final

from textbackd.core.words.words import TextKind, Words

ES: Final = Words(
    texts={
        TextKind.MISSED: "Sentimos no haber atendido su llamada. Somos {business}. ¿En qué podemos ayudarle?",
        TextKind.BUSY: "Perdone que no le atendiéramos, todos estaban al teléfono. Somos {business}. "
        "¿En qué podemos ayudarle?",
        TextKind.QUEUE: "Perdone la espera y que no le atendiéramos. Somos {business}. ¿En qué podemos ayudarle?",
        TextKind.CLOSED: "Sentimos no haber atendido su llamada. Somos {business}. Ahora estamos cerrados. "
        "Abrimos {opens_next}. Si es urgente, llame al {on_call}. ¿En qué podemos ayudarle?",
        TextKind.HOLIDAY: "Sentimos no haber atendido su llamada. Somos {business}. Hoy cerramos por ser festivo. "
        "Volvemos {opens_next}. Si es urgente, llame al {on_call}. ¿En qué podemos ayudarle?",
        TextKind.VOICEMAIL: "Sentimos no haber atendido su llamada. Somos {business}. Hemos recibido su mensaje de voz. "
        "¿Quiere añadir algo?",
        TextKind.AGAIN: "Lo sentimos, otra vez no hemos podido atenderle. Somos {business}. ¿En qué podemos ayudarle?",
        TextKind.LATE: "Sentimos no haber atendido antes su llamada. Somos {business}. ¿En qué podemos ayudarle?",
    },
    optout_hint="Responda STOP para no recibir mensajes.",
    called="(Ha llamado al {called_number}.)",
    time="{hour}:{minute}",
    today="hoy a las {time}",
    tomorrow="mañana a las {time}",
    on_weekday="el {weekday} a las {time}",
    on_date="el {day} de {month} a las {time}",
    weekdays=("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
    months=(
        "enero", "febrero", "marzo", "abril", "mayo", "junio",
        "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre",
    ),
    owns=("sentimos", "perdon", "disculp", "lament", "no pudimos", "no hemos podido"),
    promotion=(
        "descuentos?", "cup(?:ó|o)n(?:es)?", "ofertas?", "promoci(?:ó|o)n(?:es)?", "rebajas?", "haga clic", "mejor precio",
        "regalos?", "tiempo limitado",
    ),
    hollow=("importante para nosotros",),
)  # fmt: skip
