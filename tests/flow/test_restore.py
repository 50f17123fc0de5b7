"""A restored backup does nothing that is old: what waited in it, what was told, what happened in the time that it lacks."""

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlite_utils

from tests.flow.office import running, until
from tests.flow.settings import configured
from tests.flow.test_gaps import FRESH, OLD, watched_until, write
from tests.gateways.sink import HttpSink
from tests.store.disk import files_end_at
from tests.store.rows import CALLER, DAY, NOON, a_text, after, judged
from textbackd.config import Settings
from textbackd.core.conversation import Happening, Turn
from textbackd.core.decide import Standing, Why
from textbackd.core.phone import E164
from textbackd.core.reply_clock import PAGE, Waiting, due_steps
from textbackd.flow.restore import Restored, restore
from textbackd.store import (
    accounts,
    asks,
    backup,
    conversations,
    halts,
    journal,
    never,
    news,
    notices,
    optouts,
    outbox,
    restored,
    restoring,
    steps,
    tokens,
)
from textbackd.store.accounts import Role
from textbackd.store.conversations import News
from textbackd.store.database import StorageError, only_one, open_database, writing
from textbackd.store.halts import HaltKind
from textbackd.store.notices import NewNotice, Way
from textbackd.store.optouts import OptedOutBy
from textbackd.store.states import TextOf

OTHER = E164("+13035550143")
BACKED_UP, RESTORED = after(minutes=1), after(minutes=5)
Change = Callable[[sqlite_utils.Database], object]


@pytest.fixture
def shop(tmp_path: Path) -> Settings:
    """Settings whose database is in a folder of the test."""
    return configured(
        storage=str(tmp_path / "textbackd.db"),
        lines='{main: {dids: ["*"], reply: {escalate: {boss: {after: 2m, tell: anna}, late: {after: 1h, tell: anna}}}}}',
    )


def change(settings: Settings, *works: Change) -> None:
    with closing(open_database(settings.storage)) as db:
        for work in works:
            work(db)


def missed(db: sqlite_utils.Database) -> None:
    journal.record(db, judged(), a_text(), same_case_within=DAY, now=NOON)


def backed_up(settings: Settings, tmp_path: Path, *works: Change) -> Path:
    """Let things happen, and make a backup."""
    change(settings, *works)
    backup.take(settings.storage, tmp_path / "backup", BACKED_UP)
    return tmp_path / "backup"


def handed_over(db: sqlite_utils.Database) -> None:
    assert outbox.claim(db, "stick", NOON) is not None


def asked_again(db: sqlite_utils.Database) -> None:
    text_id = str(db.execute("SELECT id FROM outbox").fetchone()[0])
    assert outbox.repeat(db, text_id, "stick", NOON)


def sent(db: sqlite_utils.Database) -> None:
    text = outbox.claim(db, "stick", after(minutes=2))
    assert text is not None
    outbox.accepted(db, text, "ref", after(minutes=2))


def manual(db: sqlite_utils.Database) -> None:
    outbox.add_manual(db, a_text(kind=TextOf.MANUAL, recipient=OTHER, body="Wednesday is fine"), now=NOON)


def to_tell(way: Way) -> Change:
    notice = NewNotice(
        number=CALLER, matter="missed", staff=None, way=way, payload={"a": 1}, expires_at=after(hours=24)
    )

    def work(db: sqlite_utils.Database) -> None:
        with writing(db):
            notices.add_within(db, notice, NOON)

    return work


def happened(happening: Happening, at: datetime = NOON, **more: object) -> Change:
    def work(db: sqlite_utils.Database) -> None:
        with writing(db):
            conversations.happen(db, News(number=CALLER, happening=happening, at=at, line="main", **more))  # type: ignore[arg-type]

    return work


def paused(db: sqlite_utils.Database) -> None:
    halts.halt(db, HaltKind.PAUSE, line=None, until=None, why="holiday", now=NOON)


def braked(db: sqlite_utils.Database) -> None:
    halts.halt(db, HaltKind.BRAKE, line=None, until=None, why="too few arrived", now=NOON)


