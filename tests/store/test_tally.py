"""How full the caps are, and what the brake sees."""

from datetime import timedelta
from decimal import Decimal

import pytest
import sqlite_utils

from tests.store.rows import CALLER, DID, NOON, a_text, after, judged
from textbackd.core.brake import Fates
from textbackd.core.caps import Caps, Full, Scope
from textbackd.core.limits import Limit, SpendLimit
from textbackd.core.phone import E164
from textbackd.store import halts, journal, optouts, outbox, tally
from textbackd.store.halts import HaltKind
from textbackd.store.optouts import UNREACHABLE_FOR, OptedOutBy
from textbackd.store.tally import Wanted

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
NEIGHBOUR, ELSEWHERE = E164("+13035550199"), E164("+12125550142")


def put(db: sqlite_utils.Database, recipient: E164 = CALLER, seconds: float = 0, **changes: object) -> str:
    text = a_text(at=after(seconds=seconds), recipient=recipient, **{"did": DID, **changes})
    return outbox.add(db, text, case_id=None, call_id=None, now=NOON)


def full(
    db: sqlite_utils.Database, caps: Caps, cost: int = 0, seconds: float = 0, *, observing: bool = False
) -> list[Full]:
    wanted = Wanted(recipient=CALLER, did=DID, cost=cost)
    return tally.full_caps(db, caps, wanted, after(seconds=seconds), observing=observing)


@pytest.mark.parametrize(
    ("caps", "recipients", "is_full"),
    [
        pytest.param(Caps(number=[Limit(1, HOUR)]), [CALLER], True, id="the number had its text"),
        pytest.param(Caps(number=[Limit(1, HOUR)]), [NEIGHBOUR], False, id="another number had one"),
        pytest.param(Caps(prefix=[Limit(2, HOUR)]), [CALLER, NEIGHBOUR], True, id="two of the prefix"),
        pytest.param(Caps(prefix=[Limit(2, HOUR)]), [CALLER, ELSEWHERE], False, id="one of another prefix"),
        pytest.param(Caps(did=[Limit(2, HOUR)]), [NEIGHBOUR, ELSEWHERE], True, id="two for the same number of ours"),
        pytest.param(Caps(all=[Limit(3, HOUR)]), [NEIGHBOUR, ELSEWHERE], False, id="two of three"),
        pytest.param(Caps(all=[Limit(2, HOUR)]), [NEIGHBOUR, ELSEWHERE], True, id="two of two"),
        pytest.param(Caps(), [CALLER] * 9, False, id="no caps"),
        pytest.param(Caps(all=[Limit(0, HOUR)]), [], True, id="a cap of nothing"),
    ],
)
def test_each_cap_counts_what_belongs_together(
    db: sqlite_utils.Database, caps: Caps, recipients: list[E164], is_full: bool
) -> None:
    for recipient in recipients:
        put(db, recipient)
    assert bool(full(db, caps)) is is_full


def test_a_full_cap_tells_when_the_oldest_of_its_texts_leaves_the_window(db: sqlite_utils.Database) -> None:
    for seconds in (0, 10, 20):
        put(db, ELSEWHERE, seconds)
    caps = Caps(all=[Limit(2, MINUTE)])
    assert full(db, caps, seconds=30) == [Full(Scope.ALL, "2/1m", after(seconds=70))]
    assert full(db, caps, seconds=70) == []


def test_texts_that_wait_for_room_count_from_the_moment_that_they_wait_for(db: sqlite_utils.Database) -> None:
    put(db, ELSEWHERE)
    put(db, ELSEWHERE, due_at=after(seconds=60))
    assert full(db, Caps(all=[Limit(1, MINUTE)])) == [Full(Scope.ALL, "1/1m", after(seconds=120))]


