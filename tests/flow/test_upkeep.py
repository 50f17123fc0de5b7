"""What is too old goes once a day, whatever the disk says in between."""

import asyncio
from datetime import timedelta
from pathlib import Path

from tests.flow.bringing import Disk
from tests.hasty import hasty
from tests.store.rows import DAY, NOON, a_text, judged
from textbackd.flow.upkeep import CLEAN_EVERY, Cleaning
from textbackd.store import journal, outbox
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
