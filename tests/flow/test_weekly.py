"""The e-mail of the week goes once, when the shop opens, to those who want it, with last week beside the week before."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlite_utils

from tests.core.calls import a_call
from tests.flow.settings import configured
from tests.store.rows import ANSWERED, DAY, NOON, a_text, judged
from textbackd.core.conversation import Happening
from textbackd.core.phone import E164
from textbackd.flow.staff.weekly import Weekly
from textbackd.report.running_words import STEPS
from textbackd.store import conversations, journal, outbox
from textbackd.store.conversations import News
from textbackd.store.database import Store, writing

# NOON of the tests is 5:00 in Denver on a Monday: these hours begin an hour later.
SECTIONS = {
    "lines": '{main: {hours: {mon-fri: "06:00-17:00"}}}',
    "staff": "{anna: {email: anna@example.com}, boss: {email: boss@example.com, weekly: true}}",
    "email": "{host: mail.example.com, from: textbackd@example.com}",
    "web": "{url: https://inbox.example.com/}",
}
LETTER = """\
Anderson Roofing, Mon 23 Feb 2026 to Sun 1 Mar 2026

                                             last week     week before
Calls from outside                                   3               1
Answered by a person                                 1               1
Missed                                               2               0
  while you were open                                1               0
Callers who were missed                              2               0
  and never reached                                  2               0
Texts to them                                        1               0
  delivered                                          —               —
Wrote back                                           0               0
A person answered                                    0               0
Booked                                               —               —
Won                                                  0               0
From the call to the text (median)               6.0 s               —
From the call to a person (median)                   —               —
Wrote, and waited for us (median)                    —               —
Texts cost                                      0.0500            0.00
Came back                                            —               —

1 caller waits for an answer now.
All figures: https://inbox.example.com/reports?from=2026-02-23&to=2026-03-01
"""


@dataclass
class Shop:
    weekly: Weekly
    store: Store
    now: list[datetime]
    woken: int = 0

    async def after(self, **span: float) -> list[dict[str, Any]]:
        """Let time pass; return all e-mails there are then."""
        self.now[0] += timedelta(**span)
        await self.weekly.look()
        return await self.store.run(lambda db: list(db["notices"].rows))

    async def called(self, number: int, ended_at: datetime, **changes: Any) -> None:
        """Let a call come in; one that is missed is texted if it has a text."""
        caller, text = E164(f"+1303555010{number}"), changes.pop("text", None)
        name = changes.pop("name", f"9.{number}")
        call = judged(
            call=a_call(linkedid=name, started_at=ended_at - timedelta(seconds=20), ended_at=ended_at),
            ended_at=ended_at, caller=caller, **changes,
        )  # fmt: skip
        await self.store.run(lambda db: journal.record(db, call, text, same_case_within=DAY, now=ended_at))


@asynccontextmanager
async def opened(folder: Path, **sections: str) -> AsyncIterator[Shop]:
    store, now = Store(folder / "textbackd.db"), [NOON]
    await store.open()
    weekly = Weekly(configured(**{**SECTIONS, **sections}), store=store, clock=lambda: now[0], wake=lambda: None)
    yield Shop(weekly, store, now)
    await store.close()


async def two_weeks(shop: Shop) -> None:
    """Let three calls of last week and one of the week before have happened."""
    thursday, sunday = NOON - timedelta(days=3, hours=-6), NOON - timedelta(days=1)
    await shop.called(1, thursday - timedelta(days=7), judgement=ANSWERED)
    await shop.called(2, thursday, judgement=ANSWERED)
    text = a_text(at=thursday, recipient=E164("+13035550103"), cost=50_000)
    await shop.called(3, thursday, text=text)
    await shop.called(4, sunday)

    def send(db: sqlite_utils.Database) -> None:
        claimed = outbox.claim(db, "stick", thursday)
        assert claimed is not None
        outbox.accepted(db, claimed, "1", thursday + timedelta(seconds=6))
        with writing(db):
            conversations.happen(db, News(number=E164("+13035550109"), happening=Happening.WROTE, at=NOON))

    await shop.store.run(send)


async def test_it_goes_once_a_week_when_the_shop_opens(tmp_path: Path) -> None:
    async with opened(tmp_path) as shop:
        await two_weeks(shop)
        assert await shop.after(minutes=59) == []
        (mail,) = await shop.after(minutes=1)
        assert (mail["staff"], mail["channel"], mail["target"]) == ("boss", "email", "boss@example.com")
        assert len(await shop.after(days=4)) == 1
        assert (
            len(await shop.after(days=2, hours=22, minutes=59)) == 1
        )  # 5:59 on the next Monday: the clocks have changed
        assert len(await shop.after(minutes=1)) == 2


async def test_last_week_stands_beside_the_week_before(tmp_path: Path) -> None:
    async with opened(tmp_path) as shop:
        await two_weeks(shop)
        (mail,) = await shop.after(hours=1)
    payload = json.loads(mail["payload"])
    assert payload["title"] == "Anderson Roofing: 2 missed calls last week, 1 text sent"
    assert payload["words"] == LETTER


async def test_both_weeks_are_followed_equally_long(tmp_path: Path) -> None:
    async with opened(tmp_path) as shop:
        monday = NOON - timedelta(days=7, hours=-12)
        await shop.called(1, monday)
        await shop.called(2, monday - timedelta(days=7))
        # Days after that week was over; the caller of last week may yet do the same.
        await shop.called(2, monday + timedelta(days=3), judgement=ANSWERED, name="9.9")
        (mail,) = await shop.after(hours=1)
    (line,) = (line for line in json.loads(mail["payload"])["words"].splitlines() if line.startswith(STEPS["handled"]))
    assert line.split()[-2:] == ["0", "0"]


async def test_a_restart_sends_it_no_second_time(tmp_path: Path) -> None:
    for hours in (1, 2):
        async with opened(tmp_path) as shop:
            if hours == 1:
                await two_weeks(shop)
            assert len(await shop.after(hours=hours)) == 1


async def test_it_is_late_rather_than_never(tmp_path: Path) -> None:
    async with opened(tmp_path) as shop:
        await two_weeks(shop)
        assert len(await shop.after(days=2, hours=14)) == 1


async def test_a_holiday_is_no_opening(tmp_path: Path) -> None:
    lines = '{main: {hours: {mon-fri: "06:00-17:00"}, holidays: [2026-03-02]}}'
    async with opened(tmp_path, lines=lines) as shop:
        await two_weeks(shop)
        assert await shop.after(hours=24) == []
        assert len(await shop.after(hours=1)) == 1


@pytest.mark.parametrize(
    "sections",
    [{"mode": "observe"}, {"staff": "{anna: {email: anna@example.com}}"}],
    ids=["while we observe", "nobody wants it"],
)
async def test_nobody_gets_it_who_is_not_to(tmp_path: Path, sections: dict[str, str]) -> None:
    async with opened(tmp_path, **sections) as shop:
        await two_weeks(shop)
        assert await shop.after(hours=2) == []


async def test_two_weeks_without_a_call_are_no_news(tmp_path: Path) -> None:
    async with opened(tmp_path) as shop:
        assert await shop.after(hours=2) == []
