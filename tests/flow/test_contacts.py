"""Groups of contacts: who is in which, and what becomes of it when a file changes."""

import logging
import os
from pathlib import Path

import pytest

from tests.core.calls import a_call
from tests.flow.settings import configured
from tests.flow.test_conclude import concluded
from textbackd.core.decide import Why
from textbackd.core.phone import E164
from textbackd.flow.contacts import Contacts

ANN, BOB, CAT = E164("+13035550142"), E164("+12125550199"), E164("+13035550177")  # ANN calls in a_call()


def write(path: Path, content: str, *, minute: int = 0) -> Path:
    """Write a file as if it had been changed in that minute: two changes may fall into one tick of the clock."""
    path.write_text(content)
    os.utime(path, (60 * minute, 60 * minute))
    return path


@pytest.mark.parametrize(
    ("contacts", "policy", "verdict", "why"),
    [
        pytest.param("{}", "", "missed", Why.MISSED, id="a stranger"),
        pytest.param('{suppliers: {numbers: ["3035550142"]}}', "", "missed", Why.GROUP, id="a group gets none"),
        pytest.param('{never: {numbers: ["3035550142"]}}', "", "ignored", Why.IGNORED, id="never"),
        pytest.param('{staff: {numbers: ["3035550142"]}}', "", "ignored", Why.IGNORED, id="staff"),
        pytest.param("{}", 'never: ["3035550142"]', "ignored", Why.IGNORED, id="policy.never"),
        pytest.param('{suppliers: {numbers: ["2125550199"]}}', "", "missed", Why.MISSED, id="somebody else's group"),
        pytest.param(
            '{never: {text: "Hi, {business}", numbers: ["3035550142"]}}', "", "ignored", Why.IGNORED, id="never"
        ),
        pytest.param(
            '{friends: {text: hi, numbers: ["3035550142"]}, never: {numbers: ["3035550142"]}}',
            "",
            "ignored",
            Why.IGNORED,
            id="never, wherever else a number stands",
        ),
    ],
)
def test_a_caller_s_group_decides(contacts: str, policy: str, verdict: str, why: Why) -> None:
    conclusion = concluded(a_call(), configured(contacts=contacts, policy=f"{{{policy}}}"))
    assert (conclusion.judgement.verdict, conclusion.decision.why) == (verdict, why)


def test_a_group_with_words_of_its_own_gets_these() -> None:
    settings = configured(contacts='{regulars: {text: "{business} will call you", numbers: ["3035550142"]}}')
    assert concluded(a_call(), settings).text == "Anderson Roofing will call you"


def test_a_skip_names_the_group() -> None:
    settings = configured(contacts='{suppliers: {numbers: ["3035550142"]}}')
    assert concluded(a_call(), settings).decision.detail == "suppliers"


def groups(folder: Path) -> Contacts:
    return Contacts(configured(contacts=f'{{suppliers: {{files: ["{folder}/suppliers.csv"]}}}}'))


def test_a_file_is_read_again_when_it_changes_and_only_then(tmp_path: Path) -> None:
    write(tmp_path / "suppliers.csv", "phone\n3035550142\n")
    contacts = groups(tmp_path)
    assert not contacts.refresh()
    write(tmp_path / "suppliers.csv", "phone\n2125550199\n", minute=1)
    assert contacts.refresh()
    assert (contacts.group_of(ANN), contacts.group_of(BOB)) == (None, "suppliers")


@pytest.mark.parametrize("bad", ["phone\n2125550199\nask Ann\n", None], ids=["a bad line", "gone"])
def test_of_a_file_that_has_become_bad_what_was_last_read_well_counts(
    tmp_path: Path, bad: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(tmp_path / "suppliers.csv", "phone\n3035550142\n")
    contacts = groups(tmp_path)
    path.unlink() if bad is None else write(path, bad, minute=1)
    with caplog.at_level(logging.WARNING):
        assert contacts.refresh()
        assert not contacts.refresh()
    assert (contacts.group_of(ANN), contacts.group_of(BOB)) == ("suppliers", None)
    (record,) = caplog.records  # told once
    assert str(record.__dict__["fault"]).startswith(f"{path}:")
    write(path, "phone\n3035550177\n", minute=2)
    assert contacts.refresh()
    assert (contacts.group_of(ANN), contacts.group_of(CAT)) == (None, "suppliers")


def test_of_a_file_that_is_bad_from_the_start_counts_what_can_be_read(tmp_path: Path) -> None:
    write(tmp_path / "suppliers.csv", "phone\n3035550142\nask Ann\n")
    assert groups(tmp_path).group_of(ANN) == "suppliers"