def anna(db: sqlite_utils.Database) -> None:
    accounts.add(db, "anna", Role.OWNER, "old password", NOON)
    tokens.add(db, "anna", "crm", "secret", NOON)


def account(db: sqlite_utils.Database) -> accounts.Account:
    found = accounts.find(db, "anna")
    assert found is not None
    return found


def state_of(db: sqlite_utils.Database) -> str:
    return str(db.execute("SELECT state FROM outbox").fetchone()[0])


def nothing_is_due(db: sqlite_utils.Database) -> bool:
    """Return whether neither a text nor a notice would go, at any time."""
    for at in (RESTORED, after(minutes=9), after(hours=30)):
        if outbox.claim(db, "stick", at) or any(notices.due(db, way, at) for way in Way):
            return False
    return not news.waiting(db)


# What was so in the backup, what has happened since, and what must be so afterwards.
RULES = [
    pytest.param([missed], [], lambda db: state_of(db) == "cancelled", id="a text that waited is cancelled"),
    pytest.param([missed, handed_over], [], lambda db: state_of(db) == "unknown", id="one in hand is unknown"),
    pytest.param([missed, handed_over, outbox.mark_cut_off, asked_again], [], lambda db: state_of(db) == "unknown",
        id="so is one that was about to be handed over again"),
    pytest.param([manual], [], lambda db: state_of(db) == "cancelled", id="so is one that a person wrote"),
    pytest.param([missed], [sent], lambda db: state_of(db) == "accepted", id="one that went out since is known as such"),
    pytest.param([missed, handed_over, outbox.mark_cut_off], [],
        lambda db: outbox.unknown_at(db, "stick", NOON - DAY)[0].expires_at <= RESTORED,
        id="an unknown one is not handed over again, not even to a gateway that knows it by its id"),
    pytest.param([to_tell(Way.HOOK)], [], lambda db: notices.counts(db) == {("hook", "failed"): 1}, id="no old webhook fires"),
    pytest.param([to_tell(Way.EMAIL)], [], lambda db: notices.counts(db) == {("email", "failed"): 1}, id="no old e-mail goes"),
    pytest.param([happened(Happening.WROTE, words="Hello?")], [], lambda db: not news.waiting(db), id="no old news is told"),
    pytest.param([missed], [], lambda db: journal.misses_of(db, 1) == 1, id="a case stays open"),
    pytest.param([missed], [],
        lambda db: journal.history(db, CALLER, now=RESTORED, observing=False).last_text_at == NOON,
        id="whose text waited counts as texted"),
    pytest.param([], [missed, sent],
        lambda db: journal.history(db, CALLER, now=RESTORED, observing=False).last_text_at == after(minutes=2),
        id="who was texted since is not texted again"),
    pytest.param([], [lambda db: optouts.add(db, CALLER, OptedOutBy.TEXT, "stick", NOON)],
        lambda db: optouts.find(db, CALLER) is not None, id="who wrote STOP since stays opted out"),
    pytest.param([lambda db: optouts.add(db, CALLER, OptedOutBy.TEXT, "stick", NOON)],
        [lambda db: optouts.remove(db, CALLER)],
        lambda db: optouts.find(db, CALLER) is not None, id="who wrote START since has to write it again"),
    pytest.param([], [lambda db: never.add(db, CALLER, by="", detail="adverts", now=NOON)],
        lambda db: never.find(db, CALLER) is not None, id="who came on the never-list since stays there"),
    pytest.param([], [paused],
        lambda db: [halt.why for halt in halts.active(db, RESTORED)] == ["holiday"], id="a pause stays on"),
    pytest.param([paused, braked], [lambda db: halts.resume(db, line=None, now=after(minutes=3))],
        lambda db: not halts.active(db, RESTORED) and halts.last_brake_ended(db) == after(minutes=3),
        id="a pause and a brake that a person ended stay ended"),
    pytest.param([paused], [lambda db: db.execute("DELETE FROM halts")],
        lambda db: not halts.active(db, RESTORED), id="so does a pause of which the old database knows nothing"),
    pytest.param([lambda db: halts.halt(db, HaltKind.PAUSE, line=None, until=after(hours=1), why="lunch", now=NOON)],
        [lambda db: halts.halt(db, HaltKind.PAUSE, line=None, until=after(hours=9), why="ill", now=after(minutes=3))],
        lambda db: [halt.why for halt in halts.active(db, RESTORED)] == ["ill"], id="one that took the place of another is the only one"),
    pytest.param([paused], [], lambda db: db.execute("SELECT count(*) FROM halts").fetchone()[0] == 1, id="a pause stays one"),
    pytest.param([lambda db: accounts.invite(db, "anna", Role.OWNER, "secret", NOON)], [],
        lambda db: db.execute("SELECT count(*) FROM invitations").fetchone()[0] == 0, id="no old invitation lets in"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "since", "holds"), RULES)
