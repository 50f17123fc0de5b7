"""What the whole suite says at its end: whether the lab ran, who was texted in it, and which peers were missing."""

import logging
import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.lab import fixtures

# No test has a stopwatch; and what is submitted is judged by the same examples each time, while everybody's own runs draw new ones.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

MISSING = "Skipped: NO "  # how every skip begins that is for want of a peer, and not for the test's own reason


@pytest.fixture(autouse=True, scope="module")
def the_log_is_heard_by_the_next_module_too() -> Iterator[None]:
    """Fail a module that leaves our log muted: the ones after it in the same process would hear nothing."""
    ours = logging.getLogger("textbackd")
    before = ours.level, ours.propagate, ours.disabled
    yield
    assert (ours.level, ours.propagate, ours.disabled) == before


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly, and once each, what did not run and why."""
    fixtures.pytest_terminal_summary(terminalreporter)
    told = (report.longrepr for report in terminalreporter.getreports("skipped"))
    for reason in sorted(
        {str(said[2]) for said in told if isinstance(said, tuple) and str(said[2]).startswith(MISSING)}
    ):
        terminalreporter.write_line(reason.removeprefix("Skipped: "), red=True, bold=True)
