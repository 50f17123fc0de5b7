"""The network of the virtual modem: what a phone shows of the parts of a long text."""

import pytest

from textbackd.demo.modem_air import OnAir, WholeTexts


def part(body: str, number: int = 1, total: int = 1, reference: int | None = None, to: str = "+13035550142") -> OnAir:
    return OnAir(
        at="2026-03-02T12:00:00+00:00", to=to, body=body, reference=reference, number=number, total=total,
        message_reference=1, valid_for=None, report=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        pytest.param([part("hello")], ["hello"], id="a short text"),
        pytest.param(
            [part("Sorry ", 1, 2, 7), part("we missed you", 2, 2, 7)], ["Sorry we missed you"], id="two parts"
        ),
        pytest.param([part("b", 2, 2, 7), part("a", 1, 2, 7)], ["ab"], id="in any order"),
        pytest.param([part("a", 1, 2, 7)], [], id="half of one"),
        pytest.param(
            [part("a", 1, 2, 7), part("c", 1, 2, 7, to="+13035550143"), part("b", 2, 2, 7)], ["ab"], id="to two people"
        ),
        pytest.param([part("\ud83d", 1, 2, 7), part("\ude00", 2, 2, 7)], ["\U0001f600"], id="an emoji that was cut"),
    ],
)
def test_a_long_text_is_one_text(parts: list[OnAir], told: list[str]) -> None:
    texts = WholeTexts()
    assert [whole.body for each in parts if (whole := texts.add(each))] == told
