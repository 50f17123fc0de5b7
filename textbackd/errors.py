"""The errors that a person reads: where, what, and what to do."""

from pathlib import Path


class TextbackdError(Exception):
    """Something a person can mend; its text is one clear sentence and is shown without a traceback."""


class ConfigError(TextbackdError):
    """Every fault of one configuration file, each a sentence that starts with its place in the file."""

    def __init__(self, path: Path, faults: list[str]) -> None:
        self.path = path
        self.faults = faults
        super().__init__("\n".join(faults))
