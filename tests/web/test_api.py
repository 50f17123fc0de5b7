"""The JSON API over a real socket: what it tells and does, who may, and what it says of what is wrong."""

import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPMethod
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.store.rows import CALLER, DAY, NOON, a_text, after, judged
from tests.web.inbox import Inbox, open_inbox
from textbackd.core.conversation import Happening
from textbackd.core.phone import E164
from textbackd.store import accounts, asks, conversations, journal, leads, outbox, tokens
from textbackd.store import inbox as texts_in
from textbackd.store.conversations import News
from textbackd.store.database import writing
from textbackd.store.inbox import Came, Incoming
from textbackd.store.leads import NewLead
from textbackd.web.api.__main__ import DOCUMENT, written
from textbackd.web.api.routes import OPERATIONS
from textbackd.web.inbox.deeds import DEEDS
from textbackd.web.pace import Pace

pytestmark = pytest.mark.slow
SECRET = "the secret of a program"
OTHER = E164("+13035550177")
API = "/api/v1"


@dataclass
class Heard:
    """What came back."""

    status: int
    json: Any
    headers: Any


@dataclass
class Program:
    """A program with bob's token."""

    inbox: Inbox
    session: aiohttp.ClientSession

    async def ask(self, method: str, path: str, *, data: bytes | None = None, **headers: str) -> Heard:
        """Send a request as it stands; a header `Content_Type=` is Content-Type."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.request(method, API + path, data=data, headers=sent) as answer:
            text = await answer.text()
            return Heard(answer.status, json.loads(text) if text else None, answer.headers)

    async def get(self, path: str) -> Any:
        heard = await self.ask("GET", path)
        assert heard.status == 200, heard
        return heard.json

    async def post(self, path: str, body: object = None, **headers: str) -> Heard:
        data = json.dumps(body).encode() if body is not None else b""
        return await self.ask("POST", path, data=data, Content_Type="application/json", **headers)

    async def does(self, path: str, body: object = None, **headers: str) -> Any:
        heard = await self.post(path, body, **headers)
        assert heard.status == 200, heard
        return heard.json


@pytest.fixture
async def program(inbox: Inbox) -> AsyncIterator[Program]:
    """Return a program that acts as bob; one conversation is there, with a missed call."""
    await inbox.write(lambda db: tokens.add(db, "bob", "crm", SECRET, inbox.hands.now))
    await inbox.write(lambda db: journal.record(db, judged(), a_text(), same_case_within=DAY, now=NOON))
    async with aiohttp.ClientSession(inbox.url, headers={"Authorization": f"Bearer {SECRET}"}) as session:
        yield Program(inbox, session)


async def wrote(inbox: Inbox, number: E164 = CALLER, body: str = "Yes please", **later: float) -> None:
    """Let a caller write."""
    at = after(**later)
    came = Incoming(
        gateway="web", reference=f"{number}{at}", kind=Came.TEXT, sender=number, number=number, recipient=None, body=body,
        media=0, received_at=at,
    )  # fmt: skip
    await inbox.write(lambda db: texts_in.add(db, came, at))
    await happens(inbox, News(number=number, happening=Happening.WROTE, at=at, words=body, unread=True))


async def happens(inbox: Inbox, news: News) -> None:
    def work(db: Any) -> None:
        with writing(db):
            conversations.happen(db, news)

    await inbox.write(work)


# ---- what it tells


async def test_a_program_learns_who_it_is(program: Program) -> None:
    assert await program.get("/me") == {
        "staff": "bob",
        "name": "Bob",
        "role": "staff",
        "by": "token",
        "can_call_back": False,
        "csrf": "",
    }


async def test_the_list_has_every_conversation_with_how_it_stands(program: Program) -> None:
    (one,) = (await program.get("/conversations"))["conversations"]
    assert {key: one[key] for key in ("id", "number", "turn", "line", "assignee", "unread", "last_at")} == {
        "id": 1, "number": CALLER, "turn": "new", "line": "main", "assignee": None, "unread": 1,
        "last_at": "2026-03-02T12:00:00Z",
    }  # fmt: skip
    assert await program.get("/conversations/1") == one


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        pytest.param("", [OTHER, CALLER], id="all that is open, the newest word first"),
        pytest.param("?box=waiting_for_us", [OTHER], id="a part of the inbox"),
        pytest.param("?box=done", [], id="an empty part"),
        pytest.param("?q=Yes", [OTHER], id="what was said"),
        pytest.param("?q=0142", [CALLER], id="digits of a number"),
        pytest.param("?q=%25", [], id="a sign of the search is a word"),
        pytest.param("?line=main", [CALLER], id="a line"),
        pytest.param("?assignee=anna", [], id="whose it is"),
        pytest.param("?limit=1", [OTHER], id="as many as are wanted"),
    ],
)
async def test_the_list_can_be_narrowed(program: Program, query: str, numbers: list[str]) -> None:
    await wrote(program.inbox, OTHER, minutes=1)
    found = await program.get(f"/conversations{query}")
    assert [one["number"] for one in found["conversations"]] == numbers


async def test_the_pages_of_the_list_hold_everything_once(program: Program) -> None:
    for number in range(6):
        await wrote(program.inbox, E164(f"+1303555020{number}"))
    seen, path = [], "/conversations?limit=2"
    for _ in range(4):
        page = await program.get(path)
        seen += [one["id"] for one in page["conversations"]]
        path = f"/conversations?limit=2&cursor={page['next']}"
    assert page["next"] is None
    assert sorted(seen) == list(range(1, 8))


async def test_the_timeline_has_calls_texts_and_acts_in_their_order(program: Program) -> None:
    await wrote(program.inbox, minutes=1)
    await program.does("/conversations/1/note", {"text": "rings back at four"})
    told = await program.get("/conversations/1/timeline")
    assert [entry["what"] for entry in told["entries"]] == ["call", "ours", "act", "theirs"]
    call, ours, act, theirs = told["entries"]
    assert (call["verdict"], call["decision"], ours["state"], ours["staff"]) == ("missed", "text", "queued", None)
    assert (act["kind"], act["staff"], act["detail"], theirs["text"]) == (
        "note",
        "bob",
        "rings back at four",
        "Yes please",
    )
    assert told["next"] is None


@pytest.mark.parametrize(("only", "what"), [("calls", ["call"]), ("texts", ["ours", "theirs"]), ("acts", [])])
async def test_a_part_of_the_timeline_can_be_had(program: Program, only: str, what: list[str]) -> None:
    await wrote(program.inbox, minutes=1)
    told = await program.get(f"/conversations/1/timeline?only={only}")
    assert [entry["what"] for entry in told["entries"]] == what


async def test_the_pages_of_the_timeline_hold_everything_once(program: Program) -> None:
    for number in range(3):
        await wrote(program.inbox, body=str(number))
        await program.does("/conversations/1/note", {"text": f"note {number}"})
    whole = (await program.get("/conversations/1/timeline"))["entries"]
    seen: list[Any] = []
    before = ""
    for _ in whole:
        page = await program.get(f"/conversations/1/timeline?limit=1{before}")
        seen, before = page["entries"] + seen, f"&before={page['next']}"
    assert len({entry["at"] for entry in whole}) == 1
    assert seen == whole
    assert (await program.get(f"/conversations/1/timeline?limit=1{before}"))["entries"] == []


async def test_counts_staff_and_health_are_told(program: Program) -> None:
    assert await program.get("/counts") == {
        "open": 1, "new": 1, "waiting_for_us": 0, "waiting_for_them": 0, "callback": 0, "leads": 0
    }  # fmt: skip
    assert await program.get("/staff") == {
        "staff": [{"key": "anna", "name": "Anna Smith"}, {"key": "bob", "name": "Bob"}]
    }
    assert await program.get("/health") == {
        "status": "ok",
        "database": "ok",
        "pbx": {},
        "gateways": {},
        "texting": "on",
    }


# ---- what it does


async def test_a_reply_claims_the_conversation_and_is_noted_as_bobs(program: Program) -> None:
    told = await program.does("/conversations/1/reply", {"text": "Hi, how can I help?"})
    conversation = told["conversation"]
    assert (conversation["turn"], conversation["assignee"]) == ("waiting_for_them", "bob")
    rows = {row["id"]: row for row in await program.inbox.write(outbox.listing)}
    assert (rows[told["id"]]["to"], rows[told["id"]]["text"]) == (CALLER, "Hi, how can I help?")
    assert [row["state"] for row in rows.values() if row["id"] != told["id"]] == ["cancelled"]


async def test_the_same_key_twice_is_one_text_and_another_text_under_it_is_refused(program: Program) -> None:
    ids = {
        (await program.does("/conversations/1/reply", {"text": " Hi "}, Idempotency_Key="k 1"))["id"] for _ in range(3)
    }
    other = await program.post("/conversations/1/reply", {"text": "Ho"}, Idempotency_Key="k 1")
    assert len(ids) == 1
    assert (other.status, other.json["detail"]) == (
        409, "This Idempotency-Key was used for another text. Use a new one for each text."
    )  # fmt: skip
    assert len(await program.inbox.write(outbox.listing)) == 2  # with the automatic one


async def test_a_whole_number_may_be_written_with_a_point(program: Program) -> None:
    assert (await program.does("/conversations/1/won", {"value": 5.0}))["value"] == 5


@pytest.mark.parametrize(
    "before", ["0.5", "-5", "1772452800", "2026-03-02T12:00:00Z", "x", "1-2", "1-2-3-4", "1-2-%27", "9" * 17 + "-0-1"]
)
async def test_a_place_that_no_page_gave_is_told_as_a_fault(program: Program, before: str) -> None:
    assert (await program.ask("GET", f"/conversations/1/timeline?before={before}")).status == 422


async def test_without_a_key_each_request_is_a_text(program: Program) -> None:
    ids = {(await program.does("/conversations/1/reply", {"text": "Hi"}))["id"] for _ in range(2)}
    assert len(ids) == 2


async def test_a_number_that_never_called_can_be_texted(program: Program) -> None:
    told = await program.does("/texts", {"to": "(303) 555-0177", "text": "Your roof is ready."})
    assert (told["conversation"]["number"], told["conversation"]["assignee"]) == (OTHER, "bob")


ACTS: list[Any] = [
    pytest.param("assign", {"to": "anna"}, {"assignee": "anna"}, "assigned", id="give it to anna"),
    pytest.param("assign", {"to": None}, {"assignee": None}, "assigned", id="give it back to all"),
    pytest.param("assign", {"to": "bob"}, {"assignee": "bob"}, "claimed", id="claim it"),
    pytest.param("put-away", None, {"turn": "done"}, "put_away", id="put it away"),
    pytest.param("take-up", None, {"turn": "waiting_for_us"}, "taken_up", id="take it up"),
    pytest.param("won", {"value": 125000}, {"turn": "done", "outcome": "won", "value": 125000}, "won", id="won"),
    pytest.param("won", {}, {"outcome": "won", "value": None}, "won", id="won, nobody knows how much"),
    pytest.param("lost", None, {"turn": "done", "outcome": "lost"}, "lost", id="lost"),
    pytest.param("rename", {"name": "Jane <b>"}, {"name": "Jane <b>"}, "renamed", id="rename"),
    pytest.param("opt-out", None, {"no_text": "opted_out"}, "opted_out", id="no more texts"),
    pytest.param("opt-in", None, {"no_text": None}, "opted_in", id="texts again"),
    pytest.param("keep-texting", None, {"perhaps_stop": False}, "kept_texting", id="they did not mean STOP"),
    pytest.param("never", None, {"turn": "done"}, "never", id="its calls count no more"),
    pytest.param("look", None, {"unread": 0}, "read", id="look"),
]


@pytest.mark.parametrize(("act", "body", "changed", "kind"), ACTS)
async def test_what_the_inbox_can_do_a_program_can_do(
    program: Program, act: str, body: object, changed: dict[str, Any], kind: str
) -> None:
    told = await program.does(f"/conversations/1/{act}", body)
    assert {key: told[key] for key in changed} == changed
    rows = await program.inbox.write(lambda db: list(db["acts"].rows_where("number = ?", [CALLER])))
    assert [(row["kind"], row["staff"]) for row in rows] == [(kind, "bob")]


# What the pages call a deed, where it is not the word of the API.
CALLED = {"claim": "assign", "call": "call-back", "no-texts": "opt-out", "texts-again": "opt-in"}


@pytest.mark.parametrize("deed", DEEDS)
def test_every_deed_of_the_pages_is_one_of_the_api(deed: str) -> None:
    path = f"/conversations/{{id}}/{CALLED.get(deed, deed)}"
    assert path in {operation.path for operation in OPERATIONS if operation.method is HTTPMethod.POST}
    documented = (Path(__file__).parents[2] / "docs" / "API.md").read_text("utf-8")
    assert f"`{CALLED.get(deed, deed)}`" in documented


async def test_that_a_caller_may_mean_stop_is_told_until_somebody_decides(program: Program) -> None:
    await wrote(program.inbox, OTHER, minutes=1)

    def ask(db: Any) -> None:
        with writing(db):
            asks.add_within(db, OTHER, 1, NOON)

    await program.inbox.write(ask)
    listed = (await program.get("/conversations"))["conversations"]
    assert [(one["id"], one["perhaps_stop"]) for one in listed] == [(2, True), (1, False)]
    told = await program.does("/conversations/2/reply", {"text": "Shall we stop?"})
    assert told["conversation"]["perhaps_stop"]
    assert not (await program.does("/conversations/2/keep-texting"))["perhaps_stop"]
    assert not (await program.get("/conversations/2"))["perhaps_stop"]


async def test_forms_without_a_number_are_listed_until_they_are_read(program: Program) -> None:
    lead = NewLead(source="website", line="main", at=NOON, number=None, phone="call me", name="Jane", words="Leak")

    def work(db: Any) -> None:
        with writing(db):
            leads.add_within(db, lead, None, None, None)

    await program.inbox.write(work)
    (told,) = (await program.get("/leads"))["leads"]
    assert (told["id"], told["phone"], told["words"]) == (1, "call me", "Leak")
    assert await program.does("/leads/1/read") == {"leads": []}
    assert (await program.post("/leads/2/read")).status == 404


# ---- what is wrong


async def test_who_wants_no_texts_is_not_texted_by_a_program_either(program: Program) -> None:
    await program.does("/conversations/1/opt-out")
    heard = await program.post("/conversations/1/reply", {"text": "Hi"})
    assert heard.headers["Content-Type"] == "application/problem+json; charset=utf-8"
    assert heard.json == {
        "status": 409, "title": "Conflict", "detail": "This caller wants no texts (STOP). Call instead.", "errors": []
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "body", "why"),
    [
        pytest.param(
            "/conversations/1/assign", {"to": "mallory"}, "None of the staff is called that", id="nobody's key"
        ),
        pytest.param("/conversations/1/call-back", None, "Nothing here can make calls.", id="no phones"),
        pytest.param("/texts", {"to": "call me", "text": "Hi"}, "This is no phone number.", id="no number"),
        pytest.param("/texts", {"to": "+19005550123", "text": "Hi"}, "This number cannot be texted.", id="dear"),
        pytest.param("/conversations/1/reply", {"text": " \n"}, "The text is empty.", id="nothing to read"),
        pytest.param("/conversations/1/reply", {"text": "x" * 2000}, "The text is longer than 10 segments.", id="long"),
    ],
)
async def test_what_cannot_be_done_is_refused_in_a_sentence(
    program: Program, path: str, body: object, why: str
) -> None:
    heard = await program.post(path, body)
    assert heard.status == 409
    assert why in heard.json["detail"]


@pytest.mark.parametrize(
    ("path", "body", "where"),
    [
        pytest.param("/conversations/1/reply", {"text": "Hi", "extra": 1}, "extra", id="an unknown name"),
        pytest.param("/conversations/1/reply", {}, "text", id="nothing"),
        pytest.param("/conversations/1/reply", {"text": ""}, "text", id="an empty text"),
        pytest.param("/conversations/1/reply", {"text": "x" * 4001}, "text", id="too long"),
        pytest.param("/conversations/1/reply", {"text": "\x00"}, "text", id="a control character"),
        pytest.param("/conversations/1/reply", {"text": 5}, "text", id="a number for a text"),
        pytest.param("/conversations/1/reply", [], "", id="no object"),
        pytest.param("/conversations/1/won", {"value": "5"}, "value", id="a text for a number"),
        pytest.param("/conversations/1/won", {"value": True}, "value", id="true for a number"),
        pytest.param("/conversations/1/won", {"value": -1}, "value", id="less than nothing"),
        pytest.param("/conversations/1/won", {"value": 10**12}, "value", id="more than there is"),
    ],
)
async def test_what_is_not_as_it_should_be_is_told_with_its_place(
    program: Program, path: str, body: object, where: str
) -> None:
    heard = await program.post(path, body)
    assert (heard.status, [fault["where"] for fault in heard.json["errors"]]) == (422, [where])


@pytest.mark.parametrize(
    "query",
    ["box=nowhere", "limit=0", "limit=201", "limit=x", "cursor=x", "cursor=%00%FF", "unknown=1", "q=a&q=b", "q=%00"],
)
async def test_a_wrong_query_is_told(program: Program, query: str) -> None:
    assert (await program.ask("GET", f"/conversations?{query}")).status == 422


@pytest.mark.parametrize(
    ("data", "kind", "status"),
    [
        pytest.param(b"{", "application/json", 400, id="half JSON"),
        pytest.param(b"", "application/json", 400, id="nothing"),
        pytest.param(b'{"text": "\xff"}', "application/json", 400, id="not UTF-8"),
        pytest.param(b'{"text": "\\ud83d"}', "application/json", 400, id="half a character"),
        pytest.param(b'{"text": ' + b"[" * 50_000, "application/json", 400, id="deep"),
        pytest.param(b'{"text": "Hi"}', "text/plain", 415, id="another kind"),
        pytest.param(b"text=Hi", "application/x-www-form-urlencoded", 415, id="a form"),
        pytest.param(b'{"text": "' + b"x" * 70_000, "application/json", 413, id="huge"),
        pytest.param(b'{"a": 1, ' * 5000, "application/json", 400, id="many"),
    ],
)
async def test_what_cannot_be_read_is_refused(program: Program, data: bytes, kind: str, status: int) -> None:
    heard = await program.ask("POST", "/conversations/1/reply", data=data, Content_Type=kind)
    assert (heard.status, heard.json["status"]) == (status, status)
    assert heard.headers["Content-Type"].startswith("application/problem+json")


async def test_a_compressed_body_is_refused(program: Program) -> None:
    bomb = gzip.compress(b'{"text": "' + b"x" * 10_000_000 + b'"}')
    kinds = {"Content_Type": "application/json", "Content_Encoding": "gzip"}
    assert (await program.ask("POST", "/conversations/1/reply", data=bomb, **kinds)).status == 415


async def test_thousands_of_unknown_fields_are_told_in_short(program: Program) -> None:
    heard = await program.post("/conversations/1/note", {f"field {number}": 1 for number in range(3000)})
    assert (heard.status, len(heard.json["errors"])) == (422, 20)


async def test_an_act_without_a_body_takes_none(program: Program) -> None:
    assert (await program.post("/conversations/1/lost", {"value": 5})).status == 422
    assert (await program.post("/conversations/1/lost", {})).status == 200


@pytest.mark.parametrize("key", ["", "x" * 201, "\u00e9"])
async def test_a_key_that_could_be_mistaken_is_refused(program: Program, key: str) -> None:
    assert (await program.post("/conversations/1/reply", {"text": "Hi"}, Idempotency_Key=key)).status == 422


@pytest.mark.parametrize("which", ["2", "0", "-1", "x", "1e3", "9" * 19, "9" * 17, "%2e%2e", "1%2f..%2f1", "\u0661"])
async def test_what_is_not_there_is_told(program: Program, which: str) -> None:
    for path in (f"/conversations/{which}", f"/conversations/{which}/timeline"):
        assert (await program.ask("GET", path)).status == 404
    assert (await program.post(f"/conversations/{which}/lost")).status == 404


async def test_another_method_is_told_which_there_are(program: Program) -> None:
    heard = await program.ask("DELETE", "/conversations/1/reply")
    assert (heard.status, heard.headers["Allow"]) == (405, "POST")


# ---- who may


@pytest.mark.parametrize("shown", ["", "Bearer", "Bearer x", f"Basic {SECRET}", f"Bearer {SECRET} x"])
async def test_without_a_token_nothing_is_told(program: Program, shown: str) -> None:
    heard = await program.ask("GET", "/me", Authorization=shown)
    assert (heard.status, heard.headers["WWW-Authenticate"]) == (401, "Bearer")


async def test_a_token_of_somebody_who_left_opens_nothing(program: Program) -> None:
    await program.inbox.write(lambda db: accounts.disable(db, "bob", NOON))
    assert (await program.ask("GET", "/me")).status == 401


async def test_a_page_of_the_inbox_may_use_its_session_with_its_token_against_other_sites(inbox: Inbox) -> None:
    await inbox.write(lambda db: journal.record(db, judged(), None, same_case_within=DAY, now=NOON))
    async with inbox.browser() as browser:
        await browser.log_in()
        me = json.loads((await browser.ask("GET", f"{API}/me")).text)
        without = await browser.ask("POST", f"{API}/conversations/1/lost")
        in_json = await Program(inbox, browser.session).post("/conversations/1/note", {"text": "x", "csrf": me["csrf"]})
        in_form = await browser.ask("POST", f"{API}/conversations/1/lost", data={"csrf": me["csrf"]})
        with_it = await browser.ask("POST", f"{API}/conversations/1/lost", headers={"X-CSRF": me["csrf"]})
    assert (me["staff"], me["by"]) == ("anna", "session")
    assert (without.status, without.headers["Content-Type"]) == (403, "application/problem+json; charset=utf-8")
    assert (in_json.status, in_form.status) == (403, 403)
    assert "X-CSRF" in in_json.json["detail"]
    assert with_it.status == 200


async def test_the_same_token_written_in_another_way_is_no_other_program(tmp_path: Path) -> None:
    async with open_inbox(tmp_path, pace=Pace(2, timedelta(hours=1))) as inbox:
        await inbox.write(lambda db: tokens.add(db, "bob", "crm", SECRET, NOON))
        async with aiohttp.ClientSession(inbox.url) as session:
            ways = (f"Bearer {SECRET}", f"bearer {SECRET}", f"BEARER   {SECRET}", f"Bearer \t{SECRET}")
            asked = [await Program(inbox, session).ask("GET", "/me", Authorization=way) for way in ways]
    assert [heard.status for heard in asked] == [200, 200, 429, 429]


async def test_a_program_that_runs_wild_is_slowed_and_others_are_not(tmp_path: Path) -> None:
    async with open_inbox(tmp_path, pace=Pace(3, timedelta(hours=1))) as inbox:
        await inbox.write(lambda db: tokens.add(db, "bob", "crm", "secret of bob", NOON))
        await inbox.write(lambda db: tokens.add(db, "anna", "crm", "secret of anna", NOON))
        async with aiohttp.ClientSession(inbox.url) as session:
            program = Program(inbox, session)
            asked = [await program.ask("GET", "/me", Authorization="Bearer secret of bob") for _ in range(5)]
            other = await program.ask("GET", "/me", Authorization="Bearer secret of anna")
    assert [heard.status for heard in asked] == [200] * 3 + [429] * 2
    assert int(asked[-1].headers["Retry-After"]) > 0
    assert other.status == 200


# ---- the document


def test_the_document_that_is_checked_in_is_the_one_that_the_operations_make() -> None:
    kept = (Path(__file__).parents[2] / DOCUMENT).read_text("utf-8")
    assert kept == written(), "write it anew: python -m textbackd.web.api"


async def test_the_document_is_served(program: Program) -> None:
    assert await program.get("/openapi.json") == json.loads(written())
