"""What a look at one thing has found.   every subject → here → cli/doctor.py"""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad it is; the values stand in the JSON."""

    FAULT = "fault"  # a missed call gets no text, or a reply reaches nobody, until it is mended
    WARNING = "warning"  # it works, and will not always, or is less safe than it could be
    NOTE = "note"  # nothing is wrong; something could not be looked at, or is good to know


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong."""

    severity: Severity
    subject: str  # where: "pbx.office", "gateways.stick", "box"
    what: str  # a sentence or two
    do: tuple[
        str, ...
    ] = ()  # lines to add or commands to run, each exactly as it is typed; "#" begins a word of explanation


def fault(subject: str, what: str, *do: str) -> Finding:
    """Return what has to be mended."""
    return Finding(severity=Severity.FAULT, subject=subject, what=what, do=do)


def warning(subject: str, what: str, *do: str) -> Finding:
    """Return what should be mended."""
    return Finding(severity=Severity.WARNING, subject=subject, what=what, do=do)


def note(subject: str, what: str, *do: str) -> Finding:
    """Return what is good to know."""
    return Finding(severity=Severity.NOTE, subject=subject, what=what, do=do)
