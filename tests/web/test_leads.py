"""Forms on the shop's pages, over a real socket: what is kept, who is texted, and what a stranger can do."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from tests.flow.noting import said
from tests.store.rows import CALLER
from tests.web.doors import FORM, SECRET, TEXT, open_doors
from textbackd.core.conversation import Turn
from textbackd.store import leads, never, optouts
from textbackd.store.database import open_database
from textbackd.store.optouts import OptedOutBy
from textbackd.web.leads import PER_VISITOR

URLENCODED = "application/x-www-form-urlencoded"
FILLED_IN = {
    "phone": "(303) 555-0142",
    "name": "Jane",
    "message": "My roof leaks",
    "email": "j@example.com",
    "Roof": "flat",
}
WORDS = "My roof leaks\nemail: j@example.com\nRoof: flat"
NO_NUMBER = {"phone": "call me", "message": "My roof leaks"}


async def test_a_form_lets_its_caller_wait_for_a_person(tmp_path: Path) -> None:
    async with open_doors(tmp_path) as doors:
        heard = await doors.post_json(FORM, FILLED_IN)
        found = await doors.conversation()
        assert (heard.status, heard.text) == (200, '{"status": "taken"}')
        assert found is not None
        assert (found.turn, found.name, found.line, found.waiting_since) == (Turn.OURS, "Jane", "main", doors.now)
        assert (found.last_words, found.unread) == (WORDS, 1)
        assert await doors.acts() == [("lead", f"{WORDS}\nform: website")]
        assert doors.rung == [CALLER]
        assert await doors.texts() == []


async def test_a_form_may_be_sent_as_a_form(tmp_path: Path) -> None:
    async with open_doors(tmp_path) as doors:
        body = b"phone=%2B13035550142&name=Jane+D%C3%B6e&message=%E9t%E9"
        heard = await doors.ask(FORM, data=body, Content_Type=URLENCODED)
        found = await doors.conversation()
    assert heard.status == 200
    assert found is not None
    assert (found.name, found.last_words) == ("Jane Döe", "\ufffdt\ufffd")


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        pytest.param("call me", None, id="words"),
        pytest.param("", None, id="nothing"),
        pytest.param("555", None, id="too short"),
        pytest.param("+13035550112", None, id="a number of ours"),
    ],
)
async def test_a_form_without_a_usable_number_is_kept_to_be_read(
    tmp_path: Path, typed: str, number: str | None
) -> None:
    async with open_doors(tmp_path) as doors:
        await doors.post_json(FORM, {**NO_NUMBER, "phone": typed})
        (kept,) = await doors.read(leads.to_read)
        assert (kept.number, kept.phone, kept.words) == (number, typed, "My roof leaks")
        assert await doors.rows("conversations") == []
        ((whom, about, said_of_it),) = await doors.read(said)
        assert (whom, about) == ("anna", "")
        assert "My roof leaks" in said_of_it
        assert await doors.read(lambda db: leads.read(db, kept.id, "anna", doors.now))
        assert await doors.read(leads.to_read) == []


async def test_a_button_pressed_twice_is_one_form_and_the_same_question_tomorrow_is_another(tmp_path: Path) -> None:
    async with open_doors(tmp_path) as doors:
        for _ in range(2):
            assert (await doors.post_json(FORM, FILLED_IN)).status == 200
        assert len(await doors.rows("leads")) == 1
        doors.pass_by(hours=24)
        await doors.post_json(FORM, FILLED_IN)
        assert len(await doors.rows("leads")) == 2


async def test_what_only_machines_fill_in_is_not_kept_and_they_do_not_learn_it(tmp_path: Path) -> None:
    async with open_doors(tmp_path) as doors:
        heard = await doors.post_json(FORM, {**FILLED_IN, "leave_empty": "http://spam.example"})
        assert (heard.status, heard.text) == (200, '{"status": "taken"}')
        assert await doors.rows("leads") == []


async def test_a_landline_is_to_be_called(tmp_path: Path) -> None:
    async with open_doors(tmp_path, business="{name: A, country: GB}", form=f", text: {TEXT}") as doors:
        await doors.post_json(FORM, {"phone": "020 7946 0958", "name": "Jane"})
        (row,) = await doors.rows("conversations")
        assert (row["no_text"], row["turn"]) == ("landline", "waiting_for_us")
        assert [lead["decision_reason"] for lead in await doors.rows("leads")] == ["not_textable"]


# ---- the text that answers it


async def test_a_form_that_has_a_text_answers_with_it_at_once(tmp_path: Path) -> None:
    async with open_doors(tmp_path, form=f", text: {TEXT}") as doors:
        doors.pass_by(hours=6)  # noon in Denver
        await doors.post_json(FORM, FILLED_IN)
        (text,) = await doors.texts()
        assert (text["to"], text["text"], text["state"]) == (CALLER, "Hi Jane, this is Anderson Roofing.", "queued")
        assert doors.woken == 1
        assert [lead["decision_reason"] for lead in await doors.rows("leads")] == ["missed"]


async def test_at_night_the_answer_waits_for_the_morning(tmp_path: Path) -> None:
    async with open_doors(tmp_path, form=f", text: {TEXT}") as doors:
        doors.pass_by(hours=-4)  # one in the morning in Denver
        await doors.post_json(FORM, FILLED_IN)
        (row,) = await doors.rows("outbox")
        assert (row["held"], row["due_at"]) == (1, "2026-03-02T15:00:00.000000Z")


async def test_who_wants_no_texts_gets_none_and_can_be_called(tmp_path: Path) -> None:
    async with open_doors(tmp_path, form=f", text: {TEXT}") as doors:
        await doors.read(lambda db: optouts.add(db, CALLER, OptedOutBy.TEXT, "", doors.now))
        await doors.post_json(FORM, FILLED_IN)
        found = await doors.conversation()
        assert found is not None
        assert found.no_text == "opted_out"
        assert await doors.texts() == []
        assert [lead["decision_reason"] for lead in await doors.rows("leads")] == ["opted_out"]


async def test_who_is_on_the_never_list_waits_for_a_person_and_gets_no_text(tmp_path: Path) -> None:
    async with open_doors(tmp_path, form=f", text: {TEXT}") as doors:
        doors.pass_by(hours=6)
        await doors.read(lambda db: never.add(db, CALLER, "anna", "", doors.now))
        await doors.post_json(FORM, FILLED_IN)
        assert await doors.texts() == []
        assert [lead["decision_reason"] for lead in await doors.rows("leads")] == ["group"]
        assert await doors.conversation() is not None


@pytest.mark.parametrize(("message", "is_urgent"), [("We smell gas!", True), ("A quote, not urgent", False)])
async def test_words_that_cannot_wait_are_urgent_in_a_form_too(tmp_path: Path, message: str, is_urgent: bool) -> None:
    async with open_doors(tmp_path) as doors:
        await doors.post_json(FORM, {**FILLED_IN, "message": message})
        found = await doors.conversation()
    assert found is not None
    assert found.urgent is is_urgent


async def test_two_different_forms_of_one_caller_get_one_text(tmp_path: Path) -> None:
    async with open_doors(tmp_path, form=f", text: {TEXT}") as doors:
        doors.pass_by(hours=6)
        for message in ("one", "two"):
            await doors.post_json(FORM, {**FILLED_IN, "message": message})
        assert len(await doors.texts()) == 1
        assert [lead["decision_reason"] for lead in await doors.rows("leads")] == ["missed", "cooldown"]


async def test_observing_sends_nothing(tmp_path: Path) -> None:
    async with open_doors(tmp_path, form=f", text: {TEXT}", mode="observe") as doors:
        doors.pass_by(hours=6)
        await doors.post_json(FORM, FILLED_IN)
        assert [text["state"] for text in await doors.texts()] == ["suppressed"]


async def test_a_name_is_words_and_not_a_template(tmp_path: Path) -> None:
    async with open_doors(tmp_path, form=f", text: {TEXT}") as doors:
        doors.pass_by(hours=6)
        await doors.post_json(FORM, {**FILLED_IN, "name": "{business} \u202e{on_call}\x00"})
        (text,) = await doors.texts()
    assert text["text"] == "Hi {business} {on_call}, this is Anderson Roofing."


# ---- browsers


async def test_a_browser_that_sent_the_form_itself_goes_on_to_the_page_of_thanks(tmp_path: Path) -> None:
    async with open_doors(tmp_path, form=', thanks: "https://example.com/thanks"') as doors:
        heard = await doors.ask(FORM, data=b"phone=3035550142", Content_Type=URLENCODED, Accept="text/html,*/*")
    assert (heard.status, heard.headers["Location"]) == (303, "https://example.com/thanks")


async def test_the_shops_own_site_may_send_by_script_and_no_other(tmp_path: Path) -> None:
    async with open_doors(tmp_path, form=', cors_origin: "https://WWW.example.com:443/"') as doors:
        asked = await doors.ask(FORM, method="OPTIONS", Origin="https://evil.example")
        sent = await doors.post_json(FORM, FILLED_IN, Origin="https://evil.example")
    for heard in (asked, sent):
        assert heard.headers["Access-Control-Allow-Origin"] == "https://www.example.com"
    assert asked.status == 204


async def test_without_a_site_of_its_own_no_script_of_another_may_read_the_answer(tmp_path: Path) -> None:
    async with open_doors(tmp_path) as doors:
        assert (await doors.ask(FORM, method="OPTIONS", Origin="https://evil.example")).status == 405
        sent = await doors.post_json(FORM, FILLED_IN, Origin="https://evil.example")
    assert "Access-Control-Allow-Origin" not in sent.headers


# ---- strangers


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(f"/lead/website/{SECRET[:-1]}", id="a part of the secret"),
        pytest.param(f"/lead/nobody/{SECRET}", id="no such form"),
        pytest.param("/lead/website/", id="no secret"),
        pytest.param("/lead/website/%C3%A9%FF", id="letters that no secret has"),
        pytest.param(f"/lead/../lead/website/..%2F{SECRET}", id="a way around"),
        pytest.param(f"/lead/website%2F..%2Fwebsite/{SECRET}", id="a path as name"),
    ],
)
async def test_a_wrong_address_is_one_that_does_not_exist(tmp_path: Path, path: str) -> None:
    async with open_doors(tmp_path) as doors:
        assert (await doors.post_json(path, FILLED_IN)).status == 404
        assert await doors.rows("leads") == []


MANY = "&".join(f"f{number}=x" for number in range(5000)).encode()


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        pytest.param(b"x=" + b"y" * 70_000, URLENCODED, 413, id="huge"),
        pytest.param(MANY, URLENCODED, 400, id="thousands of fields"),
        pytest.param(b"[" * 60_000, "application/json", 400, id="deep JSON"),
        pytest.param(b'{"a":' * 9_000 + b"1" + b"}" * 9_000, "application/json", 400, id="deep JSON that is whole"),
        pytest.param(b'{"phone": "\xff"}', "application/json", 400, id="not UTF-8"),
        pytest.param('{"phone": "1"}'.encode("utf-16"), "application/json", 400, id="UTF-16"),
        pytest.param(b"[]", "application/json", 400, id="no object"),
        pytest.param(b"", "application/json", 400, id="nothing"),
        pytest.param(b"phone=1", "text/plain", 400, id="no form"),
        pytest.param(b"--x\r\n", "multipart/form-data; boundary=x", 400, id="files"),
    ],
)
async def test_what_is_no_form_is_refused(tmp_path: Path, body: bytes, kind: str, status: int) -> None:
    async with open_doors(tmp_path) as doors:
        assert (await doors.ask(FORM, data=body, Content_Type=kind)).status == status
        assert await doors.rows("leads") == []


HOSTILE: list[Any] = [
    {"phone": {"$gt": ""}, "message": ["a", {"b": 1}], "name": None, "x": True},
    {"phone": "+1303555\u202e0142", "name": "<script>alert(1)</script>", "message": "=cmd|' /C calc'!A0"},
    {"phone": "3035550142", "message": "\ud83d half", "": "no name", "x" * 5000: "y" * 5000},
    {"phone": "3" * 9000},
]


@pytest.mark.parametrize("content", HOSTILE)
async def test_whatever_stands_in_a_form_is_kept_as_words(tmp_path: Path, content: dict[str, Any]) -> None:
    async with open_doors(tmp_path, form=f", text: {TEXT}") as doors:
        assert (await doors.post_json(FORM, content)).status == 200
        (kept,) = await doors.rows("leads")
    assert len(kept["phone"]) <= 300
    assert len(kept["words"]) < 6000


async def test_who_sends_one_form_after_the_other_has_to_wait_and_others_have_not(tmp_path: Path) -> None:
    async with open_doors(tmp_path) as doors:
        sent = [
            await doors.post_json(FORM, {"phone": str(number)}, X_Forwarded_For="192.0.2.1") for number in range(12)
        ]
        other = await doors.post_json(FORM, {"phone": "x"}, X_Forwarded_For="192.0.2.2")
    assert [heard.status for heard in sent] == [200] * PER_VISITOR[0] + [429] * 2
    assert 0 < int(sent[-1].headers["Retry-After"]) <= 60
    assert other.status == 200


async def test_what_cannot_be_stored_is_to_be_sent_again(tmp_path: Path) -> None:
    async with open_doors(tmp_path) as doors:
        doors.store.fails = True
        assert (await doors.post_json(FORM, FILLED_IN)).status == 503
        doors.store.fails = False
        assert await doors.rows("leads") == []


async def test_a_database_of_an_earlier_version_learns_of_forms(tmp_path: Path) -> None:
    db = open_database(tmp_path / "textbackd.db")
    assert {"leads", "bookings", "booking_events"} <= set(db.table_names())
    db.close()


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        pytest.param(gzip.compress(b"phone=" + b"1" * 10_000_000), "gzip", id="a bomb"),
        pytest.param(b"no gzip", "gzip", id="not compressed"),
        pytest.param(gzip.compress(b"phone=3035550142")[:-12], "gzip", id="cut off"),
        pytest.param(b"phone=3035550142", "x-unknown", id="unknown"),
    ],
)
async def test_a_compressed_form_is_refused(tmp_path: Path, body: bytes, encoding: str) -> None:
    async with open_doors(tmp_path) as doors:
        heard = await doors.ask(FORM, data=body, Content_Type=URLENCODED, Content_Encoding=encoding)
        assert heard.status == 400
        assert await doors.rows("leads") == []
