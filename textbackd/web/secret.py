"""Does somebody know a secret?   → hooks.py, leads.py, bookings.py, access/csrf.py"""

import hmac


def is_secret(given: str, expected: str | None) -> bool:
    """Return whether `given` is the secret that is expected; None: nothing is, and nobody knows it.

    It is compared in that case, too, and takes as long, so that the time does not tell which names there are.
    """
    is_same = hmac.compare_digest(_bytes(given), _bytes(expected or ""))
    return is_same and expected is not None


def _bytes(written: str) -> bytes:
    # Half a character, which an address can hold, stays different from any other.
    return written.encode("utf-8", "surrogatepass")
