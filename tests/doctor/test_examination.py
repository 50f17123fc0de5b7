"""The order of an examination, and what is said where somebody may not look or a secret is not there."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.flow.settings import configured
from textbackd.config import Settings
from textbackd.doctor.examination import Examination, Places
from textbackd.doctor.findings import Finding, Severity
from textbackd.store.database import open_database

NOBODY = 65534
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else for a while")


@contextmanager
def nobody() -> Iterator[None]:
    """Be a user who may do little."""
    "host".encode("idna")  # what is imported late may lie where nobody may look
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def found(settings: Settings, step: str, environ: dict[str, str] | None = None) -> list[Finding]:
    """Return what is found up to a step, of that step alone."""
    places = Places(root=Path("/nonexistent"), asterisk=Path("/nonexistent"), console=lambda _: None)
    for name, look in Examination(settings, environ or {}, places).steps():
        told = list(look())
        if name.startswith(step):
            return told
    raise AssertionError(step)


@pytest.fixture
def folder() -> Iterator[Path]:
    with TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@needs_root
def test_who_may_not_look_into_the_storage_is_told_to_come_as_root(folder: Path) -> None:
    path = folder / "data/textbackd.db"
    path.parent.mkdir(mode=0o700)
    open_database(path).close()
    settings = configured(storage=str(path), web='{listen: "127.0.0.1:9"}')
    with nobody():
        (told,) = found(settings, "Checking the database")
    assert (told.severity, told.do) == (Severity.NOTE, ("sudo textbackd doctor",))


@pytest.mark.parametrize(
    ("secret", "severity", "line"),
    [
        pytest.param("${AMI}", Severity.FAULT, "textbackd check", id="a variable"),
        pytest.param("file:/nonexistent/ami.secret", Severity.FAULT, "textbackd check", id="a file"),
        pytest.param(
            "credential:ami", Severity.NOTE, "systemd-run --pipe --wait -p LoadCredential=ami:", id="a credential"
        ),
    ],
)
def test_a_secret_that_is_not_there_is_told_as_what_it_is(secret: str, severity: Severity, line: str) -> None:
    settings = configured(pbx=f'{{office: {{secret: "{secret}"}}}}', storage="/nonexistent/textbackd.db")
    (told,) = found(settings, "Asking the PBX")
    assert told.severity is severity
    assert told.do[0].startswith(line)


def test_a_secret_within_the_address_of_the_records_is_looked_up(tmp_path: Path) -> None:
    source = "postgresql://asterisk:${CDR}@127.0.0.1:9/asterisk"
    settings = configured(
        pbx=f'{{office: {{secret: x, port: 9, cdr: "{source}"}}}}', storage=f"{tmp_path}/textbackd.db"
    )
    (missing,) = found(settings, "Reading the call records")
    assert "CDR is not set" in missing.what
    told = found(settings, "Reading the call records", {"CDR": "hunter2"})
    assert [one.severity for one in told] == [Severity.FAULT]
    assert "hunter2" not in str(told)


def test_every_step_finds_something_to_say_or_nothing_and_never_breaks(tmp_path: Path) -> None:
    path = tmp_path / "textbackd.db"
    with closing(open_database(path)):
        settings = configured(
            storage=str(path), pbx="{office: {secret: x, port: 9}, shop: {secret: y, host: 127.0.0.2, port: 9}}"
        )
        places = Places(root=tmp_path, asterisk=tmp_path, console=lambda _: None)
        steps = list(Examination(settings, {}, places).steps())
        assert sum(name.startswith("Asking the PBX") for name, _ in steps) == 2
        everything = [one for _, look in steps for one in look()]
    assert {one.subject for one in everything} >= {"pbx.office", "pbx.shop", "gateways.web", "gateways.stick"}
    assert [one.what for one in everything if not one.what.endswith((".", ":", "?"))] == []
