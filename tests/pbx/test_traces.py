"""Every recorded call gets its verdict, however its bytes arrive and whatever is missing of them."""

import random
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.traces import IGNORED_DIDS, UNSEEN, Story, stories
from textbackd.core.call import Call
from textbackd.core.events import Event
from textbackd.core.missed import Circumstances, Judgement, Verdict, judge
from textbackd.core.tracker import Tracker
from textbackd.core.trunk import Trunks
from textbackd.pbx.trace import calls_of, read_trace
from textbackd.pbx.wire import FrameSplitter, read_event, tracked

STORIES = list(stories())
BY_NAME = {story.name: story for story in STORIES}


def verdict(call: Call) -> Judgement:
    ignored = call.did_presented in IGNORED_DIDS
    return judge(call, Circumstances(ignored_did=ignored, min_wait=timedelta(0)))


def track(events: Iterable[Event | None]) -> list[Call]:
    tracker = Tracker("office", Trunks())
    calls: list[Call] = []
    for event in events:
        if event is None:
            tracker.connection_opened()
        else:
            calls += tracker.feed(event)
    return calls + tracker.close()


@pytest.mark.parametrize("story", [s for s in STORIES if s.path.stem != UNSEEN], ids=lambda s: s.name)
def test_a_recorded_call_gets_the_verdict_that_people_know_to_be_true(story: Story) -> None:
    calls = list(calls_of(story.path, pbx="office", trunks=Trunks()))
    for truth in story.truths:
        call = next(c for c in calls if truth.caller in (c.caller_presented, "") and c.did_presented == truth.did)
        calls.remove(call)
        judgement = verdict(call)
        assert judgement.verdict.value in truth.verdicts
        assert truth.reasons is None or (judgement.reason and judgement.reason.value in truth.reasons)
    assert not [call for call in calls if verdict(call).verdict is Verdict.MISSED], "a missed call that nobody made"


def test_a_call_during_a_lost_connection_is_not_invented_from_the_events() -> None:
    story = BY_NAME[f"asterisk22/{UNSEEN}"]
    assert list(calls_of(story.path, pbx="office", trunks=Trunks())) == []


def _answered(story: Story) -> set[str]:
    """Return the callers whom a person answered."""
    return {t.caller for t in story.truths if t.verdicts & {"answered", "lost_after_answer"}}


def _wrongly_missed(story: Story, events: Sequence[Event | None]) -> list[Call]:
    answered = _answered(story) - {t.caller for t in story.truths if "missed" in t.verdicts}
    return [c for c in track(events) if c.caller_presented in answered and verdict(c).verdict is Verdict.MISSED]


ANSWERED = [story for story in STORIES if _answered(story)]


@pytest.mark.slow
@pytest.mark.parametrize("story", ANSWERED, ids=lambda s: s.name)
def test_an_answered_call_never_becomes_missed_because_one_event_is_lost(story: Story) -> None:
    events = list(read_trace(story.path))
    for lost in range(len(events)):
        assert not _wrongly_missed(story, events[:lost] + events[lost + 1 :]), events[lost]


@pytest.mark.slow
@pytest.mark.parametrize("story", ANSWERED, ids=lambda s: s.name)
def test_an_answered_call_never_becomes_missed_because_we_came_in_the_middle(story: Story) -> None:
    events = list(read_trace(story.path))
    for first in range(len(events)):
        assert not _wrongly_missed(story, [None, *events[first:]]), f"from event {first}"


@pytest.mark.slow
@pytest.mark.parametrize("story", ANSWERED, ids=lambda s: s.name)
def test_an_answered_call_never_becomes_missed_because_an_event_comes_twice_or_late(story: Story) -> None:
    events = list(read_trace(story.path))
    for place in range(len(events) - 1):
        swapped = [*events[:place], events[place + 1], events[place], *events[place + 2 :]]
        assert not _wrongly_missed(story, swapped), f"swapped {place}"
        assert not _wrongly_missed(story, [*events[: place + 1], *events[place:]]), f"twice {place}"


def _summary(calls: Iterable[Call]) -> list[tuple[str, str, Judgement]]:
    return [(call.linkedid, call.caller_presented, verdict(call)) for call in calls]


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(story=st.sampled_from(STORIES), seed=st.integers(0, 2**32))
def test_the_verdicts_do_not_depend_on_how_the_bytes_are_cut(story: Story, seed: int) -> None:
    whole = _summary(calls_of(story.path, pbx="office", trunks=Trunks()))
    assert _summary(track(_in_chunks(story.path, random.Random(seed)))) == whole


def _in_chunks(path: Path, dice: random.Random) -> Iterable[Event | None]:
    data, splitter = path.read_bytes(), FrameSplitter()
    while data:
        size = dice.choice((1, 2, 3, 7, 64, 4096))
        chunk, data = data[:size], data[size:]
        for frame in splitter.feed(chunk):
            if b"Asterisk Call Manager/" in frame:
                yield None
            elif tracked(frame) and (event := read_event(frame, None)):
                yield event


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(story=st.sampled_from(STORIES), cut=st.floats(0, 1))
def test_a_trace_may_end_anywhere_and_what_ended_before_stays_the_same(story: Story, cut: float) -> None:
    events = list(read_trace(story.path))
    kept = events[: int(len(events) * cut)]
    whole = {(c.linkedid, c.caller_presented): verdict(c) for c in track(events)}
    for call in track(kept):
        judgement = verdict(call)
        assert (
            judgement.verdict in (Verdict.UNCERTAIN, Verdict.IGNORED)
            or judgement == whole[call.linkedid, call.caller_presented]
        )
