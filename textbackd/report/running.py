"""What happened while textbackd ran, in figures.   store/figures.py, core/leak.py → here → web/reports.py, cli/report.py

docs/REPORTS.md says what each figure means.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import sqlite_utils

from textbackd.core.leak import Leak, Tally
from textbackd.core.timetable import Timetable
from textbackd.report import guard, period
from textbackd.report.funnel import Step, funnel
from textbackd.report.guard import Fall, Week
from textbackd.report.matters import Events, matters, standing
from textbackd.report.period import Period
from textbackd.report.waits import Person, people, percentile, span_of, waits
from textbackd.store import figures
from textbackd.store.figures import Asked, AutomaticText, Heard, Mark, Spent

FOLLOWED: Final = timedelta(days=14)  # what came of the last day's calls counts for so long
MISSED: Final = "missed "  # begins what is said of a missed call


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked."""

    period: Period
    country: str
    line: str | None  # None: all
    now: datetime  # a week that is not over by then is no whole one
    followed: timedelta = FOLLOWED  # what came of the calls counts for so long after the period
    timetables: Mapping[str, Timetable]  # by line


@dataclass(frozen=True, slots=True)
class Spans:
    """How long something took, and of how many that is told."""

    count: int  # that ended
    of: int  # that began
    median: timedelta | None
    high: timedelta | None  # 90 of a hundred took no longer


@dataclass(frozen=True, slots=True)
class TextSpans:
    """From the end of the call until a gateway took the text. What had to wait for the end of a night is left out."""

    count: int
    held: int
    p50: timedelta | None
    p95: timedelta | None
    p99: timedelta | None


@dataclass(frozen=True, slots=True)
class Opening:
    """Missed calls by the line's hours as they are set now."""

    open: int
    closed: int
    unknown: int  # of no line that is set now


@dataclass(frozen=True, slots=True)
class Ended:
    """Matters that somebody marked in the period."""

    won: int
    lost: int
    valued: int  # of those that were won: how many tell what they brought
    value: int | None  # hundredths of the shop's currency; None: none tells


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The figures of a period."""

    question: Question
    leak: Leak
    opening: Opening
    funnel: Sequence[Step]
    undelivered: int  # of the texts that a gateway took
    to_text: TextSpans
    to_person: Spans  # from the first missed call to a person's first word
    to_answer: Spans  # from a caller's text to a person's first word
    people: Sequence[Person]
    spent: Spent
    ended: Ended
    weeks: Sequence[Week]  # the last whole ones, the oldest first
    first_weeks: Sequence[Week]  # the first that were recorded
    fall: Fall | None


def measure(db: sqlite_utils.Database, question: Question) -> Running:
    """Return the figures."""
    span = question.period
    asked = Asked(since=span.since, until=span.until, followed=span.until + question.followed, line=question.line)
    calls, cases, marks = figures.calls(db, asked), figures.cases(db, asked), figures.marks(db, asked)
    leak = _leak(calls, question)
    theirs, spoken = figures.theirs(db, asked), [*figures.ours(db, asked), *figures.talks(db, asked)]
    events = Events(texts=figures.automatic_texts(db, asked), theirs=theirs, ours=spoken, marks=marks)
    found = [matter for matter in matters(cases, events) if matter.case.opened_at < asked.until]
    waited = [wait for wait in waits(theirs, spoken) if wait.since < asked.until]
    ends = standing(marks, figures.openings(db, asked), asked.since, asked.until)
    texts = [matter.text for matter in found if matter.text is not None]
    weeks, first = _weeks(db, asked, question), _first_weeks(db, asked, question)
    return Running(
        question=question,
        leak=leak,
        opening=_opening(calls, question),
        funnel=funnel(found, leak.withheld),
        undelivered=sum(text.state == "undelivered" for text in texts),
        to_text=_text_spans(texts),
        to_person=_spans([matter.took for matter in found]),
        to_answer=_spans([wait.lasted for wait in waited]),
        people=people(waited, ends),
        spent=figures.spent(db, asked),
        ended=_ended(ends),
        weeks=weeks,
        first_weeks=first,
        fall=guard.fall(weeks, first),
    )


def fallen(db: sqlite_utils.Database, question: Question) -> Fall | None:
    """Return how the share of calls that people took fell by the end of the period; None if it did not, or too few calls tell."""
    span = question.period
    asked = Asked(since=span.since, until=span.until, followed=span.until, line=question.line)
    return guard.fall(_weeks(db, asked, question), _first_weeks(db, asked, question))


def _leak(calls: Sequence[Heard], question: Question) -> Leak:
    names = {line: line for line in question.timetables}
    tally = Tally(question.period.zone, question.country, lines=names)
    tally.add(calls)
    return tally.leak()


def _opening(calls: Iterable[Heard], question: Question) -> Opening:
    hours = {line: _Hours(times, question.period) for line, times in question.timetables.items()}
    is_open, is_closed, unknown = 0, 0, 0
    for at, said, _, line in calls:
        if not said.startswith(MISSED):
            continue
        if line not in hours:
            unknown += 1
        elif hours[line].is_open(at):
            is_open += 1
        else:
            is_closed += 1
    return Opening(is_open, is_closed, unknown)


class _Hours:
    """Tells for each of many moments whether a line was open."""

    def __init__(self, times: Timetable, span: Period) -> None:
        stretches = times.open_between(span.since, span.until)
        self._turns = [int(moment.timestamp()) for stretch in stretches for moment in stretch]

    def is_open(self, at: int) -> bool:
        """Return whether it was: an odd number of openings and closings lies behind."""
        return bisect_right(self._turns, at) % 2 == 1


def _text_spans(texts: Sequence[AutomaticText]) -> TextSpans:
    took = sorted(text.took for text in texts if not text.held)
    p50, p95, p99 = (span_of(percentile(took, percent)) for percent in (50, 95, 99))
    return TextSpans(len(took), len(texts) - len(took), p50, p95, p99)


def _spans(took: Sequence[timedelta | None]) -> Spans:
    told = [span.total_seconds() for span in took if span is not None]
    return Spans(len(told), len(took), span_of(percentile(told, 50)), span_of(percentile(told, 90)))


def _ended(ends: Sequence[Mark]) -> Ended:
    won = [mark for mark in ends if mark.kind == "won"]
    values = [mark.value for mark in won if mark.value is not None]
    return Ended(len(won), len(ends) - len(won), len(values), sum(values) if values else None)


def _weeks(db: sqlite_utils.Database, asked: Asked, question: Question) -> list[Week]:
    spans = period.weeks_before(min(asked.until, question.now), question.period.zone, 2 * guard.WEEKS)
    return [_week(db, asked, question, *span) for span in spans]


def _first_weeks(db: sqlite_utils.Database, asked: Asked, question: Question) -> list[Week]:
    began = figures.first_call(db)
    spans = period.weeks_after(began, question.period.zone, guard.WEEKS) if began else ()
    return [_week(db, asked, question, *span) for span in spans if span[1] <= min(asked.until, question.now)]


def _week(db: sqlite_utils.Database, asked: Asked, question: Question, since: datetime, until: datetime) -> Week:
    rate = figures.rate(db, replace(asked, since=since, until=until))
    return Week(since.astimezone(question.period.zone).date(), rate)
