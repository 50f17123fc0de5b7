"""The running report for people at a terminal, in 80 columns.   report/running.py → here → `textbackd report`"""

from collections.abc import Callable, Iterator
from typing import IO, Final

from rich.text import Text

from textbackd.core.leak import WEEKDAYS, Leak
from textbackd.core.way import REASONS
from textbackd.report import charts, running_words, screen, words
from textbackd.report.running import Running
from textbackd.report.running_words import count, span, value
from textbackd.report.screen import ANSWERED, DIM, HEAD, MISSED, item, row, wrapped

BAR: Final = 22  # columns of the longest
MOST_LINES: Final = 10


def show(told: Running, name_of: Callable[[str], str], out: IO[str]) -> None:
    """Write the report; `name_of` gives the name of one of the staff."""
    screen.show(_report(told, name_of), out)


def _report(told: Running, name_of: Callable[[str], str]) -> Iterator[Text]:
    line = told.question.line
    yield Text(f"{told.question.period.words()}, {f'line {line}' if line else 'all lines'}", HEAD)
    if told.fall is not None:
        yield from wrapped(running_words.warning(told.fall), "", MISSED)
    yield from _calls(told)
    yield from _callers(told.leak)
    yield from _funnel(told)
    yield from _heat(told.leak)
    yield from _lines(told.leak)
    yield from _pairs(told)
    yield from _people(told, name_of)
    yield from _weeks(told)


def _calls(told: Running) -> Iterator[Text]:
    total = told.leak.total
    yield Text()
    yield row("Calls from outside", total.calls)
    yield row("Answered", total.answered, words.share(total.answered, total.calls), ANSWERED)
    yield row("Missed", total.missed, words.share(total.missed, total.calls), MISSED)
    for reason, calls in told.leak.missed_by_reason.items():
        yield item(calls, REASONS[reason])
    if total.uncertain:
        yield row("Uncertain", total.uncertain, words.share(total.uncertain, total.calls))
    unknown = f", {told.opening.unknown:,} of no line that is set now" if told.opening.unknown else ""
    yield Text(f"  missed while open: {told.opening.open:,}, while closed: {told.opening.closed:,}{unknown}", DIM)


def _callers(leak: Leak) -> Iterator[Text]:
    yield Text()
    yield row("Callers who were missed", leak.callers)
    for fate in charts.fates(leak):
        yield item(fate.count, f"{fate.label}, on the phone")
    if leak.repeated:
        yield item(leak.repeated, words.repeated(leak.repeated))
    if leak.withheld:
        yield item(leak.withheld, words.withheld(leak.withheld))


def _funnel(told: Running) -> Iterator[Text]:
    whole = told.funnel[0].count or 1
    yield Text()
    yield Text.assemble(
        ("Matters, missed to won", HEAD), (f"{'this way':>28}{'of the step before':>20}{'at all':>9}", DIM)
    )
    for step in told.funnel:
        bar = "█" * round(BAR * (step.count or 0) / whole)
        share = running_words.step_share(step)
        of = (
            f"{share} of {step.of:,}"
            if share
            else running_words.UNTOLD.get(step.name, "")
            if step.count is None
            else ""
        )
        yield Text.assemble(
            f"{running_words.STEPS[step.name]:<20} ", (f"{bar:<{BAR}}", ANSWERED), f"{count(step.count):>7}",
            (f"{of:>20}", DIM), f"{count(step.altogether):>9}",
        )  # fmt: skip


def _heat(leak: Leak) -> Iterator[Text]:
    if not leak.total.missed:
        return
    hours = charts.hours(leak)
    cells = charts.cells(leak, hours)
    yield Text()
    most = max(cell.missed for cell in cells)
    yield Text.assemble(("Missed by weekday and hour", HEAD), (" (##: a hundred and more)" if most > 99 else "", DIM))
    yield Text("     " + "".join(f"{hour:>3}" for hour in hours), DIM)
    for number, day in enumerate(WEEKDAYS):
        of_day = cells[number * len(hours) : (number + 1) * len(hours)]
        shown = "".join(f"{cell.missed if cell.missed < 100 else '##':>3}" if cell.missed else "  ·" for cell in of_day)
        yield Text(f"{words.WEEKDAYS[day][:3]:<5}{shown}")


def _lines(leak: Leak) -> Iterator[Text]:
    if len(leak.by_line) < 2:
        return
    yield Text()
    yield Text("By line", HEAD)
    for line, part in list(leak.by_line.items())[:MOST_LINES]:
        share = words.share(part.missed, part.calls)
        yield Text(f"  {words.line_name(line):<24.24} {part.missed:>7,} of {part.calls:,} missed ({share})")
    if len(leak.by_line) > MOST_LINES:
        yield Text(f"  and {len(leak.by_line) - MOST_LINES} more: see --json", DIM)


def _pairs(told: Running) -> Iterator[Text]:
    yield Text()
    yield Text("How fast", HEAD)
    for title, figures, of in running_words.speeds(told.to_text, told.to_person, told.to_answer):
        yield from wrapped(figures, f"  {title:<36} ")
        yield from wrapped(of, " " * 39, DIM)
    yield Text()
    yield Text("Money", HEAD)
    for amount, what in running_words.money(told.spent, told.ended):
        yield from wrapped(what, f"{amount:>12}  ")


def _people(told: Running, name_of: Callable[[str], str]) -> Iterator[Text]:
    if not told.people:
        return
    yield Text()
    yield Text.assemble(
        (f"{'Who answered':<26}", HEAD),
        (f"{'answers':>8}{'callers':>9}{'median wait':>15}{'won':>6}{'value':>14}", DIM),
    )
    for person in told.people:
        name = "".join(character for character in name_of(person.key) if character.isprintable())
        yield Text(
            f"  {name:<24.24}{person.answered:>8,}{person.conversations:>9,}{span(person.median):>15}{person.won:>6,}"
            f"{value(person.value):>14}"
        )


def _weeks(told: Running) -> Iterator[Text]:
    shown = [week for week in told.weeks if week.rate.calls]
    if not shown:
        return
    yield Text()
    yield Text("Calls that a person answered, by week", HEAD)
    recent = {week.monday for week in shown}
    for week in (*(week for week in told.first_weeks if week.monday not in recent and week.rate.calls), *shown):
        yield Text(f"  from {week.monday.isoformat()}  {running_words.answered(week.rate)}")
