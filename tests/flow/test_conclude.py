"""From a finished call to its verdict, decision and words, by a configuration."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.core.calls import OUT_OF_QUEUE, T0, a_call, met_machine, seconds, talked
from tests.flow.settings import configured
from textbackd.config import Settings
from textbackd.core.call import Call, Direction, EndedBy
from textbackd.core.decide import Action, Caller, Standing, Why
from textbackd.core.missed import Reason, Verdict
from textbackd.core.phone import E164, NotTextable
from textbackd.flow.conclude import Conclusion, Office

SETTINGS = configured()
NOBODY = Caller()


def concluded(
    call: Call,
    settings: Settings = SETTINGS,
    caller: Caller = NOBODY,
    *,
    switched_closed: bool | None = None,
    **when: datetime | None,
) -> Conclusion:
    """Return what a fresh office thinks of a call, as soon as it has ended."""
    office = Office(settings)
    numbers = office.read(call)
    now = when.get("now", call.ended_at)
    judgement = office.judge(call, numbers)
    proposal = office.propose(call, numbers, judgement, caller, at=now, switched_closed=switched_closed)
    return office.conclude(call, numbers, judgement, proposal, caller, Standing(), now=now)


def test_a_missed_call_is_answered_in_the_words_of_its_line_through_its_gateways() -> None:
    conclusion = concluded(a_call())
    assert (conclusion.decision.action, conclusion.line) == (Action.TEXT, "main")
    assert conclusion.text == (
        "Sorry we missed your call, this is Anderson Roofing. What can we help you with? "
        "(You called +13035550101.) Reply STOP for no more texts."
    )
    assert conclusion.proposal.gateways == ("stick", "web")


@pytest.mark.parametrize(
    ("change", "verdict", "why"),
    [
        pytest.param({"talks": (talked(),)}, "answered", Why.ANSWERED, id="answered"),
        pytest.param({"direction": Direction.INTERNAL}, "ignored", Why.IGNORED, id="phone to phone"),
        pytest.param({"caller_presented": "3035550111"}, "ignored", Why.IGNORED, id="a number of the business"),
        pytest.param({"caller_presented": "+13035550112"}, "ignored", Why.IGNORED, id="the modem's own number"),
        pytest.param({"caller_presented": "13035550113"}, "ignored", Why.IGNORED, id="a colleague's mobile"),
        pytest.param({"did_presented": "3035550118"}, "ignored", Why.IGNORED, id="an ignored DID, as dialled locally"),
        pytest.param({"ended_in": "door-opener", "rings": ()}, "ignored", Why.IGNORED, id="an ignored context"),
        pytest.param({"caller_presented": "anonymous"}, "missed", Why.NOT_TEXTABLE, id="withheld"),
        pytest.param({"withheld": True}, "missed", Why.NOT_TEXTABLE, id="hidden, though the carrier tells it"),
        pytest.param({"caller_presented": "+441212345678"}, "missed", Why.NOT_TEXTABLE, id="foreign"),
        pytest.param({"ended_by": EndedBy.OPEN}, "uncertain", Why.UNCERTAIN, id="still open"),
    ],
)
def test_a_call_that_is_not_to_be_texted_says_why(change: dict[str, Any], verdict: str, why: Why) -> None:
    conclusion = concluded(a_call(**change))
    assert (conclusion.judgement.verdict, conclusion.decision.why, conclusion.text) == (verdict, why, None)


def test_a_caller_on_the_list_that_is_kept_while_we_run_is_one_on_the_list() -> None:
    office = Office(SETTINGS)
    judgements = [office.judge(a_call(), office.read(a_call()), never=listed) for listed in (False, True)]
    assert [(one.verdict, one.reason) for one in judgements] == [
        (Verdict.MISSED, Reason.NO_ANSWER), (Verdict.IGNORED, Reason.NEVER_LIST),
    ]  # fmt: skip


def test_a_hidden_number_is_kept_nowhere() -> None:
    numbers = concluded(a_call(withheld=True)).numbers
    assert (numbers.caller, numbers.not_textable) == (None, NotTextable.WITHHELD)


def test_a_did_that_calls_have_shown_is_one_of_ours_from_then_on() -> None:
    office = Office(SETTINGS)
    ours = a_call(caller_presented="+13035550101")
    before = office.judge(ours, office.read(ours)).verdict
    office.judge(a_call(), office.read(a_call()))
    assert (before, office.judge(ours, office.read(ours)).verdict) == ("missed", "ignored")


def test_the_number_that_a_colleague_dials_does_not_become_ours() -> None:
    office = Office(SETTINGS)
    outbound = a_call(direction=Direction.OUTBOUND, did_presented="+13035550142")
    office.judge(outbound, office.read(outbound))
    assert office.judge(a_call(), office.read(a_call())).verdict == "missed"


@pytest.mark.parametrize("dialled", ["3035550142", "93035550142", "*673035550142"])
def test_a_call_back_is_to_the_caller_whatever_is_dialled_first(dialled: str) -> None:
    outbound = a_call(direction=Direction.OUTBOUND, did_presented=dialled)
    assert Office(SETTINGS).read(outbound).did == "+13035550142"


def test_a_number_of_ours_is_read_as_it_stands() -> None:
    assert Office(SETTINGS).read(a_call(did_presented="93035550142")).did != "+13035550142"


def test_dids_that_the_database_has_seen_are_ours() -> None:
    office = Office(SETTINGS, seen_dids=[E164("+13035550142")])
    assert office.judge(a_call(), office.read(a_call())).verdict == "ignored"


@pytest.mark.parametrize(
    ("waited", "min_wait", "why"),
    [(3, "4s", Why.SHORT), (4, "4s", Why.MISSED), (3, "3s", Why.MISSED), (0, "0s", Why.MISSED)],
)
def test_min_wait_is_the_configuration_s(waited: float, min_wait: str, why: Why) -> None:
    call = a_call(waited=waited, ended_by=EndedBy.CALLER, ringing_at_end=True)
    assert concluded(call, configured(policy=f"{{min_wait: {min_wait}}}")).decision.why is why


@pytest.mark.parametrize(
    ("caller", "why"),
    [
        (Caller(last_text_at=T0), Why.COOLDOWN),
        (Caller(last_text_at=T0 - seconds(3600)), Why.MISSED),
        (Caller(last_talk_at=T0), Why.RECENT_TALK),
    ],
    ids=["texted just before", "texted an hour ago", "talked just before"],
)
def test_what_is_known_of_the_caller_counts(caller: Caller, why: Why) -> None:
    assert concluded(a_call(), caller=caller).decision.why is why


LINES = """{
  front: {dids: ["+13035550101"], texts: {missed: "Front: {business}, {line}, {called_number}"}, gateways: [web]},
  quiet: {dids: ["+13035550102"], texts: {busy: none}},
  area: {dids: ["+1303555*"], texts: {missed: none}},
}"""


@pytest.mark.parametrize(
    ("did", "line", "why"),
    [
        pytest.param("+13035550101", "front", Why.MISSED, id="its exact number"),
        pytest.param("+13035550177", "area", Why.LINE_OFF, id="the start of a number; its text is none"),
        pytest.param("+12015550100", None, Why.NO_LINE, id="nobody's number"),
        pytest.param("s", None, Why.NO_LINE, id="no number"),
    ],
)
def test_the_number_that_was_called_finds_its_line(did: str, line: str | None, why: Why) -> None:
    conclusion = concluded(a_call(did_presented=did), configured(lines=LINES))
    assert (conclusion.line, conclusion.decision.why) == (line, why)


def test_a_line_s_own_words_and_gateways_are_used() -> None:
    conclusion = concluded(a_call(), configured(lines=LINES))
    assert conclusion.text == "Front: Anderson Roofing, front, +13035550101"
    assert conclusion.proposal.gateways == ("web",)


def test_none_for_one_kind_of_call_leaves_the_others() -> None:
    settings = configured(lines=LINES)
    busy = a_call(did_presented="+13035550102", rings=(), cause=17)
    assert concluded(busy, settings).decision.why is Why.LINE_OFF
    assert concluded(a_call(did_presented="+13035550102"), settings).decision.why is Why.MISSED


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (a_call(rings=(), cause=17), "on another call and missed yours"),
        (met_machine("app-announcement-1"), "We are closed right now"),
        (met_machine("macro-vm", message_left=True), "We got your message"),
        (a_call(queue=OUT_OF_QUEUE), "we kept you waiting"),
    ],
    ids=["busy", "closed", "voicemail", "queue"],
)
def test_the_kind_of_miss_chooses_the_words(call: Call, words: str) -> None:
    assert words in str(concluded(call).text)


def test_a_caller_s_name_brings_nothing_into_the_text_but_letters() -> None:
    settings = configured(lines='{main: {texts: {missed: "Hi {caller_name}, {business}"}}}')
    conclusion = concluded(a_call(caller_name="A\u202e\r\n{business}\x00nn"), settings)
    assert conclusion.text == "Hi A{business}nn, Anderson Roofing"


def test_a_call_of_which_we_learn_late_is_not_texted() -> None:
    assert concluded(a_call(), now=T0 + seconds(3600)).decision.why is Why.EXPIRED


def test_a_call_without_times_is_judged_and_decided_all_the_same() -> None:
    untimed = a_call(started_at=None, ended_at=None)
    assert concluded(untimed).decision.why is Why.MISSED
    assert concluded(untimed, now=T0).decision.why is Why.MISSED


# ---- the night


@pytest.mark.parametrize(
    ("caller", "ended", "why", "due"),
    [
        pytest.param("+13035550142", "03-03 03:59", Why.MISSED, "03-03 03:59", id="Denver, 20:59"),
        pytest.param("+13035550142", "03-03 04:00", Why.HELD, "03-03 15:00", id="Denver, 21:00: until eight there"),
        pytest.param("+12125550142", "03-03 02:00", Why.HELD, "03-03 13:00", id="New York, 21:00: until eight there"),
        pytest.param("+12085550142", "03-03 15:00", Why.HELD, "03-03 16:00", id="Idaho: the later of its two zones"),
        pytest.param("+881612345678", "03-03 04:00", Why.NOT_TEXTABLE, None, id="held only what would be texted"),
    ],
)
def test_the_night_is_the_caller_s(caller: str, ended: str, why: Why, due: str | None) -> None:
    settings = configured(policy='{night: hold, delay: 0s, quiet_hours: "21:00-08:00"}')
    ended_at = datetime.fromisoformat(f"2026-{ended}+00:00")
    call = a_call(caller_presented=caller, started_at=ended_at - seconds(20), ended_at=ended_at)
    decision = concluded(call, settings).decision
    assert (decision.why, f"{decision.due:%m-%d %H:%M}" if decision.due else None) == (why, due)


def test_a_held_text_has_the_words_of_what_is_late() -> None:
    settings = configured(policy='{night: hold, quiet_hours: "01:00-03:00"}')  # T0 is 02:00 in Denver
    assert "earlier" in str(concluded(a_call(), settings).text)
    silent = configured(policy='{night: hold, quiet_hours: "01:00-03:00"}', lines="{main: {texts: {late: none}}}")
    assert concluded(a_call(), silent).decision.why is Why.LINE_OFF


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        ('{night: skip, quiet_hours: "01:00-03:00"}', Why.NIGHT),
        ('{night: send, quiet_hours: "01:00-03:00"}', Why.MISSED),
        ("{night: skip, quiet_hours: off}", Why.MISSED),
    ],
)
def test_the_night_is_the_configuration_s(policy: str, why: Why) -> None:
    assert concluded(a_call(), configured(policy=policy)).decision.why is why


NIGHTLY = '{night: skip, quiet_hours: "01:00-03:00", min_wait: 0s, cooldown: 24h, delay: 5s, expire: 10m}'
LATELY = Caller(last_text_at=T0 - timedelta(hours=2))


@pytest.mark.parametrize(
    ("own", "caller", "why"),
    [
        pytest.param("{}", NOBODY, Why.NIGHT, id="a line that says nothing does as all do"),
        pytest.param("{night: send}", NOBODY, Why.MISSED, id="an emergency line answers at night"),
        pytest.param("{quiet_hours: off}", NOBODY, Why.MISSED, id="a line without quiet hours"),
        pytest.param('{quiet_hours: "04:00-05:00"}', NOBODY, Why.MISSED, id="a line with a night of its own"),
        pytest.param("{night: send}", LATELY, Why.COOLDOWN, id="the cooldown stays that of all"),
        pytest.param("{night: send, cooldown: 1h}", LATELY, Why.MISSED, id="a line with a cooldown of its own"),
    ],
)
def test_a_line_may_say_otherwise_than_the_policy_of_all(own: str, caller: Caller, why: Why) -> None:
    lines = f'{{main: {{dids: ["+13035550101"], policy: {own}}}, other: {{dids: ["*"]}}}}'
    settings = configured(policy=NIGHTLY, lines=lines)
    assert concluded(a_call(), settings, caller).decision.why is why
    assert concluded(a_call(did_presented="+13035550109"), settings).decision.why is Why.NIGHT


def test_a_line_may_have_more_patience_with_who_gives_up() -> None:
    gave_up = a_call(ended_by=EndedBy.CALLER, ringing_at_end=True)
    lines = '{main: {dids: ["+13035550101"], policy: {min_wait: 10m}}, other: {dids: ["*"]}}'
    assert concluded(gave_up, configured(lines=lines)).decision.why is Why.SHORT
    assert concluded(gave_up).decision.why is Why.MISSED


def test_a_line_s_own_delay_is_that_of_its_texts() -> None:
    lines = '{main: {dids: ["+13035550101"], policy: {delay: 30s}}, other: {dids: ["*"]}}'
    office = Office(configured(lines=lines))
    delays = [office.policy(line).delay for line in ("main", "other", None)]
    assert delays == [seconds(30), seconds(5), seconds(5)]


def test_the_shop_s_zone_counts_where_the_number_tells_none() -> None:
    night = Office(SETTINGS).night_of(E164("+881612345678"))
    assert str(night) == "America/Denver"


SHOP = """{
  main: {dids: ["+13035550101"], hours: {mon-fri: ["08:00-12:00", "13:00-17:00"]}, holidays: [US, 2026-03-06],
         on_call: "+13035550124"},
  berlin: {dids: ["+13035550102"], hours: {mon-fri: "08:00-17:00"}, timezone: Europe/Berlin, language: de},
  own: {dids: ["+13035550103"], hours: closed, booking_url: "https://example.com/own",
        texts: {closed: "{business}. {booking_url}. Open {opens_next}. Yes?"}},
  other: {dids: ["+13035550104"], texts: {missed: "{business}: {booking_url}?"}},
}"""
HELD = configured(
    business="{name: Anderson, country: US, timezone: America/Denver, booking_url: 'https://example.com/all'}",
    lines=SHOP,
)


def ended(local: str, **changes: Any) -> Call:
    """Return a missed call that ended at that time in Denver."""
    at = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo("America/Denver")).astimezone(UTC)
    return a_call(**{"started_at": at - seconds(20), "ended_at": at, **changes})


@pytest.mark.parametrize(
    ("call", "words"),
    [
        pytest.param(ended("2026-03-02 09:00"), "Anderson. What can", id="within the hours: as ever"),
        pytest.param(
            ended("2026-03-02 12:30"), "closed right now. We open again today at 1:00 pm. If it cannot wait, call +13035550124.",
            id="over lunch",
        ),
        pytest.param(ended("2026-03-02 22:00"), "We open again tomorrow at 8:00 am.", id="in the evening"),
        pytest.param(ended("2026-03-05 17:00"), "We open again on Monday at 8:00 am.", id="a holiday and the weekend in between"),
        pytest.param(ended("2026-03-06 09:00"), "closed for the holiday. We are back on Monday at 8:00 am.", id="on a day off"),
        pytest.param(ended("2026-11-26 09:00"), "closed for the holiday. We are back tomorrow at 8:00 am.", id="on Thanksgiving"),
        pytest.param(
            ended("2026-03-02 22:00", did_presented="+13035550102"), "Wir sind heute um 8:00 Uhr wieder da.",
            id="where it is 6 in the morning, in the line's language",
        ),
        pytest.param(ended("2026-03-02 02:00", did_presented="+13035550102"), "Anruf verpasst. Hier ist Anderson. Wie", id="10:00 there"),
        pytest.param(
            ended("2026-03-02 09:00", did_presented="+13035550103"), "Anderson. https://example.com/own. Yes?",
            id="its own link; it never opens, so no time",
        ),
        pytest.param(
            ended("2026-03-02 09:00", did_presented="+13035550104"), "https://example.com/all?", id="the business's link"
        ),
        pytest.param(ended("2026-03-02 22:00", message_left=True, rings=()), "We got your message", id="voicemail by night"),
    ],
)  # fmt: skip
def test_a_line_s_clock_and_calendar_choose_the_words(call: Call, words: str) -> None:
    assert words in str(concluded(call, HELD).text)


@pytest.mark.parametrize(
    ("local", "switched_closed", "words"),
    [
        pytest.param("2026-03-02 09:00", True, "We are closed right now. If it cannot wait", id="closed by hand: until when, nobody knows"),
        pytest.param("2026-03-02 22:00", False, "Anderson. What can", id="somebody stays longer"),
        pytest.param("2026-03-02 22:00", True, "We open again tomorrow at 8:00 am.", id="closed by hand after hours"),
        pytest.param("2026-03-02 22:00", None, "We open again tomorrow at 8:00 am.", id="the switch says nothing"),
    ],
)  # fmt: skip
def test_the_pbx_s_switch_beats_the_hours(local: str, switched_closed: bool | None, words: str) -> None:
    assert words in str(concluded(ended(local), HELD, switched_closed=switched_closed).text)


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


@pytest.mark.parametrize(
    ("texted_before", "words"),
    [
        pytest.param(None, "missed your call, this is Anderson. What can we help you with? (You called", id="never"),
        pytest.param(hours(2), "missed you again", id="after the cooldown"),
        pytest.param(hours(24 * 29), "missed you again", id="last month"),
        pytest.param(
            hours(24 * 31), "missed your call, this is Anderson. What", id="so long ago that nobody remembers"
        ),
    ],
)
def test_a_caller_who_was_texted_before_is_told_again(texted_before: timedelta | None, words: str) -> None:
    call = ended("2026-03-02 09:00")
    assert call.ended_at is not None
    known = Caller(last_text_at=call.ended_at - texted_before) if texted_before else NOBODY
    text = str(concluded(call, HELD, known).text)
    assert words in text
    assert ("STOP" in text) is (texted_before is None)


def test_a_text_that_goes_out_minutes_after_the_call_says_earlier() -> None:
    call = ended("2026-03-02 09:00")
    assert call.ended_at is not None
    assert "missed your call earlier" in str(concluded(call, HELD, now=call.ended_at + seconds(120)).text)
    assert "earlier" not in str(concluded(call, HELD, now=call.ended_at + seconds(119)).text)


@pytest.mark.parametrize(
    ("call_ends", "text_goes", "words"),
    [
        pytest.param("2026-03-02 12:57", "2026-03-02 13:00", "missed your call earlier", id="open again by then"),
        pytest.param("2026-03-02 11:57", "2026-03-02 12:00", "We open again today at 1:00 pm", id="closed by then"),
    ],
)
def test_a_late_text_is_true_when_it_goes_out(call_ends: str, text_goes: str, words: str) -> None:
    assert words in str(concluded(ended(call_ends), HELD, now=ended(text_goes).ended_at).text)


def test_a_recording_without_times_knows_no_hours() -> None:
    assert "closed" not in str(concluded(a_call(started_at=None, ended_at=None), HELD).text)


def test_whoever_is_on_call_is_one_of_ours() -> None:
    assert concluded(ended("2026-03-02 09:00", caller_presented="+13035550124"), HELD).judgement.verdict == "ignored"
