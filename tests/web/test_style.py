"""The colours of style.css can be read in both schemes: contrast as WCAG 2.2 reckons it (1.4.3, 1.4.11)."""

import re

import pytest

from textbackd.web.static import files

WORDS, SHAPES = 4.5, 3.0
PAIRS = [
    *((ink, ground, WORDS) for ink in ("ink", "ink-soft") for ground in ("paper", "ground")),
    *(("accent", ground, WORDS) for ground in ("paper", "ground", "accent-ground")),
    *(("accent-ink", "accent", WORDS), ("fault", "paper", WORDS)),
    *((name, f"{name}-ground", WORDS) for name in ("fault", "warn")),
    *((shape, ground, SHAPES) for shape in ("field-line", "focus") for ground in ("paper", "ground")),
]


# Of reports.css: the numbers in the heat map, and shapes beside nothing but the paper.
REPORT_PAIRS = [
    *(("m-ink", f"m{shade}", WORDS) for shade in (1, 2, 3)),
    *(("m-ink-deep", f"m{shade}", WORDS) for shade in (4, 5)),
    *((shape, "paper", SHAPES) for shape in ("missed", "good", "other")),
    ("missed", "paper", WORDS),  # the number in red
]


def schemes(*names: str) -> dict[str, dict[str, str]]:
    """Return the colours by name, for light and dark."""
    blocks = [re.findall(r":root \{(.*?)\}", files()[name].body.decode(), re.DOTALL)[:2] for name in names]
    light, dark = ("".join(parts) for parts in zip(*blocks, strict=True))
    return {"light": _colours(light), "dark": _colours(dark)}


def _colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z0-9-]+): #([0-9a-f]{6});", block))


def _luminance(colour: str) -> float:
    shares = (int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4))
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_black_on_white_is_21_to_1() -> None:
    assert contrast("000000", "ffffff") == pytest.approx(21)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground", "least"), PAIRS)
def test_what_is_written_can_be_read(scheme: str, ink: str, ground: str, least: float) -> None:
    colours = schemes("style.css")[scheme]
    assert contrast(colours[ink], colours[ground]) >= least


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground", "least"), REPORT_PAIRS)
def test_the_reports_can_be_read(scheme: str, ink: str, ground: str, least: float) -> None:
    colours = schemes("style.css", "reports.css")[scheme]
    assert contrast(colours[ink], colours[ground]) >= least
