"""English."""

from typing import Final

from textbackd.core.words.words import TextKind, Words

EN: Final = Words(
    texts={
        TextKind.MISSED: "Sorry we missed your call, this is {business}. What can we help you with?",
        TextKind.BUSY: "Sorry we were on another call and missed yours, this is {business}. What can we help you with?",
        TextKind.QUEUE: "Sorry we kept you waiting and missed your call, this is {business}. What can we help you with?",
        TextKind.CLOSED: "Sorry we missed your call, this is {business}. We are closed right now. We open again {opens_next}. "
        "If it cannot wait, call {on_call}. What can we help you with?",
        TextKind.HOLIDAY: "Sorry we missed your call, this is {business}. We are closed for the holiday. "
        "We are back {opens_next}. If it cannot wait, call {on_call}. What can we help you with?",
        TextKind.VOICEMAIL: "Sorry we missed your call, this is {business}. We got your message. Is there anything you would like to add?",
        TextKind.AGAIN: "Sorry we missed you again, this is {business}. What can we help you with?",
        TextKind.LATE: "Sorry we missed your call earlier, this is {business}. What can we help you with?",
    },
    optout_hint="Reply STOP for no more texts.",
    called="(You called {called_number}.)",
    time="{hour12}:{minute} {half}",
    today="today at {time}",
    tomorrow="tomorrow at {time}",
    on_weekday="on {weekday} at {time}",
    on_date="on {month} {day} at {time}",
    weekdays=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    months=(
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    ),
    owns=("sorry", "apolog", "missed", "could not", "couldn", "unable"),
    promotion=(
        "discounts?", "coupons?", "promo(?:tions?)?", "special offers?", "limited time", "on sale", "click here",
        "best price", "free gift", "[0-9]+ ?% off",
    ),
    hollow=("important to us",),
)  # fmt: skip