@pytest.mark.parametrize(
    ("state", "observing", "counts"),
    [
        ("queued", False, True),
        ("unknown", False, True),
        ("undelivered", False, True),
        ("expired", False, False),
        ("cancelled", False, False),
        ("suppressed", False, False),
        ("suppressed", True, True),
    ],
)
def test_what_never_went_out_takes_no_room(
    db: sqlite_utils.Database, state: str, observing: bool, counts: bool
) -> None:
    put(db)
    db.execute("UPDATE outbox SET state = ?", [state])
    assert bool(full(db, Caps(all=[Limit(1, HOUR)]), observing=observing)) is counts


def test_what_people_write_takes_no_room(db: sqlite_utils.Database) -> None:
    put(db)
    db.execute("UPDATE outbox SET kind = 'manual'")
    assert full(db, Caps(all=[Limit(1, HOUR)])) == []


@pytest.mark.parametrize(
    ("spent", "cost", "is_full"),
    [
        pytest.param([2_000_000, 2_000_000], 1_000_000, False, id="to the last cent"),
        pytest.param([2_000_000, 2_000_000], 1_000_001, True, id="more than is left"),
        pytest.param([9_000_000], 0, False, id="a text that costs nothing"),
    ],
)
def test_money_is_counted_with_the_text_that_asks(
    db: sqlite_utils.Database, spent: list[int], cost: int, is_full: bool
) -> None:
    for one in spent:
        put(db, cost=one)
    assert bool(full(db, Caps(spend=[SpendLimit(Decimal(5), 24 * HOUR)]), cost=cost)) is is_full


# ---- what the brake sees


def test_callers_nearby_are_those_that_were_missed_lately(db: sqlite_utils.Database) -> None:
    near, far, long_ago = E164("+13035550143"), E164("+13035550152"), E164("+13035550141")
    for linkedid, caller, minutes in (("1.1", near, 0), ("1.2", far, 0), ("1.3", long_ago, -11)):
        call = judged(linkedid, caller=caller, ended_at=after(minutes=minutes))
        journal.record(db, call, None, same_case_within=HOUR, now=NOON)
    limit = Limit(3, timedelta(minutes=10))
    assert tally.callers_in_reach(db, CALLER, limit, NOON, None) == [near]
    assert tally.callers_in_reach(db, CALLER, limit, NOON, NOON) == [], "what was before the release says nothing"


def test_only_texts_whose_end_is_known_count_for_the_brake(db: sqlite_utils.Database) -> None:
    for state in ("delivered", "undelivered", "failed", "accepted", "queued", "expired"):
        text = put(db)
        db.execute("UPDATE outbox SET state = ?, submitted_at = created_at WHERE id = ?", [state, text])
    assert tally.fates(db, 50, None) == Fates(delivered=1, known=3)
    assert tally.fates(db, 50, after(days=1)) == Fates(delivered=0, known=0)


# ---- halts


def test_a_pause_holds_for_its_line_and_its_time(db: sqlite_utils.Database) -> None:
    assert halts.halt(db, HaltKind.PAUSE, line="main", until=after(hours=2), why="lunch", now=NOON)
    (pause,) = halts.active(db, after(hours=1))
    assert (pause.line, pause.why) == ("main", "lunch")
    assert halts.active(db, after(hours=2)) == []


@pytest.mark.parametrize(
    ("first", "second", "left"),
    [
        pytest.param(2, 1, (2, "first"), id="a shorter one changes nothing"),
        pytest.param(None, 1, (None, "first"), id="open-ended is the longest"),
        pytest.param(1, 2, (2, "second"), id="a longer one takes the place"),
        pytest.param(1, None, (None, "second"), id="an open-ended one takes the place"),
        pytest.param(None, None, (None, "first"), id="of two alike the first stays"),
    ],
)
def test_of_two_pauses_of_a_line_the_one_that_ends_later_holds(
    db: sqlite_utils.Database, first: int | None, second: int | None, left: tuple[int | None, str]
) -> None:
    for hours, why in ((first, "first"), (second, "second")):
        until = None if hours is None else after(hours=hours)
        halts.halt(db, HaltKind.PAUSE, line="main", until=until, why=why, now=NOON)
    (pause,) = halts.active(db, NOON)
    assert (pause.until, pause.why) == (None if left[0] is None else after(hours=left[0]), left[1])


