"""The gammu_smsd gateway against a real gammu-smsd: what its daemon makes of a text, what comes back, what is never sent twice."""

import asyncio
import os
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import SecretStr, ValidationError

from tests.gateways.contract import LONG_BODY, SOON, TEXT, GatewayContract, Peer, Trait, failure_of, next_of
from tests.gateways.gammu import PASSWORD, USER, Smsd, smsd
from tests.pbx.mariadb import MariaDb, mariadb
from textbackd.config.gateways import GammuSmsd as Section
from textbackd.gateways.base import Arrival, DeliveryReport, Fate, Gateway, Health, Idempotent, InboundText, Lent
from textbackd.gateways.gammu.database import GONE, UNFIT, Sqlite
from textbackd.gateways.gammu.tables import STATUSES, UNFINISHED
from textbackd.gateways.gammu_smsd import GammuSmsd, build
from textbackd.gateways.long_texts import part_header

BODY = "Sorry we missed your call"
ROOF = "+13035550199"
CANNOT = {
    Trait.REFUSE: "a table takes any number; the network's refusal comes as a report",
    Trait.THROTTLE: "a table is never throttled; a locked one is tried below",
    Trait.OPT_OUT: "a network knows of no opt-outs",
    Trait.GARBLE: "a database answers or it does not",
    Trait.SWALLOW: "a row is there or it is not; a server that is lost on the way is tried below",
}


def section(peer: Smsd, server: MariaDb | None = None, **keys: Any) -> Section:
    usual: dict[str, Any] = {"type": "gammu_smsd", "poll_every": timedelta(seconds=0.1)}
    if server is None:
        return Section.model_validate(usual | {"sqlite": str(peer.path)} | keys)
    place = {"host": "127.0.0.1", "port": server.port, "user": USER, "password": SecretStr(PASSWORD)}
    return Section.model_validate(usual | {"mysql": place} | keys)


@asynccontextmanager
async def gateway_of(peer: Smsd, server: MariaDb | None = None, **keys: Any) -> AsyncIterator[GammuSmsd]:
    gateway = build("smsd", section(peer, server, **keys), Lent())
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
async def gateway(peer: Smsd) -> AsyncIterator[GammuSmsd]:
    async with gateway_of(peer) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def server() -> Iterator[MariaDb]:
    with mariadb() as running:
        yield running


class TestContract(GatewayContract):
    """The contract of every gateway, on SQLite."""

    cannot: ClassVar = CANNOT

    @pytest.fixture
    async def peer(self, tmp_path: Path) -> AsyncIterator[Peer]:
        with smsd(tmp_path) as running:
            yield running

    @pytest.fixture
    async def gateway(self, peer: Peer) -> AsyncIterator[Gateway]:
        assert isinstance(peer, Smsd)
        async with gateway_of(peer) as gateway:
            yield gateway


class TestContractOnMariaDb(GatewayContract):
    """The contract of every gateway, on MariaDB."""

    cannot: ClassVar = CANNOT
    secrets = (PASSWORD,)

    @pytest.fixture
    async def peer(self, tmp_path: Path, server: MariaDb) -> AsyncIterator[Peer]:
        with smsd(tmp_path, server) as running:
            yield running

    @pytest.fixture
    async def gateway(self, peer: Peer, server: MariaDb) -> AsyncIterator[Gateway]:
        assert isinstance(peer, Smsd)
        async with gateway_of(peer, server) as gateway:
            yield gateway


# --- out ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("body", "parts", "coding"), [
    pytest.param("Sorry [{|}~€^\\] @£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà", 1, "Default_No_Compression", id="GSM-7"),
    pytest.param("x" * 152 + "€" + "y" * 152 + "€€", 3, "Default_No_Compression", id="GSM-7 in parts"),
    pytest.param("Кровля 屋顶 😀", 1, "Unicode_No_Compression", id="UCS-2"),
    pytest.param("a" * 66 + "😀" * 40, 3, "Unicode_No_Compression", id="UCS-2 in parts"),
])  # fmt: skip
async def test_the_daemon_sends_a_body_as_it_is(
    peer: Smsd, gateway: GammuSmsd, body: str, parts: int, coding: str
) -> None:
    accepted = await gateway.send(replace(TEXT, body=body))
    assert accepted.parts == parts
    rows = await peer.until("SELECT * FROM sentitems ORDER BY SequencePosition", parts)
    # TextDecoded is the daemon's own reading.
    assert "".join(row["TextDecoded"] for row in rows) == body
    assert {(row["Coding"], row["Status"], row["DestinationNumber"]) for row in rows} == {
        (coding, "SendingOK", TEXT.to)
    }
    headers = [row["UDH"] for row in rows]
    assert headers == [""] or [header[-4:] for header in headers] == [
        f"{parts:02X}{at:02X}" for at in range(1, parts + 1)
    ]


