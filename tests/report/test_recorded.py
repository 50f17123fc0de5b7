"""The leak of a recorded call's records is what people know of the call, and what the live side says, wherever the records hold it."""

from collections import Counter
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.core.test_from_records import CANNOT
from tests.traces import HERE, IGNORED_DIDS, Story, stories
from textbackd.errors import TextbackdError
from textbackd.report.measure import Question, measure

STORIES = [
    story
    for story in stories()
    if story.path.is_relative_to(HERE) and story.path.with_suffix(".cdr.csv").exists() and story.path.stem not in CANNOT
]


def counted(cdr: Path) -> Counter[str]:
    queue_log = cdr.with_name(cdr.name.replace(".cdr.csv", ".queue_log"))
    question = Question(
        cdr=str(cdr), queue_log=queue_log if queue_log.exists() else None, trunks=("PJSIP/trunk",), country="US",
        zone=ZoneInfo("UTC"), since=None, until=None,
    )  # fmt: skip
    try:
        leak = measure(question, lambda *_: None).leak
    except TextbackdError as error:
        assert "no call came in over it" in str(error)  # a call that stayed inside the office
        return Counter()
    told = {
        "answered": leak.total.answered - leak.lost_after_answer,
        "lost_after_answer": leak.lost_after_answer,
        "missed": leak.total.missed,
        "uncertain": leak.total.uncertain,
    }
    return +Counter(told)


@pytest.mark.parametrize("story", STORIES, ids=lambda s: s.name)
def test_the_leak_counts_a_recorded_call_as_people_know_it(story: Story) -> None:
    known = Counter(verdict for truth in story.truths for verdict in truth.verdicts if truth.did not in IGNORED_DIDS)
    found = counted(story.path.with_suffix(".cdr.csv"))
    if any(truth.did in IGNORED_DIDS for truth in story.truths):
        # Without a configuration nobody says which numbers are a fax or the access to voicemail; some rows do.
        assert sum(found.values()) <= len(story.truths)
    else:
        assert found == known - Counter(ignored=known["ignored"])


@pytest.mark.parametrize("stem", sorted(CANNOT))
def test_what_records_cannot_show_is_what_the_report_says(stem: str) -> None:
    for path in HERE.glob(f"*/{stem}.cdr.csv"):
        expected = CANNOT[stem][0]
        assert +counted(path) == (Counter([expected.split()[0]]) if expected else Counter())
