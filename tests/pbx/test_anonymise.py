"""An anonymised trace keeps its verdicts and shows nobody, whatever the original holds and wherever it holds it."""

import asyncio
import json
import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.flow.office import until
from tests.traces import IGNORED_DIDS, Story, stories
from textbackd.config import Settings, loads
from textbackd.core.call import Direction
from textbackd.core.events import TRACKED, Event
from textbackd.core.missed import Verdict
from textbackd.core.phone import E164, NotTextable, read_number
from textbackd.core.tracker import Tracker
from textbackd.core.trunk import Trunks
from textbackd.demo.pbx import DemoPbx
from textbackd.flow.replay import conclusions
from textbackd.pbx import anonymise
from textbackd.pbx.anonymise import MOST_REMEMBERED, Anonymiser
from textbackd.pbx.trace import read_trace
from textbackd.pbx.wire import FrameSplitter, read_event, tracked

pytestmark = pytest.mark.slow

STORIES = list(stories())
BY_NAME = {story.name: story for story in STORIES}

CONFIG = """
business: {{name: Anderson Roofing, country: US}}
pbx: {{office: {{secret: none, ignore: {{dids: [{ignored}]}}}}}}
lines: {{main: {{dids: ["*"]}}}}
gateways: {{none: {{type: http, url: "http://127.0.0.1:9/"}}}}
"""


def config(ignored: Iterable[str]) -> Settings:
    return loads(CONFIG.format(ignored=", ".join(f'"{did}"' for did in ignored)), Path("textbackd.yaml"))


def anonymiser(country: str = "US", trunks: Trunks | None = None) -> Anonymiser:
    return Anonymiser(country, trunks or Trunks())


def anonymised_copy(source: Path, folder: Path) -> tuple[Path, Anonymiser]:
    copy, made = folder / "anonymised.ami", anonymiser()
    with source.open("rb") as trace:
        copy.write_bytes(b"".join(made.trace(trace)))
    return copy, made


def judged(path: Path, ignored: Iterable[str]) -> list[tuple[object, ...]]:
    """Return what we think of each call, callers and DIDs only as "the same as in an earlier call"."""
    seen: list[object] = [None]
    found: list[tuple[object, ...]] = []
    for call, conclusion in conclusions(path, config(ignored), pbx="office"):
        numbers = conclusion.numbers
        seen += [number for number in (numbers.caller, numbers.did) if number not in seen]
        who = (seen.index(numbers.caller), seen.index(numbers.did), numbers.not_textable)
        decision = (
            conclusion.decision
        )  # until when a text may go depends on the zone of its number, which is another one now
        found.append(
            (call.direction, call.started_at, call.ended_at, conclusion.judgement, (decision.action, decision.why), who)
        )
    return found


ODD = [
    "", "s", "0", "1", "17", "99", "WEIRD", "Up", "Ring", "Ringing", "BUSY", "CANCEL", "CHANUNAVAIL", "Success", "basic", "Link", "Begin",
    "holding_bridge", "anna", "busy", "congestion", "menu-anna", "Anna: closed", "from-trunk-anna", "office.example.com", "h", "102",
    "+13034825512", "3034825512", "anonymous", "PJSIP/anna-0000000a", "Local/anna@office-0000000b;1", "CBAnn/room-0000000c", "odd",
    "32 (Presentation Prohibited, Not Screened)", "Prohibited by Anna", "VoiceMail", "Park", "DISA", "prohib_passed_screen", "a=prohib",
]  # fmt: skip
READ = sorted({*anonymise._KINDS} - {"Timestamp"})


@settings(max_examples=150, deadline=None)
@given(story=st.sampled_from(STORIES), seed=st.integers(0, 2**32))
def test_events_with_odd_values_are_judged_the_same_when_they_are_anonymised(
    tmp_path_factory: pytest.TempPathFactory, story: Story, seed: int
) -> None:
    folder, dice = tmp_path_factory.mktemp("odd"), random.Random(seed)
    frames = [frame for frame in FrameSplitter().feed(story.path.read_bytes()) if tracked(frame)]
    for place in dice.choices(range(len(frames)), k=6) if frames else ():
        frames[place] = _odd(frames[place], dice)
    source = folder / "odd.ami"
    source.write_bytes(b"\r\n\r\n".join(frames))
    assert judged(anonymised_copy(source, folder)[0], []) == judged(source, [])


