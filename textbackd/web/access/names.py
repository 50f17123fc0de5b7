"""What an account or a token may be called.   → the pages, cli/staff.py"""

from typing import Final

LONGEST: Final = 60  # characters
BAD_NAME: Final = f"A name has up to {LONGEST} characters that can be seen, and no space at its ends."


def is_name(name: str) -> bool:
    """Return whether something may be called so."""
    return 0 < len(name) <= LONGEST and name.isprintable() and name == name.strip()
