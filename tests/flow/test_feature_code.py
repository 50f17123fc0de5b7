"""A code dialled on a desk phone pauses texting and takes it up again, and the phone hears which."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from tests.flow.dialled import Dialling, dialling
from tests.flow.settings import configured
from tests.store.rows import NOON
from textbackd.errors import TextbackdError
from textbackd.flow.bell import Bell
from textbackd.flow.feature_code import WRONG, FeatureCode
from textbackd.store import acts, halts
from textbackd.store.database import Store
from textbackd.store.halts import HaltKind

TWO = "{main: {dids: ['*']}, shop: {dids: ['+13035550115']}}"
STAFF = '{anna: {name: Anna, phone: "PJSIP/101"}}'
WITH_PIN = '{listen: "127.0.0.1:0", pin: "2580"}'


async def test_the_code_pauses_all_lines_and_dialled_again_takes_it_back(tmp_path: Path) -> None:
    async with dialling(tmp_path, staff=STAFF) as code:
        first = await code.dial("toggle")
        assert (first.state, first.sounds, first.over) == ("paused", ["de-activated"], True)
        assert await code.paused() == {None: "by Anna, from the phone PJSIP/101"}
        second = await code.dial("toggle", phone="PJSIP/102")
        assert (second.state, second.sounds) == ("on", ["activated"])
        assert await code.paused() == {}
        done = await code.store.run(acts.listing)
    assert [(act["kind"], act["staff"], act["detail"]) for act in done] == [
        ("resumed", None, "all lines from PJSIP/102"),
        ("paused", "anna", "all lines from PJSIP/101"),
    ]


@pytest.mark.parametrize("written", ["2", "shop"])
async def test_one_line_is_named_by_its_place_or_its_name(tmp_path: Path, written: str) -> None:
    async with dialling(tmp_path, lines=TWO) as code:
        assert (await code.dial("toggle", written)).state == "paused"
        assert list(await code.paused()) == ["shop"]
        assert (await code.dial("toggle", written)).state == "on"
        assert await code.paused() == {}


@pytest.mark.parametrize(
    ("script", "argument"),
    [("toggle", "3"), ("toggle", "0"), ("toggle", "attic"), ("originate", ""), ("", ""), ("toggle", '"); x')],
)
async def test_what_is_not_understood_does_nothing_and_sounds_like_it(
    tmp_path: Path, script: str, argument: str
) -> None:
    async with dialling(tmp_path, lines=TWO) as code:
        heard = await code.dial(script, argument)
        assert (heard.state, heard.sounds) == ("refused", ["beeperr"])
        assert heard.said.count('"') == 2
        assert await code.paused() == {}


async def test_pause_and_resume_each_do_only_one_thing(tmp_path: Path) -> None:
    async with dialling(tmp_path) as code:
        assert [(await code.dial(script)).state for script in ("pause", "pause", "resume", "resume")] == [
            "paused",
            "paused",
            "on",
            "on",
        ]


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        pytest.param(HaltKind.BRAKE, "the brake has stopped all texts", id="the brake"),
        pytest.param(HaltKind.PAUSE, "all lines are paused", id="a pause of all lines"),
    ],
)
@pytest.mark.parametrize("scripts", [("toggle", "toggle"), ("resume",)])
async def test_a_phone_hears_that_its_line_still_does_not_text(
    tmp_path: Path, kind: HaltKind, why: str, scripts: tuple[str, ...]
) -> None:
    async with dialling(tmp_path, lines=TWO) as code:
        await code.store.run(lambda db: halts.halt(db, kind, line=None, until=None, why="theirs", now=NOON))
        heard = [await code.dial(script, "1") for script in scripts][-1]
        assert (heard.state, heard.sounds) == ("paused", ["de-activated"])
        assert why in heard.said
        assert await code.paused() == {None: "theirs"}


@pytest.mark.parametrize("scripts", [("toggle", "toggle"), ("resume",)])
async def test_a_phone_never_releases_the_brake_nor_says_that_it_did(tmp_path: Path, scripts: tuple[str, ...]) -> None:
    async with dialling(tmp_path) as code:
        await code.store.run(lambda db: halts.halt(db, HaltKind.BRAKE, line=None, until=None, why="numbers", now=NOON))
        heard = [await code.dial(script) for script in scripts][-1]
        assert (heard.state, heard.sounds) == ("paused", ["de-activated"])
        assert "the brake has stopped all texts" in heard.said
        assert await code.paused() == {None: "numbers"}


async def test_the_code_for_all_lines_dialled_twice_leaves_a_lines_own_pause(tmp_path: Path) -> None:
    async with dialling(tmp_path, lines=TWO) as code:
        await _pause(code, "shop", "by the owner")
        await code.dial("toggle")
        heard = await code.dial("toggle")
        assert (heard.state, heard.sounds) == ("on", ["activated"])
        assert "texts go out, but not for shop" in heard.said
        assert await code.paused() == {"shop": "by the owner"}


async def test_a_pause_from_a_phone_that_ends_by_itself_does_not_shorten_one_that_does_not(tmp_path: Path) -> None:
    async with dialling(tmp_path, '{listen: "127.0.0.1:0", lasts: 1h}', lines=TWO) as code:
        await _pause(code, "shop", "by the owner")
        assert (await code.dial("pause", "shop")).state == "paused"
        (halt,) = await code.store.run(lambda db: halts.active(db, NOON))
    assert (halt.line, halt.until, halt.why) == ("shop", None, "by the owner")


async def _pause(code: Dialling, line: str, why: str) -> None:
    await code.store.run(lambda db: halts.halt(db, HaltKind.PAUSE, line=line, until=None, why=why, now=NOON))


async def test_a_pause_from_a_phone_can_end_by_itself(tmp_path: Path) -> None:
    async with dialling(tmp_path, '{listen: "127.0.0.1:0", lasts: 12h}') as code:
        await code.dial("toggle")
        (halt,) = await code.store.run(lambda db: halts.active(db, NOON))
    assert halt.until == NOON + timedelta(hours=12)


async def test_a_box_without_sounds_gets_tones(tmp_path: Path) -> None:
    async with dialling(tmp_path) as code:
        code.sounds_installed = False
        heard = await code.dial("toggle")
        assert (heard.state, heard.sounds, heard.tones) == ("paused", [], 1)


@pytest.mark.parametrize(
    ("keys", "state"),
    [
        pytest.param("2580#", "paused", id="the right one"),
        pytest.param("1111#2580#", "paused", id="the second time"),
        pytest.param("1111#2222#3333#", "refused", id="three wrong ones"),
        pytest.param("25801", "refused", id="one digit too many"),
        pytest.param("", "refused", id="none"),
        pytest.param("258h", "", id="hung up"),
    ],
)
async def test_a_pin_is_asked_for_if_there_is_one(tmp_path: Path, keys: str, state: str) -> None:
    async with dialling(tmp_path, WITH_PIN) as code:
        assert (await code.dial("toggle", keys=keys)).state == state
        assert bool(await code.paused()) == (state == "paused")


async def test_who_guesses_pins_is_not_asked_any_more(tmp_path: Path) -> None:
    async with dialling(tmp_path, WITH_PIN) as code:
        for _ in range(WRONG // 3):
            await code.dial("toggle", keys="1111#2222#3333#")
        heard = await code.dial("toggle", keys="2580#")
        assert (heard.state, heard.sounds) == ("refused", ["beeperr"])
        assert "too many wrong PINs" in heard.said
        assert await code.paused() == {}


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="a browser"),
        pytest.param(b"a" * 10_000 + b"\n", id="a line without end"),
        pytest.param(b"x: y\n" * 1000, id="variables without end"),
        pytest.param(b"agi_network: yes\n\n404 what\n", id="an answer that is none"),
        pytest.param(b"agi_network: yes\n", id="nothing more"),
        pytest.param(b"\xff\xfe: \x00\n\n200 result=-1\n", id="no text"),
    ],
)
async def test_whatever_connects_there_does_no_harm(
    tmp_path: Path, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with dialling(tmp_path) as code:
        reader, writer = await asyncio.open_connection("127.0.0.1", code.port)
        writer.write(sent)
        writer.write_eof()
        await asyncio.wait_for(_read_out(reader), 10)
        writer.close()
        assert (await code.dial("toggle")).state == "paused"
    assert not [record for record in caplog.records if record.exc_info]


async def test_a_key_that_no_phone_has_is_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with dialling(tmp_path, WITH_PIN) as code:
        reader, writer = await asyncio.open_connection("127.0.0.1", code.port)
        writer.write(
            b"agi_network: yes\n\n" + b"200 result=0\n" * 3 + b"200 result=99999999999\n" * 9 + b"200 result=0\n" * 9
        )
        writer.write_eof()
        await asyncio.wait_for(_read_out(reader), 10)
        writer.close()
        assert (await code.dial("toggle", keys="2580#")).state == "paused"
    assert not [record for record in caplog.records if record.exc_info]


async def _read_out(reader: asyncio.StreamReader) -> None:
    try:
        await reader.read()
    except ConnectionError:
        return


@pytest.mark.parametrize("pin", ["12", "abcd", "12345678901"])
def test_a_pin_that_no_phone_can_send_is_told_at_the_start(tmp_path: Path, pin: str) -> None:
    settings = configured(feature_code=f'{{pin: "{pin}"}}')
    with pytest.raises(TextbackdError, match="4 to 10 digits"):
        FeatureCode(settings, store=Store(tmp_path / "x.db"), clock=lambda: NOON, bell=Bell())


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "[::]"])
def test_others_than_this_machine_need_a_pin(host: str) -> None:
    with pytest.raises(TextbackdError, match=r"feature_code: .*others than this machine could pause texting"):
        configured(feature_code=f'{{listen: "{host}:4573"}}')
    configured(feature_code=f'{{listen: "{host}:4573", pin: "2580"}}')
