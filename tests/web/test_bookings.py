"""Calendars that tell of appointments, over a real socket: whose matter ends, and what comes twice, in disorder, or from strangers."""

import gzip
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.store.rows import CALLER
from tests.web.doors import CAL, CALENDAR, SECRET, Doors, open_doors
from textbackd.core.conversation import Turn

START = datetime(2026, 3, 5, 9, 30, tzinfo=UTC)
START_AT, STORED_START = "2026-03-05T09:30:00Z", "2026-03-05T09:30:00.000000Z"


def cal(what: str = "BOOKING_CREATED", uid: str = "uid-1", at: str = "2026-03-02T12:00:00.538Z", **payload: Any) -> Any:
    """Return a message in the shape that Cal.com documents."""
    usual: dict[str, Any] = {
        "type": "60min",
        "title": "60min between Anderson Roofing and Jane Doe",
        "startTime": START_AT,
        "endTime": "2026-03-05T10:30:00Z",
        "organizer": {"id": 5, "name": "Anderson Roofing", "email": "pro@example.com", "timeZone": "America/Denver"},
        "responses": {
            "name": {"label": "your_name", "value": "Jane Doe"},
            "email": {"label": "email_address", "value": "jane@example.com"},
            "attendeePhoneNumber": {"label": "phone_number", "value": "+1 303-555-0142"},
            "location": {"label": "location", "value": {"optionValue": "", "value": "inPerson"}},
        },
        "attendees": [{"name": "Jane Doe", "email": "jane@example.com", "timeZone": "America/Denver"}],
        "uid": uid,
        "bookingId": 91,
        "status": "ACCEPTED",
    }
    return {"triggerEvent": what, "createdAt": at, "payload": {**usual, **payload}}


async def told(doors: Doors, *messages: Any) -> None:
    for message in messages:
        assert (await doors.signed(message)).status == 200


async def test_an_appointment_ends_the_callers_matter(tmp_path: Path) -> None:
    async with open_doors(tmp_path) as doors:
        await doors.missed()
        await told(doors, cal())
        found = await doors.conversation()
        assert found is not None
        assert (found.turn, found.booked_at) == (Turn.DONE, START)
        assert await doors.acts() == [("booked", STORED_START)]
        assert [case["resolution"] for case in await doors.rows("cases")] == ["booked"]
        assert doors.rung == [CALLER]


async def test_an_appointment_of_somebody_unknown_is_written_down_and_nothing_else(tmp_path: Path) -> None:
    async with open_doors(tmp_path) as doors:
        await told(doors, cal())
        assert [row["number"] for row in await doors.rows("bookings")] == [CALLER]
        assert await doors.rows("conversations") == []
        assert await doors.rows("acts") == []


async def test_the_same_message_twice_is_one(tmp_path: Path) -> None:
    async with open_doors(tmp_path) as doors:
        await doors.missed()
        await told(doors, cal(), cal(), cal("BOOKING_CANCELLED"), cal(), cal("BOOKING_CANCELLED"))
        assert [kind for kind, _ in await doors.acts()] == ["booked", "booking_cancelled"]
        (row,) = await doors.rows("bookings")
        assert row["cancelled"] == 1


async def test_an_appointment_called_off_while_it_lay_ahead_brings_the_matter_back(tmp_path: Path) -> None:
    async with open_doors(tmp_path) as doors:
        await doors.missed()
        await told(doors, cal(), cal("BOOKING_CANCELLED"))
        found = await doors.conversation()
    assert found is not None
    assert (found.turn, found.booked_at, found.waiting_since) == (Turn.OURS, None, doors.now)


async def test_an_appointment_called_off_after_it_was_over_brings_nothing_back(tmp_path: Path) -> None:
    async with open_doors(tmp_path) as doors:
        await doors.missed()
        await told(doors, cal())
        doors.pass_by(days=7)
        await told(doors, cal("BOOKING_CANCELLED"))
        found = await doors.conversation()
    assert found is not None
    assert found.turn is Turn.DONE


async def test_an_appointment_that_is_moved_has_its_new_time(tmp_path: Path) -> None:
    later = START + timedelta(days=1)
    async with open_doors(tmp_path) as doors:
        await doors.missed()
        moved = cal("BOOKING_RESCHEDULED", "uid-2", startTime=later.isoformat(), rescheduleUid="uid-1", responses={})
        await told(doors, cal(), moved)
        found = await doors.conversation()
        rows = {row["booking"]: row["cancelled"] for row in await doors.rows("bookings")}
    assert found is not None
    assert (found.booked_at, rows) == (later, {"uid-1": 1, "uid-2": 0})


async def test_of_two_appointments_the_next_one_is_shown(tmp_path: Path) -> None:
    sooner = START - timedelta(days=1)
    async with open_doors(tmp_path) as doors:
        await doors.missed()
        await told(
            doors, cal(), cal(uid="uid-2", startTime=sooner.isoformat()), cal("BOOKING_CANCELLED", "uid-2", at="x")
        )
        found = await doors.conversation()
    assert found is not None
    assert found.booked_at == START


