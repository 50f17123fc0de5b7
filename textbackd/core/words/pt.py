"""Portuguese, understood in Portugal and in Brazil."""

from typing import Final

from textbackd.core.words.words import TextKind, Words

PT: Final = Words(
    texts={
        TextKind.MISSED: "Lamentamos ter perdido a sua chamada. Somos {business}. Em que podemos ajudar?",
        TextKind.BUSY: "Lamentamos, todos estavam ao telefone quando ligou. Somos {business}. "
        "Em que podemos ajudar?",
        TextKind.QUEUE: "Lamentamos que tenha esperado sem resposta. Somos {business}. Em que podemos ajudar?",
        TextKind.CLOSED: "Lamentamos ter perdido a sua chamada. Somos {business}. Agora estamos fechados. "
        "Voltamos a abrir {opens_next}. Se for urgente, ligue para {on_call}. Em que podemos ajudar?",
        TextKind.HOLIDAY: "Lamentamos ter perdido a sua chamada. Somos {business}. Estamos fechados por ser feriado. "
        "Voltamos {opens_next}. Se for urgente, ligue para {on_call}. Em que podemos ajudar?",
        TextKind.VOICEMAIL: "Lamentamos ter perdido a sua chamada. Somos {business}. Recebemos a sua mensagem de voz. "
        "Quer acrescentar alguma coisa?",
        TextKind.AGAIN: "Lamentamos ter perdido de novo a sua chamada. Somos {business}. Em que podemos ajudar?",
        TextKind.LATE: "Lamentamos responder apenas agora, perdemos a sua chamada. Somos {business}. Em que podemos ajudar?",
    },
    optout_hint="Responda STOP para deixar de receber SMS.",
    called="(Ligou para {called_number}.)",
    time="{hour}:{minute}",
    today="hoje às {time}",
    tomorrow="amanhã às {time}",
    on_weekday="{weekday} às {time}",
    on_date="no dia {day} de {month} às {time}",
    weekdays=(
        "na segunda-feira", "na terça-feira", "na quarta-feira", "na quinta-feira", "na sexta-feira", "no sábado",
        "no domingo",
    ),
    months=(
        "janeiro", "fevereiro", "março", "abril", "maio", "junho",
        "julho", "agosto", "setembro", "outubro", "novembro", "dezembro",
    ),
    owns=("lament", "desculp", "infelizmente", "perdemos", "perdido"),
    promotion=(
        "descontos?", "cup(?:ão|ões|om|ons)", "ofertas?", "promoç(?:ão|ões)", "saldos", "clique aqui", "melhor preço",
        "brindes?", "tempo limitado",
    ),
    hollow=("importante para nós",),
)  # fmt: skip
