"""Parts of long texts: joined in any order, kept over a restart, told as they are when the rest does not come."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from textbackd.gateways.web.parts import MISSING, MOST_PARTS, PATIENCE, Part, Parts

NOW = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
FIRST = Part(
    id="in-1",
    sender="+13035550126",
    recipient="+13035550142",
    reference="108",
    number=1,
    total=2,
    body="Come tomorrow at ",
    received_at=NOW,
)
SECOND = replace(FIRST, id="in-2", number=2, body="eight – Zoë 👍")
WHOLE = FIRST.body + SECOND.body


def bodies(parts: Parts, now: datetime = NOW) -> list[str]:
    return [joined.text.body for joined in parts.joined(now)]


@pytest.mark.parametrize("order", [(FIRST, SECOND), (SECOND, FIRST)])
def test_parts_are_joined_in_whatever_order_they_come(order: tuple[Part, Part]) -> None:
    parts = Parts(None)
    assert parts.keep(order[0])
    assert bodies(parts) == []
    assert parts.keep(order[1])
    (joined,) = parts.joined(NOW)
    assert joined.text.body == WHOLE
    assert (joined.text.sender, joined.text.recipient, joined.text.received_at) == ("+13035550126", "+13035550142", NOW)


def test_a_text_is_told_until_it_is_stored_and_always_under_the_same_id() -> None:
    parts = Parts(None)
    parts.keep(FIRST)
    parts.keep(SECOND)
    first, again = parts.joined(NOW)[0], parts.joined(NOW)[0]
    assert first.text.id == again.text.id
    parts.forget(again)
    assert parts.joined(NOW) == []


def test_what_a_restart_finds_is_what_was_kept(tmp_path: Path) -> None:
    Parts(tmp_path / "notes").keep(FIRST)
    parts = Parts(tmp_path / "notes")
    parts.keep(SECOND)
    assert bodies(Parts(tmp_path / "notes")) == [WHOLE]
    parts.forget(parts.joined(NOW)[0])
    assert list((tmp_path / "notes").iterdir()) == []
    assert bodies(Parts(tmp_path / "notes")) == []


def test_a_part_that_is_kept_can_be_read_by_nobody_else(tmp_path: Path) -> None:
    Parts(tmp_path / "notes").keep(FIRST)
    (file,) = (tmp_path / "notes").iterdir()
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"id": "x"}', b"\xff"])
def test_a_file_that_cannot_be_read_is_no_part(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "part-1.json").write_bytes(content)
    assert Parts(tmp_path).joined(NOW + timedelta(days=1)) == []


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("a file")
    with pytest.raises(OSError):
        Parts(tmp_path / "notes").keep(FIRST)


def test_parts_that_stay_alone_are_told_as_they_are() -> None:
    parts = Parts(None)
    parts.keep(SECOND)
    assert bodies(parts, NOW + PATIENCE) == []
    assert bodies(parts, NOW + PATIENCE + timedelta(seconds=1)) == [MISSING + SECOND.body]


@pytest.mark.parametrize("when", ["while it waits", "after it was told"])
def test_a_part_that_comes_twice_counts_once(when: str) -> None:
    parts = Parts(None)
    parts.keep(FIRST)
    parts.keep(FIRST)
    parts.keep(SECOND)
    (joined,) = parts.joined(NOW)
    assert joined.text.body == WHOLE
    if when == "after it was told":
        parts.forget(joined)
        assert parts.keep(FIRST)
        assert parts.joined(NOW + timedelta(days=1)) == []


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replace(SECOND, sender="+13035550127"), id="another sender"),
        pytest.param(replace(SECOND, recipient=None), id="another number of ours"),
        pytest.param(replace(SECOND, reference="109"), id="another reference"),
        pytest.param(replace(SECOND, total=3), id="another total"),
    ],
)
def test_parts_of_different_texts_are_not_joined(other: Part) -> None:
    parts = Parts(None)
    parts.keep(FIRST)
    parts.keep(other)
    assert bodies(parts) == []


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(replace(FIRST, id="in-3", number=0), id="before the first"),
        pytest.param(replace(FIRST, id="in-3", number=3), id="after the last"),
        pytest.param(replace(FIRST, id="in-3", total=256, number=256), id="more than there can be"),
        pytest.param(replace(FIRST, id="in-3", body="another text"), id="a place that is taken"),
    ],
)
def test_a_part_without_a_place_is_not_kept(part: Part) -> None:
    parts = Parts(None)
    parts.keep(FIRST)
    assert not parts.keep(part)


def test_memory_has_an_end() -> None:
    parts = Parts(None)
    kept = [parts.keep(replace(FIRST, id=f"in-{number}", reference=str(number))) for number in range(MOST_PARTS + 1)]
    assert kept == [True] * MOST_PARTS + [False]
