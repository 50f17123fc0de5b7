"""textbackd texts back the callers whose call nobody took. Start reading in core/."""

__version__ = "0.1.0"
