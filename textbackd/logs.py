"""Log lines: a fixed sentence, then what varies as fields. Numbers are masked and texts left out where they are logged."""

import logging
import os
import sys
from collections.abc import Mapping
from typing import Final, TextIO

_OWN: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
# sd-daemon(3): a number in front of a line on stderr is its priority in the journal.
_PRIORITY: Final = {
    logging.DEBUG: "<7>",
    logging.INFO: "<6>",
    logging.WARNING: "<4>",
    logging.ERROR: "<3>",
    logging.CRITICAL: "<2>",
}


class Line(logging.Formatter):
    """One record on one line, `sentence key=value key=value`."""

    def __init__(self, *, journal: bool) -> None:
        super().__init__()
        self._journal = journal

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields = [
            f"{key}={_quoted(value)}" for key, value in vars(record).items() if key not in _OWN and value is not None
        ]
        said = " ".join([_one_line(record.getMessage()), *fields])
        if record.exc_info:
            said += "\n" + self.formatException(record.exc_info)
        if self._journal:
            # Each line is an entry of its own there, and would be an ordinary one without its number.
            return "\n".join(_PRIORITY.get(record.levelno, "<6>") + line for line in said.split("\n"))
        return f"{self.formatTime(record, '%H:%M:%S')} {record.levelname.lower():7} {said}"


def _one_line(said: str) -> str:
    return said.replace("\r", "\\r").replace("\n", "\\n")


def _quoted(value: object) -> str:
    text = _one_line(str(value))
    return repr(text) if " " in text or not text.isprintable() else text


def is_journal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Return whether what is written here goes to the journal, and not from there into a file or to a terminal.

    Source: systemd.exec(5), $JOURNAL_STREAM: device and inode of the connection.
    """
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def start(level: int = logging.INFO) -> None:
    """Log to stderr, in the journal's way if systemd listens."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Line(journal=is_journal(sys.stderr, os.environ)))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for loud in ("gsmmodem", "asyncio", "aiohttp"):
        logging.getLogger(loud).setLevel(logging.WARNING)
