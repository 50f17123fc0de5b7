"""Every boundary of 3GPP TS 23.038 and 23.040 at which a body takes one radio text more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textbackd.core.segments import GSM7_PART, UCS2_PART, Encoding, Segments, is_gsm7, outside_gsm7, segments

GSM7, UCS2 = Encoding.GSM7, Encoding.UCS2


def lengths(cut: Segments) -> list[int]:
    return [len(part) for part in cut.parts]


@pytest.mark.parametrize(("body", "encoding", "parts", "units"), [
    pytest.param("", GSM7, [0], 0, id="nothing is one empty part"),
    pytest.param("a" * 160, GSM7, [160], 160, id="160 septets fit into one"),
    pytest.param("a" * 161, GSM7, [153, 8], 161, id="161 septets are two parts of at most 153"),
    pytest.param("a" * 306, GSM7, [153, 153], 306, id="two full parts hold 306"),
    pytest.param("a" * 307, GSM7, [153, 153, 1], 307, id="septet 307 begins the third"),
    pytest.param("a" * 459, GSM7, [153, 153, 153], 459, id="three full parts hold 459"),
    pytest.param("a" * 460, GSM7, [153, 153, 153, 1], 460, id="septet 460 begins the fourth"),
    pytest.param("[" * 80, GSM7, [80], 160, id="an extension character takes two septets: 80 fit"),
    pytest.param("[" * 81, GSM7, [76, 5], 162, id="153 is odd, so 76 extension characters fill a part"),
    pytest.param("a" * 158 + "€", GSM7, [159], 160, id="the euro fits as septets 159 and 160"),
    pytest.param("a" * 159 + "€", GSM7, [153, 7], 161, id="the euro as septets 160 and 161 makes it two"),
    pytest.param("a" * 152 + "€" + "a" * 10, GSM7, [152, 11], 164, id="nor is an extension character cut"),
    pytest.param("a" * 151 + "€" + "a" * 10, GSM7, [152, 10], 163, id="an extension character may end a part"),
    pytest.param("é" * 70, GSM7, [70], 70, id="é is in the alphabet"),
    pytest.param("ő" * 70, UCS2, [70], 70, id="70 units fit into one"),
    pytest.param("ő" * 71, UCS2, [67, 4], 71, id="71 units are two parts of at most 67"),
    pytest.param("ő" * 134, UCS2, [67, 67], 134, id="two full parts hold 134"),
    pytest.param("ő" * 135, UCS2, [67, 67, 1], 135, id="unit 135 begins the third"),
    pytest.param("a" * 159 + "’", UCS2, [67, 67, 26], 160, id="one typographic apostrophe makes three of one"),
    pytest.param("😀" * 35, UCS2, [35], 70, id="an emoji takes two units: 35 fit"),
    pytest.param("😀" * 36, UCS2, [33, 3], 72, id="67 is odd, so 33 emoji fill a part"),
    pytest.param("a" * 66 + "😀" + "a" * 10, UCS2, [66, 11], 78, id="an emoji is not cut at the part boundary"),
    pytest.param("a" * 65 + "😀" + "a" * 10, UCS2, [66, 10], 77, id="an emoji may end a part"),
    pytest.param("`", UCS2, [1], 1, id="the back-tick is not in the alphabet"),
    pytest.param("§", GSM7, [1], 1, id="the section sign is"),
    pytest.param("a\x1bb", UCS2, [3], 3, id="the escape is no character of the alphabet"),
    pytest.param("line\nline\r\n", GSM7, [11], 11, id="line ends are in the alphabet"),
])  # fmt: skip
def test_a_body_takes_as_many_parts_as_the_standard_says(
    body: str, encoding: Encoding, parts: list[int], units: int
) -> None:
    cut = segments(body)
    assert (cut.encoding, lengths(cut), cut.units, cut.count) == (encoding, parts, units, len(parts))
    assert "".join(cut.parts) == body


@given(
    st.text(alphabet=st.one_of(st.sampled_from("aZ€[é😀ő\n"), st.characters(exclude_categories=["Cs"])), max_size=400)
)
def test_parts_joined_are_the_body_and_none_is_too_long(body: str) -> None:
    cut = segments(body)
    assert "".join(cut.parts) == body
    if cut.count > 1:
        for part in cut.parts:
            size = len(part.encode("gsm0338")) if cut.encoding is GSM7 else len(part.encode("utf-16-be")) // 2
            assert 0 < size <= (GSM7_PART if cut.encoding is GSM7 else UCS2_PART)


def test_the_characters_that_cost_the_alphabet_are_named_once_each() -> None:
    assert outside_gsm7("We’ll call – it’s ours ✓") == ("’", "–", "✓")
    assert is_gsm7("We'll call - it's ours")