def test_what_waited_is_closed_and_what_protects_callers_stays(
    shop: Settings, tmp_path: Path, before: list[Change], since: list[Change], holds: Change
) -> None:
    file = backed_up(shop, tmp_path, *before)
    change(shop, *since)
    restore(file, shop, RESTORED)
    with closing(open_database(shop.storage)) as db:
        assert holds(db)
        assert nothing_is_due(db)
        assert restored.moment(db) == RESTORED


# Who was let in by the backup, what has happened since, and who is let in afterwards.
ENTRANCES = [
    pytest.param([], lambda db: accounts.let_in(db) == ("anna",) and len(tokens.listing(db)) == 1, id="nobody is shut out for nothing"),
    pytest.param([lambda db: accounts.disable(db, "anna", RESTORED)], lambda db: account(db).disabled_at is not None, id="an account"),
    pytest.param([lambda db: accounts.disable(db, "anna", RESTORED), lambda db: accounts.add(db, "anna", Role.STAFF, "new", RESTORED)],
        lambda db: not tokens.listing(db) and account(db).role is Role.STAFF, id="an owner who became staff"),
    pytest.param([lambda db: accounts.set_password(db, "anna", "new", RESTORED)],
        lambda db: account(db).password != "old password", id="an old password"),
    pytest.param([lambda db: tokens.revoke(db, 1, RESTORED)], lambda db: tokens.find(db, "secret") is None, id="a token"),
    pytest.param([lambda db: db.execute("DELETE FROM tokens")], lambda db: not tokens.listing(db), id="a token that is gone"),
    pytest.param([lambda db: db.execute("DELETE FROM accounts")], lambda db: not accounts.let_in(db), id="an account that is gone"),
]  # fmt: skip


@pytest.mark.parametrize(("since", "holds"), ENTRANCES)
def test_who_was_shut_out_since_stays_out(shop: Settings, tmp_path: Path, since: list[Change], holds: Change) -> None:
    file = backed_up(shop, tmp_path, anna)
    change(shop, *since)
    done = restore(file, shop, RESTORED)
    with closing(open_database(shop.storage)) as db:
        assert holds(db)
        assert (done.revoked, done.let_in) == (0, accounts.let_in(db))


def ruin(database: Path) -> None:
    database.write_bytes(b"ruined" * 4000)
    database.with_name(f"{database.name}-wal").write_bytes(b"of the ruined one")


def lost(database: Path) -> None:
    database.unlink()


def made_anew(database: Path) -> None:
    database.unlink()
    open_database(database).close()


@pytest.mark.parametrize(("happen", "revoked"), [(lost, 1), (ruin, 1), (made_anew, 0)])
def test_where_nobody_knows_who_was_shut_out_people_may_log_in_and_programs_may_not(
    shop: Settings, tmp_path: Path, happen: Callable[[Path], None], revoked: int
) -> None:
    file = backed_up(shop, tmp_path, anna)
    happen(shop.storage)
    done = restore(file, shop, RESTORED)
    assert (done.let_in, done.revoked) == (("anna",), revoked)
    with closing(open_database(shop.storage)) as db:
        assert tokens.listing(db) == []


def test_a_question_about_texts_that_came_since_is_not_forgotten(shop: Settings, tmp_path: Path) -> None:
    file = backed_up(shop, tmp_path, missed)
    change(shop, lambda db: db.execute("INSERT INTO asks (number, since) VALUES (?, '2026-03-02T12:03:00Z')", [CALLER]))
    restore(file, shop, RESTORED)
    with closing(open_database(shop.storage)) as db:
        assert asks.since(db, CALLER) is not None


