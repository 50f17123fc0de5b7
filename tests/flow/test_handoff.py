"""What a caller wants reaches those whose turn it is, once, and nobody else."""

from pathlib import Path

import pytest

from tests.flow.telling import ANNA, BEN, telling
from tests.hasty import hasty
from tests.store.rows import CALLER
from textbackd.core.conversation import Happening
from textbackd.core.phone import E164
from textbackd.flow.staff.handoff import CALLBACK_AGAIN_AFTER
from textbackd.flow.staff.mobiles import MOST_OF_ONE
from textbackd.store import conversations, news, optouts, outbox
from textbackd.store.optouts import OptedOutBy

OTHER = E164("+13035550177")


@hasty
async def test_a_text_is_handed_on_to_all_of_the_line_with_a_tag(tmp_path: Path) -> None:
    async with telling(tmp_path) as shop:
        await shop.happens(words="Can you come today?", name="Jane")
        expected = f"#1 Jane {CALLER}: Can you come today?"
        assert await shop.texts() == [(ANNA, expected), (BEN, expected)]
        rows = await shop.rows("notices")
        assert [(row["staff"], row["channel"], row["state"], row["number"]) for row in rows] == [
            ("anna", "mobile", "sent", CALLER),
            ("ben", "mobile", "sent", CALLER),
        ]


@hasty
async def test_what_was_handed_on_is_handed_on_once(tmp_path: Path) -> None:
    async with telling(tmp_path) as shop:
        await shop.happens(words="Hello")
        assert not await shop.handoff.hand_on()
        assert len(await shop.texts()) == 2
        assert await shop.rows("news") == []


@hasty
async def test_what_was_not_handed_on_when_the_daemon_stopped_is_handed_on_when_it_starts(tmp_path: Path) -> None:
    async with telling(tmp_path) as shop:
        await shop.happens(words="Hello", hand_on=False)
    async with telling(tmp_path) as shop:
        assert await shop.texts() == []
        await shop.handoff.hand_on()
        assert [to for to, _ in await shop.texts()] == [ANNA, BEN]


@hasty
async def test_the_assignee_alone_is_told(tmp_path: Path) -> None:
    async with telling(tmp_path) as shop:
        await shop.happens(words="Hello")
        await shop.desk.reply(CALLER, "Good day", "ben")
        await shop.happens(words="And now?")
        assert [to for to, words in await shop.texts() if words.endswith("And now?")] == [BEN]


@pytest.mark.parametrize(
    ("happening", "tell", "words"),
    [
        pytest.param(Happening.WANTS_CALL, "replies", f"#1 {CALLER} tried to call. Please call back.", id="a call back"),
        pytest.param(Happening.MISSED, "replies", None, id="a missed call is not news to everybody"),
        pytest.param(
            Happening.MISSED, "all", f"#1 {CALLER} tried to call, nobody answered. They get a text.",
            id="but to those who want to hear of all",
        ),
    ],
)  # fmt: skip
@hasty
async def test_what_staff_are_told_of(tmp_path: Path, happening: Happening, tell: str, words: str | None) -> None:
    async with telling(tmp_path, staff=f'{{anna: {{mobile: "{ANNA}", tell: {tell}}}}}') as shop:
        await shop.happens(happening)
        assert await shop.texts() == ([(ANNA, words)] if words else [])


@hasty
async def test_whom_no_text_reaches_is_told_with_it(tmp_path: Path) -> None:
    async with telling(tmp_path) as shop:
        await shop.happens(Happening.MISSED)
        await shop.store.run(lambda db: conversations.cannot_be_texted(db, CALLER, "landline"))
        await shop.happens(Happening.WANTS_CALL)
        assert (await shop.texts())[0][1] == f"#1 {CALLER} tried to call. Please call back (no text reaches them)."


@hasty
async def test_who_calls_every_minute_is_told_of_once_an_hour(tmp_path: Path) -> None:
    async with telling(tmp_path) as shop:
        for _ in range(5):
            await shop.happens(Happening.WANTS_CALL)
            shop.later(minutes=1)
        assert len(await shop.texts()) == 2
        shop.later(seconds=CALLBACK_AGAIN_AFTER.total_seconds())
        await shop.happens(Happening.WANTS_CALL)
        assert len(await shop.texts()) == 4


@hasty
async def test_who_calls_again_after_it_was_put_away_is_another_matter(tmp_path: Path) -> None:
    async with telling(tmp_path) as shop:
        await shop.happens(Happening.WANTS_CALL)
        shop.later(minutes=1)
        await shop.desk.put_away(CALLER, "anna")
        shop.later(minutes=1)
        await shop.happens(Happening.WANTS_CALL)
        assert len(await shop.texts()) == 4


