"""What is too old goes once a day, whatever the disk says in between."""

import asyncio
from datetime import timedelta
from pathlib import Path

import sqlite_utils

from tests.flow.bringing import Disk
from tests.hasty import hasty
from tests.store.rows import DAY, NOON, a_text, judged
from textbackd.core.conversation import Happening, Turn
from textbackd.core.phone import E164
from textbackd.flow.bell import Bell
from textbackd.flow.upkeep import CLEAN_EVERY, CLOSE_EVERY, Cleaning, Closing
from textbackd.store import acts, conversations, journal, outbox
from textbackd.store.conversations import News
from textbackd.store.database import Store, writing
from textbackd.store.retention import Kept

KEPT = Kept(texts=timedelta(days=30), calls=timedelta(days=30))


@hasty
async def test_what_is_too_old_goes_once_a_day_and_a_failing_disk_only_delays_it(tmp_path: Path) -> None:
    store, now = Disk(tmp_path / "textbackd.db"), [NOON]
    await store.open()
    await store.run(lambda db: journal.record(db, judged(), a_text(), same_case_within=DAY, now=NOON))
    await store.run(lambda db: outbox.expire(db, NOON + DAY))
    task = asyncio.create_task(Cleaning(store, KEPT, lambda: now[0]).run())
    seen = []
    for day, fails in ((29, False), (31, True), (32, False)):
        now[0], store.fails = NOON + timedelta(days=day), fails
        await asyncio.sleep(CLEAN_EVERY * 1.1)
        store.fails = False
        seen.append(len(await store.run(outbox.listing)))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await store.close()
    assert seen == [1, 1, 0]


@hasty
async def test_what_nobody_has_touched_for_long_is_put_away_unless_somebody_waits_for_us(tmp_path: Path) -> None:
    store, now, bell = Store(tmp_path / "textbackd.db"), [NOON], Bell()
    await store.open()
    new, ours, theirs = (E164(f"+1303555014{number}") for number in range(3))

    def begin(db: sqlite_utils.Database) -> None:
        with writing(db):
            for number, happening in ((new, "missed"), (ours, "wrote"), (theirs, "answered")):
                conversations.happen(db, News(number=number, happening=Happening(happening), at=NOON))

    await store.run(begin)
    task = asyncio.create_task(Closing(store, lambda: now[0], bell, timedelta(days=14)).run())
    with bell.listening() as listener:
        seen = []
        for days in (14, 15):
            now[0] = NOON + timedelta(days=days)
            await asyncio.sleep(CLOSE_EVERY * 1.1)
            seen.append(await store.run(lambda db: [conversations.find(db, number) for number in (new, ours, theirs)]))
        rings = listener.rings()
        rung = {await anext(rings), await anext(rings)}
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    deeds = await store.run(acts.listing)
    await store.close()
    assert [[found.turn for found in each if found] for each in seen] == [
        [Turn.NEW, Turn.OURS, Turn.THEIRS],
        [Turn.DONE, Turn.OURS, Turn.DONE],
    ]
    assert rung == {new, theirs}
    assert {(deed["kind"], deed["number"], deed["staff"]) for deed in deeds} == {
        ("lapsed", new, None), ("lapsed", theirs, None),
    }  # fmt: skip
