"""Pauses before another try, each a little different, so that what failed at once does not come again at once."""

import random
from datetime import timedelta


def spread(pause: timedelta) -> timedelta:
    """Return a pause that is up to a fifth shorter or longer."""
    return pause * random.uniform(0.8, 1.2)  # noqa: S311  # spread, not secrecy
