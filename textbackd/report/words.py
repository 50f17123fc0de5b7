"""What a report says about itself, in words for the shop's owner.   here → report/terminal.py, report/page.py, docs/LEAK.md      Pure."""

import re
from collections.abc import Iterator
from typing import Final

from markupsafe import Markup, escape

from textbackd.core.find_trunks import Found, Why
from textbackd.core.leak import UNKNOWN_LINE, Leak, Worth
from textbackd.report.measure import Answer

# What Asterisk's records cannot show, so that nobody takes the figures for more than they are (core/from_records.py).
NOT_SHOWN: Final = (
    "Calls that ended before any phone was dialled and that the PBX did not answer leave no row: no phone registered, a queue that lets "
    "nobody in, a caller who gave up before it rang, a number that the PBX rejects.",
    "Calls that the provider refused before Asterisk saw them.",
    "Whether a message was left: reaching voicemail counts as missed, with and without one.",
    "Whether a mobile was answered by a person or by its voicemail: below 20 seconds such a call is uncertain.",
    "Whether a call back reached a person: an answering machine that took it counts as called back.",
    "A call back from a mobile, which the PBX never saw.",
    "Which of our numbers was called, where a menu came before and the records have no column `did`.",
    "Who ended a call, where the dialplan gives no time-out: then the caller is taken to have given up.",
)
_CODE: Final = re.compile(r"`([^`]+)`")
SHORTEST: Final = 7  # days; a year that is reckoned from less is made up
FAIR_DAYS: Final = 28  # fewer, and one busy or idle week stands for the year
WHY: Final = {
    Why.TOLD: "as --trunk says",
    Why.CONTEXT: "its calls come in through {context}",
    Why.DID: "its calls come with the number that was dialled",
    Why.CALLERS: "it brings many different numbers",
    Why.DIALLED: "many different numbers are called over it",
}
WEEKDAYS: Final = {
    "mon": "Monday", "tue": "Tuesday", "wed": "Wednesday", "thu": "Thursday", "fri": "Friday", "sat": "Saturday", "sun": "Sunday",
}  # fmt: skip
NO_JOB_VALUE: Final = (
    "What a missed call costs nobody knows but you. Add what an average job brings, --job-value 350, "
    "and how many of ten new callers buy, --close-rate 0.3."
)
NO_CLOSE_RATE: Final = (
    "Add how many new callers buy, --close-rate 0.3 for three of ten, for a likelier figure beside it."
)

TOO_SHORT: Final = (
    "From {days} of records no year can be reckoned: it takes a week at least, and four weeks make a fair figure."
)


def many(number: int, one: str, more: str) -> str:
    """Return the words that fit a number."""
    return one if number == 1 else more


def repeated(calls: int) -> str:
    """Return what stands after the number of missed calls of somebody who had been missed before."""
    return many(calls, "more missed call was", "more missed calls were") + " somebody's next try"


def withheld(calls: int) -> str:
    """Return what stands after the number of missed calls that told no number."""
    return many(calls, "missed call", "missed calls") + " told no number"


def code(sentence: str) -> Markup:
    """Return a sentence for a page: what stands between backticks as code, the rest as text."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(sentence))))  # noqa: S704  # escaped just before


def share(part: int, whole: int) -> str:
    """Return a share in percent: "12 %", "under 1 %"; of nothing "—"."""
    if not part or not whole:
        return "0 %" if whole else "—"
    percent = 100 * part / whole
    if 99 < percent < 100:
        return "over 99 %"
    return "under 1 %" if percent < 1 else f"{percent:.0f} %"


def period(leak: Leak) -> str:
    """Return the days that are told of, those without a call, too."""
    if leak.begins is None or leak.ends is None:
        return "no calls"
    first, last = leak.begins.strftime("%a %d %b %Y"), leak.ends.strftime("%a %d %b %Y")
    return first if first == last else f"{first} to {last}"


def line_name(line: str) -> str:
    """Return a number of ours as it is shown."""
    return "not told" if line == UNKNOWN_LINE else line


def money(amount: float) -> str:
    """Return an amount without a currency, which nobody told."""
    return f"{amount:,.0f}"


def trunk(found: Found) -> str:
    """Return a trunk and what gave it away."""
    return f"{found.name} ({WHY[found.why].format(context=found.context)})"


def assumptions(answer: Answer) -> Iterator[str]:
    """Yield what was taken for granted."""
    if answer.trunks:
        yield f"Calls from outside come in over {', '.join(trunk(found) for found in answer.trunks)}."
    utc = "" if answer.written_in == answer.zone else "; the records have theirs in UTC, as the uniqueids show"
    yield f"Numbers are read as dialled in {answer.country}, times are those of {answer.zone.key}{utc}."
    if answer.queue_log:
        yield "queue_log was read, too, for the time that the records cover: it knows callers who gave up in a queue."
    if 0 < answer.leak.days < FAIR_DAYS:
        yield (
            f"A week is reckoned from {_days(answer.leak.days)} only: as many were asked for, or are in the records. "
            "Four weeks or more make a fairer one."
        )
    skipped = f"; {answer.skipped:,} could not be read and were left out" if answer.skipped else ""
    yield f"{answer.rows:,} records were read{skipped}."


def _days(days: int) -> str:
    return f"{days} days" if days != 1 else "one day"


def no_figure(leak: Leak, worth: Worth | None) -> str:
    """Return why there is no figure for a year; "" where there is one."""
    if worth is None:
        return NO_JOB_VALUE
    return TOO_SHORT.format(days=_days(leak.days)) if leak.days < SHORTEST else ""


def reckoning(worth: Worth) -> Iterator[tuple[str, str]]:
    """Yield the amounts, each with the counts that it comes from."""
    missed, new = f"{worth.missed_a_week:.1f}", f"{worth.new_never_reached_a_week:.1f}"
    value = money(worth.job_value)
    yield (
        money(worth.at_most),
        f"a year at most: {missed} missed calls a week × {value} × 50 weeks, as if each had been a job",
    )
    if worth.likely is not None and worth.close_rate is not None:
        yield (
            money(worth.likely),
            f"a year more likely: {new} new callers a week whom nobody reached × {100 * worth.close_rate:.0f} % who buy × {value} "
            "× 50 weeks",
        )
