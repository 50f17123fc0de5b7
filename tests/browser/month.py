"""February at a small shop, drawn with a fixed seed, for the picture of the reports."""

import random
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import sqlite_utils

from tests.report.fortnight import Office
from textbackd.core.phone import E164
from textbackd.store import journal
from textbackd.store.acts import ActKind
from textbackd.store.journal import Resolution
from textbackd.store.states import State

DENVER: Final = ZoneInfo("America/Denver")
# How many calls come in each hour from 7 to 20 on a working day; on other days a sixth.
BUSY: Final = {7: 2, 8: 7, 9: 6, 10: 4, 11: 4, 12: 5, 13: 4, 14: 3, 15: 4, 16: 5, 17: 4, 18: 2, 19: 1, 20: 1}
LUNCH, EVENING = (12, 13), 17
REASONS: Final = ("no_answer", "no_answer", "gave_up", "busy", "queue_gave_up")


def fill(db: sqlite_utils.Database) -> None:
    """Write January's last week and February."""
    dice, office = random.Random(12), Office(db)
    for day in range(34):
        midnight = datetime(2026, 1, 26, tzinfo=DENVER) + timedelta(days=day)
        calls = [hour for hour, count in BUSY.items() for _ in range(count)]
        if midnight.weekday() > 4:
            calls = dice.sample(calls, len(calls) // 6)
        for place, hour in enumerate(calls):
            _call(office, dice, midnight + timedelta(hours=hour, minutes=60 * place / len(calls)))


def _call(office: Office, dice: random.Random, when: datetime) -> None:
    caller = E164(f"+1303555{dice.randrange(1_000, 1_900)}")
    is_late = when.hour >= EVENING or when.hour < 8 or when.weekday() > 4
    if dice.random() > (0.7 if is_late else 0.45 if when.hour in LUNCH else 0.15):
        office.call(caller, when, "answered")
        return
    if office.missed(caller, when, "closed" if is_late else dice.choice(REASONS)):
        becomes = dice.choices((State.DELIVERED, State.UNDELIVERED), (19, 1))[0]
        office.gateway_takes(when + timedelta(seconds=dice.uniform(3, 11)), becomes)
    _after(office, dice, caller, when)


def _after(office: Office, dice: random.Random, caller: E164, when: datetime) -> None:
    """What comes of it: half write back, most of these are answered, and some become customers."""
    if dice.random() < 0.15:
        office.calls_back(caller, when + timedelta(minutes=dice.uniform(10, 50)))
        return
    if dice.random() < 0.5:
        return
    wrote = when + timedelta(minutes=dice.uniform(1, 9))
    office.writes(caller, wrote)
    if dice.random() < 0.1:
        return
    staff = dice.choice(("anna", "anna", "bob"))
    office.answers(staff, caller, wrote + timedelta(minutes=dice.uniform(1, 25)))
    if dice.random() < 0.3:
        office.marks(staff, caller, ActKind.WON, wrote + timedelta(hours=3), f"{dice.randrange(8, 90) * 2_500}")
    if dice.random() < 0.4:
        journal.resolve(office.db, caller, Resolution.CALLED_BACK, wrote + timedelta(hours=4))
