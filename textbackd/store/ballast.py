"""A file that is given up when the disk is full, so that what is under way can still be written down.   database.py → here

A text that a gateway has taken must be noted; if that needs space which is not there, the ballast makes some. While it is gone no
text is begun. It comes back when there is room again.
"""

import logging
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

SIZE: Final = 2 * 1024 * 1024  # bytes: hundreds of results, each a few pages of the write-ahead log
ROOM: Final = 4 * SIZE  # free space at which it comes back; less would be filled at once


class Ballast:
    """The file beside a database."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(database.name + ".ballast")

    @property
    def is_there(self) -> bool:
        """Return whether there is something to give up."""
        return self._path.exists()

    def hold(self) -> bool:
        """Take the space if there is enough of it; return whether the ballast is there."""
        if self.is_there:
            return True
        try:
            if shutil.disk_usage(self._path.parent).free < ROOM:
                return False
            self._fill()
        except OSError as error:
            log.warning("no ballast could be laid in for a full disk", extra={"error": str(error)})
            with suppress(OSError):
                self._path.unlink()
        return self.is_there

    def _fill(self) -> None:
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(handle, 0, SIZE)
            os.fsync(handle)
        finally:
            os.close(handle)

    def give_up(self) -> bool:
        """Free the space; return whether there was some."""
        try:
            self._path.unlink()
        except OSError:
            return False
        log.error("the disk is full: no text is sent until there is space again", extra={"file": str(self._path)})
        return True
