"""PDUs against three others that know them: the library's decoder, the virtual network's, and PDUs from the wild."""

from datetime import UTC, datetime, timedelta

import pytest
from gsmmodem.pdu import decodeSmsPdu, encodeSmsSubmitPdu
from hypothesis import given
from hypothesis import strategies as st

from textbackd.core.segments import is_gsm7
from textbackd.demo.modem_air import binary_pdus, deliver_pdus, picture_push, read_submit
from textbackd.gateways.modem.mms import Notification, notification
from textbackd.gateways.modem.pdu import (
    LOCKING_SHIFT,
    SINGLE_SHIFT,
    UNREADABLE,
    Deliver,
    StatusReport,
    SubmitPdu,
    UndecodableError,
    decode,
    dialable,
    joined,
    submit_pdus,
)

# Letters of every kind that a shop may write; no surrogates, which are half characters.
BODIES = st.text(
    alphabet=st.one_of(st.sampled_from("aZ€[é`§😀ő\n"), st.characters(exclude_categories=["Cs"])), max_size=300
)


def submitted(body: str, smsc: str | None = None) -> tuple[SubmitPdu, ...]:
    return submit_pdus(to="+13035550126", body=body, reference=7, smsc=smsc, valid_for=timedelta(hours=1), report=True)


@given(BODIES)
def test_the_network_reads_what_was_written(body: str) -> None:
    read = [read_submit(bytes.fromhex(pdu.hex), pdu.length) for pdu in submitted(body, smsc="+12063130004")]
    assert "".join(part.body for part in read) == body
    assert {(part.to, part.valid_for, part.report) for part in read} == {("+13035550126", 11, True)}


@given(BODIES.filter(lambda body: "`" not in body and "§" not in body and "\f" not in body))
def test_the_library_reads_what_was_written(body: str) -> None:
    parts = [decodeSmsPdu(pdu.hex) for pdu in submitted(body)]
    assert joined([part["text"] for part in parts]) == body
    assert {part["number"] for part in parts} == {"+13035550126"}
    assert all(part["validity"] == timedelta(hours=1) for part in parts)
    if len(parts) > 1:
        headers = [part["udh"][0] for part in parts]
        assert [(h.reference, h.parts, h.number) for h in headers] == [
            (7, len(parts), n + 1) for n in range(len(parts))
        ]


@given(BODIES, st.booleans())
def test_what_the_network_sends_is_read(body: str, wide: bool) -> None:
    parts = [decode(pdu) for pdu in deliver_pdus("+13125550199", body, reference=300, wide=wide)]
    assert joined([part.body for part in parts if isinstance(part, Deliver)]) == body
    for number, part in enumerate(parts, start=1):
        assert isinstance(part, Deliver)
        assert part.sender == "+13125550199"
        if len(parts) > 1:
            assert part.part is not None
            assert (part.part.total, part.part.number) == (len(parts), number)
            assert part.part.reference == (0x4100 | 300 if wide else 300 & 0xFF)


def test_a_pdu_of_another_encoder_is_read() -> None:
    # As ofono-phonesim 2.1 made it; it writes its zone as ten hours east.
    assert decode(
        "038121F3100B913121550591F901116211328192830425C8340BD4CE83E4EFB719C42E87D773D0866796BFDDF48D0F647ECB413218685306"
    ) == Deliver(
        sender="+13125550199",
        sent_at=datetime(2026, 11, 23, 8, 29, 38, tzinfo=UTC),
        part=None,
        body="Hi, my roof leaks [front] for 20 €",
    )


def deliver(*, coding: str, data: str, length: str, first: str = "04", time: str = "62113281923040") -> Deliver:
    found = decode(f"00{first}0B913121550591F900{coding}{time}{length}{data}")
    assert isinstance(found, Deliver)
    return found


@pytest.mark.parametrize(("coding", "data", "length", "body"), [
    pytest.param("00", "C834", "02", "Hi", id="GSM-7"),
    pytest.param("11", "C834", "02", "Hi", id="GSM-7, class 1"),
    pytest.param("F1", "C834", "02", "Hi", id="GSM-7, class 1, written the other way"),
    pytest.param("C8", "C834", "02", "Hi", id="GSM-7, a voicemail waits"),
    pytest.param("08", "00480069", "04", "Hi", id="UCS-2"),
    pytest.param("18", "00480069", "04", "Hi", id="UCS-2, class 0"),
    pytest.param("E0", "00480069", "04", "Hi", id="UCS-2, a voicemail waits"),
    pytest.param("04", "4869", "02", UNREADABLE, id="8-bit data"),
    pytest.param("F5", "4869", "02", UNREADABLE, id="8-bit data, written the other way"),
    pytest.param("20", "C834", "02", UNREADABLE, id="compressed"),
])  # fmt: skip
def test_the_data_coding_decides_the_alphabet(coding: str, data: str, length: str, body: str) -> None:
    assert deliver(coding=coding, data=data, length=length).body == body