@pytest.mark.parametrize("urgent", [False, True])
def test_steps_that_are_due_are_closed_and_those_to_come_are_not(shop: Settings, tmp_path: Path, urgent: bool) -> None:
    file = backed_up(shop, tmp_path, happened(Happening.WROTE, words="Hello?", urgent=urgent))
    restore(file, shop, RESTORED)
    line = shop.lines["main"]
    with closing(open_database(shop.storage)) as db:
        done = steps.taken(db)[1]
    waiting, times = Waiting(since=NOON, is_urgent=urgent), shop.timetable(line)
    due_now, due_later = (
        due_steps(waiting, at, times, line.reply.chain(), done) for at in (RESTORED, after(hours=2))
    )  # the line never closes
    assert due_now == []
    assert timedelta(hours=1) in {step.after for step in due_later}
    assert timedelta(minutes=2) not in {step.after for step in due_later}
    assert (PAGE.key in done) is urgent


@pytest.mark.parametrize(("ended_at", "turn", "is_told", "waits_from"), [
    pytest.param(after(minutes=3), Turn.NEW, False, None, id="a call before the restore is listed and told to nobody"),
    pytest.param(after(minutes=6), Turn.NEW, True, None, id="one after it is like any other"),
])  # fmt: skip
def test_calls_that_the_backup_lacks_are_listed_only(
    shop: Settings, tmp_path: Path, ended_at: datetime, turn: Turn, is_told: bool, waits_from: datetime | None
) -> None:
    restore(backed_up(shop, tmp_path), shop, RESTORED)
    with closing(open_database(shop.storage)) as db:
        journal.record(db, judged(ended_at=ended_at), None, same_case_within=DAY, now=after(minutes=7))
        found = conversations.find(db, CALLER)
        assert found is not None
        assert (found.turn, found.waiting_since, bool(news.waiting(db))) == (turn, waits_from, is_told)


def test_whose_turn_became_ours_in_the_lost_time_waits_from_the_restore_on(shop: Settings, tmp_path: Path) -> None:
    answered = [happened(Happening.WROTE), happened(Happening.ANSWERED, staff="anna")]
    restore(backed_up(shop, tmp_path, *answered), shop, RESTORED)
    with closing(open_database(shop.storage)) as db:
        happened(Happening.MISSED, after(minutes=3))(db)
        found = conversations.find(db, CALLER)
    assert found is not None
    assert (found.turn, found.waiting_since) == (Turn.OURS, RESTORED)


def test_a_call_in_the_lost_time_keeps_its_caller_from_being_texted_twice(shop: Settings, tmp_path: Path) -> None:
    """It may have had its text in that time: nobody knows."""
    restore(backed_up(shop, tmp_path), shop, RESTORED)
    with closing(open_database(shop.storage)) as db:
        call = judged(ended_at=after(minutes=3))
        journal.record(db, call, None, same_case_within=DAY, now=after(minutes=7))
        db.execute("UPDATE calls SET decision_reason = ?", [Why.RESTORED])
        assert journal.history(db, CALLER, now=RESTORED, observing=False).last_text_at == after(minutes=3)


def test_the_guard_knows_of_the_restore(shop: Settings, tmp_path: Path) -> None:
    assert Standing().restored_at is None
    restore(backed_up(shop, tmp_path), shop, RESTORED)
    with closing(open_database(shop.storage)) as db:
        assert restored.is_before(db, RESTORED)
        assert not restored.is_before(db, RESTORED + timedelta(seconds=1))


# ---- the file


def restored_from(shop: Settings, tmp_path: Path) -> Restored:
    return restore(backed_up(shop, tmp_path, missed), shop, RESTORED)


