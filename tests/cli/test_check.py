"""`textbackd check`: 0 for a good file, 1 for warnings, 2 for faults."""

from pathlib import Path

import pytest

from tests.cli.conftest import Shell

pytestmark = pytest.mark.slow


def test_a_good_file_is_well(shell: Shell, config: Path) -> None:
    done = shell("check", "--config", config)
    assert (done.code, done.err) == (0, "")
    assert f"\n{config}: all is well." in f"\n{done.out}"


def test_checking_makes_nothing(shell: Shell, config: Path) -> None:
    shell("check", "--config", config)
    assert {path.name for path in config.parent.iterdir()} == {"textbackd.yaml", "out", "err"}


def test_a_warning_is_told_and_ends_with_1(shell: Shell, config: Path) -> None:
    config.write_text(config.read_text().replace("${AMI_SECRET}", "${NOT_SET}"))
    done = shell("check", "--config", config)
    assert (done.code, done.err) == (1, "")
    assert "pbx.office.secret" in done.out
    assert done.out.endswith("1 warning. The configuration can be used.\n")


def test_all_faults_are_told_at_once_each_with_its_line(shell: Shell, config: Path) -> None:
    text = config.read_text().replace("country: US", "country: USA") + "polcy: {}\n"
    config.write_text(text)
    done = shell("check", "--config", config)
    faults = done.sentence.splitlines()
    assert done.code == 2
    assert [fault.startswith(f"{config}:") for fault in faults[:2]] == [True, True]
    assert faults[-1] == f"2 faults in {config}. Nothing was started."
    assert "policy" in done.err


@pytest.mark.parametrize(
    "content", [b"", b"\x00\xff", b"a: [", b"\x89PNG\r\n" * 100], ids=["empty", "binary", "cut", "an image"]
)
def test_what_is_no_configuration_is_a_fault(shell: Shell, config: Path, content: bytes) -> None:
    config.write_bytes(content)
    done = shell("check", "--config", config)
    assert done.code == 2
    assert str(config) in done.sentence
