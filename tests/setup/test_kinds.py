"""Every gateway can be set up by what is asked for it."""

from pathlib import Path

import pytest

from textbackd.gateways.registry import KINDS
from textbackd.setup.draft import Draft
from textbackd.setup.kinds import Kind, kinds


def test_every_kind_of_gateway_is_offered() -> None:
    assert kinds().keys() == KINDS.keys()


@pytest.mark.parametrize("kind", kinds().values(), ids=lambda kind: kind.type)
def test_with_an_example_for_each_key_it_is_a_configuration(kind: Kind, tmp_path: Path) -> None:
    answers = {one.key: one.example for one in kind.asked if one.example}
    assert {one.key for one in kind.asked if one.is_needed} <= answers.keys()
    draft = Draft(tmp_path / "textbackd.yaml").put({"type": kind.type, **answers}, "gateways", kind.name)
    assert draft.faults("gateways", kind.name) == []


@pytest.mark.parametrize("kind", kinds().values(), ids=lambda kind: kind.type)
def test_it_has_a_page_in_the_docs(kind: Kind) -> None:
    assert (Path(__file__).parents[2] / "docs" / "gateways" / f"{kind.type}.md").exists()


def test_passwords_are_typed_unseen() -> None:
    hidden = {f"{kind.type}.{one.key}" for kind in kinds().values() for one in kind.asked if one.is_secret}
    assert {"twilio.token", "smpp.password", "vonage.secret", "telnyx.key"} <= hidden
    assert not {"twilio.account", "vonage.number"} & hidden
