"""Takes the pictures in docs/screenshots/, of a shop's afternoon.   .venv/bin/python -m tests.browser.pictures [FOLDER]"""

import asyncio
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import sqlite_utils
from playwright.async_api import Browser, FloatRect

from tests.browser import month
from tests.browser.chromium import DESK, PHONE, chromium, colleague
from tests.web.callers import JANE, LANDLINE, TO_LANDLINE, TOM, Caller
from tests.web.inbox import NOON, PASSWORD, Inbox, open_inbox
from textbackd.core.decide import Action, Decision, Why
from textbackd.core.phone import E164, NotTextable

FOLDER: Final = Path(__file__).parents[2] / "docs" / "screenshots"
UPPER_PART: Final[FloatRect] = {"x": 0, "y": 0, "width": 1280, "height": 1580}
END_OF_FEBRUARY: Final = datetime(2026, 2, 28, 20, tzinfo=UTC)
NOW: Final = NOON + timedelta(hours=9, minutes=12)  # 14:12 in Denver
Work = Callable[[sqlite_utils.Database], Any]

JANE_K = Caller(JANE, "Jane Kowalski")
TOM_B = Caller(TOM, "Tom Becker")
CITY = Caller(LANDLINE, "City Hall")
AHMED = Caller(E164("+13035550146"), "أحمد")
MARIA = Caller(E164("+13035550147"), "Maria Gutierrez")
NOBODY = Caller(E164("+13035550145"))
LUCY = Caller(E164("+13035550149"), "Lucy Hale")


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


async def fill(inbox: Inbox) -> None:
    """Let an afternoon go by."""
    morning = ago(days=1, hours=5)
    for work in _before(morning):
        await inbox.write(work)
    inbox.hands.now = morning + timedelta(minutes=20)
    await inbox.desk.reply(
        JANE, "Sorry to hear that, Jane. We can come tomorrow between 1 and 3. Does that suit you?", "anna"
    )
    await inbox.write(JANE_K.is_texted(inbox.hands.now + timedelta(seconds=6)))
    await inbox.desk.note(JANE, "Slate roof, two storeys: take the long ladder.", "bob")
    await inbox.desk.reply(LUCY.number, "About 1,250, the old ones taken away. Shall we come on Thursday?", "bob")
    for work in _today():
        await inbox.write(work)
    inbox.hands.now = NOW


def _before(morning: datetime) -> tuple[Work, ...]:
    return (
        LUCY.is_missed(morning - timedelta(hours=1)),
        LUCY.is_texted(morning - timedelta(minutes=59)),
        LUCY.writes("Need 20 m of new gutter, what would that be?", morning - timedelta(minutes=50)),
        JANE_K.is_missed(morning),
        JANE_K.is_texted(morning + timedelta(seconds=9)),
        JANE_K.writes("Hi, our roof leaks over the kitchen after last night's storm.", morning + timedelta(minutes=10)),
    )


def _today() -> tuple[Work, ...]:
    talking = Decision(Action.SKIP, Why.CONVERSATION)
    return (
        MARIA.is_missed(ago(hours=2)),
        MARIA.is_texted(ago(hours=2, seconds=-9)),
        MARIA.writes("Could you call me about the estimate? I sent photos of the dormer last week.", ago(minutes=52)),
        CITY.is_missed(ago(minutes=34), decision=TO_LANDLINE, not_textable=NotTextable.LANDLINE),
        AHMED.is_missed(ago(minutes=64)),
        AHMED.is_texted(ago(minutes=63)),
        AHMED.writes("مرحبا، هل يمكنكم إصلاح السقف اليوم؟ 🏠", ago(minutes=21)),
        JANE_K.is_missed(ago(minutes=14), decision=talking),
        JANE_K.writes("1 pm is perfect, thank you! Should I move the car out of the driveway?", ago(minutes=12)),
        TOM_B.is_missed(ago(minutes=9)),
        TOM_B.is_texted(ago(minutes=8)),
        NOBODY.is_missed(ago(minutes=3)),
    )


async def take(inbox: Inbox, browser: Browser, folder: Path) -> None:
    """Take all pictures."""
    await _picture(inbox, browser, folder / "list-phone.png", PHONE, "light", "/")
    talk = f"/c/{(await inbox.write(JANE_K.stands)).id}"
    await _picture(inbox, browser, folder / "conversation-phone.png", PHONE, "light", talk)
    await _picture(inbox, browser, folder / "desk.png", DESK, "light", talk)
    await _picture(inbox, browser, folder / "desk-dark.png", DESK, "dark", talk)


async def take_reports(inbox: Inbox, browser: Browser, folder: Path) -> None:
    """Take the picture of a month's report, as far as the table of hours."""
    async with colleague(browser, str(inbox.url), DESK) as anna:
        await anna.log_in("anna", PASSWORD)
        await anna.page.goto(f"{inbox.url}/reports?span=month")
        await anna.page.screenshot(path=folder / "reports.png", full_page=True, clip=UPPER_PART)


async def _picture(inbox: Inbox, browser: Browser, file: Path, size: dict[str, int], scheme: str, path: str) -> None:
    async with colleague(browser, str(inbox.url), size, color_scheme=scheme) as anna:
        await anna.log_in("anna", PASSWORD)
        await anna.page.goto(f"{inbox.url}{path}")
        if path != "/":
            await anna.page.fill("#text", "No need, we park on the street. See you at 1.")
        await anna.page.screenshot(path=file)


async def main(folder: Path) -> None:
    """Take all pictures of an inbox of its own."""
    with tempfile.TemporaryDirectory(prefix="textbackd-pictures-") as home:
        async with open_inbox(Path(home), phones=True) as inbox, chromium() as browser:
            await fill(inbox)
            await take(inbox, browser, folder)
    with tempfile.TemporaryDirectory(prefix="textbackd-pictures-") as home:
        async with open_inbox(Path(home)) as inbox, chromium() as browser:
            await inbox.write(month.fill)
            inbox.hands.now = END_OF_FEBRUARY
            await take_reports(inbox, browser, folder)


if __name__ == "__main__":
    wanted = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    wanted.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(wanted))
