"""Files are written whole or not at all, and beside what they replace."""

import stat
from pathlib import Path

import pytest

from textbackd.setup.files import FilesError, NewFile, write


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_and_its_folder_are_for_us_and_the_daemon_only(tmp_path: Path) -> None:
    path = tmp_path / "etc" / "ami.secret"
    assert write([NewFile(path, "s3cret\n")]) == []
    assert path.read_text() == "s3cret\n"
    assert (mode_of(path), mode_of(path.parent)) == (0o640, 0o750)
    assert list(path.parent.iterdir()) == [path]


def test_what_is_replaced_is_kept_under_the_next_number_that_is_free(tmp_path: Path) -> None:
    path = tmp_path / "textbackd.yaml"
    path.write_text("first")
    path.chmod(0o600)
    assert write([NewFile(path, "second")]) == [tmp_path / "textbackd.yaml.1"]
    assert write([NewFile(path, "third")]) == [tmp_path / "textbackd.yaml.2"]
    kept = {each.name: each.read_text() for each in tmp_path.iterdir()}
    assert kept == {"textbackd.yaml": "third", "textbackd.yaml.1": "first", "textbackd.yaml.2": "second"}
    assert mode_of(tmp_path / "textbackd.yaml.1") == 0o600


def test_what_says_the_same_already_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "textbackd.yaml"
    path.write_text("same")
    before = path.stat().st_ino
    assert write([NewFile(path, "same")]) == []
    assert path.stat().st_ino == before


def test_if_one_cannot_be_written_none_is(tmp_path: Path) -> None:
    good, bad = tmp_path / "textbackd.yaml", tmp_path / "file" / "ami.secret"
    good.write_text("before")
    (tmp_path / "file").write_text("")
    with pytest.raises(FilesError, match="Nothing was changed"):
        write([NewFile(good, "after"), NewFile(bad, "x")])
    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == {"textbackd.yaml": "before", "file": ""}


def test_a_link_stays_and_what_it_names_is_written(tmp_path: Path) -> None:
    link, kept = tmp_path / "manager.conf", tmp_path / "kept" / "manager.conf"
    kept.parent.mkdir()
    kept.write_text("before")
    link.symlink_to("kept/manager.conf")
    assert write([NewFile(link, "after")]) == [kept.with_name("manager.conf.1")]
    assert link.readlink() == Path("kept/manager.conf")
    assert kept.read_text() == "after"
