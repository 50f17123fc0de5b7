"""What is said about a configuration that was read while another one runs.   config → here → daemon.py"""

import logging
import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from textbackd.config import Settings
from textbackd.errors import ConfigError

log = logging.getLogger(__name__)

Read = Callable[[], Settings]  # blocks; secrets are resolved. Raises TextbackdError


def runnable(settings: Settings, running: Settings) -> Settings:
    """Return settings as they can be used without a restart."""
    if settings.storage == running.storage:
        return settings
    said = {"storage": settings.storage, "in_use": running.storage}
    log.warning("the database is another one only after a restart: systemctl restart textbackd", extra=said)
    kept = settings.model_copy(update={"storage": running.storage})
    return kept.from_origin(settings.origin)


def faults_in(error: Exception) -> Sequence[str]:
    """Return all that is wrong, one sentence each."""
    if isinstance(error, ConfigError):
        return error.faults
    return [f"the database cannot be read: {error}" if isinstance(error, sqlite3.Error) else str(error)]


def refuse(faults: Sequence[str], since: datetime, running: Settings) -> str:
    """Log why the new configuration is not used, and return it in a few words."""
    for fault in faults:
        log.error(fault)
    many = f"{len(faults)} fault{'' if len(faults) == 1 else 's'}"
    said = f"the new configuration has {many}; the one from {_clock(since, running)} runs on"
    log.error(said)
    return said


def _clock(since: datetime, settings: Settings) -> str:
    """Return when, by the shop's clock."""
    local = since.astimezone(settings.business.timezone)
    is_today = datetime.now(local.tzinfo) - local < timedelta(hours=20)
    return f"{local:%H:%M}" if is_today else f"{local:%d %b %H:%M}"