@hasty
async def test_a_flood_of_texts_is_not_paid_for_twice(tmp_path: Path) -> None:
    async with telling(tmp_path) as shop:
        for number in range(MOST_OF_ONE + 5):
            await shop.happens(words=f"text {number}")
        assert len([to for to, _ in await shop.texts() if to == ANNA]) == MOST_OF_ONE
        await shop.happens(words="from somebody else", number=OTHER)
        assert len([to for to, _ in await shop.texts() if to == ANNA]) == MOST_OF_ONE + 1


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        pytest.param("x" * 10_000, "x" * 299 + "…", id="without end"),
        pytest.param("two\n\nlines\t and\x00more", "two lines andmore", id="lines and what cannot be seen"),
        pytest.param("\u202eturned\u2069 👩\u200d🔧", "turned 👩\u200d🔧", id="marks that turn the text around"),
        pytest.param("\x07", "(nothing that can be shown)", id="nothing to see"),
    ],
)
@hasty
async def test_whatever_a_caller_writes_is_one_short_line(tmp_path: Path, words: str, shown: str) -> None:
    async with telling(tmp_path) as shop:
        await shop.happens(words=words, name="J\nane\u202e" + "e" * 90)
        text = (await shop.texts())[0][1]
        assert text.startswith("#1 J aneee")
        assert text.endswith(f" {CALLER}: {shown}")


@hasty
async def test_a_mobile_that_wrote_stop_is_not_texted_and_then_all_others_are(tmp_path: Path) -> None:
    lines = '{main: {dids: ["*"], staff: [anna]}}'
    async with telling(tmp_path, lines=lines) as shop:
        await shop.store.run(lambda db: optouts.add(db, ANNA, OptedOutBy.TEXT, "stick", shop.now))
        await shop.happens(words="Hello")
        assert [to for to, _ in await shop.texts()] == [BEN]


@hasty
async def test_what_is_done_already_is_not_told(tmp_path: Path) -> None:
    async with telling(tmp_path) as shop:
        await shop.happens(words="Hello", hand_on=False)
        await shop.desk.put_away(CALLER, "anna")
        await shop.handoff.hand_on()
        assert await shop.texts() == []


@hasty
async def test_while_observing_nobody_is_told(tmp_path: Path) -> None:
    async with telling(tmp_path, mode="observe") as shop:
        await shop.happens(words="Hello")
        assert (await shop.texts(), await shop.rows("notices"), await shop.rows("news")) == ([], [], [])


@hasty
async def test_every_other_way_is_written_down_beside_the_text(tmp_path: Path) -> None:
    staff = f'{{anna: {{mobile: "{ANNA}", email: anna@example.com, sip: "pjsip:anna", notify: ["json://localhost"]}}}}'
    async with telling(tmp_path, staff=staff, email="{host: localhost, from: a@example.com}") as shop:
        await shop.happens(words="Hello", name="Jane")
        rows = {row["channel"]: row for row in await shop.rows("notices")}
        assert set(rows) == {"mobile", "email", "sip", "service"}
        assert (rows["email"]["target"], rows["email"]["state"]) == ("anna@example.com", "queued")
        assert rows["service"]["target"] == "0"  # never the address, which may hold a secret


@hasty
async def test_programs_are_told_what_they_asked_for(tmp_path: Path) -> None:
    hooks = '{crm: {url: "http://localhost/", secret: "0123456789abcdef", events: [text_in, conversation]}}'
    async with telling(tmp_path, hooks_out=hooks) as shop:
        await shop.happens(Happening.MISSED)
        await shop.happens(words="Hello")
        await shop.desk.reply(CALLER, "Good day", "ben")
        await shop.handoff.hand_on()
        told = [row["matter"] for row in await shop.rows("notices") if row["channel"] == "hook"]
        assert told == ["wrote", "answered"]


@hasty
async def test_programs_are_told_of_texts_to_callers_and_not_to_staff(tmp_path: Path) -> None:
    hooks = '{crm: {url: "http://localhost/", secret: "0123456789abcdef", events: [text_out]}}'
    async with telling(tmp_path, hooks_out=hooks) as shop:
        await shop.happens(words="Hello", arrives=False)
        text_id = await shop.desk.reply(CALLER, "Good day", "ben")
        for _ in range(3):
            claimed = await shop.store.run(lambda db: outbox.claim(db, "stick", shop.now))
            assert claimed is not None
            await shop.store.run(lambda db, text=claimed: outbox.accepted(db, text, text.id, shop.now))  # type: ignore[misc]
        await shop.handoff.hand_on()
        (row,) = [row for row in await shop.rows("notices") if row["channel"] == "hook"]
        assert f'"text_id": "{text_id}"' in row["payload"]
        assert await shop.store.run(news.waiting) == []


@pytest.mark.parametrize(
    ("hours", "told"),
    [
        pytest.param("04:00-06:00", [BEN], id="on duty at five in the morning, by the line's clock"),
        pytest.param("11:00-13:00", [ANNA, BEN], id="not on duty, so all are told"),
    ],
)
@hasty
async def test_the_rota_says_who_is_told(tmp_path: Path, hours: str, told: list[E164]) -> None:
    lines = f'{{main: {{dids: ["*"], rota: {{early: {{staff: ben, hours: {{mon-sun: "{hours}"}}}}}}}}}}'
    async with telling(tmp_path, lines=lines) as shop:
        await shop.happens(words="Hello")
        assert [to for to, _ in await shop.texts()] == told
