"""What the whole suite says at its end: whether the lab ran, who was texted in it, and which peers were missing."""

import pytest

from tests.lab import fixtures

MISSING = "Skipped: NO "  # how every skip begins that is for want of a peer, and not for the test's own reason


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly, and once each, what did not run and why."""
    fixtures.pytest_terminal_summary(terminalreporter)
    told = (report.longrepr for report in terminalreporter.getreports("skipped"))
    for reason in sorted(
        {str(said[2]) for said in told if isinstance(said, tuple) and str(said[2]).startswith(MISSING)}
    ):
        terminalreporter.write_line(reason.removeprefix("Skipped: "), red=True, bold=True)
