"""Who knows a secret, and who does not."""

import pytest

from textbackd.web.secret import is_secret


@pytest.mark.parametrize(
    ("given", "expected", "known"),
    [
        ("k7Jm0V2x9Qp4", "k7Jm0V2x9Qp4", True),
        ("k7Jm0V2x9Qp", "k7Jm0V2x9Qp4", False),
        ("K7jm0v2X9qP4", "k7Jm0V2x9Qp4", False),
        ("\u00e9", "\u00e9", True),
        pytest.param("", "k7Jm0V2x9Qp4", False, id="nothing"),
        pytest.param("", None, False, id="nothing where nothing is expected"),
        pytest.param("x", None, False, id="something where nothing is expected"),
        pytest.param("\ud800", "?", False, id="half a character"),
    ],
)
def test_a_secret_is_known_or_not(given: str, expected: str | None, known: bool) -> None:
    assert is_secret(given, expected) is known
