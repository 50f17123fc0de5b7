"""What an account or a token may be called.   → the pages, cli/staff.py"""

from typing import Final

from textbackd.config.readers import own_name

LONGEST: Final = 60  # characters
BAD_NAME: Final = f"A name has up to {LONGEST} characters that can be seen, and no space at its ends."


def is_name(name: str) -> bool:
    """Return whether something may be called so."""
    return 0 < len(name) <= LONGEST and name.isprintable() and name == name.strip()


def fault_of_staff(name: str) -> str:
    """Return why nobody's account may be called so, "" if it may: the same names as under `staff` in the configuration."""
    try:
        own_name(name)
    except ValueError as error:
        return str(error)
    return ""
