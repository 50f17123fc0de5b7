"""The e-mail of the week: last week's figures beside those of the week before.   report/running.py → here → flow/staff/weekly.py      Pure.

Plain text, in two columns that stand under each other in any letters of one width, and are still to be read in others.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from textbackd.report import running_words as words
from textbackd.report.running import Running

NAME: Final = 38  # columns
COLUMN: Final = 16
# Counted are matters, of which a caller may have two in a week.
STEPS: Final = {"texted": "Texts to them", "delivered": "  delivered"}


@dataclass(frozen=True, slots=True)
class Letter:
    """What goes into the e-mail."""

    title: str
    words: str


def letter(business: str, week: Running, before: Running, waiting: int, link: str | None) -> Letter | None:
    """Return the e-mail; None for two weeks without a call. `waiting` callers wait for a person now; `link` leads to the report."""
    if not week.leak.total.calls and not before.leak.total.calls:
        return None
    return Letter(_title(business, week), "\n".join(_lines(business, week, before, waiting, link)) + "\n")


def _title(business: str, week: Running) -> str:
    texted = next(step.altogether or 0 for step in week.funnel if step.name == "texted")
    won = f", {week.ended.won:,} won" if week.ended.won else ""
    missed = _many(week.leak.total.missed, "missed call")
    return f"{business}: {missed} last week, {_many(texted, 'text')} sent{won}"


def _lines(business: str, week: Running, before: Running, waiting: int, link: str | None) -> Iterator[str]:
    yield f"{business}, {week.question.period.words()}"
    yield ""
    yield _row("", "last week", "week before")
    for (name, now), (_, then) in zip(_figures(week), _figures(before), strict=True):
        yield _row(name, now, then)
    yield ""
    if week.fall is not None:
        yield words.warning(week.fall)
        yield ""
    yield f"{_many(waiting, 'caller')} {'waits' if waiting == 1 else 'wait'} for an answer now."
    if link is not None:
        yield f"All figures: {link}"


def _figures(running: Running) -> Iterator[tuple[str, str]]:
    """Yield what is told of a week, in the same order for every week."""
    total = running.leak.total
    yield "Calls from outside", f"{total.calls:,}"
    yield "Answered by a person", f"{total.answered:,}"
    yield "Missed", f"{total.missed:,}"
    yield "  while you were open", f"{running.opening.open:,}"
    yield "Callers who were missed", f"{running.leak.callers:,}"
    yield "  and never reached", f"{running.leak.never_reached:,}"
    for step in running.funnel:
        if step.name not in ("missed", "textable"):
            yield STEPS.get(step.name, words.STEPS[step.name]), words.count(step.altogether)
    yield "From the call to the text (median)", words.span(running.to_text.p50)
    yield "From the call to a person (median)", words.span(running.to_person.median)
    yield "Wrote, and waited for us (median)", words.span(running.to_answer.median)
    yield "Texts cost", words.spending(running.spent)
    yield "Came back", words.value(running.ended.value)


def _row(name: str, now: str, then: str) -> str:
    return f"{name:<{NAME}}{now:>{COLUMN}}{then:>{COLUMN}}"


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
