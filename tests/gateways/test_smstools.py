"""The smstools gateway against a real smsd: what goes on air, what the folders tell, what is left alone."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.gateways.contract import LONG_BODY, SOON, TEXT, GatewayContract, Peer, Trait, failure_of, next_of
from tests.gateways.smstools import Smsd, smsd, whole
from textbackd.config.gateways import SmsTools as Section
from textbackd.demo.modem_air import report_pdu
from textbackd.gateways.base import DeliveryReport, Fate, Gateway, Health, InboundText, Lent
from textbackd.gateways.smstools import SmsTools, build
from textbackd.gateways.spool.folders import move_unless_locked

BODY = "Sorry we missed your call"
ROOF = "+13035550199"


@asynccontextmanager
async def gateway_of(peer: Smsd, **keys: Any) -> AsyncIterator[SmsTools]:
    usual = {"type": "smstools", "spool": str(peer.spool), "poll_every": timedelta(seconds=0.1)}
    gateway = build("smsd", Section.model_validate(usual | keys), Lent())
    await gateway.start()
    try:
        yield gateway
    finally:
        await gateway.close()


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[Smsd]:
    with smsd(tmp_path) as running:
        yield running


@pytest.fixture
def still(tmp_path: Path) -> Iterator[Smsd]:
    """The folders, without a daemon."""
    with smsd(tmp_path, running=False) as folders:
        yield folders


@pytest.fixture
async def gateway(peer: Smsd) -> AsyncIterator[SmsTools]:
    async with gateway_of(peer) as gateway:
        yield gateway


class TestContract(GatewayContract):
    """The contract of every gateway."""

    cannot: ClassVar = {
        Trait.REFUSE: "a folder takes any number; the network's refusal comes as a report",
        Trait.THROTTLE: "a folder is never throttled",
        Trait.OPT_OUT: "a network knows of no opt-outs",
        Trait.GARBLE: "a disk answers or it does not",
        Trait.SWALLOW: "a file is there or it is not",
    }

    @pytest.fixture
    async def peer(self, tmp_path: Path) -> AsyncIterator[Peer]:
        with smsd(tmp_path) as running:
            yield running

    @pytest.fixture
    async def gateway(self, peer: Peer) -> AsyncIterator[Gateway]:
        assert isinstance(peer, Smsd)
        async with gateway_of(peer) as gateway:
            yield gateway


# --- out ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("body", "parts"), [
    pytest.param("Sorry [{|}~€^\\] @£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¡ÄÖÑÜ§¿äöñüà", 1, id="every odd letter of GSM-7"),
    pytest.param("10 ¤", 1, id="the one that smsd takes for another"),
    pytest.param("abcdefg" * 40, 2, id="GSM-7 in parts"),
    pytest.param("Кровля 屋顶 😀", 1, id="UCS-2"),
    pytest.param("a" * 66 + "😀" * 40, 3, id="UCS-2 in parts"),
    pytest.param("first\n\nTo: 123\nFlash: yes", 1, id="what looks like a header"),
])  # fmt: skip
async def test_the_modem_sends_a_body_as_it_is(peer: Smsd, gateway: SmsTools, body: str, parts: int) -> None:
    accepted = await gateway.send(replace(TEXT, body=body))
    sent = await peer.on_air(parts)
    assert (whole(sent), {part.to for part in sent}) == (body, {TEXT.to})
    assert accepted.parts == parts == len(sent)


async def test_reports_and_the_time_are_asked_of_the_network(peer: Smsd, gateway: SmsTools) -> None:
    await gateway.send(replace(TEXT, valid_until=datetime.now(UTC) + timedelta(minutes=31)))
    sent = (await peer.on_air())[0]
    assert (sent.report, sent.valid_for) == (True, 5)  # (5 + 1) times 5 minutes (3GPP TS 23.040 §9.2.3.12.1)
    assert (await failure_of(gateway, replace(TEXT, valid_until=datetime.now(UTC)))).fate is Fate.NOT_SENT


async def test_a_text_that_the_modem_refused_is_reported_as_final(peer: Smsd, gateway: SmsTools) -> None:
    peer.next_texts("cms:28")
    accepted = await gateway.send(TEXT)
    report = await next_of(gateway, DeliveryReport)
    assert (report.reference, report.id, report.recipient) == (accepted.reference, TEXT.id, TEXT.to)
    assert (report.delivered, report.final) == (False, True)
    assert report.detail.startswith("smsd gave up: ")
    await peer.until(lambda: peer.files("failed") == [])


@pytest.mark.parametrize("folder", ["outgoing", "checked"])
async def test_what_no_modem_took_in_time_is_taken_back(still: Smsd, folder: str) -> None:
    async with gateway_of(still) as gateway:
        await gateway.send(replace(TEXT, valid_until=datetime.now(UTC) + timedelta(seconds=1)))
        file = still.files("outgoing")[0]
        file.rename(still.spool / folder / file.name)
        report = await next_of(gateway, DeliveryReport)
    assert (report.id, report.delivered, report.final) == (TEXT.id, False, True)
    assert report.detail.startswith("taken back")
    assert [still.files(name) for name in ("outgoing", "checked", "failed")] == [[], [], []]


async def test_what_smsd_is_sending_is_not_taken_back(still: Smsd) -> None:
    async with gateway_of(still) as gateway:
        await gateway.send(replace(TEXT, valid_until=datetime.now(UTC) + timedelta(seconds=1)))
        file = still.files("outgoing")[0]
        file = file.rename(still.spool / "checked" / file.name)
        file.with_name(f"{file.name}.LOCK").touch()
        waiting = asyncio.ensure_future(anext(aiter(gateway.incoming())))
        await asyncio.sleep(3)
        assert not waiting.done()
        waiting.cancel()
    assert await still.texts() == [(TEXT.to, BODY)]


@pytest.mark.parametrize("is_locked", [True, False])
def test_a_lock_that_smsd_takes_at_the_last_moment_counts(tmp_path: Path, is_locked: bool) -> None:
    text, failed, lock = tmp_path / "textbackd-1", tmp_path / "failed", tmp_path / "textbackd-1.LOCK"
    failed.mkdir()
    text.touch()
    if is_locked:
        lock.touch()
    move_unless_locked(text, failed)
    assert (text.exists(), lock.exists()) == (is_locked, is_locked)
    assert (failed / text.name).exists() is not is_locked


async def test_a_text_is_found_by_its_id_in_every_folder(still: Smsd) -> None:
    async with gateway_of(still) as gateway:
        accepted = await gateway.send(replace(TEXT, body=LONG_BODY))
        file = still.files("outgoing")[0]
        for folder in ("outgoing", "checked", "sent", "failed"):
            file = file.rename(still.spool / folder / file.name)
            assert await gateway.find(replace(TEXT, body=LONG_BODY), since=datetime.now(UTC)) == accepted
        assert await gateway.find(replace(TEXT, id="text-2"), since=datetime.now(UTC)) is None


# --- folders that are not well ------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", ["outgoing", "checked", "sent", "failed", "incoming"])
@pytest.mark.parametrize("mode", [0o755, 0o1777])
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
async def test_a_folder_whose_rights_are_wrong_is_for_a_person(folder: str, mode: int) -> None:
    # Not below pytest's own folder, which is closed to others.
    with tempfile.TemporaryDirectory() as place, smsd(Path(place), running=False) as still:
        for path in (still.folder, still.spool, *still.spool.iterdir()):
            path.chmod(0o777)
        (still.spool / folder).chmod(mode)
        async with gateway_of(still) as gateway:
            with nobody():
                failure = await failure_of(gateway)
            assert gateway.health() is Health.PAUSED
    assert failure.fate is Fate.GATEWAY_UNFIT
    assert "chmod g+rwx,-t" in str(failure)
    assert folder in str(failure)


@contextmanager
def nobody() -> Iterator[None]:
    """Be a user without rights; of the whole process, for the disk is asked in a thread."""
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


async def test_texts_that_smsd_leaves_lying_are_said_before_another_joins_them(still: Smsd) -> None:
    async with gateway_of(still) as gateway:
        await gateway.send(TEXT)
        old = datetime.now(UTC).timestamp() - 61
        os.utime(still.files("outgoing")[0], (old, old))
        failure = await failure_of(gateway, replace(TEXT, id="text-2"))
        assert failure.fate is Fate.NOT_SENT
        assert "is it running" in str(failure)
        assert gateway.health() is Health.DOWN


async def test_smsd_never_sees_half_a_file_and_may_read_the_whole(still: Smsd) -> None:
    async with gateway_of(still) as gateway:
        await gateway.send(TEXT)
    (file,) = still.files("outgoing")
    assert file.stat().st_mode & 0o777 == 0o660
    assert file.stat().st_gid == (still.spool / "outgoing").stat().st_gid


# --- in -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [
    pytest.param("plain @ [x] é €", id="GSM-7"),
    pytest.param("Yes! 👍 Кровля", id="UCS-2"),
    pytest.param("x" + LONG_BODY, id="parts"),
    pytest.param("SMS STATUS REPORT\nMessage_id: 1\nDischarge_timestamp: x\nStatus: 0,Ok", id="a caller's joke"),
])  # fmt: skip
async def test_a_reply_is_told_and_its_file_deleted_when_it_is_stored(peer: Smsd, gateway: SmsTools, body: str) -> None:
    await peer.deliver(ROOF, body)
    await peer.until(lambda: bool(peer.files("incoming")))
    async with asyncio.timeout(SOON):
        first = await anext(aiter(gateway.incoming()))
    assert peer.files("incoming")
    text = await next_of(gateway, InboundText)
    assert (text.sender, text.body) == (ROOF, body)
    assert first == text
    await peer.until(lambda: peer.files("incoming") == [])


@pytest.mark.parametrize(
    ("status", "delivered", "final"), [(0x00, True, True), (0x20, False, False), (0x46, False, True)]
)
async def test_a_status_report_is_matched_with_its_text(
    peer: Smsd, gateway: SmsTools, status: int, delivered: bool, final: bool
) -> None:
    accepted = await gateway.send(TEXT)
    await peer.until(lambda: bool(peer.files("sent")))
    reference = (await peer.on_air())[0].message_reference
    peer.modem.deliver_pdu(report_pdu(reference, ROOF, 0))  # about somebody else's
    peer.modem.deliver_pdu(report_pdu(reference, TEXT.to, status))
    found = []
    async with asyncio.timeout(SOON):
        async for arrival in gateway.incoming():
            assert isinstance(arrival, DeliveryReport)
            found.append(arrival)
            if arrival.detail != "smsd has sent it" and arrival.recipient == TEXT.to:
                break
    assert (found[-1].reference, found[-1].delivered, found[-1].final) == (accepted.reference, delivered, final)
    assert not [one for one in found if one.recipient == ROOF and one.reference]


@pytest.mark.parametrize(("raw", "sender", "body"), [
    pytest.param(b"", "unknown", "", id="nothing"),
    pytest.param(b"no header at all", "unknown", "", id="no header"),
    pytest.param(b"From: 123\nAlphabet: binary\n\n\x01\x02", "123", "(A message without", id="octets"),
    pytest.param(b"From: Bank\nFrom_TOA: D0 alphanumeric\nAlphabet: UCS2\n\n\xd8\x3d\x00", "Bank", "�", id="half an emoji"),
    pytest.param(b"From: 49\nFrom_TOA: 91 x\nSent: never\nAlphabet: UTF-8\n\n\xff\xc3", "+49", "��", id="no UTF-8"),
])  # fmt: skip
async def test_odd_files_are_told_and_end_nothing(still: Smsd, raw: bytes, sender: str, body: str) -> None:
    (still.spool / "incoming" / "GSM1.odd").write_bytes(raw)
    (still.spool / "incoming" / "locked").write_bytes(b"From: 1\n\nno")
    (still.spool / "incoming" / "locked.LOCK").touch()
    async with gateway_of(still) as gateway:
        text = await next_of(gateway, InboundText)
    assert (text.sender, text.body[: len(body)]) == (sender, body)
    assert [path.name for path in still.files("incoming")] == ["locked", "locked.LOCK"]
    assert text.received_at <= datetime.now(UTC)
