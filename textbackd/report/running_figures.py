"""The running report as data.   report/running.py → here → `textbackd report --json`      Pure; the keys: docs/REPORTS.md"""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from textbackd.core.leak import WEEKDAYS, Part
from textbackd.report.guard import Fall, Week
from textbackd.report.running import Running


def figures(told: Running) -> dict[str, Any]:
    """Return what `--json` prints. Spans are seconds; what is not known is null."""
    leak, span = told.leak, told.question.period
    return {
        "from": span.first.isoformat(),
        "to": span.last.isoformat(),
        "timezone": span.zone.key,
        "line": told.question.line,
        **asdict(leak.total),
        "missed_by_reason": dict(leak.missed_by_reason),
        "uncertain_by_reason": dict(leak.uncertain_by_reason),
        "missed_by_opening": asdict(told.opening),
        "unique_callers": leak.callers,
        "repeated": leak.repeated,
        "withheld": leak.withheld,
        "answered_later": leak.answered_later,
        "called_back": leak.called_back,
        "never_reached": leak.never_reached,
        "by_hour": {str(hour): asdict(part) for hour, part in leak.by_hour.items()},
        "by_weekday": {day: asdict(part) for day, part in leak.by_weekday.items()},
        "by_weekday_and_hour": {
            day: [leak.grid.get((number, hour), Part()).missed for hour in range(24)]
            for number, day in enumerate(WEEKDAYS)
        },
        "by_line": {line: asdict(part) for line, part in leak.by_line.items()},
        "funnel": [asdict(step) for step in told.funnel],
        "undelivered": told.undelivered,
        "time_to_text": _seconds(asdict(told.to_text)),
        "time_to_person": _seconds(asdict(told.to_person)),
        "time_to_answer": _seconds(asdict(told.to_answer)),
        "staff": [_seconds(asdict(person)) for person in told.people],
        "spent": told.spent._asdict(),
        "ended": asdict(told.ended),
        "weeks": [_week(week) for week in told.weeks],
        "first_weeks": [_week(week) for week in told.first_weeks],
        "fall": None if told.fall is None else _fall(told.fall),
    }


def _seconds(told: dict[str, Any]) -> dict[str, Any]:
    return {
        name: round(value.total_seconds(), 3) if isinstance(value, timedelta) else value for name, value in told.items()
    }


def _week(week: Week) -> dict[str, Any]:
    return {"monday": week.monday.isoformat(), **week.rate._asdict()}


def _fall(fall: Fall) -> dict[str, Any]:
    return {"now": fall.now._asdict(), "before": fall.before._asdict(), "since": fall.since.isoformat()}
