"""Call records of a shop that never was: as many rows as wanted, as cdr_csv writes them.   here → tests/bench/leak.py

The mix is that of a shop with three phones, a menu after hours, a queue with two members, voicemail, and its own calls to outside:
a phone that answers or not, ring groups (a row per phone), a queue with its members' rows, a hang-up in the menu, call-backs. Callers
come again: one in three calls is from a number that has called before.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

FIRST: Final = datetime(2016, 1, 4, 8, 0, 0, tzinfo=UTC)
DIDS: Final = ("+13035550101", "+13035550102", "+13035550103")
PHONES: Final = ("PJSIP/101", "PJSIP/102", "PJSIP/103")
AREAS: Final = ("303", "720", "970", "719", "307", "505")


@dataclass
class Shop:
    """Makes one call after the other."""

    seed: int = 1
    between: timedelta = timedelta(minutes=14)  # ten years for a million rows
    now: datetime = FIRST
    channels: int = 0
    dice: random.Random = field(init=False)
    callers: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)

    def rows(self, wanted: int) -> Iterator[str]:
        """Yield at least as many rows, in the order in which Asterisk would write them."""
        made = 0
        while made < wanted:
            self.now += timedelta(seconds=self.dice.expovariate(1 / self.between.total_seconds()) + 1)
            for row in self.call():
                made += 1
                yield row

    def call(self) -> list[str]:
        """Return the rows of one call."""
        kinds = (self.answered, self.unanswered, self.voicemail, self.group, self.queue, self.menu, self.outbound)
        (kind,) = self.dice.choices(kinds, (40, 10, 8, 14, 6, 6, 16))
        self.caller = self.a_caller()
        self.did = self.dice.choice(DIDS)
        self.began = self.now.replace(microsecond=0)
        self.uniqueid = f"{self.began.timestamp():.0f}.{self.channels}"
        self.channel = self.a_channel("PJSIP/trunk")
        return kind()

    def a_caller(self) -> str:
        if self.callers and self.dice.random() < 0.33:
            return self.dice.choice(self.callers)
        caller = f"+1{self.dice.choice(AREAS)}{self.dice.randint(200, 999)}{self.dice.randint(0, 9999):04}"
        if len(self.callers) < 100_000:
            self.callers.append(caller)
        return caller

    def a_channel(self, name: str) -> str:
        self.channels += 1
        return f"{name}-{self.channels:08x}"

    def answered(self) -> list[str]:
        rang, talked = self.dice.randint(1, 20), int(self.dice.expovariate(1 / 120)) + 1
        return [self.row("Dial", "PJSIP/101,30,tk", 0, rang + talked, talked, "ANSWERED", self.a_channel(PHONES[0]))]

    def unanswered(self) -> list[str]:
        rang = self.dice.choice((30, self.dice.randint(1, 29)))
        return [self.row("Dial", "PJSIP/101,30,tk", 0, rang, 0, "NO ANSWER", self.a_channel(PHONES[0]))]

    def voicemail(self) -> list[str]:
        heard = self.dice.randint(1, 60)
        return [
            self.row("Dial", "PJSIP/101,20,tk", 0, 20, 0, "NO ANSWER", self.a_channel(PHONES[0])),
            self.row("VoiceMail", "101@default,su", 20, heard, heard, "ANSWERED", ""),
        ]

    def group(self) -> list[str]:
        rang = self.dice.randint(1, 24)
        winner = self.dice.randrange(6)  # nobody, half of the time
        data = "&".join(PHONES) + ",25,tk"
        rows = []
        for place, phone in enumerate(PHONES):
            if winner == place:
                talked = int(self.dice.expovariate(1 / 120)) + 1
                rows.append(self.row("Dial", data, 0, rang + talked, talked, "ANSWERED", self.a_channel(phone)))
            else:
                rows.append(self.row("Dial", data, 0, rang, 0, "NO ANSWER", self.a_channel(phone)))
        return sorted(rows, key=lambda row: '"ANSWERED"' in row)

    def queue(self) -> list[str]:
        wait, answered = self.dice.randint(5, 90), self.dice.random() < 0.5
        rows = [
            self.row("Queue", "sales,t,,,120", start, min(15, wait - start), min(15, wait - start), "NO ANSWER", self.a_channel(phone))
            for start in range(0, wait, 20) for phone in PHONES[1:]
        ]  # fmt: skip
        if answered:
            talked = int(self.dice.expovariate(1 / 180)) + 1
            rows.append(self.row("Queue", "sales,t,,,120", wait, talked, talked, "ANSWERED", self.a_channel(PHONES[1])))
        return rows

    def menu(self) -> list[str]:
        heard = self.dice.randint(1, 40)
        return [self.row("BackGround", "welcome", 0, heard, heard, "ANSWERED", "", context="ivr-1", dst="s")]

    def outbound(self) -> list[str]:
        self.channel, phone = self.a_channel(PHONES[0]), self.a_channel("PJSIP/trunk")
        to, answered = self.a_caller(), self.dice.random() < 0.7
        talked = int(self.dice.expovariate(1 / 100)) + 1 if answered else 0
        self.caller = "101"
        disposition = "ANSWERED" if answered else "NO ANSWER"
        data = f"PJSIP/{to}@trunk,60"
        return [self.row("Dial", data, 0, 8 + talked, talked, disposition, phone, context="from-internal", dst=to)]

    def row(
        self, app: str, data: str, after: int, lasts: int, billed: int, disposition: str, to: str, *,
        context: str = "from-trunk", dst: str = "",
    ) -> str:  # fmt: skip
        start = self.began + timedelta(seconds=after)
        end = start + timedelta(seconds=lasts)
        answer = f'"{end - timedelta(seconds=billed):%Y-%m-%d %H:%M:%S}"' if billed else ""
        return (
            f'"","{self.caller}","{dst or self.did}","{context}","""Ann Smith"" <{self.caller}>","{self.channel}","{to}","{app}",'
            f'"{data}","{start:%Y-%m-%d %H:%M:%S}",{answer},"{end:%Y-%m-%d %H:%M:%S}",{lasts},{billed},"{disposition}",'
            f'"DOCUMENTATION","{self.uniqueid}",""\n'
        )
