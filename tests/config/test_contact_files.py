"""The numbers in files of contacts, as spreadsheets, phones and mail programs write them, and what is told of bad ones."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textbackd.config import contact_files
from textbackd.config.contact_files import ContactFile, read_contacts

ANN, BOB = "+13035550142", "+12125550199"


def read(folder: Path, content: str | bytes, country: str = "US") -> ContactFile:
    path = folder / "people.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_contacts(path, country)


@pytest.mark.parametrize(
    ("content", "numbers"),
    [
        pytest.param("", set(), id="an empty file"),
        pytest.param("3035550142\n2125550199\n", {ANN, BOB}, id="one number a line"),
        pytest.param("Ann,3035550142,80202\nBob,2125550199,10001\n", {ANN, BOB}, id="no header"),
        pytest.param("name,phone\nAnn,(303) 555-0142\nBob,\n", {ANN}, id="a header, and an empty cell"),
        pytest.param(
            "Name;Mobil;Ort\nAnn;+1 303 555 0142;Wien, 7.\n", {ANN}, id="semicolons, as Excel writes in Europe"
        ),
        pytest.param("name\tTelefon\nAnn\t3035550142\n", {ANN}, id="tabs"),
        pytest.param("\ufeffPhone\r\n3035550142\r\n", {ANN}, id="a byte order mark, and the line ends of Windows"),
        pytest.param("Who,Where\nAnn,3035550142\n", {ANN}, id="a header that names no phone"),
        pytest.param("name,mobile,phone\nAnn,3035550142,2125550199\n", {ANN, BOB}, id="two columns with numbers"),
        pytest.param('name,phone\n"Smith\nAnn",3035550142\n', {ANN}, id="a cell of two lines"),
        pytest.param("name,extension phone\nAnn,101\n", set(), id="an extension is nobody from outside"),
        pytest.param(
            "Name,Phone 1 - Label,Phone 1 - Value\nAnn,Mobile,+1 303-555-0142 ::: +1 212-555-0199\n",
            {ANN, BOB},
            id="Google's export",
        ),
        pytest.param(
            "Customer number,Telephone\n20000000001,3035550142\n", {ANN}, id="a customer's number is none to call"
        ),
        pytest.param("BEGIN:VCARD\r\nFN:Ann\r\nTEL:3035550142\r\nEND:VCARD\r\n", {ANN}, id="a vCard"),
        pytest.param(
            "BEGIN:VCARD\nitem1.TEL;type=CELL;type=pref:+1 303 555 0142\nTEL;VALUE=uri:tel:+1-212-555-0199;ext=7\nEND:VCARD",
            {ANN, BOB},
            id="vCards of iOS and of version 4",
        ),
        pytest.param("BEGIN:VCARD\nTEL;TYPE=\n CELL:303555\n 0142\nEND:VCARD\n", {ANN}, id="folded lines"),
        pytest.param("begin:vcard\nNOTE:TEL:2125550199\ntel:3035550142\nend:vcard", {ANN}, id="lower case, and a note"),
    ],
)
def test_numbers_are_found_in_whatever_people_export(tmp_path: Path, content: str, numbers: set[str]) -> None:
    assert read(tmp_path, content) == ContactFile(frozenset(numbers), [])  # type: ignore[arg-type]


def test_numbers_are_read_as_dialled_in_the_country_of_the_business(tmp_path: Path) -> None:
    assert read(tmp_path, "Handy\n0151 12345678\n", "DE").numbers == {"+4915112345678"}


@pytest.mark.parametrize(
    ("content", "line"),
    [
        pytest.param("name,phone\nAnn,3035550142\nBob,ask Ann\n", 3, id="words"),
        pytest.param("phone\n4.91511E+12\n", 2, id="what a spreadsheet makes of a long number"),
        pytest.param('name,phone\n"A\nB",3035550142\nBob,?\n', 4, id="after a cell of two lines"),
        pytest.param("BEGIN:VCARD\nFN:Ann\nTEL:ask Bob\nEND:VCARD\n", 3, id="in a vCard"),
    ],
)
def test_what_is_no_number_is_told_with_its_line_and_not_shown(tmp_path: Path, content: str, line: int) -> None:
    found = read(tmp_path, content)
    (fault,) = found.faults
    assert fault == f"{tmp_path}/people.csv:{line}: this is not a phone number. Write it as +13125550123."


def test_the_others_of_a_bad_file_are_read(tmp_path: Path) -> None:
    assert read(tmp_path, "name,phone\nAnn,3035550142\nBob,ask Ann\n").numbers == {ANN}


def test_only_the_first_faults_of_a_file_are_told(tmp_path: Path) -> None:
    assert len(read(tmp_path, "phone\n" + "none\n" * 1000).faults) == contact_files.MOST_FAULTS


def test_latin_letters_of_windows_are_no_reason_to_stop(tmp_path: Path) -> None:
    assert read(tmp_path, "Name;Telefon\nMüller;3035550142\n".encode("cp1252")).numbers == {ANN}


def test_a_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    (fault,) = read_contacts(tmp_path / "none.csv", "US").faults
    assert fault == f"{tmp_path}/none.csv: cannot be read (No such file or directory)."


def test_a_file_without_an_end_is_not_read_to_it() -> None:
    assert "no list of contacts" in read_contacts(Path("/dev/zero"), "US").faults[0]


def test_a_cell_without_an_end_is_a_sentence(tmp_path: Path) -> None:
    assert "is no CSV" in read(tmp_path, 'phone\n"' + "x" * 200_000).faults[0]


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=200) | st.text("\"',;:\n\r\t0123456789+TELBGIN VCARD", max_size=200).map(str.encode))
def test_whatever_a_file_holds_it_is_read_without_an_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    found = read(tmp_path_factory.getbasetemp(), content)
    assert all(number.startswith("+") for number in found.numbers)
