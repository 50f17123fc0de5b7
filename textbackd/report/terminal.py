"""The leak for people at a terminal: 80 columns, with bars.   report/measure.py → here → `textbackd leak`"""

from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Final

from rich.text import Text

from textbackd.core.leak import Leak, Part, Worth
from textbackd.core.way import REASONS
from textbackd.report import screen, words
from textbackd.report.measure import Answer
from textbackd.report.screen import ANSWERED, DIM, HEAD, MISSED, item, row, wrapped

BAR: Final = 40  # columns of the longest
MOST_LINES: Final = 10  # numbers of ours that are shown


def show(answer: Answer, worth: Worth | None, out: IO[str]) -> None:
    """Write the report."""
    screen.show(_report(answer, worth), out)


def summary(answer: Answer, out: IO[str]) -> None:
    """Write what is worth knowing at one look."""
    screen.show(_summary(answer.leak), out)


def _summary(leak: Leak) -> Iterator[Text]:
    yield Text(f"Missed calls, {words.period(leak)}", HEAD)
    yield Text()
    yield from _counts(leak)
    yield from _callers(leak)


def _report(answer: Answer, worth: Worth | None) -> Iterator[Text]:
    leak = answer.leak
    yield from _summary(leak)
    yield from _chart("By hour", {f"{hour:02}": part for hour, part in _open_hours(leak)})
    yield from _chart("By weekday", {words.WEEKDAYS[day]: part for day, part in leak.by_weekday.items()})
    yield from _lines(leak)
    yield from _worth(leak, worth)
    yield from _small("What was assumed", words.assumptions(answer))
    yield from _small("What records cannot show", words.NOT_SHOWN)


def _counts(leak: Leak) -> Iterator[Text]:
    total = leak.total
    yield row("Calls from outside", total.calls)
    yield row("Answered", total.answered, words.share(total.answered, total.calls), ANSWERED)
    if leak.lost_after_answer:
        yield item(leak.lost_after_answer, "of them let go of again, and nobody took over")
    yield row("Missed", total.missed, words.share(total.missed, total.calls), MISSED)
    for reason, calls in leak.missed_by_reason.items():
        yield item(calls, REASONS[reason])
    if total.uncertain:
        yield row("Uncertain", total.uncertain, words.share(total.uncertain, total.calls))
        for reason, calls in leak.uncertain_by_reason.items():
            yield item(calls, REASONS[reason])


def _callers(leak: Leak) -> Iterator[Text]:
    yield Text()
    yield row("Callers who were missed", leak.callers)
    for callers, what, style in (
        (leak.answered_later, "called again and got through", ""),
        (leak.called_back, words.many(leak.called_back, "was called back", "were called back"), ""),
        (leak.never_reached, words.many(leak.never_reached, "was never reached", "were never reached"), MISSED),
    ):
        yield item(callers, what, style)
    yield item(leak.new_never_reached, "of those had never called before", deeper=True)
    if leak.repeated:
        yield item(leak.repeated, words.repeated(leak.repeated))
    if leak.withheld:
        yield item(leak.withheld, words.withheld(leak.withheld))


def _open_hours(leak: Leak) -> list[tuple[int, Part]]:
    """Return the hours from the first to the last in which anybody called."""
    busy = [hour for hour, part in leak.by_hour.items() if part.calls]
    return [(hour, leak.by_hour[hour]) for hour in range(min(busy), max(busy) + 1)] if busy else []


def _chart(title: str, parts: Mapping[str, Part]) -> Iterator[Text]:
    most = max((part.calls for part in parts.values()), default=0)
    if not most:
        return
    yield Text()
    yield Text.assemble((title, HEAD), (" (missed and other calls)", DIM))
    for name, part in parts.items():
        missed = round(BAR * part.missed / most) or (1 if part.missed else 0)
        others = round(BAR * part.calls / most) - missed
        yield Text.assemble(
            f"  {name:<10}", ("█" * missed, MISSED), ("░" * others, ANSWERED),
            " " * (BAR - missed - max(others, 0)), f" {part.missed:>8,} of {part.calls:,}",
        )  # fmt: skip


def _lines(leak: Leak) -> Iterator[Text]:
    if len(leak.by_line) < 2:
        return
    yield Text()
    yield Text("By number that was called", HEAD)
    shown = list(leak.by_line.items())[:MOST_LINES]
    for line, part in shown:
        yield Text(
            f"  {words.line_name(line):<20} {part.missed:>8,} of {part.calls:,} missed ({words.share(part.missed, part.calls)})"
        )
    if more := len(leak.by_line) - len(shown):
        yield Text(f"  and {more} more: see --json", DIM)


def _worth(leak: Leak, worth: Worth | None) -> Iterator[Text]:
    yield Text()
    yield Text("What it may cost", HEAD)
    no_figure = words.no_figure(leak, worth)
    yield from wrapped(no_figure)
    if worth is None or no_figure:
        return
    for amount, how in words.reckoning(worth):
        yield from wrapped(how, f"{amount:>12}  ")
    if worth.likely is None:
        yield from wrapped(words.NO_CLOSE_RATE)


def _small(title: str, sentences: Iterable[str]) -> Iterator[Text]:
    yield Text()
    yield Text(title, HEAD)
    for sentence in sentences:
        yield from wrapped(sentence, "- ", DIM)