@pytest.mark.parametrize("zone", ["America/Chicago", "Asia/Tokyo"])
async def test_a_text_goes_out_at_once_in_any_time_zone(tmp_path: Path, zone: str) -> None:
    with smsd(tmp_path, zone=zone) as peer:
        async with gateway_of(peer) as gateway:
            await gateway.send(TEXT)
            await peer.until("SELECT ID FROM sentitems")


@pytest.mark.parametrize("wanted", [True, False])
async def test_reports_are_asked_for_as_configured(peer: Smsd, wanted: bool) -> None:
    async with gateway_of(peer, delivery_reports=wanted) as gateway:
        await gateway.send(TEXT)
        row = (await peer.until("SELECT Status FROM sentitems"))[0]
    assert row["Status"] == ("SendingOK" if wanted else "SendingOKNoReport")


@pytest.mark.parametrize("on_mariadb", [False, True])
async def test_the_same_id_handed_over_again_adds_nothing(tmp_path: Path, server: MariaDb, on_mariadb: bool) -> None:
    place = server if on_mariadb else None
    with smsd(tmp_path, place) as peer:
        async with gateway_of(peer, place) as gateway:
            long = replace(TEXT, body=LONG_BODY)
            waiting = [await gateway.send(long) for _ in range(2)]
            await peer.until("SELECT ID FROM sentitems", waiting[0].parts)
            gone = await gateway.send(long)
            assert [*waiting, gone] == [waiting[0]] * 3
            assert await gateway.find(long, since=datetime.now(UTC)) == waiting[0]
            assert await gateway.find(replace(TEXT, id="text-"), since=datetime.now(UTC)) is None
            assert await peer.texts() == [(TEXT.to, LONG_BODY)]
            assert isinstance(gateway, Idempotent)


async def test_a_text_that_was_cut_off_half_written_is_never_sent(peer: Smsd) -> None:
    columns = "DestinationNumber, Text, CreatorID, SenderID, SendingDateTime, SendingTimeOut"
    values = f"'+1', '0041', 'textbackd text-1 0', '{UNFINISHED}', '2000-01-01 00:00:00', '2000-01-01 00:00:00'"
    peer.sql(f"INSERT INTO outbox ({columns}) VALUES ({values})")  # noqa: S608
    async with gateway_of(peer) as gateway:
        await gateway.send(TEXT)
        await peer.until("SELECT ID FROM sentitems")
        assert await peer.texts() == [(TEXT.to, BODY)]
        assert peer.sql("SELECT ID FROM outbox") == []


async def test_what_no_daemon_has_touched_in_time_is_taken_back(peer: Smsd, gateway: GammuSmsd) -> None:
    peer.stop()
    await gateway.send(replace(TEXT, body=LONG_BODY, valid_until=datetime.now(UTC) + timedelta(seconds=1.5)))
    report = await next_of(gateway, DeliveryReport)
    assert (report.id, report.delivered, report.final) == (TEXT.id, False, True)
    assert report.detail.startswith("taken back")
    assert peer.sql("SELECT ID FROM outbox UNION SELECT ID FROM outbox_multipart") == []


@pytest.mark.parametrize("touched", ["SendingTimeOut = '2026-11-25 10:00:00'", "Retries = 1"])
async def test_what_a_daemon_has_touched_is_left_to_it(peer: Smsd, gateway: GammuSmsd, touched: str) -> None:
    peer.stop()
    await gateway.send(replace(TEXT, valid_until=datetime.now(UTC) + timedelta(seconds=1)))
    peer.sql(f"UPDATE outbox SET {touched}")  # noqa: S608
    arrivals = asyncio.ensure_future(anext(aiter(gateway.incoming())))
    await asyncio.sleep(2.5)
    assert not arrivals.done()
    arrivals.cancel()
    assert await peer.texts() == [(TEXT.to, BODY)]


async def test_the_network_may_drop_a_text_whose_time_is_over(peer: Smsd, gateway: GammuSmsd) -> None:
    await gateway.send(replace(TEXT, valid_until=datetime.now(UTC) + timedelta(minutes=31)))
    row = (await peer.until("SELECT RelativeValidity FROM sentitems"))[0]
    assert row["RelativeValidity"] == 5  # (5 + 1) times 5 minutes (3GPP TS 23.040 §9.2.3.12.1)
    assert (await failure_of(gateway, replace(TEXT, valid_until=datetime.now(UTC)))).fate is Fate.NOT_SENT


# --- a database that is not well ----------------------------------------------------------------------------------


