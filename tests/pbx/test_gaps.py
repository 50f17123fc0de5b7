"""An answered call of which a stretch was not seen, wherever it lies, is never called missed."""

from datetime import timedelta
from typing import Final

import pytest

from tests.flow.office import TRACES
from tests.store.rows import NOON
from textbackd.core.events import Event
from textbackd.core.missed import Circumstances, Verdict, judge
from textbackd.core.tracker import Tracker
from textbackd.core.trunk import Trunks
from textbackd.demo.pbx import frames_of
from textbackd.pbx.wire import read_event, tracked

NOBODY_THERE: Final = read_event(b"Event: CoreShowChannelsComplete\r\nEventList: Complete\r\nListItems: 0", NOON)


def events(story: str) -> list[Event]:
    frames = (frame.rstrip(b"\r\n") for _, frame in frames_of((TRACES / f"{story}.ami").read_bytes()))
    read = (read_event(frame, NOON + timedelta(seconds=n)) for n, frame in enumerate(frames) if tracked(frame))
    return [event for event in read if event is not None]


@pytest.mark.parametrize("listed", [False, True], ids=["before the PBX has listed its channels", "afterwards"])
@pytest.mark.parametrize("story", ["direct_answered", "group_answered", "blind_transfer_answered"])
def test_no_gap_makes_an_answered_call_a_missed_one(story: str, listed: bool) -> None:
    seen = events(story)
    wrong = []
    for first in range(len(seen) + 1):
        for last in range(first, len(seen) + 1):
            tracker = Tracker("office", Trunks())
            calls = [call for event in seen[:first] for call in tracker.feed(event)]
            tracker.connection_opened()
            after = [NOBODY_THERE, *seen[last:]] if listed and NOBODY_THERE is not None else seen[last:]
            calls += [call for event in after for call in tracker.feed(event)] + tracker.close()
            if any(judge(call, Circumstances()).verdict is Verdict.MISSED for call in calls):
                wrong.append((first, last))
    assert wrong == []