def _odd(frame: bytes, dice: random.Random) -> bytes:
    """Return an event with one header changed, or added where the first of a name counts."""
    first, *lines = frame.split(b"\r\n")
    own = [line.partition(b": ")[0] for line in lines]
    name = dice.choice([*[name for name in own if name.decode() in READ], *(name.encode() for name in READ)])
    return b"\r\n".join([first, b"%s: %s" % (name, dice.choice(ODD).encode()), *lines])


class Asked(dict[str, str]):
    """Headers that note which of them somebody asks for."""

    names: ClassVar[set[str]] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return super().get(name, default)

    def __contains__(self, name: object) -> bool:
        self.names.add(str(name))
        return super().__contains__(name)


def test_every_header_that_the_tracker_asks_for_stays() -> None:
    for story in STORIES:
        tracker = Tracker("office", Trunks())
        for event in read_trace(story.path):
            if event is not None:
                tracker.feed(event._replace(headers=Asked(event.headers)))
    assert len(Asked.names) > 20
    assert Asked.names <= {*anonymise._KINDS}


def test_a_trace_with_an_editors_line_ends_and_no_end_is_read_too(tmp_path: Path) -> None:
    story, plain = BY_NAME["asterisk22/direct_noanswer"], tmp_path / "edited.ami"
    plain.write_bytes(story.path.read_bytes().replace(b"\r\n", b"\n").rstrip(b"\n"))
    assert judged(anonymised_copy(plain, tmp_path)[0], []) == judged(story.path, [])


def told_instead(made: Anonymiser, numbers: Iterable[str]) -> list[str]:
    return [fictional for number in numbers if (fictional := made.stands_for(E164(number)))]


@pytest.mark.parametrize("story", STORIES, ids=lambda s: s.name)
def test_a_recorded_call_is_judged_the_same_when_it_is_anonymised(story: Story, tmp_path: Path) -> None:
    copy, made = anonymised_copy(story.path, tmp_path)
    assert judged(copy, told_instead(made, IGNORED_DIDS)) == judged(story.path, IGNORED_DIDS)


@pytest.mark.parametrize("story", STORIES, ids=lambda s: s.name)
def test_no_number_or_name_of_a_recorded_call_is_in_its_anonymised_copy(story: Story, tmp_path: Path) -> None:
    given_names, given_numbers = names_and_numbers(story.path.read_bytes())
    copy, made = anonymised_copy(story.path, tmp_path)
    names, numbers = names_and_numbers(copy.read_bytes())
    assert not given_names & names
    for number in given_numbers:  # the recordings are fictional too: another's number may be drawn, never one's own
        read = read_number(number, "US")
        assert read.e164 is None or made.stands_for(read.e164) not in (None, read.e164)
        assert read.e164 is not None or number not in numbers


def _event(frame: bytes) -> Event | None:
    return read_event(frame, None) if tracked(frame) else None


def names_and_numbers(trace: bytes) -> tuple[set[str], set[str]]:
    headers = [dict(event.headers) for frame in FrameSplitter().feed(trace) if (event := _event(frame))]
    names = {h["CallerIDName"] for h in headers if "CallerIDName" in h} - {"<unknown>", "", "Anonymous"}
    presented = [h[name] for h in headers for name in ("CallerIDNum", "Exten") if name in h]
    return names, {number for number in presented if sum(c.isdigit() for c in number) > 6}


@settings(max_examples=60, deadline=None)
@given(story=st.sampled_from(STORIES), seed=st.integers(0, 2**32))
def test_the_anonymised_bytes_do_not_depend_on_how_the_stream_is_cut(story: Story, seed: int) -> None:
    made, dice, data = anonymiser(), random.Random(seed), story.path.read_bytes() + b"\r\n\r\n"
    whole, pieces = made.feed(data), []
    while data:
        size = dice.choice((1, 3, 50, 4096))
        pieces.append(made.feed(data[:size]))
        data = data[size:]
    assert b"".join(pieces) == whole