async def test_a_locked_database_is_tried_again_later(peer: Smsd) -> None:
    peer.stop()
    gateway = GammuSmsd(name="smsd", database=Sqlite(peer.path, timeout=timedelta(seconds=0.1)), section=section(peer))
    await gateway.start()
    with closing(sqlite3.connect(peer.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        failure = await failure_of(gateway)
        other.execute("ROLLBACK")
    assert failure.fate is Fate.NOT_SENT
    assert "locked" in str(failure)
    assert gateway.health() is Health.DOWN
    await gateway.send(TEXT)
    assert await peer.texts() == [(TEXT.to, BODY)]


async def test_a_daemon_that_is_away_is_said_before_a_text_waits_for_it(peer: Smsd, gateway: GammuSmsd) -> None:
    peer.stop()
    # A trigger of gammu's stamps every change of the row.
    peer.sql("DROP TRIGGER update_phones_time")
    peer.sql("UPDATE phones SET UpdatedInDB = datetime('now', '-6 minutes')")
    failure = await failure_of(gateway)
    assert failure.fate is Fate.NOT_SENT
    assert "is it running" in str(failure)
    assert gateway.health() is Health.DOWN


async def test_a_missing_file_is_not_made(tmp_path: Path) -> None:
    gateway = build("smsd", Section(type="gammu_smsd", sqlite=str(tmp_path / "none.db")), Lent())
    await gateway.start()
    assert (await failure_of(gateway)).fate is Fate.NOT_SENT
    assert not (tmp_path / "none.db").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
async def test_a_file_that_may_not_be_written_is_for_a_person() -> None:
    # Not below pytest's own folder, which is closed to others.
    with tempfile.TemporaryDirectory() as folder, smsd(Path(folder)) as peer:
        peer.stop()
        peer.folder.chmod(0o755)
        async with gateway_of(peer) as gateway:
            with nobody():
                failure = await failure_of(gateway)
            assert gateway.health() is Health.PAUSED
    assert failure.fate is Fate.GATEWAY_UNFIT
    assert "group" in str(failure)


@contextmanager
def nobody() -> Iterator[None]:
    """Be a user without rights; of the whole process, for SQLite is asked in a thread."""
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize(("statement", "says"), [
    pytest.param("DROP TABLE outbox_multipart", "tables are not there", id="no table"),
    pytest.param("ALTER TABLE outbox RENAME COLUMN SenderID TO Sender", "version", id="another version"),
    pytest.param("REVOKE INSERT ON smsd.* FROM smsd@'127.0.0.1'", "may not write", id="no right"),
])  # fmt: skip
async def test_what_a_person_must_mend_in_mariadb_is_said_without_the_password(
    tmp_path: Path, server: MariaDb, statement: str, says: str
) -> None:
    with smsd(tmp_path, server) as peer:
        async with gateway_of(peer, server) as gateway:
            peer.stop()
            server.run("USE smsd", statement)
            failure = await failure_of(gateway, replace(TEXT, body=LONG_BODY))
    assert failure.fate is Fate.GATEWAY_UNFIT
    assert says in str(failure)
    assert PASSWORD not in str(failure)


async def test_a_server_that_is_not_there_is_tried_again_later(peer: Smsd) -> None:
    place = {"host": "127.0.0.1", "port": 1, "user": USER, "password": SecretStr(PASSWORD)}
    gateway = build("smsd", Section.model_validate({"type": "gammu_smsd", "mysql": place}), Lent())
    await gateway.start()
    failure = await failure_of(gateway)
    assert failure.fate is Fate.NOT_SENT
    assert PASSWORD not in str(failure)


@pytest.mark.parametrize("keys", [{}, {"sqlite": "a", "mysql": {"password": "b"}}])
def test_one_database_is_named(keys: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="write one of sqlite and mysql"):
        Section.model_validate({"type": "gammu_smsd"} | keys)


# --- what comes back ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", list(STATUSES))
async def test_each_status_means_what_the_table_says(peer: Smsd, gateway: GammuSmsd, status: str) -> None:
    accepted = await gateway.send(TEXT)
    await peer.until("SELECT ID FROM sentitems")
    peer.sql(f"UPDATE sentitems SET Status = '{status}'")  # noqa: S608
    report = (await arrivals(gateway, 1))[0]
    assert isinstance(report, DeliveryReport)
    assert (report.id, report.reference, report.recipient) == (TEXT.id, accepted.reference, TEXT.to)
    assert (report.delivered, report.final) == (STATUSES[status].delivered, STATUSES[status].final)


@pytest.mark.parametrize(("change", "detail"), [
    pytest.param("Status = 'SendingError', StatusCode = 38", "could not send it: CMS 38, the network is out", id="known"),
    pytest.param("Status = 'SendingError', StatusCode = 999", "could not send it: CMS 999", id="unknown"),
    pytest.param("Status = 'DeliveryFailed', StatusError = 70", "not delivered: its time was over (0x46)", id="TP-Status"),
])  # fmt: skip
async def test_the_codes_are_told_in_words(peer: Smsd, gateway: GammuSmsd, change: str, detail: str) -> None:
    await gateway.send(TEXT)
    await peer.until("SELECT ID FROM sentitems")
    peer.sql(f"UPDATE sentitems SET {change}")  # noqa: S608
    report = await next_of(gateway, DeliveryReport)
    assert detail in report.detail


async def test_a_state_is_told_once_and_again_when_it_changes(peer: Smsd, gateway: GammuSmsd) -> None:
    await gateway.send(TEXT)
    await peer.until("SELECT ID FROM sentitems")
    items = aiter(gateway.incoming())
    async with asyncio.timeout(SOON):
        first = await anext(items)
        waiting = asyncio.ensure_future(anext(items))
        await asyncio.sleep(0.5)
        assert not waiting.done()
        peer.sql("UPDATE sentitems SET Status = 'DeliveryOK'")
        second = await waiting
    assert isinstance(first, DeliveryReport)
    assert isinstance(second, DeliveryReport)
    assert [first.final, second.final] == [False, True]


async def test_parts_of_a_long_reply_are_joined_as_they_were_written(peer: Smsd, gateway: GammuSmsd) -> None:
    body = "x" + LONG_BODY
    octets = body.encode("utf-16-be")
    pieces = [octets[at : at + 134].decode("utf-16-be", "surrogatepass") for at in range(0, len(octets), 134)]
    for number in (2, 1, *range(3, len(pieces) + 1)):
        peer.receive(ROOF, pieces[number - 1], header=part_header(9, len(pieces), number))
    assert (await next_of(gateway, InboundText)).body == body
    await peer.until("SELECT ID FROM inbox WHERE Processed = 'true'", len(pieces))


async def test_what_was_not_asked_past_is_told_again(peer: Smsd, gateway: GammuSmsd) -> None:
    await peer.deliver(ROOF, "ok")
    async with asyncio.timeout(SOON):
        first = await anext(aiter(gateway.incoming()))
        again = await anext(aiter(gateway.incoming()))
    assert first == again
    assert peer.sql("SELECT ID FROM inbox WHERE Processed = 'true'") == []


@pytest.mark.parametrize(("columns", "body"), [
    pytest.param({"Coding": "8bit", "Text": "0102"}, "(A message without readable text", id="octets"),
    pytest.param({"Text": "no hex", "UDH": "zz"}, "", id="no hexadecimal at all"),
    pytest.param({"Text": "D83D", "ReceivingDateTime": "yesterday"}, "�", id="half an emoji at no time"),
])  # fmt: skip
async def test_odd_rows_are_told_and_end_nothing(
    peer: Smsd, gateway: GammuSmsd, columns: dict[str, str], body: str
) -> None:
    row = {"SenderNumber": ROOF, "Coding": "Unicode_No_Compression", "UDH": "", "RecipientID": "", "Text": ""} | columns
    values = ", ".join(f"'{value}'" for value in row.values())
    peer.sql(f"INSERT INTO inbox ({', '.join(row)}) VALUES ({values})")  # noqa: S608
    text = await next_of(gateway, InboundText)
    assert text.body.startswith(body)
    assert text.received_at <= datetime.now(UTC)


async def test_with_a_phone_id_only_that_daemon_s_texts_are_ours(peer: Smsd) -> None:
    peer.sql("INSERT INTO inbox (SenderNumber, Text, UDH, RecipientID) VALUES ('+1', '0041', '', 'other')")
    peer.sql("INSERT INTO inbox (SenderNumber, Text, UDH, RecipientID) VALUES ('+2', '0042', '', 'shop')")
    peer.stop()
    peer.sql("UPDATE phones SET ID = 'shop'")
    async with gateway_of(peer, phone_id="shop") as gateway:
        assert (await next_of(gateway, InboundText)).sender == "+2"
        await gateway.send(TEXT)
        assert peer.sql("SELECT SenderID FROM outbox") == [{"SenderID": "shop"}]
    async with gateway_of(peer, phone_id="nobody") as gateway:
        assert (await failure_of(gateway, replace(TEXT, id="text-2"))).fate is Fate.NOT_SENT


async def arrivals(gateway: Gateway, count: int) -> list[Arrival]:
    items = aiter(gateway.incoming())
    async with asyncio.timeout(SOON):
        return [await anext(items) for _ in range(count)]


def test_no_code_is_both_for_a_person_and_passing() -> None:
    assert not UNFIT.keys() & GONE.keys()