def test_the_brake_is_pulled_once_and_released_by_a_person(db: sqlite_utils.Database) -> None:
    assert halts.halt(db, HaltKind.BRAKE, line=None, until=None, why="first", now=NOON)
    assert not halts.halt(db, HaltKind.BRAKE, line=None, until=None, why="second", now=NOON)
    assert [halt.why for halt in halts.active(db, NOON)] == ["first"]
    assert halts.resume(db, line=None, now=after(hours=1)) == 1
    assert halts.active(db, after(hours=1)) == []
    assert halts.last_brake_ended(db) == after(hours=1)


def test_resuming_a_line_leaves_the_others_paused(db: sqlite_utils.Database) -> None:
    for line in ("main", "night", None):
        halts.halt(db, HaltKind.PAUSE, line=line, until=None, why="", now=NOON)
    assert halts.resume(db, line="main", now=NOON) == 1
    assert [halt.line for halt in halts.active(db, NOON)] == ["night", None]
    assert halts.resume(db, line=None, now=NOON) == 2


def test_while_the_brake_is_on_only_what_people_write_goes_out(db: sqlite_utils.Database) -> None:
    put(db)
    manual = outbox.add_manual(db, a_text(), now=NOON)
    db.execute("UPDATE outbox SET kind = 'manual' WHERE id = ?", [manual])
    halts.halt(db, HaltKind.BRAKE, line=None, until=None, why="", now=NOON)
    first, second = outbox.claim(db, "stick", NOON), outbox.claim(db, "stick", NOON)
    assert first is not None
    assert (first.id, second) == (manual, None)
    halts.resume(db, line=None, now=NOON)
    assert outbox.claim(db, "stick", NOON) is not None


# ---- who gets none


def test_an_opt_out_cancels_what_waits_and_what_is_queued_later_is_never_claimed(db: sqlite_utils.Database) -> None:
    before = put(db)
    assert optouts.add(db, CALLER, OptedOutBy.PERSON, "asked on the phone", NOON)
    assert not optouts.add(db, CALLER, OptedOutBy.GATEWAY, "web", after(days=1)), "known already"
    put(db)
    put(db, NEIGHBOUR, seconds=1)
    row = outbox.find(db, before)
    assert row is not None
    assert row["state"] == "cancelled"
    taken = outbox.claim(db, "stick", after(seconds=5))
    assert taken is not None
    assert (taken.recipient, outbox.claim(db, "stick", after(seconds=5))) == (NEIGHBOUR, None)
    assert journal.history(db, CALLER, now=NOON, observing=False).opted_out_at == NOON
    assert optouts.remove(db, CALLER)
    assert outbox.claim(db, "stick", after(seconds=5)) is not None


def test_a_number_that_no_text_reaches_is_remembered_for_half_a_year(db: sqlite_utils.Database) -> None:
    optouts.note_unreachable(db, CALLER, "a landline", NOON)
    assert journal.history(db, CALLER, now=after(days=1), observing=False).unreachable == "a landline"
    assert optouts.why_unreachable(db, CALLER, NOON + UNREACHABLE_FOR) == ""


def test_a_pause_cancels_what_waits_for_its_line(db: sqlite_utils.Database) -> None:
    for linkedid, line, caller in (("1.1", "main", CALLER), ("1.2", "night", NEIGHBOUR)):
        call = judged(linkedid, line=line, caller=caller)
        journal.record(db, call, a_text(recipient=caller), same_case_within=HOUR, now=NOON)
    assert outbox.cancel_waiting_within(db, "main", "paused") == 1
    assert [(text["to"], text["state"]) for text in outbox.listing(db)] == [
        (CALLER, "cancelled"),
        (NEIGHBOUR, "queued"),
    ]
