"""/reports and /reports.csv, as people use them."""

import csv
import io
import re

import pytest
import sqlite_utils

from tests.report.fortnight import EVE, Office, at, fill
from tests.web.inbox import Browser, Inbox
from textbackd.report.rows import COLUMNS, Sheet
from textbackd.store.database import to_text

pytestmark = pytest.mark.slow

FORTNIGHT = "from=2026-03-02&to=2026-03-15"
HOSTILE = '=HYPERLINK("http://evil");=1+1<script>alert(1)</script>\u202e'


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


async def test_staff_read_the_figures(inbox: Inbox, browser: Browser) -> None:
    await inbox.write(fill)
    await browser.log_in("bob")
    page = await browser.get(f"/reports?{FORTNIGHT}")
    assert page.status == 200
    assert "Mon 2 Mar 2026 to Sun 15 Mar 2026" in page.words
    for words in (
        "11 calls from outside",
        "7 missed: 64 % of them",
        "400 came back, from 1 of 1 won",
        "Anna Smith 1 1 15 min",
    ):
        assert words in page.words
    assert "spreadsheet" not in page.words  # that is for owners


async def test_the_page_needs_no_script_and_no_style_of_its_own(inbox: Inbox, browser: Browser) -> None:
    await inbox.write(fill)
    await browser.log_in()
    page = await browser.get(f"/reports?{FORTNIGHT}")
    assert not re.search(r"<script|\sstyle=|\son\w+=", page.text)
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]


async def test_a_period_without_calls_is_a_page_too(browser: Browser) -> None:
    await browser.log_in()
    for span in ("today", "week", "month"):
        page = await browser.get(f"/reports?span={span}")
        assert page.status == 200
        assert "No call from outside in these days." in page.words


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("from=2026-03-09&to=2026-03-02", "comes after"),
        ("from=yesterday", "is not a day"),
        ("from=%3Cscript%3E", "is not a day"),
        ("span=century", "There is today, week and month"),
        ("line=nowhere", "There is no such line"),
        ("from=%00&line=%FF", "There is no such line"),
    ],
)
async def test_what_cannot_be_understood_is_told(browser: Browser, asked: str, sentence: str) -> None:
    await browser.log_in()
    page = await browser.get(f"/reports?{asked}")
    assert page.status == 200
    assert sentence in page.words
    assert "<script" not in page.text


async def test_owners_take_the_calls_out_as_a_spreadsheet(inbox: Inbox, browser: Browser) -> None:
    await inbox.write(fill)
    await browser.log_in()
    page = await browser.get(f"/reports.csv?what=calls&{FORTNIGHT}")
    assert page.text.startswith("\ufeff")
    assert page.headers["Content-Disposition"] == 'attachment; filename="calls-2026-03-02-2026-03-15.csv"'
    head, *rows = read(page.text)
    assert tuple(head) == tuple(COLUMNS[Sheet.CALLS])
    assert len(rows) == 11
    ended, line, did, caller, *_, text = rows[0]
    assert (ended, line, did, caller, text) == (
        "2026-03-02 09:00:00",
        "main",
        "'+13035550101",
        "'+13035550142",
        "delivered",
    )
    assert "took out as a spreadsheet: calls 2026-03-02 to 2026-03-15" in (await browser.get("/audit")).words


async def test_no_more_than_a_piece_is_held_and_none_is_lost(inbox: Inbox, browser: Browser) -> None:
    def many(db: sqlite_utils.Database) -> None:
        office = Office(db)
        for _ in range(2_001):
            office.call(EVE, at(3, "09:00"), "answered")

    await inbox.write(many)
    await browser.log_in()
    page = await browser.get(f"/reports.csv?what=calls&{FORTNIGHT}")
    assert len(read(page.text)) == 2_002


async def test_a_hostile_name_is_no_formula_and_no_markup(inbox: Inbox, browser: Browser) -> None:
    await inbox.write(fill)
    names = "UPDATE conversations SET name = ?, last_at = ? WHERE number = ?"
    await inbox.write(lambda db: db.execute(names, [HOSTILE, to_text(at(9, "09:00")), EVE]))
    await inbox.write(lambda db: db.execute("UPDATE calls SET caller_name = ? WHERE caller = ?", [HOSTILE, EVE]))
    await inbox.write(lambda db: db.execute("UPDATE acts SET staff = ? WHERE staff = 'bob'", [HOSTILE]))
    await browser.log_in()
    for what in Sheet:
        _, *rows = read((await browser.get(f"/reports.csv?what={what.value}&{FORTNIGHT}")).text)
        shown = [value for row in rows for value in row if "HYPERLINK" in value]
        assert shown
        assert all(value.startswith("'=") and "\u202e" not in value and ";" not in value for value in shown)
    assert "<script" not in (await browser.get(f"/reports?{FORTNIGHT}")).text


async def test_rows_are_for_owners(inbox: Inbox, browser: Browser) -> None:
    await inbox.write(fill)
    await browser.log_in("bob")
    assert (await browser.get(f"/reports.csv?what=calls&{FORTNIGHT}")).status == 403
    async with inbox.browser() as owner:
        await owner.log_in()
        assert (await owner.get("/reports.csv?what=passwords")).status == 400
        assert (await owner.get("/reports.csv?from=never")).status == 400