@pytest.mark.parametrize(
    ("payload", "number"),
    [
        pytest.param({"responses": {"phone": {"value": "303 555 0142"}}}, CALLER, id="a field of the shop's own"),
        pytest.param({"responses": {}, "attendees": [{"phoneNumber": "+13035550142"}]}, CALLER, id="the attendee's"),
        pytest.param({"responses": {}, "smsReminderNumber": "+13035550142"}, CALLER, id="for reminders"),
        pytest.param(
            {"responses": {"location": {"value": {"optionValue": "+13035550142", "value": "phone"}}}},
            CALLER,
            id="call me at",
        ),
        pytest.param(
            {"responses": {"location": {"value": {"optionValue": "12 Main Street 80202", "value": "home"}}}},
            None,
            id="a place",
        ),
        pytest.param({"responses": {"phone": "x"}, "attendees": 7}, None, id="another shape"),
    ],
)
async def test_the_number_stands_where_the_event_type_asks_for_it(
    tmp_path: Path, payload: dict[str, Any], number: str | None
) -> None:
    async with open_doors(tmp_path) as doors:
        await told(doors, cal(**payload))
        assert [row["number"] for row in await doors.rows("bookings")] == [number]


@pytest.mark.parametrize("what", ["PING", "BOOKING_REQUESTED", "MEETING_ENDED", "BOOKING_PAID", "", "booking_created"])
async def test_other_messages_are_answered_well_and_change_nothing(tmp_path: Path, what: str) -> None:
    async with open_doors(tmp_path) as doors:
        await told(doors, cal(what))
        assert await doors.rows("bookings") == []


async def test_any_other_calendar_is_read_by_the_names_that_it_has(tmp_path: Path) -> None:
    async with open_doors(tmp_path) as doors:
        await doors.missed()
        message = {"event": "e1", "id": 7, "phone": "303 555 0142", "name": "Jane", "start": START.timestamp()}
        assert (await doors.post_json(CALENDAR, message)).status == 200
        found = await doors.conversation()
        assert found is not None
        assert (found.turn, found.booked_at) == (Turn.DONE, START)
        await doors.post_json(CALENDAR, {"event": "e2", "id": 7, "status": "Canceled"})
        found = await doors.conversation()
        assert found is not None
        assert (found.turn, found.booked_at) == (Turn.OURS, None)


# ---- strangers


async def test_a_message_without_the_right_signature_is_refused(tmp_path: Path) -> None:
    async with open_doors(tmp_path) as doors:
        assert (await doors.signed(cal(), secret="another secret")).status == 403
        for signature in ("", "no-secret-provided", "\u00e9".encode().decode("latin-1"), "0" * 64):
            heard = await doors.ask(CAL, data=b"{}", X_Cal_Signature_256=signature)
            assert heard.status == 403
        assert await doors.rows("booking_events") == []


async def test_a_signature_holds_for_its_own_body_only(tmp_path: Path) -> None:
    async with open_doors(tmp_path) as doors:
        signature = hmac.new(SECRET.encode(), b"{}", hashlib.sha256).hexdigest()
        assert (await doors.ask(CAL, data=b"{} ", X_Cal_Signature_256=signature)).status == 403


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(f"/booking/cal/{SECRET}", id="a signing calendar has no secret address"),
        pytest.param("/booking/calendar", id="a calendar that does not sign has one"),
        pytest.param("/booking/nobody", id="no such calendar"),
        pytest.param(f"/booking/nobody/{SECRET}", id="nor with a secret"),
        pytest.param("/booking/calendar/%FF%00", id="no letters"),
        pytest.param(f"/booking/calendar%2F..%2Fcalendar/{SECRET}", id="a path as name"),
    ],
)
async def test_a_wrong_address_is_one_that_does_not_exist(tmp_path: Path, path: str) -> None:
    async with open_doors(tmp_path) as doors:
        assert (await doors.post_json(path, cal())).status == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(b"{" * 60_000, 400, id="deep JSON"),
        pytest.param(b"\xff{}", 400, id="not UTF-8"),
        pytest.param(b"[]", 400, id="no object"),
        pytest.param(b" " * 70_000, 413, id="huge"),
        pytest.param(b'{"id": "\\ud83d"}', 200, id="half a character"),
        pytest.param(b'{"id": 1, "phone": [], "start": 1e300, "name": {"a": 1}, "status": 5}', 200, id="other shapes"),
        pytest.param(b'{"id": 1, "start": "99999-01-01", "phone": "+13035550142"}', 200, id="no time"),
        pytest.param(b'{"id": 1, "start": "0001-01-01T00:00:00+14:00"}', 200, id="before all times"),
        pytest.param(b'{"id": {"x": 1}}', 200, id="no id"),
    ],
)
async def test_whatever_comes_is_answered(tmp_path: Path, body: bytes, status: int) -> None:
    async with open_doors(tmp_path) as doors:
        assert (await doors.ask(CALENDAR, data=body, Content_Type="application/json")).status == status


async def test_what_cannot_be_stored_is_to_come_again(tmp_path: Path) -> None:
    async with open_doors(tmp_path) as doors:
        await doors.missed()
        doors.store.fails = True
        assert (await doors.signed(cal())).status == 503
        doors.store.fails = False
        await told(doors, cal())
        assert [kind for kind, _ in await doors.acts()] == ["booked"]


@pytest.mark.parametrize("path", [CAL, CALENDAR])
async def test_a_compressed_message_is_refused(tmp_path: Path, path: str) -> None:
    async with open_doors(tmp_path) as doors:
        bomb = gzip.compress(b" " * 10_000_000 + b"{}")
        assert (await doors.ask(path, data=bomb, Content_Encoding="gzip")).status == 415
