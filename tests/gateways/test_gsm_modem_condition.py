"""What a modem says of itself, read: registration, signal, operator, storage, IMEI, card."""

import pytest

from textbackd.gateways.modem.condition import (
    Ask,
    Condition,
    Registration,
    ask_condition,
    ask_iccid,
    ask_imei,
    ask_registration,
    same_imei,
)


def modem(answers: dict[str, str | None]) -> Ask:
    """Return a modem that answers these commands with one line and knows no other."""
    return lambda command: [line, "OK"] if (line := answers.get(command)) else []


@pytest.mark.parametrize(("creg", "cgreg", "cereg", "expected", "may_send"), [
    pytest.param("+CREG: 0,1", None, None, Registration.HOME, True, id="at home"),
    pytest.param("+CREG: 0,5", None, None, Registration.ROAMING, True, id="roaming"),
    pytest.param("+CREG: 0,6", None, None, Registration.SMS_ONLY, True, id="for texts only"),
    pytest.param("+CREG: 0,7", None, None, Registration.SMS_ONLY, True, id="for texts only, roaming"),
    pytest.param("+CREG: 0,3", "+CGREG: 0,5", None, Registration.ROAMING, True, id="no calls, but data"),
    pytest.param("+CREG: 0,0", "+CGREG: 0,0", "+CEREG: 0,1", Registration.HOME, True, id="LTE only"),
    pytest.param('+CREG: 2,1,"54DB","0F6B0578",7', None, None, Registration.HOME, True, id="with the cell"),
    pytest.param("+CREG:0, 2", None, None, Registration.SEARCHING, False, id="searching"),
    pytest.param("+CREG: 0,3", "+CGREG: 0,2", None, Registration.DENIED, False, id="denied tells more than searching"),
    pytest.param("+CREG: 0,0", None, None, Registration.NONE, False, id="not at all"),
    pytest.param("+CREG: 0,8", None, None, Registration.EMERGENCY, False, id="emergency calls only"),
    pytest.param("+CREG: 0,4", None, None, Registration.UNKNOWN, True, id="the modem does not know"),
    pytest.param("+CREG: 0,77", None, None, Registration.UNKNOWN, True, id="a number without a meaning"),
    pytest.param(None, None, None, Registration.UNKNOWN, True, id="a modem that knows none of the commands"),
    pytest.param("nonsense", "+CGREG:", "+CEREG: 0", Registration.UNKNOWN, True, id="answers without a meaning"),
])  # fmt: skip
def test_the_best_of_three_registrations_counts(
    creg: str | None, cgreg: str | None, cereg: str | None, expected: Registration, may_send: bool
) -> None:
    found = ask_registration(modem({"AT+CREG?": creg, "AT+CGREG?": cgreg, "AT+CEREG?": cereg}))
    assert (found, found.may_send) == (expected, may_send)


@pytest.mark.parametrize(("said", "dbm"), [
    ("+CSQ: 0,99", -113), ("+CSQ: 21,99", -71), ("+CSQ: 31,0", -51), ("+CSQ: 99,99", None), ("+CSQ: 199,99", None), ("", None),
])  # fmt: skip
def test_the_signal_is_told_in_dbm(said: str, dbm: int | None) -> None:
    assert ask_condition(modem({"AT+CSQ": said})).signal_dbm == dbm


@pytest.mark.parametrize(("said", "operator", "technology"), [
    ('+COPS: 0,0,"T-Mobile",7', "T-Mobile", "4G"),
    ('+COPS: 0,0,"A1",0', "A1", "2G"),
    ('+COPS: 1,2,"23203",2', "23203", "3G"),
    ('+COPS: 0,0,"New",11', "New", "5G"),
    ('+COPS: 0,0,"Old stick"', "Old stick", None),
    ('+COPS: 0,0,"Odd",99', "Odd", None),
    ('+COPS: 0,0,"a\x1b[2Jb' + "x" * 100 + '",7', "a[2Jb" + "x" * 35, "4G"),
    ('+COPS: 0,0,"",7', None, "4G"),
    ("+COPS: 0", None, None),
])  # fmt: skip
def test_operator_and_technology_are_told_in_words(said: str, operator: str | None, technology: str | None) -> None:
    found = ask_condition(modem({"AT+COPS?": said}))
    assert (found.operator, found.technology) == (operator, technology)


@pytest.mark.parametrize(("said", "used", "size"), [
    ('+CPMS: "SM",3,20,"SM",3,20,"SM",3,20', 3, 20),
    ('+CPMS: "SM",1,20,"ME",2,100,"ME",2,100', 2, 100),
    ('+CPMS: "SM", 5, 10', 5, 10),
    ("+CPMS: 3,20", None, None),
])  # fmt: skip
def test_the_memory_that_counts_is_that_of_incoming_texts(said: str, used: int | None, size: int | None) -> None:
    found = ask_condition(modem({"AT+CPMS?": said}))
    assert (found.used, found.size) == (used, size)


@pytest.mark.parametrize(("said", "imei"), [
    ("004999010640000", "004999010640000"), ("+CGSN: 004999010640000", "004999010640000"),
    ('"004999010640000"', "004999010640000"), ("0049990106400001", "0049990106400001"), ("0x80ABCDEF", None), ("", None),
])  # fmt: skip
def test_the_imei_is_found_however_it_is_told(said: str, imei: str | None) -> None:
    assert ask_imei(modem({"AT+CGSN": said})) == imei


@pytest.mark.parametrize(("one", "other", "same"), [
    ("004999010640000", "004999010640000", True),
    ("004999010640000", "00499901064000", True),
    ("004999010640000", "0049990106400077", True),
    ("004999010640000", "004999010640018", False),
])  # fmt: skip
def test_the_fourteen_digits_tell_modems_apart(one: str, other: str, same: bool) -> None:
    assert same_imei(one, other) is same


@pytest.mark.parametrize(("command", "said"), [
    ("AT+CCID", "+CCID: 8901001012345678906"), ("AT+CCID", "8901001012345678906F"),
    ("AT^ICCID?", "^ICCID: 8901001012345678906"), ("AT+ICCID", "+ICCID: 8901001012345678906"),
])  # fmt: skip
def test_the_card_is_found_whatever_the_vendor_calls_it(command: str, said: str) -> None:
    assert ask_iccid(modem({command: said})) == "8901001012345678906"


def test_a_modem_that_tells_nothing_is_of_unknown_condition() -> None:
    assert ask_condition(modem({})) == Condition()