# Places in the tables of 3GPP TS 23.038 Annex A.2 (behind an escape) and A.3 (without).
@pytest.mark.parametrize(("language", "shift", "septets", "text"), [
    pytest.param(1, SINGLE_SHIFT, b"\x47\x49\x53\x63\x65\x67\x69\x73", "ĞİŞç€ğış", id="Turkish, single"),
    pytest.param(2, SINGLE_SHIFT, b"\x09\x41\x49\x4f\x55\x61\x69\x6f\x75", "çÁÍÓÚáíóú", id="Spanish, single"),
    pytest.param(3, SINGLE_SHIFT, b"\x05\x09\x0b\x0c\x41\x5b\x5c\x61\x7b\x7c\x7f", "êçÔôÀÃÕÂãõâ", id="Portuguese, single"),
    pytest.param(1, LOCKING_SHIFT, b"\x04\x07\x0b\x0c\x1c\x1d\x40\x60", "€ıĞğŞşİç", id="Turkish, locking"),
    pytest.param(3, LOCKING_SHIFT, b"\x40\x5b\x5c\x5d\x7b\x7c", "ÍÃÕÚãõ", id="Portuguese, locking"),
    pytest.param(6, LOCKING_SHIFT, b"\x00\x03\x04", "ँअआ", id="Hindi, locking"),
    pytest.param(99, LOCKING_SHIFT, b"\x00Hi", "@Hi", id="a language that nobody knows is the default alphabet"),
    pytest.param(99, SINGLE_SHIFT, b"\x65", "€", id="and so are its escapes"),
])  # fmt: skip
def test_a_national_language_has_its_own_letters(language: int, shift: int, septets: bytes, text: str) -> None:
    written = septets if shift == LOCKING_SHIFT else b"".join(bytes([0x1B, septet]) for septet in septets)
    assert national({shift: language}, written) == text


def test_locking_and_single_shift_may_be_of_different_languages() -> None:
    assert national({LOCKING_SHIFT: 1, SINGLE_SHIFT: 2}, b"\x1c\x1bU") == "ŞÚ"


@pytest.mark.parametrize(("septets", "text"), [
    (b"\x1bZ", "Z"), (b"\x1b\x1b", " "), (b"a\x1b", "a "), (b"\x1b\x0a\x1be", "\f€"),
])  # fmt: skip
def test_an_escape_into_nowhere_shows_the_letter_without_it(septets: bytes, text: str) -> None:
    assert national({}, septets) == text


