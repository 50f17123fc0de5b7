"""Numbers for Prometheus, in its text format.   flow, store → here → web/app.py

Format: "Exposition formats", text version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats).
"""

import platform
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import accumulate
from math import inf
from typing import Final

from textbackd import __version__

CONFIGURATION_READ: Final = "When the configuration in force was read."
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
# Seconds from the first miss to a person's word: a minute at best, the reply clock's half hour, the next morning, days.
FIRST_ANSWER_BUCKETS: Final = (60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 14400.0, 43200.0, 86400.0, 259200.0)
HANGUP_TO_ACCEPTED: Final = "From the caller's hangup until a gateway took the text."
# Seconds from hangup to accepted: the delay alone is 5 s, a text expires after 10 min.
HANGUP_TO_ACCEPTED_BUCKETS: Final = (2.0, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0)


class Kind(StrEnum):
    """What Prometheus may do with a metric."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Sample:
    """One number; its name is the family's, or that with `_bucket`, `_sum` or `_count`."""

    name: str
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Family:
    """One metric with all its samples."""

    name: str
    kind: Kind
    means: str
    samples: tuple[Sample, ...]


class Histogram:
    """Counts measured seconds by bucket, since the daemon started."""

    def __init__(self, limits: tuple[float, ...]) -> None:
        self._limits = limits
        self._counts = [0] * (len(limits) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count one value; a bucket's limit belongs to it."""
        self._counts[bisect_left(self._limits, value)] += 1
        self._sum += value

    def samples(self, name: str) -> Iterator[Sample]:
        """Yield the cumulated buckets, the sum and the count."""
        for limit, count in zip((*self._limits, inf), accumulate(self._counts), strict=True):
            yield Sample(f"{name}_bucket", {"le": _number(limit)}, count)
        yield Sample(f"{name}_sum", {}, self._sum)
        yield Sample(f"{name}_count", {}, sum(self._counts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The numbers of one moment."""

    calls: Mapping[tuple[str, str], float] = field(default_factory=dict)  # (verdict, reason) → how many
    decisions: Mapping[tuple[str, str], float] = field(default_factory=dict)  # (decision, reason) → how many
    texts: Mapping[str, int] = field(default_factory=dict)  # state → how many are in it
    outbox_length: int = 0  # texts that still wait for a gateway
    hangup_to_accepted: Histogram = field(default_factory=lambda: Histogram(HANGUP_TO_ACCEPTED_BUCKETS))
    pbx: Mapping[str, str] = field(default_factory=dict)  # as at /healthz
    gateways: Mapping[str, str] = field(default_factory=dict)
    incoming: Mapping[tuple[str, str], float] = field(
        default_factory=dict
    )  # (gateway, text or call) → how many came in
    notices: Mapping[tuple[str, str], int] = field(
        default_factory=dict
    )  # (channel, state) → what staff and programs are told
    missed_again: float = 0  # cases in which a caller was missed three times or more
    texting: str = "on"  # as at /healthz
    turns: Mapping[str, int] = field(default_factory=dict)  # whose turn it is → how many conversations
    callbacks: int = 0  # conversations that wait for us, and no text reaches the caller
    waiting: int = 0  # callers who wait for a person
    longest_wait: timedelta = timedelta(0)
    first_answer: Histogram = field(default_factory=lambda: Histogram(FIRST_ANSWER_BUCKETS))
    steps: Mapping[str, int] = field(default_factory=dict)  # tell, ring, page → how often, for those who wait
    optouts: int = 0
    segments: Mapping[str, float] = field(default_factory=dict)  # line → of its texts
    cost: Mapping[str, float] = field(default_factory=dict)  # line → in the currency of the gateways' prices
    alarms: Mapping[tuple[str, ...], bool] = field(default_factory=dict)  # (trouble, of what) → has lasted too long
    waiting_events: Mapping[str, int] = field(default_factory=dict)  # PBX → how many
    database_bytes: int = 0
    disk_free_bytes: int = 0
    configured_at: datetime | None = None  # when the configuration in force was read
    vitals: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # gateway → name with unit → number
    told: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # gateway → name → words


def families(now: Snapshot) -> list[Family]:
    """Return all metrics of the daemon."""
    build = (__version__, platform.python_version())
    return [
        _counter("calls_total", "Finished calls from outside.", ("verdict", "reason"), now.calls.items()),
        _counter(
            "decisions_total", "What was decided about missed calls.", ("decision", "reason"), now.decisions.items()
        ),
        _counter("missed_three_times_total", "Callers missed three times in one case.", (), [((), now.missed_again)]),
        _gauge("texts", "Texts by state.", ("state",), _by_one(now.texts)),
        _gauge("outbox_length", "Texts that wait for a gateway.", (), [((), now.outbox_length)]),
        _measured("hangup_to_accepted_seconds", HANGUP_TO_ACCEPTED, now.hangup_to_accepted),
        _gauge("ami_connected", "1 while the PBX tells its calls.", ("pbx",), _is(now.pbx, "connected")),
        _gauge("gateway_up", "1 up, 0 down or paused; absent before its first text.", ("gateway",), _ups(now.gateways)),
        _counter("incoming_total", "What came in.", ("gateway", "kind"), now.incoming.items()),
        _gauge("notices", "What staff and programs are told.", ("channel", "state"), now.notices.items()),
        _gauge("brake", "1 while the brake has stopped all automatic texts.", (), [((), int(now.texting == "brake"))]),
        _gauge("paused", "1 while a person has paused all automatic texts.", (), [((), int(now.texting == "paused"))]),
        *_of_the_inbox(now),
        _counter("text_segments_total", "Segments of the texts that gateways took.", ("line",), _by_one(now.segments)),
        _counter("text_cost_total", "Their price, in the currency of the settings.", ("line",), _by_one(now.cost)),
        _gauge("alarm_active", "1 while something has been wrong for too long.", ("alarm", "of"), _whether(now.alarms)),
        _gauge(
            "ami_waiting_events", "Events of the PBX not yet worked through.", ("pbx",), _by_one(now.waiting_events)
        ),
        _gauge("database_size_bytes", "Size of the database and its log.", (), [((), now.database_bytes)]),
        _gauge("disk_free_bytes", "Free space beside the database.", (), [((), now.disk_free_bytes)]),
        _gauge("configuration_read_timestamp_seconds", CONFIGURATION_READ, (), _at(now.configured_at)),
        *_vitals(now.vitals),
        *_told(now.told),
        _gauge("build_info", "Always 1; the labels say what runs.", ("version", "python"), [(build, 1)]),
    ]


def _of_the_inbox(now: Snapshot) -> Iterator[Family]:
    longest = now.longest_wait.total_seconds()
    yield _gauge("conversations", "Conversations that are not done, by turn.", ("turn",), _by_one(now.turns))
    yield _gauge("callbacks_wanted", "Callers whom no text reaches, and who wait.", (), [((), now.callbacks)])
    yield _gauge("callers_waiting", "Callers who wait for a person.", (), [((), now.waiting)])
    yield _gauge("longest_wait_seconds", "For how long the first of them has waited.", (), [((), longest)])
    means = "From the first missed call to a person's word."
    yield _measured("first_answer_seconds", means, now.first_answer)
    yield _gauge("waiting_steps", "What the reply clock has done for them.", ("step",), _by_one(now.steps))
    yield _gauge("optouts", "Numbers that want no texts.", (), [((), now.optouts)])


_Values = Iterable[tuple[tuple[str, ...], float]]  # the labels' values and the number


def _counter(name: str, means: str, labels: tuple[str, ...], values: _Values) -> Family:
    return _family(Kind.COUNTER, name, means, labels, values)


def _gauge(name: str, means: str, labels: tuple[str, ...], values: _Values) -> Family:
    return _family(Kind.GAUGE, name, means, labels, values)


def _family(kind: Kind, name: str, means: str, labels: tuple[str, ...], values: _Values) -> Family:
    full = f"textbackd_{name}"
    samples = (Sample(full, dict(zip(labels, key, strict=True)), value) for key, value in values)
    return Family(full, kind, means, tuple(samples))


def _measured(name: str, means: str, measured: Histogram) -> Family:
    full = f"textbackd_{name}"
    return Family(full, Kind.HISTOGRAM, means, tuple(measured.samples(full)))


def _vitals(vitals: Mapping[str, Mapping[str, float]]) -> Iterator[Family]:
    """Yield what gateways measure of themselves: one family for each name."""
    for name in sorted({name for of_gateway in vitals.values() for name in of_gateway}):
        values = [((gateway,), numbers[name]) for gateway, numbers in vitals.items() if name in numbers]
        kind = Kind.COUNTER if name.endswith("_total") else Kind.GAUGE
        means = f"{name.removesuffix('_total').replace('_', ' ').capitalize()}, as the gateway tells."
        yield _family(kind, f"gateway_{name}", means, ("gateway",), values)


def _told(told: Mapping[str, Mapping[str, str]]) -> Iterator[Family]:
    """Yield what gateways tell in words, as labels of a number that is always 1."""
    names = sorted({name for of_gateway in told.values() for name in of_gateway})
    if names:
        values = [((gateway, *(words.get(name, "") for name in names)), 1.0) for gateway, words in told.items()]
        yield _gauge("gateway_info", "Always 1; the labels say what the gateway tells.", ("gateway", *names), values)


def _by_one(values: Mapping[str, float]) -> _Values:
    return (((key,), value) for key, value in values.items())


def _at(moment: datetime | None) -> _Values:
    return () if moment is None else (((), moment.timestamp()),)


def _whether(values: Mapping[tuple[str, ...], bool]) -> _Values:
    return ((key, int(is_so)) for key, is_so in values.items())


def _is(states: Mapping[str, str], wanted: str) -> _Values:
    return (((key,), int(state == wanted)) for key, state in states.items())


def _ups(states: Mapping[str, str]) -> _Values:
    return _is({key: state for key, state in states.items() if state != "unknown"}, "up")


def render(metrics: Iterable[Family]) -> str:
    """Return the text format; a family without samples still says what it is."""
    return "".join(f"{line}\n" for family in metrics for line in _lines(family))


def _lines(family: Family) -> Iterator[str]:
    yield f"# HELP {family.name} {_escaped(family.means)}"
    yield f"# TYPE {family.name} {family.kind}"
    for sample in family.samples:
        yield f"{sample.name}{_labels(sample.labels)} {_number(sample.value)}"


def _labels(labels: Mapping[str, str]) -> str:
    pairs = (f'{name}="{_escaped(value, quote=True)}"' for name, value in labels.items())
    return "{" + ",".join(pairs) + "}" if labels else ""


def _escaped(value: str, *, quote: bool = False) -> str:
    escaped = value.replace("\\", "\\\\").replace("\n", "\\n")
    return escaped.replace('"', '\\"') if quote else escaped


def _number(value: float) -> str:
    return "+Inf" if value == inf else repr(value)