# ---- numbers

FORMS = ["+13034825512", "3034825512", "13034825512", "0113034825512"[3:], "+1 (303) 482-5512", "303.482.5512"]


def shown(made: Anonymiser, **headers: str) -> dict[str, str]:
    """Return the headers of one anonymised event; `_` in a name is a hyphen."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    out = made.feed("\r\n".join(["Event: Newchannel", *lines, "", ""]).encode())
    return dict(line.split(": ", 1) for line in out.decode().removesuffix("\r\n\r\n").split("\r\n"))


@pytest.mark.parametrize(
    ("country", "forms"),
    [
        pytest.param("US", FORMS, id="a North American number"),
        pytest.param("US", ["+4915123456789", "4915123456789", "0114915123456789"], id="from abroad"),
        pytest.param("DE", ["+4915123456789", "015123456789", "004915123456789", "0151 234 567 89"], id="in Germany"),
        pytest.param("GB", ["+447911123456", "07911123456", "00447911123456"], id="in Britain"),
        pytest.param("BR", ["+5511961234567", "11961234567", "0 31 11 96123-4567"], id="with a carrier's code"),
    ],
)
def test_a_number_is_the_same_fictional_one_in_all_forms_and_places(country: str, forms: Sequence[str]) -> None:
    made = anonymiser(country)
    real = read_number(forms[0], country)
    for form in forms:
        out = shown(made, CallerIDNum=form, Exten=form, Channel=f"Local/{form}@office-00000007;1")
        read = read_number(out["CallerIDNum"], country)
        assert read.e164 == made.stands_for(E164(forms[0])) != real.e164
        assert (read.region, read.not_textable) == (real.region, real.not_textable)
        assert re.sub(r"\d", "0", out["CallerIDNum"]) == re.sub(r"\d", "0", form), "written in another form"
        assert out["Exten"] == out["CallerIDNum"]
        assert out["Channel"] == f"Local/{out['Exten']}@office-00000007;1"


EXAMPLES = sorted(
    {
        phonenumbers.format_number(number, form)
        for region in phonenumbers.SUPPORTED_REGIONS
        for kind in phonenumbers.PhoneNumberType.values()
        if (number := phonenumbers.example_number_for_type(region, kind)) is not None
        for form in (phonenumbers.PhoneNumberFormat.E164, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    }
)
presented = st.one_of(
    st.sampled_from(EXAMPLES),
    st.sampled_from(EXAMPLES).map(lambda number: number.lstrip("+")),
    st.text("0123456789", min_size=1, max_size=17),
    st.text("0123456789+*#-. ()", min_size=1, max_size=17),
    st.text(min_size=1, max_size=17).map(lambda text: text.replace("\r", "").replace("\n", "")),
    st.sampled_from(["anonymous", "Restricted", "<unknown>", "", "s", '"Unavailable"', "+١٣٠٣٤٨٢٥٥١٢"]),
)


@settings(max_examples=400, deadline=None)
@given(number=presented, country=st.sampled_from(["US", "CA", "GB", "DE", "IT"]))
def test_whatever_is_presented_is_read_the_same_way(number: str, country: str) -> None:
    real, read = (
        read_number(value, country) for value in (number, shown(anonymiser(country), CallerIDNum=number)["CallerIDNum"])
    )
    assert (read.e164 is None, read.region, read.not_textable) == (real.e164 is None, real.region, real.not_textable)


def test_of_few_numbers_that_exist_another_is_found_whatever_the_key() -> None:
    real = read_number("+3114020", "US")
    for _ in range(40):
        read = read_number(shown(anonymiser("US"), CallerIDNum="+3114020")["CallerIDNum"], "US")
        assert (read.region, read.not_textable) == (real.region, real.not_textable) == ("NL", NotTextable.FOREIGN)


def test_two_traces_of_the_same_call_do_not_show_the_same_numbers() -> None:
    numbers = [f"+130348255{n:02}" for n in range(20)]
    first, second = ([shown(made, Exten=n)["Exten"] for n in numbers] for made in (anonymiser(), anonymiser()))
    assert first != second
    assert len(set(first)) == len(set(second)) == 20


def test_different_callers_stay_different_down_to_the_digits_that_calls_are_merged_by() -> None:
    made = anonymiser()
    assert len({shown(made, CallerIDNum=f"+1303482{n:04}")["CallerIDNum"][-9:] for n in range(400)}) == 400


def test_a_north_american_number_becomes_one_that_nobody_has() -> None:
    assert re.fullmatch(r"\+1\d{3}55501\d\d", shown(anonymiser(), CallerIDNum="+13034825512")["CallerIDNum"])


# ---- words


@pytest.mark.parametrize(
    ("channel", "expected"),
    [
        pytest.param("PJSIP/101-0000002a", "PJSIP/101-0000002a", id="an extension stays"),
        pytest.param("PJSIP/anna-0000002a", "PJSIP/phone1-0000002a", id="a name does not"),
        pytest.param("SIP/anna.smith-0000002a", "SIP/phone1-0000002a", id="nor a full one"),
        pytest.param("Local/anna@office-0000002a;2", "Local/phone1@office-0000002a;2", id="nor in a Local channel"),
        pytest.param("SIP/192.0.2.17-0000002a", "SIP/phone1-0000002a", id="an address is no name either"),
        pytest.param("ConfBridge: Anna", None, id="what is no channel's name becomes one that tells nothing"),
    ],
)
def test_a_channel_shows_extensions_and_no_names(channel: str, expected: str | None) -> None:
    out = shown(anonymiser(), Channel=channel)["Channel"]
    assert out == expected or (expected is None and re.fullmatch("Other/[a-p]{16}", out))


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        pytest.param((), "PJSIP/trunk1-0000002a", id="told by its context: the name is not needed"),
        pytest.param(("PJSIP/twilio-*",), "PJSIP/twilio-0000002a", id="told by its name: it stays"),
        pytest.param(("PJSIP/*",), "PJSIP/trunk1-0000002a", id="any name would do"),
    ],
)
def test_the_name_of_a_trunk_stays_only_if_it_is_told_by_it(patterns: Sequence[str], expected: str) -> None:
    made = anonymiser(trunks=Trunks(channels=patterns))
    assert shown(made, Channel="PJSIP/twilio-0000002a", Context="from-trunk-twilio") == {
        "Event": "Newchannel",
        "Channel": expected,
        "Context": "from-trunk-twilio",
    }


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        pytest.param("from-trunk-pjsip-Calls", "from-trunk-pjsip-Calls", id="a context stays"),
        pytest.param("home-of-anna", "home-of-phone1", id="without the name of a phone"),
        pytest.param("night-smith", "night-phone1", id="but for what it is judged by"),
        pytest.param("from-trunk.example.com", "from-trunk-context1", id="without a host's name, still a trunk's"),
        pytest.param("Büro Smith, closed", "closed-context1", id="or replaced by one that is judged the same"),
    ],
)
def test_a_context_stays_but_for_the_names_in_it(context: str, expected: str) -> None:
    assert shown(anonymiser(), Channel="PJSIP/anna.smith-0000002a", Context=context)["Context"] == expected


def test_an_eight_digit_number_does_not_pass_for_a_channels_serial_number() -> None:
    made = anonymiser()
    out = shown(made, Channel="SIP/101-30348255")["Channel"]
    assert re.fullmatch("SIP/101-[0-9a-f]{8}", out)
    assert out != "SIP/101-30348255"
    assert shown(made, Channel="SIP/101-30348255")["Channel"] == out


def test_ids_stay_what_they_are_without_their_systems_name() -> None:
    out = shown(anonymiser(), Uniqueid="pbx-anna-1529936141.21", Linkedid="1529936141.20", BridgeUniqueid="0")
    assert (out["Uniqueid"], out["Linkedid"]) == ("1529936141.21", "1529936141.20")
    assert out["BridgeUniqueid"] != "0"


def test_a_withheld_number_stays_withheld_and_nothing_else_of_the_variables_stays() -> None:
    made = anonymiser()
    assert shown(made, ChanVariable="CALLERID(pres)=prohib_passed_screen") == {
        "Event": "Newchannel",
        "ChanVariable": "CALLERID(pres)=prohib",
    }
    assert "ChanVariable" not in shown(made, ChanVariable="CALLERID(name)=Anna")


@pytest.mark.parametrize(
    ("header", "value", "expected"),
    [
        ("DialStatus", "CANCEL", "CANCEL"),
        ("DialStatus", "Anna", "other"),  # not empty: that would mean that it is still ringing
        ("DialStatus", "", ""),
        ("Application", "VoiceMail", "VoiceMail"),
        ("Application", "Parked Call", "Parked Call"),
        ("Application", "Anna", "other"),
        ("Queue", "201", "201"),
        ("Queue", "Anna", "queue1"),
        ("Mailbox", "101@anna", "101"),
        ("Uptime", "3034825512", "999999"),
        ("CallerIDNum", "1" * 5000, "phone1"),
        ("Exten", "FMGL-anna#", "phone1"),
        ("Exten", "RG-103*-101#", "RG-103*-101#"),
    ],
)
def test_of_a_value_stays_what_is_known_to_be_nobodys(header: str, value: str, expected: str) -> None:
    assert shown(anonymiser(), **{header: value}) == {"Event": "Newchannel", header: expected}


@pytest.mark.parametrize(("value", "expected"), [("prohib_not_screened", "prohib_not_screened"), ("Anna", "other")])
def test_of_the_variables_set_only_the_presentation_stays(value: str, expected: str) -> None:
    frame = f"Event: VarSet\r\nVariable: __CALLINGNUMPRES_SV\r\nValue: {value}\r\nUniqueid: 1529936141.21\r\n\r\n"
    made = f"Event: VarSet\r\nUniqueid: 1529936141.21\r\nVariable: CALLINGNUMPRES\r\nValue: {expected}\r\n\r\n"
    assert anonymiser().feed(frame.encode()) == made.encode()


@pytest.mark.parametrize(
    "frame",
    [
        b"Event: Newexten\r\nAppData: Anna",
        b"Event: VarSet\r\nVariable: NAME\r\nValue: Anna CALLINGNUMPRES",
        b"Response: Success\r\nMessage: Anna",
        b"# Anna calls",
        b"Anna",
        b"",
    ],
)
def test_frames_that_nobody_needs_are_dropped(frame: bytes) -> None:
    assert anonymiser().feed(frame + b"\r\n\r\n") == b""


def test_of_a_banner_only_the_version_stays() -> None:
    data = b"# Anna calls\r\nAsterisk Call Manager/11.0.0\r\nResponse: Success\r\nMessage: Anna\r\n\r\n"
    assert anonymiser().feed(data) == b"Asterisk Call Manager/11.0.0\r\n\r\n"


def test_memory_is_bounded_however_many_people_call() -> None:
    made = anonymiser()
    for number in range(MOST_REMEMBERED + 500):
        made.feed(b"Event: Newchannel\r\nCallerIDName: N%d abc%s\r\n\r\n" % (number, _letters(number)))
    assert made.size <= 2 * MOST_REMEMBERED
    last = shown(made, CallerIDName="One more")["CallerIDName"]
    assert re.fullmatch("Name [a-p]{16}", last)
    assert shown(made, CallerIDName="One more")["CallerIDName"] == last


def _letters(number: int) -> bytes:
    return bytes(ord("a") + int(digit) for digit in str(number))


# ---- nothing gets out

CONSONANTS = "bcdfghjklmnpqrstvwxz"  # no word of ours is made of these alone
words = st.text(CONSONANTS, min_size=6, max_size=12)
area, subscriber = st.sampled_from(["303", "212", "312"]), st.integers(0, 9999).map(lambda n: f"482{n:04}")
NUMBER_FORMS = [
    "+1{0}{1}",
    "{0}{1}",
    "1{0}{1}",
    "0111{0}{1}",
    "001{0}{1}",
    "({0}) {2}-{3}",
    "{0}.{2}.{3}",
    "{0}-{2}-{3}",
]
PLACES = [
    "{}", " {} ", "<{}>", '"{}"', "x {} y", "{}@default", "{}.5", "1529936141.{}", "{}-1529936141.21", "from-{}", "{}-in", "closed-{}",
    "PJSIP/{}-0000002a", "{}/101-0000002a", "SIP/101-{}", "DAHDI/i1/{}-1", "Local/{}@from-internal-00000007;1", "Local/101@{}-00000007;2",
    "AsyncGoto/PJSIP/{}-0000002a<ZOMBIE>", "sip:{}:5060", "{}@192.0.2.200", "CALLERID(pres)={}", "32 (Presentation Prohibited, {})",
    "FMGL-{}#", "RG-103*-{}#", "*67{}",
]  # fmt: skip
HEADERS = sorted(
    {*anonymise._KINDS, "ConnectedLineNum", "ConnectedLineName", "AppData", "Dialstring", "AccountCode", "X"}
)


@st.composite
def people(draw: st.DrawFn) -> dict[str, bytes]:
    """Return what must not get out: how it is written in the trace, by what it is."""
    word, name, digits = draw(words), draw(words), f"{draw(area)}{draw(subscriber)}"
    form = draw(st.sampled_from(NUMBER_FORMS))
    junk = draw(st.binary(max_size=8)).replace(b"\r", b"").replace(b"\n", b"")
    return {
        "number": form.format(digits[:3], digits[3:], digits[3:6], digits[6:]).encode(),
        "digits": digits.encode(),
        "name": draw(st.sampled_from([b"%s", b"%s Ann", b"\xff\x80%s", b"Ann %s \xf0\x9f"])) % name.encode() + junk,
        "name word": name.encode(),
        "endpoint": draw(st.sampled_from([b"%s", b"ann.%s", b"%s_2"])) % word.encode(),
        "endpoint word": word.encode(),
        "ip": draw(st.ip_addresses()).exploded.encode(),
        "email": f"{word}@{name}.example".encode(),
        "host": f"pbx.{name}.example".encode(),
    }


PLANTED = ("number", "name", "endpoint", "ip", "email", "host")


def _frames(story: Story) -> Iterable[tuple[bytes, Iterable[bytes]]]:
    """Yield name and headers of events: every event that is tracked with every header we know, and some of a story."""
    for name in sorted(TRACKED):
        yield name.encode(), [header.encode() for header in HEADERS]
    for frame in FrameSplitter().feed(story.path.read_bytes())[:60]:
        if frame.startswith(b"Event: "):
            first, *lines = frame.split(b"\r\n")
            yield first.removeprefix(b"Event: "), [line.partition(b": ")[0] for line in lines]


@st.composite
def planted(draw: st.DrawFn) -> tuple[dict[str, bytes], bytes]:
    """Return the people and a trace that holds one of them in every header of every event."""
    who = draw(people())
    dice = random.Random(draw(st.integers(0, 2**32)))
    known = b"Event: Newchannel\r\nChannel: PJSIP/%s-0000002a\r\nCallerIDName: %s\r\n\r\n" % (
        who["endpoint"],
        who["name"],
    )
    blocks = [known]
    for event, headers in _frames(draw(st.sampled_from(STORIES))):
        lines = [b"Event: " + event]
        for header in headers:
            before, after = dice.choice(PLACES).encode().split(b"{}")
            lines.append(header + b": " + before + who[dice.choice(PLANTED)] + after)
        if event == b"VarSet":
            lines.insert(1, b"Variable: CALLINGNUMPRES")
        blocks.append(b"\r\n".join([*lines, b"", b""]))
    return who, b"".join(blocks)


@settings(max_examples=40, deadline=None)
@given(case=planted())
def test_nobody_is_shown_wherever_they_are_planted(case: tuple[dict[str, bytes], bytes]) -> None:
    who, trace = case
    out = anonymiser().feed(trace)
    assert out.count(b"Event: ") >= len(TRACKED)
    assert out.isascii()
    for secret in ("name word", "endpoint word", "ip", "email", "host"):
        assert who[secret].lower() not in out.lower(), secret
    for line in out.split(b"\r\n"):
        assert who["digits"] not in re.sub(rb"[^0-9]", b"", line), line


# ---- the command

RUN = [sys.executable, "-c", "from textbackd.cli import main; main()"]


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*RUN, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)


def replayed(trace: Path) -> list[tuple[object, ...]]:
    lines = run("replay", trace, "--json").stdout.splitlines()
    wanted = ("direction", "verdict", "reason", "not_textable", "started_at", "talked_s", "decision", "decision_reason")
    return [tuple(json.loads(line)[name] for name in wanted) for line in lines]


def test_the_command_makes_an_anonymous_copy_of_a_recording(tmp_path: Path) -> None:
    source, copy = BY_NAME["asterisk22/three_misses"].path, tmp_path / "report.ami"
    done = run("record", copy, "--anonymise", "--from", source)
    assert (done.returncode, done.stderr) == (0, "")
    assert replayed(copy) == replayed(source) != []
    assert b"+15015550100" not in copy.read_bytes()
    assert b"Ann Smith" not in copy.read_bytes()


def test_the_command_tells_how_the_configurations_numbers_read_in_the_copy(tmp_path: Path) -> None:
    configuration, copy = tmp_path / "textbackd.yaml", tmp_path / "report.ami"
    configuration.write_text(CONFIG.format(ignored='"+13035550118", "+13035550199"'))
    done = run("record", copy, "--anonymise", "--from", BY_NAME["asterisk22/fax"].path, "--config", configuration)
    told = re.findall(r"^(\+\d+) of the configuration is (\+\d+) in it\.$", done.stdout, re.MULTILINE)
    assert [number for number, _ in told] == ["+13035550118"], "one for each that came up"
    assert f"Exten: {told[0][1]}\r\n".encode() in copy.read_bytes()
    assert b"+13035550118" not in copy.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        pytest.param(["--from", "there.ami"], 2, "needs --anonymise", id="a copy that is not anonymous"),
        pytest.param(["--from", "there.ami", "--anonymise"], 1, "there.ami: cannot be read", id="no such trace"),
    ],
)
def test_the_command_writes_no_file_if_it_cannot(arguments: list[str], code: int, says: str, tmp_path: Path) -> None:
    done = run("record", tmp_path / "report.ami", *arguments)
    assert (done.returncode, list(tmp_path.iterdir())) == (code, [])
    assert says in done.stderr


async def test_what_is_recorded_live_is_anonymous_in_the_file_from_the_start(tmp_path: Path) -> None:
    pbx, copy, story = DemoPbx(), tmp_path / "report.ami", BY_NAME["asterisk22/direct_noanswer"]
    await pbx.start()
    configuration = tmp_path / "textbackd.yaml"
    configuration.write_text(
        CONFIG.format(ignored="").replace("secret: none", f"host: 127.0.0.1, port: {pbx.port}, secret: demo")
    )
    recorder = await asyncio.create_subprocess_exec(
        *RUN, "record", copy, "--anonymise", "--config", configuration, stdout=subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(30):
            await pbx.logged_in.wait()
            await pbx.play(story.path, pause=lambda _: 0.0)
            await until(lambda: b"Event: Hangup" in copy.read_bytes())
    finally:
        recorder.send_signal(signal.SIGINT)
        await recorder.wait()
        await pbx.stop()
    assert recorder.returncode == 0
    assert copy.read_bytes().startswith(b"Asterisk Call Manager/11.0.0\r\n\r\n")
    [(call, conclusion)] = conclusions(copy, config([]), pbx="office")
    assert (call.direction, conclusion.judgement.verdict) == (Direction.INBOUND, Verdict.MISSED)
    assert call.caller_presented != story.truths[0].caller
    assert conclusion.numbers.not_textable is not NotTextable.INVALID
    assert b"Ann Smith" not in copy.read_bytes()