def national(shifts: dict[int, int], septets: bytes) -> str:
    """Return how a text with these shifts in its header is read."""
    header = b"".join(bytes([kind, 1, language]) for kind, language in shifts.items())
    header = bytes([len(header)]) + header if header else b""
    skipped = -(-len(header) * 8 // 7)
    bits = sum(septet << 7 * (skipped + at) for at, septet in enumerate(septets))
    body = bits.to_bytes(-(-(skipped + len(septets)) * 7 // 8), "little")
    data = header + body[len(header) :]
    first = "44" if header else "04"
    return deliver(coding="00", data=data.hex(), length=f"{skipped + len(septets):02X}", first=first).body


@given(st.binary(max_size=100), st.integers(0, 15), st.integers(0, 15))
def test_any_septets_in_any_language_are_some_text(octets: bytes, locking: int, single: int) -> None:
    septets = bytes(octet & 0x7F for octet in octets)
    assert isinstance(national({LOCKING_SHIFT: locking, SINGLE_SHIFT: single}, septets), str)


# --- what is no text ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("short", [False, True])
@pytest.mark.parametrize(("sender", "subject"), [
    ("+13035550126", None), ("+13035550126", "Dachrinne – größer 😀"), (None, "no number"), ("anna@example.com", None),
])  # fmt: skip
def test_the_notification_of_a_picture_says_who_sent_it(sender: str | None, subject: str | None, short: bool) -> None:
    push = picture_push(sender, subject=subject, short_type=short)
    parts = [decode(pdu) for pdu in binary_pdus("55512", push, port=2948)]
    octets = b"".join(part.octets or b"" for part in parts if isinstance(part, Deliver))
    assert octets == push
    assert {part.port for part in parts if isinstance(part, Deliver)} == {2948}
    assert notification(octets) == Notification(sender=sender, subject=subject)


def test_the_media_type_may_stand_behind_its_length() -> None:
    # WAP-230-WSP §8.4.2.24: Content-general-form, the type with its parameters.
    typed = b"\x03\xbe\x81\xea"
    push = bytes([0, 6, len(typed)]) + typed + b"\x8c\x82\x89\x0e\x80+13035550126\0"
    assert notification(push) == Notification(sender="+13035550126", subject=None)


@pytest.mark.parametrize("push", [
    pytest.param(b"", id="nothing"),
    pytest.param(b"\x00\x06\x01\xae\x01", id="another media type"),
    pytest.param(b"\x00\x04\x01\xbe\x8c\x82", id="no push"),
    pytest.param(b"\x00\x06\x01\xbe\x8c\x86", id="a delivery report of a picture message"),
    pytest.param(b"\x00\x06\xff\xff\xff\xff\xff\xff", id="a length without end"),
    pytest.param(b"\x00\x06\x01\xbe\x8c\x82\x98no end", id="a text without end"),
    pytest.param(b"\x00\x06\x01\xbe\x8c\x82\x89\x1e\x80", id="a value that is cut off"),
])  # fmt: skip
def test_what_is_no_notification_is_said_to_be_none(push: bytes) -> None:
    assert notification(push) is None


@given(st.binary(max_size=80))
def test_no_octets_make_the_reading_of_a_push_fail(octets: bytes) -> None:
    for push in (octets, b"\x00\x06\x01\xbe\x8c\x82" + octets):
        found = notification(push)
        assert found is None or all(len(word or "") <= 200 for word in (found.sender, found.subject))


@pytest.mark.parametrize(("time", "expected"), [
    pytest.param("62113281923000", datetime(2026, 11, 23, 18, 29, 3, tzinfo=UTC), id="UTC"),
    pytest.param("62113281923040", datetime(2026, 11, 23, 17, 29, 3, tzinfo=UTC), id="an hour east"),
    pytest.param("6211328192304A", datetime(2026, 11, 24, 0, 29, 3, tzinfo=UTC), id="six hours west"),
    pytest.param("00000000000000", None, id="zeros"),
    pytest.param("FFFFFFFFFFFFFF", None, id="nothing"),
])  # fmt: skip
def test_the_time_is_the_service_centres_in_utc(time: str, expected: datetime | None) -> None:
    assert deliver(coding="00", data="C834", length="02", time=time).sent_at == expected


@pytest.mark.parametrize("header", ["050003070200", "050003070203", "050003070001", "0605040B8423F0", "00"])
def test_a_header_that_names_no_sensible_part_is_ignored(header: str) -> None:
    octets = len(header) // 2
    text = "00480069"
    found = deliver(coding="08", data=header + text, length=f"{octets + 4:02X}", first="44")
    assert (found.part, found.body) == (None, "Hi")


def test_an_emoji_that_a_phone_cut_in_two_is_whole_again() -> None:
    halves = [deliver(coding="08", data=data, length="02").body for data in ("D83D", "DE00")]
    assert joined(halves) == "😀"
    assert joined(halves[:1]) == "\N{REPLACEMENT CHARACTER}"


def test_a_status_report_is_read() -> None:
    # 3GPP TS 23.040 §9.2.2.3: reference 42, to +1 303 555 0126, two times, status 0.
    pdu = "00062A0B913130550521F6" + "62113281923040" * 2 + "00"
    assert decode(pdu) == StatusReport(reference=42, recipient="+13035550126", status=0)


@pytest.mark.parametrize("pdu", ["", "0", "zz", "00", "0004", "0001000B91", "07", "00040B9131"])
def test_what_is_no_pdu_is_said_to_be_none(pdu: str) -> None:
    with pytest.raises(UndecodableError):
        decode(pdu)


@given(st.binary(max_size=60))
def test_no_bytes_make_it_fail_otherwise(octets: bytes) -> None:
    try:
        decode(octets.hex())
    except UndecodableError:
        return


@pytest.mark.parametrize(("number", "clean"), [
    ("+1 (303) 555-0126", "+13035550126"), ("303 555 0126", "3035550126"), (" +49 151 23", "+4915123"),
    ('+1303"\r\nAT+CFUN=0', "+13030"),
])  # fmt: skip
def test_only_digits_of_a_number_reach_the_modem(number: str, clean: str) -> None:
    assert dialable(number) == clean


@pytest.mark.parametrize("body", ["`", "a" * 66 + "😀" * 40])
def test_why_the_librarys_encoder_is_not_used(body: str) -> None:
    """It sends a back-tick as a section sign, and cuts emoji in two. Once it does neither, it could be used."""
    units = body if is_gsm7(body) or body == "`" else "".join(map(chr, memoryview(body.encode("utf-16-le")).cast("H")))
    pdus = encodeSmsSubmitPdu("+13035550126", units, reference=7)
    read = [read_submit(bytes(pdu.data), pdu.tpduLength) for pdu in pdus]
    cut = any("\ud800" <= letter <= "\udfff" for part in read for letter in part.body)
    assert cut or "".join(part.body for part in read) != body
