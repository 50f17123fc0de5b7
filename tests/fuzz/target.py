"""What a fuzz run asks of wire and tracker: no exception, and nothing that grows.   mutations.py → here → run.py, test_fuzz.py"""

from datetime import UTC, datetime
from typing import Final

from textbackd.core.call import Call
from textbackd.core.picture import MOST_CHANNELS
from textbackd.core.tracker import Tracker
from textbackd.core.trunk import Trunks
from textbackd.pbx.wire import LARGEST_FRAME, FrameSplitter, parse, read_event

NOON: Final = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
AFTER_ALL: Final = datetime(2101, 1, 1, tzinfo=UTC)  # no Timestamp that is believed is later
SLACK: Final = 1000  # things without a channel that may stay: what was listed
REST_EVERY: Final = 500  # inputs
PIECES: Final = (1, 2, 3, 7, 64, 4096, 65536)  # bytes that arrive at once


class Target:
    """One PBX whose bytes are nonsense, for as long as the run lasts: what an input leaves behind, the next one meets."""

    def __init__(self) -> None:
        self._tracker = Tracker("fuzz", Trunks())
        self._inputs = 0
        self.events = 0
        self.calls = 0
        self.largest = 0

    def take(self, data: bytes) -> None:
        """Feed one input; its first byte says in which pieces it arrives. Raises AssertionError, or what wire or tracker raise."""
        if not data:
            return
        size = PIECES[data[0] % len(PIECES)]
        splitter = FrameSplitter()
        self._tracker.connection_opened()
        for start in range(1, len(data), size):
            for frame in splitter.feed(data[start : start + size]):
                self._read(frame)
            assert len(splitter._rest) <= LARGEST_FRAME
        self._look()

    def _read(self, frame: bytes) -> None:
        event = read_event(frame, NOON)  # also of frames that nobody would look into
        if event is None:
            return
        self.events += 1
        assert event.at is not None
        headers = parse(frame)
        for name in ("Channel", "Uniqueid", "Linkedid", "Timestamp"):
            assert event.headers.get(name) == headers.get(name), f"two readings of {name}"
        self._keep(self._tracker.feed(event))

    def _keep(self, calls: list[Call]) -> None:
        self.calls += len(calls)
        for call in calls:
            assert call.talked is None or call.talked.total_seconds() >= 0

    def _look(self) -> None:
        self._inputs += 1
        size = self._tracker.size
        self.largest = max(self.largest, size)
        assert size <= 6 * MOST_CHANNELS, f"{size} things are remembered"
        self._tracker.take_arrivals()
        self._tracker.callers_in_no_bridge()
        self._tracker.open_callers()
        if self._inputs % REST_EVERY == 0:
            self.rest()

    def rest(self) -> None:
        """Let all time pass: then nothing may be left."""
        self._keep(self._tracker.forget_unended(AFTER_ALL))
        self._tracker.connection_opened()
        assert self._tracker.size <= SLACK, f"{self._tracker.size} things stay for ever"
