"""/reports: what happened on the phone and what came back, for a stretch of days.   report/running.py → here → browser

Everything is made here: there is no script, the charts are SVG and the heat map is a table. /reports.csv is for owners.
"""

from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

import sqlite_utils
from aiohttp import web

from textbackd.core.leak import WEEKDAYS, Leak
from textbackd.core.way import REASONS
from textbackd.report import charts, guard, period, rows, running, running_words, words
from textbackd.report.period import Period, Span
from textbackd.report.rows import Sheet
from textbackd.report.running import Question, Running
from textbackd.store import acts
from textbackd.store.acts import Act, ActKind
from textbackd.store.database import writing
from textbackd.store.figures import Asked
from textbackd.web import pages
from textbackd.web.access import auth
from textbackd.web.shop import SHOP, Shop

USUAL: Final = Span.WEEK
SPANS: Final = {Span.TODAY: "Today", Span.WEEK: "This week", Span.MONTH: "This month"}
WEEK_WIDTH: Final = 60  # of a week in the chart; all lengths are units of the drawing


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the address asks for."""

    period: Period
    line: str | None
    fault: str = ""  # why it is not what was typed

    def address(self, path: str = "/reports", **more: str) -> str:
        """Return the address of this report, or of another one about the same days."""
        asked = {"from": self.period.first.isoformat(), "to": self.period.last.isoformat()}
        if self.period.span is not None and path == "/reports":
            asked = {"span": self.period.span.value}
        line = {"line": self.line} if self.line else {}
        return f"{path}?{urlencode(asked | line | more)}"


async def show(request: web.Request) -> web.StreamResponse:
    """Show a period's figures."""
    shop = request.app[SHOP]
    wanted = _wanted(request, shop)
    told = await shop.store.read(lambda db: running.measure(db, _question(shop, wanted)))
    return pages.render(request, "reports.html", _page(shop, wanted, told))


@auth.owner_only
async def sheet(request: web.Request) -> web.StreamResponse:
    """Send calls or conversations as CSV, piece by piece."""
    shop = request.app[SHOP]
    wanted = _wanted(request, shop)
    try:
        chosen = Sheet(request.query.get("what", Sheet.CALLS))
    except ValueError:
        raise web.HTTPBadRequest(text="There are calls and conversations: write what=calls.") from None
    if wanted.fault:
        raise web.HTTPBadRequest(text=wanted.fault)
    await _note(request, wanted, chosen)
    name = f"{chosen.value}-{wanted.period.first}-{wanted.period.last}.csv"
    headers = {"Content-Type": "text/csv; charset=utf-8", "Content-Disposition": f'attachment; filename="{name}"'}
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    await _send(response, shop, wanted, chosen)
    await response.write_eof()
    return response


async def _send(response: web.StreamResponse, shop: Shop, wanted: Wanted, chosen: Sheet) -> None:
    span = wanted.period
    asked = Asked(since=span.since, until=span.until, followed=span.until, line=wanted.line)
    await response.write(rows.head(chosen).encode())
    after: rows.Place | None = (span.since, rows.BEFORE_ALL)
    while after is not None:
        piece = await shop.store.read(partial(rows.piece, sheet=chosen, asked=asked, zone=span.zone, after=after))
        await response.write(piece.text.encode())
        after = piece.last


async def _note(request: web.Request, wanted: Wanted, chosen: Sheet) -> None:
    """Write down who took callers' data out of the shop."""
    shop, span = request.app[SHOP], wanted.period
    detail = f"{chosen.value} {span.first} to {span.last}"
    act = Act(
        at=shop.clock(), staff=auth.staff_of(request).key, number=None, kind=ActKind.SHEET_EXPORTED, detail=detail
    )
    await shop.store.run(lambda db: _add(db, act))


def _add(db: sqlite_utils.Database, act: Act) -> None:
    with writing(db):
        acts.add_within(db, act)


def _wanted(request: web.Request, shop: Shop) -> Wanted:
    """Return what is asked for; what cannot be understood is said, and the usual days are shown instead."""
    zone = shop.settings.business.timezone
    today = shop.clock().astimezone(zone).date()
    usual, line = period.named(USUAL, today, zone), request.query.get("line", "")
    if line and line not in shop.settings.lines:
        return Wanted(usual, None, "There is no such line. All lines are shown.")
    try:
        return Wanted(_period(request, today, shop), line or None)
    except ValueError as fault:
        return Wanted(usual, line or None, str(fault))


def _period(request: web.Request, today: date, shop: Shop) -> Period:
    zone = shop.settings.business.timezone
    span, first, last = (request.query.get(key, "").strip() for key in ("span", "from", "to"))
    if first or last:
        return period.chosen(first, last, today, zone)
    if span and span not in set(Span):
        raise ValueError("There is today, week and month, or any days from and to.")
    return period.named(Span(span or USUAL), today, zone)


def _question(shop: Shop, wanted: Wanted) -> Question:
    settings = shop.settings
    return Question(
        period=wanted.period,
        country=settings.business.country,
        line=wanted.line,
        now=shop.clock(),
        timetables={name: settings.timetable(line) for name, line in settings.lines.items()},
    )


def _page(shop: Shop, wanted: Wanted, told: Running) -> dict[str, Any]:
    leak, hours = told.leak, charts.hours(told.leak)
    reasons = [(REASONS[reason], calls) for reason, calls in leak.missed_by_reason.items()]
    return {
        "wanted": wanted,
        "told": told,
        "leak": leak,
        "say": running_words,
        "words": words,
        "spans": [(span.value, title, _with(wanted, span)) for span, title in SPANS.items()],
        "earlier": Wanted(wanted.period.before(), wanted.line).address(),
        "sheets": [(one.value, wanted.address("/reports.csv", what=one.value)) for one in Sheet],
        "lines": list(shop.settings.lines),
        "hours": hours,
        "columns": charts.columns(leak, hours),
        "heat": _heat(leak, hours),
        "drawing": {"height": charts.HEIGHT, "step": charts.HOUR_WIDTH, "column": charts.COLUMN, "week": WEEK_WIDTH},
        "reasons": charts.shares(reasons, leak.total.missed),
        "fates": charts.fates(leak),
        "weeks": _weeks(told),
        "people": [(shop.name_of(person.key), person) for person in told.people],
        "warning": running_words.warning(told.fall) if told.fall else "",
    }


def _with(wanted: Wanted, span: Span) -> str:
    zone = wanted.period.zone
    return Wanted(
        Period(first=wanted.period.first, last=wanted.period.last, zone=zone, span=span), wanted.line
    ).address()


def _heat(leak: Leak, hours: Any) -> list[tuple[str, list[charts.Cell]]]:
    cells, width = charts.cells(leak, hours), len(hours)
    days = [words.WEEKDAYS[day] for day in WEEKDAYS]
    return [(day, cells[place * width : (place + 1) * width]) for place, day in enumerate(days)]


def _weeks(told: Running) -> list[dict[str, Any]]:
    """Return the weeks as columns, the first on record before the last ones; a week stands once."""
    recent = {week.monday for week in told.weeks}
    shown = [(week, True) for week in told.first_weeks if week.monday not in recent]
    shown += [(week, False) for week in told.weeks]
    return [
        {
            "monday": week.monday,
            "is_first": is_first,
            "rate": week.rate,
            "height": round(guard.share(week.rate) * charts.HEIGHT / 100, 1),
            "words": running_words.answered(week.rate),
        }
        for week, is_first in shown
        if week.rate.calls
    ]


ROUTES: Final = (web.get("/reports", show), web.get("/reports.csv", sheet))
