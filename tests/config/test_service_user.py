"""A file is closed to everybody, and never to the service."""

import os
from pathlib import Path

import pytest

from textbackd.config.service_user import closing, group_name, groups_of, how_to_close, user_name

FILE = Path("/etc/textbackd/ami.secret")
OURS = frozenset({"textbackd", "asterisk"})
GIVE, KEEP, CLOSE = f"chgrp textbackd {FILE}", f"chmod 0640 {FILE}", f"chmod o-rwx {FILE}"


@pytest.mark.parametrize(
    ("owner", "group", "mode", "groups", "commands"),
    [
        pytest.param("root", "root", 0o644, OURS, (GIVE, KEEP), id="the service reads it as one of everybody"),
        pytest.param("root", "textbackd", 0o644, OURS, (CLOSE,), id="the service's group reads it"),
        pytest.param("root", "asterisk", 0o644, OURS, (CLOSE,), id="another group of the service's reads it"),
        pytest.param("root", "textbackd", 0o604, OURS, (KEEP,), id="its group may not read, where everybody may"),
        pytest.param("textbackd", "users", 0o644, OURS, (CLOSE,), id="it is the service's"),
        pytest.param("anna", "anna", 0o644, frozenset(), (CLOSE,), id="started by hand by its owner"),
    ],
)
def test_a_file_is_closed_to_everybody_but_the_service(
    owner: str, group: str, mode: int, groups: frozenset[str], commands: tuple[str, ...]
) -> None:
    assert closing(FILE, owner=owner, group=group, mode=mode, groups=groups) == commands


def test_a_file_that_is_there_is_looked_at(tmp_path: Path) -> None:
    file = tmp_path / "ami.secret"
    file.touch()
    file.chmod(0o644)
    owner, group = user_name(os.geteuid()), group_name(file.stat().st_gid)
    assert how_to_close(file) == " && ".join(closing(file, owner=owner, group=group, mode=0o644, groups=groups_of()))
