"""A real gammu-smsd with gammu's dummy phone, in a folder of its own, on SQLite or MariaDB, for as long as a block lasts.

What the phone has received are files in `phone/sms/1`, in the format of gammu's backups; what it sends goes nowhere.
"""

import asyncio
import contextlib
import os
import re
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pymysql
import pytest
from pymysql.cursors import DictCursor

from tests.debian import document, need
from tests.gateways.contract import SOON, Peer
from tests.pbx.mariadb import MariaDb
from textbackd.gateways.base import Accepted

SCHEMA: Final = "/usr/share/doc/gammu-smsd/examples"
SMSC: Final = "123456"  # the dummy phone's own
REFERENCE: Final = 255  # and its message reference, for every text
START_SECONDS: Final = 30
USER, PASSWORD = "smsd", "s3cret"
CONFIGURATION: Final = """[gammu]
model = dummy
connection = none
port = {folder}/phone
[smsd]
service = sql
logfile = {folder}/log
commtimeout = 1
loopsleep = 1
statusfrequency = 1
receivefrequency = 1
retrytimeout = 1
maxretries = 1
deliveryreport = sms
checksecurity = 0
{database}
"""


class Smsd(Peer):
    """gammu-smsd and its tables. The contract looks into them; what the daemon made of it has tests of its own."""

    def __init__(self, folder: Path, server: MariaDb | None, zone: str) -> None:
        self.folder, self._server, self._zone = folder, server, zone
        self.path = folder / "smsd.db"
        self._daemon: subprocess.Popen[bytes] | None = None
        self._delivered = 0

    # --- tables

    def prepare(self) -> None:
        """Make the tables with gammu's own script."""
        name = "sqlite.sql" if self._server is None else "mysql.sql"
        script = document("gammu-smsd", f"{SCHEMA}/{name}", self.folder)
        if self._server is None:
            with closing(sqlite3.connect(self.path)) as connection:
                connection.executescript(script)
            return
        self._server.run(
            "DROP DATABASE IF EXISTS smsd", "CREATE DATABASE smsd", f"DROP USER IF EXISTS {USER}@'127.0.0.1'",
            f"CREATE USER {USER}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'", f"GRANT ALL ON smsd.* TO {USER}@'127.0.0.1'",
        )  # fmt: skip
        without_comments = re.sub(r"(?m)^--.*$", "", script)
        for statement in filter(str.strip, without_comments.split(";")):
            self.sql(statement)

    def sql(self, statement: str) -> list[dict[str, Any]]:
        if self._server is None:
            with closing(sqlite3.connect(self.path, timeout=SOON)) as connection, connection:
                connection.row_factory = sqlite3.Row
                return [dict(row) for row in connection.execute(statement)]
        connection_ = pymysql.connect(
            host="127.0.0.1", port=self._server.port, user=USER, password=PASSWORD, database="smsd",
            charset="utf8mb4", cursorclass=DictCursor, autocommit=True,
        )  # fmt: skip
        with closing(connection_), closing(connection_.cursor()) as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []

    async def until(self, statement: str, count: int = 1) -> list[dict[str, Any]]:
        """Return the rows of a query, once there are so many."""
        async with asyncio.timeout(START_SECONDS):
            while len(rows := self.sql(statement)) < count:  # noqa: ASYNC110 (a table tells nobody)
                await asyncio.sleep(0.1)
        return rows

    # --- the daemon

    def start(self) -> None:
        if self._server is None:
            database = f"driver = sqlite3\ndbdir = {self.folder}\ndatabase = {self.path.name}"
        else:
            database = (
                f"driver = native_mysql\nhost = 127.0.0.1:{self._server.port}\nuser = {USER}\npassword = {PASSWORD}\n"
                "database = smsd"
            )
        configuration = self.folder / "smsdrc"
        configuration.write_text(CONFIGURATION.format(folder=self.folder, database=database))
        (self.folder / "phone").mkdir(exist_ok=True)
        self._daemon = subprocess.Popen(
            ["gammu-smsd", "-c", str(configuration)], env=os.environ | {"TZ": self._zone},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until = time.monotonic() + START_SECONDS
        while not self.sql("SELECT ID FROM phones") and time.monotonic() < until and self._daemon.poll() is None:
            time.sleep(0.05)
        if not self.sql("SELECT ID FROM phones"):
            log = (self.folder / "log").read_text(errors="replace") if (self.folder / "log").exists() else "no log"
            pytest.fail(f"gammu-smsd did not start:\n{log[-2000:]}", pytrace=False)

    def stop(self) -> None:
        if self._daemon is not None:
            self._daemon.kill()
            self._daemon.wait()
            self._daemon = None

    # --- the contract's peer

    async def texts(self) -> list[tuple[str, str]]:
        """Return what stands in the outbox for a daemon to take, and what went out."""
        waiting = self._waiting()
        whole = self._parts(waiting)
        while (
            later := self._waiting()
        ) != waiting:  # the daemon takes a text out while we read: gammu's tables have no snapshot
            waiting = later
            whole = self._parts(waiting)
        return [whole[number] for number in sorted(whole)]

    def _waiting(self) -> list[int]:
        return [row["ID"] for row in self.sql("SELECT ID FROM outbox WHERE SenderID = '' ORDER BY ID")]

    def _parts(self, waiting: list[int]) -> dict[int, tuple[str, str]]:
        """Read each text from one place: its parts are in `sentitems` already while it still stands in the outbox."""
        whole: dict[int, tuple[str, str]] = {}
        for row in self.sql("SELECT * FROM outbox WHERE SenderID = '' ORDER BY ID"):
            self._add(whole, row)
            more = f"SELECT * FROM outbox_multipart WHERE ID = {row['ID']} ORDER BY SequencePosition"  # noqa: S608
            for part in self.sql(more):
                self._add(whole, part | {"DestinationNumber": row["DestinationNumber"]})
        for row in self.sql("SELECT * FROM sentitems WHERE SenderID = '' ORDER BY ID, SequencePosition"):
            if row["ID"] not in waiting:
                self._add(whole, row)
        return whole

    @staticmethod
    def _add(whole: dict[int, tuple[str, str]], row: dict[str, Any]) -> None:
        body = bytes.fromhex(row["Text"]).decode("utf-16-be")
        whole[row["ID"]] = (row["DestinationNumber"], whole.get(row["ID"], ("", ""))[1] + body)

    async def be_unfit(self) -> None:
        self.stop()
        self.sql("ALTER TABLE outbox_multipart RENAME TO put_away")
        self.sql("ALTER TABLE outbox RENAME TO outbox_")
        self.sql("CREATE TABLE outbox AS SELECT ID, SenderID, Text, DestinationNumber, CreatorID FROM outbox_")
        self.sql("CREATE TABLE outbox_multipart AS SELECT * FROM put_away")

    async def vanish(self) -> None:
        """Let the daemon be away for longer than it ever is by itself."""
        self.stop()
        self.sql("DELETE FROM phones")

    async def deliver(self, sender: str, body: str, *, again: bool = False) -> None:
        """Have the phone receive a text; the network brings one `again` under the same time stamp."""
        self.receive(sender, body)
        await self.until("SELECT ID FROM inbox", self._delivered)

    async def report(self, accepted: Accepted, *, delivered: bool) -> None:
        await self.until("SELECT ID FROM sentitems WHERE Status = 'SendingOK'")
        now = datetime.now(UTC).astimezone().strftime("%Y%m%dT%H%M%S")
        word = "Delivered" if delivered else "Failed"
        recipient = self.sql("SELECT DestinationNumber FROM sentitems")[0]["DestinationNumber"]
        self._put(recipient, word, "Status_Report", at=now)
        await self.until("SELECT ID FROM sentitems WHERE Status LIKE 'Delivery%'")

    def receive(self, sender: str, body: str, *, header: bytes = b"", coding: str = "Unicode_No_Compression") -> None:
        self._delivered += 1
        self._put(sender, body, "Deliver", header=header, coding=coding)

    def _put(
        self, number: str, body: str, pdu: str, *, at: str = "20200102T030405", header: bytes = b"",
        coding: str = "Unicode_No_Compression",
    ) -> None:  # fmt: skip
        octets = body.encode("utf-16-be", "surrogatepass")
        text = octets.hex().upper()
        lines = [
            "[SMSBackup000]", f"PDU = {pdu}", f'SMSC = "{SMSC}"', f"DateTime = {at}", "State = UnRead",
            f'Number = "{number}"', 'Name = ""', f"Coding = {coding}", "Folder = 1", f"Length = {len(octets) // 2}",
            "Class = -1", "ReplySMSC = False", "RejectDuplicates = False", "ReplaceMessage = 0",
            f"MessageReference = {REFERENCE}", *([f"UDH = {header.hex().upper()}"] if header else []),
            *(f"Text{at // 200:02} = {text[at : at + 200]}" for at in range(0, len(text), 200)),
        ]  # fmt: skip
        inbox = self.folder / "phone" / "sms" / "1"
        inbox.mkdir(parents=True, exist_ok=True)
        place = next(number for number in range(1, 1000) if not (inbox / str(number)).exists())
        unfinished = self.folder / "unfinished"
        unfinished.write_text("\n".join(lines) + "\n")
        unfinished.rename(inbox / str(place))


@contextmanager
def smsd(folder: Path, server: MariaDb | None = None, *, zone: str | None = None) -> Iterator[Smsd]:
    """Run a gammu-smsd in `folder`, or skip."""
    need("gammu-smsd", "gammu-smsd", "libdbd-sqlite3")
    running = Smsd(folder, server, zone or os.environ.get("TZ", ""))
    running.prepare()
    running.start()
    with contextlib.ExitStack() as stack:
        stack.callback(running.stop)
        yield running
