"""manager.conf as shops and FreePBX write it: templates, includes, comments."""

from pathlib import Path

import pytest

from textbackd.doctor.manager_conf import read_manager_conf


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.conf").write_text(text)
    return folder / "manager.conf"


def test_sections_are_read_with_their_comments_taken_off(tmp_path: Path) -> None:
    path = written(
        tmp_path, manager="[general]\nenabled = yes ; on\n;port = 1\n\n[textbackd]\nsecret => x1\nRead=call,agent\n"
    )
    conf = read_manager_conf(path)
    assert conf.is_on("general", "enabled")
    assert conf.of("general", "port", "5038") == "5038"
    assert conf.sections["textbackd"] == {"secret": "x1", "read": "call,agent"}
    assert conf.files == [path]
    assert conf.unread == []


def test_a_section_has_what_its_template_has(tmp_path: Path) -> None:
    text = "[local](!)\ndeny = 0.0.0.0/0.0.0.0\npermit = 127.0.0.1/255.255.255.255\nread = all\n\n[textbackd](local)\nread = call\n"
    conf = read_manager_conf(written(tmp_path, manager=text))
    assert conf.of("textbackd", "read") == "call"
    assert conf.lists["textbackd"]["permit"] == ["127.0.0.1/255.255.255.255"]


@pytest.mark.parametrize(
    "line",
    [
        '#include "manager_custom.conf"',
        "#include manager_custom.conf",
        "#tryinclude <manager_custom.conf>  ; ours",
        "#include manager_c*.conf",
    ],
)
def test_what_is_included_stands_in_its_place(tmp_path: Path, line: str) -> None:
    path = written(tmp_path, manager=f"[general]\nenabled=yes\n{line}\n", manager_custom="[textbackd]\nsecret = x2\n")
    conf = read_manager_conf(path)
    assert conf.of("textbackd", "secret") == "x2"
    assert conf.files == [path, tmp_path / "manager_custom.conf"]


def test_a_comment_of_many_lines_is_none_of_its_lines(tmp_path: Path) -> None:
    conf = read_manager_conf(
        written(tmp_path, manager="[general]\n;-- \n[textbackd]\nsecret = old\n--;\nenabled = yes\n")
    )
    assert list(conf.sections) == ["general"]
    assert conf.is_on("general", "enabled")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("#include manager.conf\n[general]\nenabled = yes\n", id="includes itself"),
        pytest.param("[general\nenabled = yes\n", id="a bracket is missing"),
        pytest.param("\x00\xff[general]\n=\n", id="no text at all"),
    ],
)
def test_whatever_stands_in_it_is_no_traceback(tmp_path: Path, text: str) -> None:
    read_manager_conf(written(tmp_path, manager=text))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    conf = read_manager_conf(tmp_path / "manager.conf")
    assert conf.unread == [tmp_path / "manager.conf"]
    assert conf.files == []