def test_what_was_there_is_kept_beside(shop: Settings, tmp_path: Path) -> None:
    file = backed_up(shop, tmp_path, missed)
    change(shop, manual)
    done = restore(file, shop, RESTORED)
    assert done.kept == tmp_path / "textbackd.db.before-20260302T120500Z"
    with closing(open_database(done.kept)) as db:
        assert sorted(outbox.counts(db).values()) == [2]
    assert shop.storage.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_restores_belongs_to_whom_the_folder_belongs_to(shop: Settings, tmp_path: Path) -> None:
    file = backed_up(shop, tmp_path, missed)
    os.chown(tmp_path, 12345, 12345)
    restore(file, shop, RESTORED)
    ours = [shop.storage, tmp_path / "textbackd.db.lock", tmp_path / "textbackd.db.opening"]
    assert [(path.stat().st_uid, path.stat().st_gid) for path in ours] == [(12345, 12345)] * 3


def test_nothing_is_left_lying_about(shop: Settings, tmp_path: Path) -> None:
    restored_from(shop, tmp_path)
    assert [path.name for path in tmp_path.iterdir() if "restoring" in path.name or path.name.endswith("-wal")] == []


def test_a_lost_database_is_no_hindrance(shop: Settings, tmp_path: Path) -> None:
    file = backed_up(shop, tmp_path, missed)
    shop.storage.unlink()
    assert restore(file, shop, RESTORED).kept is None
    with closing(open_database(shop.storage)) as db:
        assert state_of(db) == "cancelled"


def test_a_damaged_database_is_kept_and_said_to_be_unreadable(shop: Settings, tmp_path: Path) -> None:
    file = backed_up(shop, tmp_path, missed)
    ruin(shop.storage)
    done = restore(file, shop, RESTORED)
    assert done.kept is not None
    assert (done.carried, done.kept.read_bytes()[:6]) == (False, b"ruined")
    assert not shop.storage.with_name("textbackd.db-wal").exists()
    with closing(open_database(shop.storage)) as db:
        assert state_of(db) == "cancelled"


# ---- a disk that is full

MANY = 20_000


def many_opted_out(db: sqlite_utils.Database) -> None:
    """Let so many write STOP that taking them over needs a megabyte."""
    with writing(db):
        rows = [[f"+1303{number:07}"] for number in range(MANY)]
        db.conn.executemany("INSERT INTO optouts VALUES (?, '2026-03-02T12:03:00Z', 'text', '')", rows)


def test_without_space_for_the_opt_outs_nothing_is_restored(shop: Settings, tmp_path: Path) -> None:
    file = backed_up(shop, tmp_path, missed)
    change(shop, many_opted_out)
    with files_end_at(file.stat().st_size + 300_000), pytest.raises(StorageError, match=r"Nothing was changed\."):
        restore(file, shop, RESTORED)
    with closing(open_database(shop.storage)) as db:
        assert db.execute("SELECT count(*) FROM optouts").fetchone()[0] == MANY
        assert restored.moment(db) is None


@pytest.mark.parametrize("room", [8192, 200_000], ids=["for nothing", "for half of it"])
def test_a_full_disk_is_no_fault_of_the_backup(shop: Settings, tmp_path: Path, room: int) -> None:
    file = backed_up(shop, tmp_path, missed)
    with files_end_at(room), pytest.raises(StorageError) as refused:
        restore(file, shop, RESTORED)
    assert ("cannot be read" in str(refused.value), "Nothing was changed." in str(refused.value)) == (False, True)
    assert [path.name for path in tmp_path.iterdir() if "restoring" in path.name] == []


def test_a_full_disk_is_not_taken_for_a_database_that_cannot_be_read(shop: Settings, tmp_path: Path) -> None:
    file = backed_up(shop, tmp_path, missed)
    change(shop, many_opted_out)
    with closing(open_database(file)) as db:
        db.execute(f"PRAGMA max_page_count={file.stat().st_size // 4096 + 10}")  # SQLITE_FULL, as from a disk
        with pytest.raises(sqlite3.OperationalError, match="full"):
            restoring.carry_over(db, shop.storage, RESTORED)


