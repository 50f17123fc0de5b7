"""What of Asterisk is on a box, and where our account goes."""

import os
import re
import stat
from pathlib import Path

import pytest

from textbackd.doctor.manager_conf import read_manager_conf
from textbackd.setup import account
from textbackd.setup.asterisk import look_at
from textbackd.setup.seen import freepbx_database, sources

NOBODY = 9  # a port at which nothing listens
SAMPLE = Path(__file__).parents[2] / "config" / "manager-textbackd.conf"
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="writes as root does")


def folder(tmp_path: Path, manager: str, **others: str) -> Path:
    """Make an /etc with Asterisk's folder in it."""
    place = tmp_path / "etc" / "asterisk"
    (place / "manager.d").mkdir(parents=True)
    (place / "manager.conf").write_text(manager)
    for name, text in others.items():
        (tmp_path / "etc" / name.replace("_", ".")).write_text(text)
    return place


@pytest.mark.parametrize(("manager", "others", "target"), [
    pytest.param("[general]\nenabled = yes\n#include \"manager.d/*.conf\"\n", {}, "manager.d/textbackd.conf", id="Debian"),
    pytest.param("[general]\n#tryinclude manager.d/*\n", {}, "manager.d/textbackd.conf", id="tryinclude"),
    pytest.param("[general]\n;#include manager.d/*.conf\n", {}, "manager.conf", id="commented out"),
    pytest.param("[general]\n#include manager_custom.conf\n", {"freepbx_conf": "<?php"}, "manager_custom.conf", id="FreePBX"),
    pytest.param("[general]\n", {}, "manager.conf", id="plain"),
])  # fmt: skip
def test_the_account_goes_where_nobody_overwrites_it(
    tmp_path: Path, manager: str, others: dict[str, str], target: str
) -> None:
    place = folder(tmp_path, manager, **others)
    assert look_at("127.0.0.1", NOBODY, place).target == place / target


def test_an_account_that_is_there_is_seen_with_its_secret(tmp_path: Path) -> None:
    place = folder(tmp_path, "[general]\nenabled = yes\n#include manager.d/*.conf\n")
    (place / "manager.d" / "ours.conf").write_text("[textbackd]\nsecret = s3cret\n")
    found = look_at("127.0.0.1", NOBODY, place)
    assert (found.account, found.secret, found.is_enabled, found.banner) == (True, "s3cret", True, "")
    assert "refused" in found.trouble


@root_only
def test_an_account_is_added_once_and_replaced_when_added_again(tmp_path: Path) -> None:
    place = folder(tmp_path, "[general]\nenabled = yes\n", freepbx_conf="")
    custom = place / "manager_custom.conf"
    custom.write_text("[other]\nsecret = x")
    custom.chmod(0o660)
    os.chown(custom, 1234, 4321)
    found = look_at("127.0.0.1", NOBODY, place)
    for secret in ("first", "second"):
        account.put(found, secret)
    read = read_manager_conf(custom)
    assert read.sections["other"] == {"secret": "x"}
    assert read.of("textbackd", "secret") == "second"
    assert custom.read_text().count("[textbackd]") == 1
    there = custom.stat()
    assert (there.st_uid, there.st_gid, stat.S_IMODE(there.st_mode)) == (1234, 4321, 0o640)
    assert [each.name for each in place.iterdir() if each.name.startswith("manager_custom")] == ["manager_custom.conf"]


@root_only
def test_a_file_of_its_own_belongs_to_whom_asterisks_files_belong(tmp_path: Path) -> None:
    place = folder(tmp_path, "[general]\n#include manager.d/*.conf\n")
    os.chown(place / "manager.conf", 1234, 4321)
    account.put(look_at("127.0.0.1", NOBODY, place), "s3cret")
    there = (place / "manager.d" / "textbackd.conf").stat()
    assert (there.st_uid, there.st_gid, stat.S_IMODE(there.st_mode)) == (1234, 4321, 0o640)
    assert look_at("127.0.0.1", NOBODY, place).secret == "s3cret"


def test_the_account_has_the_rights_of_the_sample_and_no_others() -> None:
    sample = [line for line in SAMPLE.read_text().splitlines() if line and not line.startswith(";")]
    assert account.lines("CHANGE-ME", "").splitlines() == sample


def test_a_secret_is_not_guessed() -> None:
    assert re.fullmatch("[0-9a-f]{48}", account.new_secret())
    assert account.new_secret() != account.new_secret()


@pytest.mark.parametrize(("conf", "address"), [
    pytest.param("$amp_conf['AMPDBUSER'] = 'freepbxuser';\n$amp_conf['AMPDBPASS'] = 'a@b%';\n$amp_conf['AMPDBHOST'] = 'localhost';",
                 "mysql://freepbxuser:a%40b%25@localhost/asteriskcdrdb", id="as FreePBX writes it"),
    pytest.param('$amp_conf["AMPDBUSER"] = "x";\n$amp_conf["CDRDBNAME"] = "records";', "mysql://x:@localhost/records", id="elsewhere"),
    pytest.param("$amp_conf['AMPDBUSER'] = 'x';\n$amp_conf['AMPDBENGINE'] = 'sqlite3';", None, id="another database"),
    pytest.param("<?php", None, id="nothing"),
])  # fmt: skip
def test_freepbx_tells_where_its_records_are(conf: str, address: str | None) -> None:
    assert freepbx_database(conf) == address


def test_records_are_looked_for_where_asterisk_is(tmp_path: Path) -> None:
    place = folder(tmp_path, "", freepbx_conf="$amp_conf['AMPDBUSER'] = 'x';")
    csv = tmp_path / "var" / "log" / "asterisk" / "cdr-csv" / "Master.csv"
    csv.parent.mkdir(parents=True)
    csv.write_text("")
    assert list(sources(place)) == ["mysql://x:@localhost/asteriskcdrdb", str(csv)]
    assert list(sources(tmp_path / "nowhere")) == []
