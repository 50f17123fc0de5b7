"""The lab's own tests see its fixtures; see fixtures.py for how other tests do."""

from .fixtures import asterisk, asterisk16, asterisk22

__all__ = ["asterisk", "asterisk16", "asterisk22"]
