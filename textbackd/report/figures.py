"""The leak as data, for other programs.   report/measure.py → here → `textbackd leak --json`      Pure."""

from dataclasses import asdict
from typing import Any

from textbackd.core.leak import Part, Worth
from textbackd.report.measure import Answer
from textbackd.report.words import NOT_SHOWN


def figures(answer: Answer, worth: Worth | None) -> dict[str, Any]:
    """Return what `--json` prints; docs/LEAK.md says what each key means."""
    leak = answer.leak
    return {
        "from": leak.first.isoformat() if leak.first else None,
        "to": leak.last.isoformat() if leak.last else None,
        "days": leak.days,
        **_part(leak.total),
        "missed_by_reason": dict(leak.missed_by_reason),
        "uncertain_by_reason": dict(leak.uncertain_by_reason),
        "lost_after_answer": leak.lost_after_answer,
        "unique_callers": leak.callers,
        "repeated": leak.repeated,
        "withheld": leak.withheld,
        "answered_later": leak.answered_later,
        "called_back": leak.called_back,
        "never_reached": leak.never_reached,
        "new_callers": leak.new_callers,
        "new_never_reached": leak.new_never_reached,
        "by_hour": {str(hour): _part(part) for hour, part in leak.by_hour.items()},
        "by_weekday": {day: _part(part) for day, part in leak.by_weekday.items()},
        "by_line": {line: _part(part) for line, part in leak.by_line.items()},
        "calculator": None if worth is None else _rounded(worth),
        "assumed": {
            "country": answer.country,
            "timezone": answer.zone.key,
            "trunks": [{"name": trunk.name, "why": trunk.why.value} for trunk in answer.trunks],
            "queue_log": str(answer.queue_log) if answer.queue_log else None,
        },
        "records": {"read": answer.rows, "skipped": answer.skipped},
        "not_shown": list(NOT_SHOWN),
    }


def _part(part: Part) -> dict[str, int]:
    return {"calls": part.calls, "answered": part.answered, "missed": part.missed, "uncertain": part.uncertain}


def _rounded(worth: Worth) -> dict[str, float | None]:
    told = asdict(worth)
    return {name: None if value is None else round(value, 4) for name, value in told.items()}
