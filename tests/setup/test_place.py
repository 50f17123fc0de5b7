"""Guesses of where a business is and what it is called."""

import pytest

from textbackd.setup.place import guess_country, guess_name, key_for


@pytest.mark.parametrize(("zones", "locale", "numbers", "country"), [
    pytest.param(["DE", "DK"], "en_US.UTF-8", ["+13035550100", "+13035550101", "+442079460000"], "US", id="numbers say most"),
    pytest.param(["DE", "DK"], "da_DK.UTF-8", [], "DK", id="the language tells apart who share a clock"),
    pytest.param(["DE", "DK"], "en_US.UTF-8", [], "DE", id="the language of a box is often not that of its country"),
    pytest.param([], "en_GB.UTF-8", [], "GB", id="on UTC the language is all there is"),
    pytest.param([], "C.UTF-8", ["3035550100"], "US", id="nothing tells"),
    pytest.param(["AQ", "NZ"], "", ["+1"], "NZ", id="a place without telephone numbers is none"),
])  # fmt: skip
def test_the_country_is_guessed_by_what_tells_most(
    zones: list[str], locale: str, numbers: list[str], country: str
) -> None:
    assert guess_country(zones, locale, numbers) == country


@pytest.mark.parametrize(("host", "name"), [
    ("pbx.anderson-roofing.com", "Anderson Roofing"),
    ("anderson.co.uk", "Anderson"),
    ("raspberrypi", "Our Shop"),
    ("freepbx.sangoma.local", "Our Shop"),
    ("localhost.localdomain", "Our Shop"),
    ("192.0.2.7", "Our Shop"),
    ("", "Our Shop"),
])  # fmt: skip
def test_a_name_is_taken_from_a_domain_of_ones_own_only(host: str, name: str) -> None:
    assert guess_name(host) == name


@pytest.mark.parametrize(
    ("name", "key"), [("Anna", "anna"), ("José Núñez", "jose"), ("  Li ", "li"), ("李", "you"), ("", "you")]
)
def test_a_key_is_made_of_the_first_name(name: str, key: str) -> None:
    assert key_for(name, "you") == key
