"""The running report in words: spans, money, steps.   here → web/reports.py, report/running_terminal.py      Pure.

What is not known is a dash, and no share stands without its counts.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Final

from textbackd.report import guard, words
from textbackd.report.funnel import Step
from textbackd.report.guard import Fall
from textbackd.report.running import Ended, Spans, TextSpans
from textbackd.store.figures import Rate, Spent

UNKNOWN: Final = "—"
STEPS: Final = {
    "missed": "Missed",
    "textable": "Can be texted",
    "texted": "Texted",
    "delivered": "Delivered",
    "replied": "Wrote back",
    "handled": "A person answered",
    "booked": "Booked",
    "won": "Won",
}
UNTOLD: Final = {"delivered": "no gateway reported", "booked": "no calendar told"}
MINUTE, HOUR, DAY = 60, 3_600, 86_400
NO_PRICE: Final = "write `price` at the gateway"
NOTES: Final = (
    "A matter is a caller's missed calls until somebody has reached them, however often they tried.",
    "A missed call without a number is a matter by itself.",
    "Each step counts those who took all steps before it, too; beside it stands how many took it at all.",
    "A text counts as delivered when the network says so, and never because nobody complained.",
    "What came of a call counts for fourteen days after the last day shown.",
    "Open and closed go by the hours as they are set now, without the PBX's day/night switch.",
)


def count(number: int | None) -> str:
    """Return a count, or a dash."""
    return UNKNOWN if number is None else f"{number:,}"


def span(took: timedelta | None) -> str:
    """Return how long something took, in the two units that matter: "4 s", "3 min", "1 h 20 min", "2 d 3 h"."""
    if took is None:
        return UNKNOWN
    seconds = max(round(took.total_seconds()), 0)
    if seconds < MINUTE:
        return f"{took.total_seconds():.1f} s" if 0 < took.total_seconds() < 10 else f"{seconds} s"
    if seconds < HOUR:
        return f"{seconds // MINUTE} min" + (
            f" {seconds % MINUTE} s" if seconds < 10 * MINUTE and seconds % MINUTE else ""
        )
    if seconds < DAY:
        return _two(seconds // HOUR, "h", seconds % HOUR // MINUTE, "min")
    return _two(seconds // DAY, "d", seconds % DAY // HOUR, "h")


def _two(large: int, unit: str, small: int, smaller: str) -> str:
    return f"{large} {unit}" + (f" {small} {smaller}" if small else "")


def value(hundredths: int | None) -> str:
    """Return an amount of the shop's currency: "1,250" or "1,250.50"."""
    if hundredths is None:
        return UNKNOWN
    whole, rest = divmod(hundredths, 100)
    return f"{whole:,}" + (f".{rest:02}" if rest else "")


def cost(millionths: int) -> str:
    """Return what texts cost: "12.34", with four decimals below one."""
    return f"{millionths / 1_000_000:,.4f}" if 0 < millionths < 1_000_000 else f"{millionths / 1_000_000:,.2f}"


def spending(spent: Spent) -> str:
    """Return what some texts cost; a dash where no gateway has a price."""
    return cost(spent.cost) if _is_priced(spent) else UNKNOWN


def _is_priced(spent: Spent) -> bool:
    return bool(spent.cost) or not spent.texts


def step_share(step: Step) -> str:
    """Return a step's share of the one before; nothing where there is no whole."""
    return "" if step.count is None or not step.of or step.name == "missed" else words.share(step.count, step.of)


def answered(rate: Rate) -> str:
    """Return a share of answered calls with its counts."""
    if not rate.calls:
        return "no calls"
    return f"{guard.share(rate):.0f} % ({rate.answered:,} of {rate.calls:,})"


def warning(fall: Fall) -> str:
    """Return what the guard says."""
    before = (
        f"the first four weeks on record, from {fall.since.isoformat()}," if fall.is_first else "the four weeks before"
    )
    return (
        f"People answer fewer calls: {answered(fall.now)} in the last four whole weeks, {answered(fall.before)} in {before}. "
        "A text is no substitute for somebody who picks up."
    )


def speeds(to_text: TextSpans, to_person: Spans, to_answer: Spans) -> Iterator[tuple[str, str, str]]:
    """Yield what took how long: title, figures, of how many."""
    held = f"; {to_text.held:,} waited for the end of a night and are left out" if to_text.held else ""
    yield (
        "Hung up → text accepted",
        _within({"half": to_text.p50, "95 %": to_text.p95, "99 %": to_text.p99}),
        f"{to_text.count:,} {words.many(to_text.count, 'text', 'texts')}{held}",
    )
    for title, took, what in (
        ("Missed → a person's first word", to_person, "matters of callers with a number"),
        ("Wrote to us → a person's first word", to_answer, "times that somebody wrote and waited"),
    ):
        yield title, _within({"half": took.median, "90 %": took.high}), f"{took.count:,} of {took.of:,} {what}"


def _within(parts: Mapping[str, timedelta | None]) -> str:
    """Return "half within 4 s, 90 % within 3 min"."""
    told = [f"{part} within {span(took)}" for part, took in parts.items() if took is not None]
    return ", ".join(told) or UNKNOWN


def bill(spent: Spent) -> tuple[str, str]:
    """Return what some texts cost, and what for."""
    texts = f"{spent.texts:,} {words.many(spent.texts, 'text', 'texts')}"
    what = f"for {texts} in {spent.segments:,} {words.many(spent.segments, 'segment', 'segments')}"
    return spending(spent), f"{what}, as the gateways' prices are set" if _is_priced(spent) else f"{what}: {NO_PRICE}"


def money(spent: Spent, ended: Ended) -> Iterator[tuple[str, str]]:
    """Yield what was spent and what came back."""
    yield bill(spent)
    untold = ended.won - ended.valued
    beside = f"; {untold:,} of them without a value" if untold and ended.valued else ""
    yield value(ended.value), f"came back: {ended.won:,} won{beside}, {ended.lost:,} lost, as staff marked them"
