"""What carriers and Asterisk say of a number, and what it means together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textbackd.core.attestation import MEANINGS, Attestation, attestation_of

A, B, C, NONE, FAILED = Attestation.A, Attestation.B, Attestation.C, Attestation.NONE, Attestation.FAILED


@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        pytest.param([], NONE, id="nothing"),
        pytest.param(["", " "], NONE, id="variables that are not set"),
        pytest.param(["TN-Validation-Passed-B"], B, id="a carrier's word with its level"),
        pytest.param(["TN-Validation-Passed"], A, id="without a level it is the highest"),
        pytest.param(["TN-Validation-Passed", "C"], C, id="unless the level comes apart"),
        pytest.param(["No-TN-Validation"], NONE, id="nobody signed"),
        pytest.param(["tn-validation-failed-a"], FAILED, id="forged, in small letters"),
        pytest.param(
            ['"Ann" <sip:+13035550142@carrier;verstat=TN-Validation-Passed-C;user=phone>'], C, id="a whole header"
        ),
        pytest.param(["Verification passed", "A"], A, id="Asterisk 16 to 20.6"),
        pytest.param(["success", "B"], B, id="Asterisk since 20.7"),
        pytest.param(["cid_orig_tn_mismatch", "A"], FAILED, id="signed for another number"),
        pytest.param(["Signature failed", "A"], FAILED, id="a bad signature"),
        pytest.param(["cert_retrieval_failure", "A"], NONE, id="a level that could not be verified is none"),
        pytest.param(["success"], NONE, id="verified, but nobody tells the level"),
        pytest.param(["perhaps"], NONE, id="a word that nobody knows"),
    ],
)
def test_the_worst_that_is_said_counts(said: list[str], meaning: Attestation) -> None:
    assert attestation_of(said) is meaning


@given(st.lists(st.sampled_from([*MEANINGS, "", "?"]) | st.text(max_size=20)))
def test_another_word_never_makes_a_number_better_than_its_own_level(said: list[str]) -> None:
    assert attestation_of([*said, "C"]) <= C
