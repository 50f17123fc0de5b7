"""The SMPP gateway against npm's SMSC: what is submitted and how, what is proved, what survives lost connections."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import SecretStr

from tests.gateways.contract import LONG_BODY, OTHER, SOON, TEXT, GatewayContract, Peer, Trait, failure_of, next_of
from tests.gateways.smsc import Smsc, smsc
from textbackd.config.gateways import Smpp as Section
from textbackd.errors import TextbackdError
from textbackd.gateways.base import DeliveryReport, Fate, Gateway, Health, InboundText, LateAnswer, Lent, SendFailed
from textbackd.gateways.esme.statuses import BIND, SUBMIT
from textbackd.gateways.smpp import Smpp, build

BODY = "Sorry we missed your call"
SHORT = {"hex": b"ok".hex()}
FROM_CALLER: dict[str, Any] = {"source_addr": "13035550126", "source_addr_ton": 1, "destination_addr": "12015550100"}


def section(port: int, **keys: Any) -> Section:
    usual = {"timeout": timedelta(seconds=0.5), "keep_alive": timedelta(seconds=20), "number": "+12015550100"}
    given = {"type": "smpp", "host": "127.0.0.1", "port": port, "system_id": "shop", "password": SecretStr("secret")}
    return Section.model_validate(given | usual | keys)


@asynccontextmanager
async def gateway_of(peer: Smsc, lent: Lent | None = None, *, up: bool = True, **keys: Any) -> AsyncIterator[Smpp]:
    quick = timedelta(seconds=0.05)
    gateway = Smpp(name="hub", section=section(peer.port, **keys), lent=lent or Lent(), first_retry=quick)
    peer.gateway = gateway
    await gateway.start()
    try:
        if up:
            await peer.until_health(Health.UP)
        yield gateway
    finally:
        await gateway.close()


@pytest.fixture
async def peer() -> AsyncIterator[Smsc]:
    async with smsc() as running:
        yield running


@pytest.fixture
async def gateway(peer: Smsc, tmp_path: Path) -> AsyncIterator[Smpp]:
    async with gateway_of(peer, Lent(notes=tmp_path / "notes")) as gateway:
        yield gateway


class TestContract(GatewayContract):
    """The contract of every gateway."""

    cannot: ClassVar = {Trait.OPT_OUT: "SMPP 3.4 has no status for it; the vendors' own are tried below"}
    secrets = ("secret",)

    @pytest.fixture
    async def peer(self) -> AsyncIterator[Peer]:
        async with smsc() as running:
            yield running

    @pytest.fixture
    async def gateway(self, peer: Peer, tmp_path: Path) -> AsyncIterator[Gateway]:
        assert isinstance(peer, Smsc)
        async with gateway_of(peer, Lent(notes=tmp_path / "notes")) as gateway:
            yield gateway


# --- out ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("body", "parts", "coding"), [
    pytest.param("Sorry [{|}~€^\\] @£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà", 1, 0, id="every odd letter of GSM-7"),
    pytest.param("a" * 160, 1, 0, id="160"),
    pytest.param("a" * 161, 2, 0, id="161"),
    pytest.param("x" * 152 + "€" + "y" * 152 + "€€", 3, 0, id="an extension letter at a part boundary"),
    pytest.param("Кровля 屋顶 ő", 1, 8, id="UCS-2"),
    pytest.param("a" * 66 + "😀" * 40, 3, 8, id="emoji at part boundaries"),
])  # fmt: skip
@pytest.mark.parametrize("long_texts", ["udh", "payload"])
async def test_a_body_is_submitted_as_it_is(peer: Smsc, body: str, parts: int, coding: int, long_texts: str) -> None:
    async with gateway_of(peer, long_texts=long_texts) as gateway:
        accepted = await gateway.send(replace(TEXT, body=body))
    assert await peer.texts() == [(TEXT.to, body)]
    submitted = peer.all("submit")
    assert accepted.parts == len(submitted) == (1 if long_texts == "payload" else parts)
    assert {(one["coding"], one["payload"]) for one in submitted} == {(coding, long_texts == "payload")}


@pytest.mark.parametrize(("body", "coding"), [
    pytest.param("Müller & Søn", 0, id="Latin-1 has it"),
    pytest.param("5 €", 8, id="GSM-7 has it, Latin-1 has not"),
    pytest.param("€" * 81, 8, id="the same in parts of UCS-2"),
])  # fmt: skip
async def test_a_provider_whose_default_is_latin_1_gets_only_letters_that_it_has(
    peer: Smsc, body: str, coding: int
) -> None:
    async with gateway_of(peer, alphabet="latin1") as gateway:
        await gateway.send(replace(TEXT, body=body))
    assert {one["coding"] for one in peer.all("submit")} == {coding}
    assert coding == 0 or await peer.texts() == [(TEXT.to, body)]


@pytest.mark.parametrize(("keys", "source", "ton", "npi"), [
    pytest.param({}, "12015550100", 1, 1, id="a number is international"),
    pytest.param({"sender_id": "Anderson"}, "Anderson", 5, 0, id="a name is alphanumeric"),
    pytest.param({"sender_id": "72345"}, "72345", 3, 0, id="a short code is the network's own"),
    pytest.param({"sender_id": "72345", "source_ton": 0, "source_npi": 9}, "72345", 0, 9, id="as the provider wants it"),
    pytest.param({"number": None}, "", 0, 0, id="nothing: the provider chooses"),
    pytest.param({"from": "called_did", "number": "+12015550111"}, "12015550100", 1, 1, id="the number that was called"),
])  # fmt: skip
async def test_the_sender_is_typed_as_what_it_is(
    peer: Smsc, keys: dict[str, Any], source: str, ton: int, npi: int
) -> None:
    async with gateway_of(peer, **keys) as gateway:
        await gateway.send(TEXT)
    one = peer.all("submit")[0]
    assert (one["source"], one["source_ton"], one["source_npi"]) == (source, ton, npi)
    assert (one["to"], one["ton"], one["npi"]) == ("13035550126", 1, 1)


async def test_the_network_may_drop_a_text_whose_time_is_over(gateway: Smpp, peer: Smsc) -> None:
    now = datetime.now(UTC)
    await gateway.send(replace(TEXT, valid_until=now + timedelta(minutes=90)))
    over = datetime.fromisoformat(peer.all("submit")[0]["validity"])
    assert abs(over - now - timedelta(minutes=90)) < timedelta(minutes=1)
    assert (await failure_of(gateway, replace(TEXT, valid_until=now))).fate is Fate.NOT_SENT


@pytest.mark.parametrize("wanted", [True, False])
async def test_receipts_are_asked_for_as_configured(peer: Smsc, wanted: bool) -> None:
    async with gateway_of(peer, delivery_reports=wanted) as gateway:
        await gateway.send(TEXT)
    assert peer.all("submit")[0]["registered"] == int(wanted)


@pytest.mark.parametrize("status", [pytest.param(status, id=f"{status:#04x}") for status in SUBMIT])
async def test_each_status_means_what_the_table_says(gateway: Smpp, peer: Smsc, status: int) -> None:
    await peer.order("next", words=[status])
    failure = await failure_of(gateway)
    assert (failure.fate, failure.code) == (SUBMIT[status].fate, f"SMPP {status:#04x}")


async def test_a_vendor_s_own_status_proves_nothing_unless_the_shop_says_what_it_means(peer: Smsc) -> None:
    await peer.order("next", words=[0x401, 0x402])
    async with gateway_of(peer, statuses={"0x0401": "opted_out"}) as gateway:
        assert [(await failure_of(gateway)).fate for _ in range(2)] == [Fate.OPTED_OUT, Fate.UNKNOWN]


async def test_a_refusal_of_the_pdu_itself_is_no_acceptance(gateway: Smpp, peer: Smsc) -> None:
    await peer.order("next", words=["nack"])
    assert (await failure_of(gateway)).fate is Fate.GATEWAY_UNFIT


async def test_an_accepted_text_without_an_id_has_no_reference(gateway: Smpp, peer: Smsc) -> None:
    await peer.order("next", words=["no_id"])
    assert (await gateway.send(TEXT)).reference is None


@pytest.mark.parametrize(("words", "fate", "out"), [
    pytest.param([0x58], Fate.NOT_SENT, 0, id="the first part refused"),
    pytest.param(["0", 0x58], Fate.UNKNOWN, 1, id="the second part refused"),
    pytest.param(["0", 0x0B], Fate.UNKNOWN, 1, id="the second part refused for good"),
    pytest.param(["0", "close"], Fate.UNKNOWN, 2, id="the connection broken at the second part"),
])  # fmt: skip
async def test_once_a_part_is_out_the_text_is_never_sent_again_and_the_rest_stays_here(
    gateway: Smpp, peer: Smsc, words: list[Any], fate: Fate, out: int
) -> None:
    await peer.order("next", words=words)
    assert (await failure_of(gateway, replace(TEXT, body="a" * 400))).fate is fate
    assert len(peer.all("submit")) == out


async def test_a_connection_that_breaks_after_the_text_leaves_its_fate_unknown_and_nothing_is_repeated(
    gateway: Smpp, peer: Smsc
) -> None:
    await peer.order("next", words=["close"])
    assert (await failure_of(gateway)).fate is Fate.UNKNOWN
    await peer.until("bound", 2)
    await peer.until_health(Health.UP)
    await gateway.send(replace(TEXT, to=OTHER))
    assert await peer.texts() == [(TEXT.to, BODY), (OTHER, BODY)]


async def test_an_answer_that_comes_late_is_told(gateway: Smpp, peer: Smsc) -> None:
    await peer.order("next", words=["late:1"])
    assert (await failure_of(gateway)).fate is Fate.UNKNOWN
    async with asyncio.timeout(SOON):
        assert await anext(aiter(gateway.incoming())) == LateAnswer(id=TEXT.id, reference="id-1")


async def test_texts_do_not_wait_for_each_other(gateway: Smpp, peer: Smsc) -> None:
    await peer.order("next", words=["late:0.3", "0"])
    slow = asyncio.create_task(gateway.send(TEXT))
    await peer.until("submit")
    assert (await gateway.send(replace(TEXT, to=OTHER))).reference == "id-2"
    assert not slow.done()
    assert (await slow).reference == "id-1"


async def failure_saying(words: str, gateway: Smpp) -> SendFailed:
    """Return the first failure that says so, once the gateway has learnt it."""
    async with asyncio.timeout(SOON):
        while words not in str(failure := await failure_of(gateway)):  # noqa: ASYNC110 (the gateway tells nobody)
            await asyncio.sleep(0.01)
    return failure


# --- the connection -----------------------------------------------------------------------------------------------


async def test_it_binds_as_a_transceiver_of_version_3_4(peer: Smsc) -> None:
    async with gateway_of(peer, system_type="OTA"):
        pass
    assert peer.all("bind") == [
        {"event": "bind", "command": "bind_transceiver", "system_id": "shop", "system_type": "OTA", "version": 0x34,
         "status": 0}
    ]  # fmt: skip
    assert peer.all("unbind")


async def test_it_binds_as_a_transmitter_where_only_that_is_allowed(peer: Smsc) -> None:
    async with gateway_of(peer, mode="transmitter") as gateway:
        assert (await gateway.send(TEXT)).reference
    assert [one["command"] for one in peer.all("bind")] == ["bind_transmitter"]


@pytest.mark.parametrize("status", [pytest.param(status, id=f"{status:#04x}") for status in [*BIND, 0x05, 0x08]])
async def test_a_refused_bind_pauses_the_gateway_only_if_a_person_must_mend_it(peer: Smsc, status: int) -> None:
    await peer.order("bind_status", status=status)
    async with gateway_of(peer, up=False) as gateway:
        await peer.until("bind")
        await peer.until_health(Health.PAUSED if status in BIND else Health.DOWN)
        failure = await failure_saying("to the bind", gateway)
    assert failure.fate is (Fate.GATEWAY_UNFIT if status in BIND else Fate.NOT_SENT)
    assert f"SMPP {status:#04x}" in str(failure)


async def test_a_wrong_password_is_said_and_not_shown(peer: Smsc) -> None:
    async with gateway_of(peer, up=False, password=SecretStr("wrong")) as gateway:
        await peer.until_health(Health.PAUSED)
        failure = await failure_of(gateway)
    assert failure.fate is Fate.GATEWAY_UNFIT
    assert "password" in str(failure)
    assert "wrong" not in str(failure)


async def test_a_lost_connection_is_made_again(gateway: Smpp, peer: Smsc) -> None:
    for how in ("drop", "unbind"):
        bound = len(peer.all("bound"))
        await peer.order(how)
        await peer.until("bound", bound + 1)
        await peer.until_health(Health.UP)
        await gateway.send(TEXT)


async def test_the_smsc_is_asked_whether_it_is_there_and_left_if_it_is_silent(peer: Smsc) -> None:
    async with gateway_of(peer, keep_alive=timedelta(seconds=0.1)):
        await peer.until("enquire_link", 3)
        await peer.order("alive", alive=False)
        await peer.until("closed")
        await peer.until("bound", 2)


async def test_the_smsc_is_told_that_we_are_there(gateway: Smpp, peer: Smsc) -> None:
    await peer.order("enquire")
    await peer.until("enquired")


async def test_a_text_under_way_is_waited_for_at_the_end(peer: Smsc) -> None:
    await peer.order("next", words=["late:0.3"])
    async with gateway_of(peer) as gateway:
        sending = asyncio.create_task(gateway.send(TEXT))
        await peer.until("submit")
    assert (await sending).reference == "id-1"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("tls")
    key, cert = str(folder / "key.pem"), str(folder / "cert.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "2",
         "-subj", "/CN=smsc", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    return key, cert


async def test_with_tls_a_server_that_somebody_vouches_for_gets_the_text(certificate: tuple[str, str]) -> None:
    async with smsc(*certificate) as peer, gateway_of(peer, tls=True, ca=certificate[1]) as gateway:
        await gateway.send(TEXT)
        assert await peer.texts() == [(TEXT.to, BODY)]


async def test_with_tls_nobody_else_gets_the_password(certificate: tuple[str, str]) -> None:
    async with smsc(*certificate) as peer, gateway_of(peer, up=False, tls=True) as gateway:
        await failure_saying("no connection to 127.0.0.1", gateway)
        assert peer.all("bind") == []


def test_an_authority_that_cannot_be_read_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(TextbackdError, match=r"ca: .*none\.pem cannot be read"):
        build("hub", section(1, tls=True, ca=str(tmp_path / "none.pem")), Lent())


def test_without_its_package_the_sentence_says_what_to_install() -> None:
    # As on a machine without it: Python itself refuses a module that stands there as None.
    without = "import sys; sys.modules['smpp34'] = None; import textbackd.gateways.smpp"
    done = subprocess.run([sys.executable, "-c", without], capture_output=True, text=True, check=False)
    assert done.stderr.strip().endswith("need one more package: pip install 'textbackd[smpp]'.")


async def test_notes_that_cannot_be_read_do_not_keep_texts_from_going_out(peer: Smsc, tmp_path: Path) -> None:
    (tmp_path / "notes").touch()
    async with gateway_of(peer, Lent(notes=tmp_path / "notes")) as gateway:
        await gateway.send(TEXT)


# --- in -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("coding", "octets", "body"), [
    pytest.param(0, "Zoè €".encode("gsm0338"), "Zoè €", id="GSM-7"),
    pytest.param(1, b"plain", "plain", id="ASCII"),
    pytest.param(3, "Zoë".encode("latin-1"), "Zoë", id="Latin-1"),
    pytest.param(6, "Кровля".encode("iso8859_5"), "Кровля", id="Cyrillic"),
    pytest.param(8, "👍 屋顶".encode("utf-16-be"), "👍 屋顶", id="UCS-2"),
    pytest.param(8, b"\x00o\x00", "o", id="half a letter at the end"),
    pytest.param(8, b"\xd8\x3d", "�", id="half an emoji"),
    pytest.param(3, b"\xff\x00\x1b", "ÿ\x00\x1b", id="control characters"),
    pytest.param(4, b"\x01\x02", "(A message without readable text, for example a picture message.)", id="octets"),
    pytest.param(0, b"", "", id="nothing"),
])  # fmt: skip
async def test_a_text_is_read_in_the_alphabet_that_it_names(
    gateway: Smpp, peer: Smsc, coding: int, octets: bytes, body: str
) -> None:
    await peer.send_in(FROM_CALLER | {"data_coding": coding}, hex=octets.hex())
    text = await next_of(gateway, InboundText)
    assert (text.sender, text.recipient, text.body) == ("+13035550126", "12015550100", body)


async def test_a_provider_whose_default_is_latin_1_is_read_so(peer: Smsc) -> None:
    async with gateway_of(peer, alphabet="latin1") as gateway:
        await peer.send_in(FROM_CALLER, hex="Zoë @".encode("latin-1").hex())
        assert (await next_of(gateway, InboundText)).body == "Zoë @"


async def test_a_text_in_message_payload_is_read(gateway: Smpp, peer: Smsc) -> None:
    await peer.send_in(FROM_CALLER | {"data_coding": 3, "message_payload": (b"long " * 60).hex()}, hex="")
    assert (await next_of(gateway, InboundText)).body == "long " * 60


def parts_of(body: str, reference: int, how: str) -> list[tuple[dict[str, Any], str]]:
    """Return the parts of a text in UCS-2, each with the fields and the octets of its deliver_sm."""
    octets = body.encode("utf-16-be")
    pieces = [octets[at : at + 134] for at in range(0, len(octets), 134)]
    parts = []
    for number, piece in enumerate(pieces, start=1):
        header = {
            "8 bit": bytes([5, 0, 3, reference, len(pieces), number]),
            "16 bit": bytes([6, 8, 4, 1, reference, len(pieces), number]),
            "with a port": bytes([11, 5, 4, 11, 132, 35, 240, 0, 3, reference, len(pieces), number]),
            "TLV": b"",
        }[how]
        tlv = {"sar_msg_ref_num": reference, "sar_total_segments": len(pieces), "sar_segment_seqnum": number}
        more = tlv if how == "TLV" else {"esm_class": 0x40}
        parts.append((FROM_CALLER | {"data_coding": 8} | more, (header + piece).hex()))
    return parts


@pytest.mark.parametrize("how", ["8 bit", "16 bit", "with a port", "TLV"])
async def test_parts_are_acknowledged_at_once_and_joined_in_any_order(gateway: Smpp, peer: Smsc, how: str) -> None:
    body = "x" + LONG_BODY  # an emoji is cut at a part boundary
    for pdu, octets in reversed(parts_of(body, 7, how)):
        await peer.send_in(pdu, hex=octets)
    assert (await next_of(gateway, InboundText)).body == body


async def test_two_long_texts_at_once_are_not_mixed(gateway: Smpp, peer: Smsc) -> None:
    first, second = parts_of("a" * 100, 1, "8 bit"), parts_of("b" * 100, 2, "8 bit")
    for pdu, octets in [first[0], second[1], second[0], first[1]]:
        await peer.send_in(pdu, hex=octets)
    assert {(await next_of(gateway, InboundText)).body for _ in range(2)} == {"a" * 100, "b" * 100}


async def test_what_was_acknowledged_and_not_stored_is_told_after_a_restart(peer: Smsc, tmp_path: Path) -> None:
    first, last = parts_of("a" * 100, 1, "8 bit")
    async with gateway_of(peer, Lent(notes=tmp_path)):
        await peer.send_in(FROM_CALLER, **SHORT)
        await peer.send_in(first[0], hex=first[1])
    async with gateway_of(peer, Lent(notes=tmp_path)) as gateway:
        assert (await next_of(gateway, InboundText)).body == "ok"
        await peer.send_in(last[0], hex=last[1])
        assert (await next_of(gateway, InboundText)).body == "a" * 100


def notes_in(folder: Path) -> int:
    return len(list(folder.iterdir()))


async def test_what_is_stored_and_known_to_be_acknowledged_leaves_no_note(peer: Smsc, tmp_path: Path) -> None:
    async with gateway_of(peer, Lent(notes=tmp_path)) as gateway:
        await peer.send_in(FROM_CALLER, **SHORT)
        assert notes_in(tmp_path) == 1
        await next_of(gateway, InboundText)
        await gateway.send(TEXT)
        assert notes_in(tmp_path) == 0


async def test_the_same_words_twice_are_two_texts(gateway: Smpp, peer: Smsc) -> None:
    await peer.send_in(FROM_CALLER, **SHORT)
    first = await next_of(gateway, InboundText)
    await gateway.send(TEXT)  # its answer proves that the SMSC has read our acknowledgement
    await peer.send_in(FROM_CALLER, **SHORT)
    assert (await next_of(gateway, InboundText)).id != first.id


async def test_the_same_words_twice_are_two_texts_even_if_neither_is_stored_yet(gateway: Smpp, peer: Smsc) -> None:
    await peer.send_in(FROM_CALLER, **SHORT)
    await gateway.send(TEXT)
    await peer.send_in(FROM_CALLER, **SHORT)
    first = await next_of(gateway, InboundText)
    assert (await next_of(gateway, InboundText)).id != first.id


async def test_an_answer_to_what_was_asked_before_proves_nothing_of_our_acknowledgement(
    gateway: Smpp, peer: Smsc
) -> None:
    await peer.order("next", words=["late:0.2"])
    sending = asyncio.create_task(gateway.send(TEXT))
    await peer.until("submit")
    await peer.send_in(FROM_CALLER, **SHORT)
    await sending
    await next_of(gateway, InboundText)
    await peer.lose_the_connection()
    await peer.send_in(FROM_CALLER, **SHORT)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await next_of(gateway, InboundText)


async def test_the_same_text_after_a_restart_has_the_same_id(peer: Smsc, tmp_path: Path) -> None:
    ids = []
    for _ in range(2):
        async with gateway_of(peer, Lent(notes=tmp_path)) as gateway:
            await peer.send_in(FROM_CALLER, **SHORT)
            ids.append((await next_of(gateway, InboundText)).id)
            await peer.order("drop")
    assert len(set(ids)) == 1


async def test_what_cannot_be_kept_shall_come_again(peer: Smsc, tmp_path: Path) -> None:
    async with gateway_of(peer, Lent(notes=tmp_path / "notes")) as gateway:
        (tmp_path / "notes").rmdir()
        await peer.send_in(FROM_CALLER, **SHORT)
        assert peer.all("acknowledged")[-1]["status"] == 0x64
        (tmp_path / "notes").mkdir()
        await peer.send_in(FROM_CALLER, **SHORT)
        assert (await next_of(gateway, InboundText)).body == "ok"


@pytest.mark.parametrize("octets", [
    pytest.param("00000014" "00000005" "00000000" "00000001" "61616161", id="a deliver_sm that breaks off"),
    pytest.param("0000001200000005000000000000000161ff", id="strings without an end"),
])  # fmt: skip
async def test_a_text_that_cannot_be_read_is_told_and_ends_nothing(gateway: Smpp, peer: Smsc, octets: str) -> None:
    await peer.order("raw", hex=octets)
    text = await next_of(gateway, InboundText)
    assert text.body.startswith("(A message that could not be read: ")
    await gateway.send(TEXT)
    assert len(peer.all("bound")) == 1


@pytest.mark.parametrize("octets", [
    pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n".hex(), id="no SMPP"),
    pytest.param("7fffffff" "00000005" "00000000" "00000001", id="a PDU of two gigabytes"),
    pytest.param("00000004", id="a PDU without a header"),
])  # fmt: skip
async def test_noise_ends_the_connection_and_a_new_one_is_made(gateway: Smpp, peer: Smsc, octets: str) -> None:
    await peer.order("raw", hex=octets)
    await peer.until("bound", 2)
    await peer.until_health(Health.UP)
    await gateway.send(TEXT)


async def test_unknown_commands_and_answers_to_nothing_are_passed_over(gateway: Smpp, peer: Smsc) -> None:
    await peer.order("raw", hex="00000010000001030000000000000005")
    await peer.order("raw", hex="00000010800000040000000000000777")
    await peer.order("raw", hex="00000010000001020000000000000006")
    await gateway.send(TEXT)
    assert len(peer.all("bound")) == 1


# --- receipts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("body", "fields", "expected"), [
    pytest.param("id:7 stat:DELIVRD err:000", {}, ("7", True, True, "DELIVRD"), id="delivered"),
    pytest.param("id:7 stat:UNDELIV err:001", {}, ("7", False, True, "UNDELIV, error 001"), id="undelivered"),
    pytest.param("id:7 stat:EXPIRED err:0", {}, ("7", False, True, "EXPIRED"), id="expired"),
    pytest.param("id:7 stat:REJECTD", {}, ("7", False, True, "REJECTD"), id="rejected"),
    pytest.param("id:7 stat:ACCEPTD", {}, ("7", False, False, "ACCEPTD"), id="passed on"),
    pytest.param("id:7 stat:ENROUTE", {}, ("7", False, False, "ENROUTE"), id="still trying"),
    pytest.param("id:7 stat:UNDELIV", {"esm_class": 0x20}, ("7", False, False, "UNDELIV"), id="an intermediate notice"),
    pytest.param("Id:7 STAT:delivered ERR:0", {}, ("7", True, True, "DELIVRD"), id="in other letters"),
    pytest.param("id:7 stat:FOO", {}, ("7", False, False, "FOO"), id="a word that nobody knows"),
    pytest.param("nothing", {}, (None, False, False, "a receipt without a state"), id="nothing in it"),
    pytest.param("id:7 stat:UNDELIV text:id:8 stat:DELIVRD", {}, ("7", False, True, "UNDELIV"), id="a caller's joke"),
    pytest.param("", {"message_state": 2, "receipted_message_id": "ab9"}, ("ab9", True, True, "DELIVRD"), id="by TLV"),
    pytest.param("x", {"message_state": 8, "receipted_message_id": "ab9", "esm_class": 0},
                 ("ab9", False, True, "REJECTD"), id="by TLV, without the flag"),
])  # fmt: skip
async def test_a_receipt_is_read(gateway: Smpp, peer: Smsc, body: str, fields: dict[str, Any], expected: Any) -> None:
    await peer.receipt(body, **fields)
    arrivals = aiter(gateway.incoming())
    async with asyncio.timeout(SOON):
        report = await anext(arrivals)
    assert isinstance(report, DeliveryReport)
    assert (report.reference, report.delivered, report.final, report.detail) == expected
    assert report.recipient == "+13035550126"


@pytest.mark.parametrize(("ids", "receipt"), [
    pytest.param("decimal", "12345678", id="in decimal what was hexadecimal"),
    pytest.param("same", "00BC614E", id="as it was"),
])  # fmt: skip
async def test_receipts_that_write_the_id_in_another_number_system_are_matched(
    peer: Smsc, ids: str, receipt: str
) -> None:
    await peer.order("next", words=["hex"])
    async with gateway_of(peer, receipt_ids=ids) as gateway:
        accepted = await gateway.send(TEXT)
        await peer.receipt(f"id:{receipt} stat:DELIVRD")
        assert (await next_of(gateway, DeliveryReport)).reference == accepted.reference


async def test_errors_that_the_shop_has_named_say_that_no_text_will_ever_arrive(peer: Smsc) -> None:
    async with gateway_of(peer, permanent_errors=["001"]) as gateway:
        for error in ("001", "002"):
            await peer.receipt(f"id:{error} stat:UNDELIV err:{error}")
        reports = [await next_of(gateway, DeliveryReport) for _ in range(2)]
    assert [report.permanent for report in reports] == [True, False]


async def test_nobody_waits_for_an_inbox_that_has_been_left(gateway: Smpp) -> None:
    waiting = asyncio.ensure_future(anext(aiter(gateway.incoming())))
    await asyncio.sleep(0)
    waiting.cancel()
    with suppress(asyncio.CancelledError):
        await waiting