def test_an_older_backup_is_brought_up_to_date(shop: Settings, tmp_path: Path) -> None:
    file = backed_up(shop, tmp_path, missed)
    with closing(sqlite_utils.Database(file)) as db:
        db.execute("DROP INDEX calls_counted")
        db.execute("CREATE INDEX calls_by_end ON calls (ended_at)")
        for name in ("cases_by_opening", "inbox_by_time", "acts_by_kind"):
            db.execute(f"DROP INDEX {name}")
        db.execute("ALTER TABLE attempts DROP COLUMN account")
        db.execute("ALTER TABLE outbox DROP COLUMN only_account")
        db.execute("DELETE FROM _sqlite_migrations WHERE name IN ('m015_reports', 'm016_accounts_of_gateways')")
        db.conn.commit()
    assert restore(file, shop, RESTORED).content.schema == "m012_leads_bookings"
    with closing(open_database(shop.storage)) as db:
        assert db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'calls_counted'").fetchone()


def _newer(file: Path) -> None:
    with closing(sqlite_utils.Database(file)) as db:
        added = (
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('textbackd', 'm999_later', '')"
        )
        db.execute(added)
        db.conn.commit()


def _damaged(file: Path) -> None:
    content = bytearray(file.read_bytes())
    for page in range(8, len(content) // 4096, 2):
        content[page * 4096 : page * 4096 + 64] = b"\xee" * 64
    file.write_bytes(bytes(content))


def _foreign(file: Path) -> None:
    file.unlink()
    with closing(sqlite_utils.Database(file)) as db:
        db.execute("CREATE TABLE songs (title TEXT)")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        pytest.param(_newer, "newer textbackd (m999_later)", id="of a newer version"),
        pytest.param(_damaged, "malformed", id="damaged"),
        pytest.param(_foreign, "no database of textbackd", id="of another program"),
        pytest.param(lambda file: file.write_text("Dear diary"), "backup", id="no database"),
        pytest.param(lambda file: file.write_bytes(b""), "no database of textbackd", id="empty"),
        pytest.param(lambda file: file.unlink(), "no such file", id="not there"),
    ],
)
def test_what_is_no_good_backup_changes_nothing(
    shop: Settings, tmp_path: Path, spoil: Callable[[Path], object], said: str
) -> None:
    file = backed_up(shop, tmp_path, missed)
    spoil(file)
    before = shop.storage.read_bytes()
    with pytest.raises(StorageError) as refused:
        restore(file, shop, RESTORED)
    assert said in str(refused.value)
    assert shop.storage.read_bytes() == before
    assert not [path for path in tmp_path.iterdir() if "before" in path.name or "restoring" in path.name]


def test_while_the_daemon_runs_it_is_refused(shop: Settings, tmp_path: Path) -> None:
    file = backed_up(shop, tmp_path, missed)
    lock = only_one(shop.storage)
    with pytest.raises(StorageError, match=r"textbackd is running with it\. Stop it first: systemctl stop textbackd"):
        restore(file, shop, RESTORED)
    assert lock > 0


# ---- the daemon afterwards


@pytest.mark.slow
async def test_the_daemon_texts_nobody_for_the_time_before_the_restore(tmp_path: Path) -> None:
    """One call was texted after the backup, one came while nobody watched, and one comes after the restore."""
    await watched_until(tmp_path, timedelta(hours=3))
    now = datetime.now(UTC)
    settings = configured(storage=str(tmp_path / "textbackd.db"), pbx="{office: {secret: demo}}")
    backup.take(settings.storage, tmp_path / "backup", now)
    shutil.rmtree(tmp_path / "gateways", ignore_errors=True)
    write(tmp_path, OLD, timedelta(minutes=2))
    restore(tmp_path / "backup", settings, now - timedelta(minutes=1))
    write(tmp_path, FRESH, timedelta(seconds=5))
    async with HttpSink() as sink:
        web = f'web: {{type: http, url: "{sink.url}", timeout: 2s, rate: 600/min}}'
        async with running(tmp_path, web, cdr=tmp_path / "Master.csv") as office:
            await until(lambda: [text["state"] for text in office.texts()] == ["accepted"])
            await until(lambda: len(office.calls(OLD)) == 1)
            assert [json.loads(request.body)["to"] for request in sink.requests] == [FRESH]
        assert [(call["decision"], call["decision_reason"]) for call in office.calls(OLD)] == [("skip", "restored")]
