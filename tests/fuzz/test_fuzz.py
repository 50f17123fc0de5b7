"""A short fuzz run of wire and tracker in every test run; `scripts/fuzz 3600` is the long one."""

import os
import random
import resource
import time

import pytest

from tests.fuzz.mutations import mutated, recordings
from tests.fuzz.target import Target

IN_CI = os.environ.get("CI") == "true"
SECONDS = float(os.environ.get("TEXTBACKD_FUZZ_SECONDS") or (60 if IN_CI else 10))
MOST_GROWTH = 64 * 1024  # KiB; a picture full of channels whose end was dropped is some 20 MB


@pytest.mark.faults
@pytest.mark.timeout(SECONDS + 60)
def test_no_bytes_make_wire_or_tracker_raise_or_grow() -> None:
    target, streams = Target(), recordings()
    seed = int.from_bytes(os.urandom(4))
    dice, until, inputs = random.Random(seed), time.monotonic() + SECONDS, 0
    peak_before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    while time.monotonic() < until:
        data = mutated(streams, dice)
        try:
            target.take(data)
        except Exception as error:
            pytest.fail(f"{error!r}: input {inputs} of seed {seed}")
        inputs += 1
    target.rest()
    assert target.events > inputs, "hardly anything was read: the mistakes are too many"
    assert target.calls
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak_before < MOST_GROWTH
