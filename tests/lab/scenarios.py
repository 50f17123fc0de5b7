"""Named calls with known truth.   a test → here → sipp.py → asterisk.py

Each function plays one situation on a running Asterisk; the decorator says what happened, in the words of
docs/MISSED.md, so that a test can compare it with what textbackd found. `case` is the row there, 0 where no row speaks
of it. Every scenario has a caller of its own, so that the cooldown of one does not touch another; the numbers are
fictional (555-01xx).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from .asterisk import Asterisk
from .sipp import (
    EXPECT_ANSWER,
    EXPECT_HANG_UP,
    HANG_UP,
    Actor,
    Stage,
    Step,
    answers,
    answers_and_hangs_up,
    forwards,
    gives_up,
    listens,
    notes_dialog,
    pause,
    press,
    presses,
    refer,
    refer_replacing,
    refuses,
    rings,
    speaks,
    talks,
    waits,
)

Direction = Literal["inbound", "internal", "outbound"]
Verdict = Literal["missed", "answered", "lost_after_answer", "uncertain", "ignored"]
Player = Callable[..., None]  # takes the stage and one Truth per call

CUSTOMER: Final = "+19705550150"
MOBILE: Final = "+19705550110"  # of the office; etc/extensions.conf forwards to it
MIN_WAIT: Final = 4.0  # seconds; rows 2 and 3
LONG_ENOUGH: Final = MIN_WAIT + 1
SURE_OF_A_PERSON: Final = 20.0  # seconds; rows 18 and 19
# Of the United States only: what is textable depends on the country.
AREA_CODES: Final = (  # noqa: SIM905
    "201 202 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 224 225 228 229 231 234 239 240 248 251 "
    "252 253 254 256 260 262 267 269 270 276 281 301 302 303 304 305 307 308 309 310 312 313 314 315 316 317 318 "
    "319 320 321 323 325 330 331 334 336 337 339 347 351 352 360 361 385 386 401 402 404 405 406 407 408 409 410 "
    "412 413 414 415 417 419 423 424 430 434 435 440 443 458 469 470 475 478 479 480 484 501 502 503 505 507 508"
).split()


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What one call of a scenario was."""

    did: str
    verdict: Verdict
    reason: str | None = None  # None: answered, nothing to add
    text: bool = False  # under the default policy, one text is due to this caller for this call
    caller: str = ""  # E.164 where it is a number; as presented otherwise
    presented: str = ""  # what the carrier sends, where that is not `caller`
    direction: Direction = "inbound"
    not_textable: str | None = None
    resolved: str | None = None  # a miss that settled itself before a text was due


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One situation: its truths in the order in which the calls begin, and the function that plays it."""

    name: str
    story: str
    case: int
    truths: tuple[Truth, ...]
    player: Player

    @property
    def truth(self) -> Truth:
        """The truth of the first call, which is the only one of most scenarios."""
        return self.truths[0]


SCENARIOS: Final[dict[str, Scenario]] = {}


def play(scenario: Scenario, pbx: Asterisk, at: Mapping[str, Callable[[], object]] | None = None) -> None:
    """Play it until every caller is done and the PBX has no channel left. `at` says what to do at its moments."""
    with Stage(pbx, at) as stage:
        scenario.player(stage, *scenario.truths)


def scenario(case: int, story: str, *truths: Truth) -> Callable[[Player], Player]:
    """Register the function under its name. A truth without a caller gets this scenario's own number."""

    def register(player: Player) -> Player:
        own = f"+1{AREA_CODES[len(SCENARIOS)]}5550100"
        known = tuple(truth if truth.caller else replace(truth, caller=own) for truth in truths)
        name = player.__name__
        SCENARIOS[name] = Scenario(name=name, story=story, case=case, truths=known, player=player)
        return player

    return register


# --- shorthands -----------------------------------------------------------------------------------------------------


def line(number: int) -> str:
    """One of the office's numbers, by its last three digits."""
    return f"+13035550{number}"


def missed(number: int, reason: str, *, text: bool = True, caller: str = "", resolved: str | None = None) -> Truth:
    return Truth(did=line(number), verdict="missed", reason=reason, text=text, caller=caller, resolved=resolved)


def untextable(why: str, *, caller: str = "", presented: str = "") -> Truth:
    """A caller who gives up on line 126 and cannot be texted."""
    truth = Truth(did=line(126), verdict="missed", reason="gave_up", not_textable=why)
    return replace(truth, caller=caller, presented=presented)


def answered(number: int, reason: str | None = None) -> Truth:
    return Truth(did=line(number), verdict="answered", reason=reason)


def lost(number: int, reason: str) -> Truth:
    return Truth(did=line(number), verdict="lost_after_answer", reason=reason)


def ignored(did: str, reason: str, *, caller: str = "", direction: Direction = "inbound") -> Truth:
    return Truth(did=did, verdict="ignored", reason=reason, caller=caller, direction=direction)


def call(stage: Stage, truth: Truth, steps: list[Step], *, trunk: str = "trunk") -> Actor:
    return stage.call(truth.presented or truth.caller, truth.did, steps, trunk=trunk)


def miss_on_126(stage: Stage, truth: Truth) -> None:
    """Phone 102 rings, the caller gives up; both are done when this returns."""
    phone = stage.phone("102", rings())
    caller = call(stage, truth, gives_up(after=LONG_ENOUGH))
    caller.wait()
    phone.wait()


# --- one phone ------------------------------------------------------------------------------------------------------


@scenario(1, "One phone rings, nobody answers, the PBX ends the call", missed(101, "no_answer"))
def direct_noanswer(stage: Stage, truth: Truth) -> None:
    stage.phone("101", rings())
    call(stage, truth, waits())


@scenario(1, "The only phone is registered, but its cable is out", missed(101, "no_answer"))
def dead_phone(stage: Stage, truth: Truth) -> None:
    call(stage, truth, waits())


@scenario(1, "The PBX answers at once and plays music while the phone rings; nobody answers", missed(113, "no_answer"))
def preanswered_noanswer(stage: Stage, truth: Truth) -> None:
    stage.phone("101", rings())
    call(stage, truth, listens())


@scenario(1, "An announcement as early media, then ringing, nobody answers", missed(114, "no_answer"))
def early_media_noanswer(stage: Stage, truth: Truth) -> None:
    stage.phone("101", rings())
    call(stage, truth, waits())


@scenario(2, "One phone rings, the caller gives up after five seconds", missed(126, "gave_up"))
def direct_caller_hangup(stage: Stage, truth: Truth) -> None:
    miss_on_126(stage, truth)


@scenario(3, "The caller hangs up after a second and a half", missed(126, "short", text=False))
def short_hangup(stage: Stage, truth: Truth) -> None:
    stage.phone("102", rings())
    call(stage, truth, gives_up(after=1.5))


@scenario(0, "A phone answers, the caller hangs up after the talk", answered(101))
def direct_answered(stage: Stage, truth: Truth) -> None:
    stage.phone("101", answers())
    call(stage, truth, talks(4))


@scenario(0, "A phone answers, and the phone hangs up after the talk", answered(101))
def answered_phone_hangs_up(stage: Stage, truth: Truth) -> None:
    stage.phone("101", answers_and_hangs_up(talk=4))
    call(stage, truth, listens())


@scenario(20, "A phone answers, and the caller hangs up half a second later", answered(101, "very_short"))
def answered_very_short(stage: Stage, truth: Truth) -> None:
    stage.phone("101", answers())
    call(stage, truth, talks(0.5))


@scenario(4, "The phone is busy (486)", missed(101, "busy"))
def direct_busy(stage: Stage, truth: Truth) -> None:
    stage.phone("101", refuses(486))
    call(stage, truth, waits())


@scenario(4, "The PBX itself says busy: do not disturb, or the call limit", missed(116, "busy"))
def pbx_busy(stage: Stage, truth: Truth) -> None:
    call(stage, truth, waits())


@scenario(5, "Somebody presses the reject key (603) while it rings", missed(101, "no_answer"))
def phone_declines(stage: Stage, truth: Truth) -> None:
    stage.phone("101", refuses(603))
    call(stage, truth, waits())


@scenario(6, "The only phone of the line is not registered", missed(115, "unreachable"))
def unregistered(stage: Stage, truth: Truth) -> None:
    call(stage, truth, waits())


@scenario(6, "The lines to the next office are all taken", missed(120, "unreachable"))
def congestion(stage: Stage, truth: Truth) -> None:
    call(stage, truth, waits())


# --- groups ---------------------------------------------------------------------------------------------------------


@scenario(1, "Ring group of three, nobody answers", missed(102, "no_answer"))
def group_noanswer(stage: Stage, truth: Truth) -> None:
    for extension in ("101", "102", "103"):
        stage.phone(extension, rings())
    call(stage, truth, waits())


@scenario(1, "Ring group through Local channels, nobody answers", missed(130, "no_answer"))
def group_local_noanswer(stage: Stage, truth: Truth) -> None:
    for extension in ("101", "102"):
        stage.phone(extension, rings())
    call(stage, truth, waits())


@scenario(15, "Ring group of three, one answers, the others are cancelled", answered(102))
def group_answered(stage: Stage, truth: Truth) -> None:
    stage.phone("101", rings())
    stage.phone("102", answers(after=1.5))
    stage.phone("103", rings())
    call(stage, truth, talks(4))


@scenario(15, "Ring group through Local channels, one answers", answered(130))
def group_local_answered(stage: Stage, truth: Truth) -> None:
    stage.phone("101", rings())
    stage.phone("102", answers(after=1.5))
    call(stage, truth, talks(4))


@scenario(4, "Ring group of three, every phone is busy", missed(102, "busy"))
def group_busy(stage: Stage, truth: Truth) -> None:
    for extension in ("101", "102", "103"):
        stage.phone(extension, refuses(486))
    call(stage, truth, waits())


@scenario(5, "Ring group of three, everybody rejects", missed(102, "no_answer"))
def group_declines(stage: Stage, truth: Truth) -> None:
    for extension in ("101", "102", "103"):
        stage.phone(extension, refuses(603))
    call(stage, truth, waits())


@scenario(15, "Hunt sequence: the first phone does not answer, the second does", answered(103))
def hunt_second_answers(stage: Stage, truth: Truth) -> None:
    stage.phone("101", rings())
    stage.phone("102", answers())
    call(stage, truth, talks(4))


@scenario(16, "102 rings, 101 takes the call with *8", answered(126))
def pickup(stage: Stage, truth: Truth) -> None:
    _picked_up(stage, truth, "*8")


@scenario(16, "102 rings, 101 takes the call with **102", answered(126))
def directed_pickup(stage: Stage, truth: Truth) -> None:
    _picked_up(stage, truth, "**102")


def _picked_up(stage: Stage, truth: Truth, code: str) -> None:
    stage.phone("102", rings())
    call(stage, truth, talks(4))
    stage.pbx.wait_for_channels(2)
    stage.dial("101", code, [EXPECT_ANSWER, EXPECT_HANG_UP])


# --- queues ---------------------------------------------------------------------------------------------------------


@scenario(0, "Queue with music, an agent answers", answered(104))
def queue_answered(stage: Stage, truth: Truth) -> None:
    stage.phone("103", answers(after=2))
    stage.phone("104", rings())
    call(stage, truth, talks(6))


@scenario(0, "Queue whose agent is a Local channel; the agent answers", answered(127))
def queue_local_answered(stage: Stage, truth: Truth) -> None:
    stage.phone("103", answers(after=1))
    call(stage, truth, talks(6))


@scenario(7, "The caller gives up in the queue, while the agents' phones ring", missed(104, "queue_gave_up"))
def queue_abandon(stage: Stage, truth: Truth) -> None:
    for extension in ("103", "104"):
        stage.phone(extension, rings(), calls=2)
    call(stage, truth, talks(LONG_ENOUGH))


@scenario(8, "The queue times out and the PBX hangs up", missed(128, "queue_timeout"))
def queue_timeout(stage: Stage, truth: Truth) -> None:
    _agents_let_it_ring(stage)
    call(stage, truth, listens())


@scenario(8, "The queue times out, the caller leaves a voicemail message", missed(105, "voicemail_left"))
def queue_timeout_message(stage: Stage, truth: Truth) -> None:
    _agents_let_it_ring(stage)
    call(stage, truth, speaks(16, after=0.5))


@scenario(8, "The queue times out, the caller hangs up in the voicemail greeting", missed(105, "voicemail_hangup"))
def queue_timeout_no_message(stage: Stage, truth: Truth) -> None:
    _agents_let_it_ring(stage)
    call(stage, truth, talks(8))


@scenario(9, "The queue times out, a second queue answers", answered(125))
def queue_second_answers(stage: Stage, truth: Truth) -> None:
    _agents_let_it_ring(stage)
    stage.phone("105", answers())
    call(stage, truth, talks(9))


def _agents_let_it_ring(stage: Stage) -> None:
    for extension in ("103", "104"):
        stage.phone(extension, rings(), calls=3)


@scenario(6, "Nobody is in the queue, so the caller cannot join", missed(123, "unreachable"))
def queue_empty(stage: Stage, truth: Truth) -> None:
    call(stage, truth, waits())


@scenario(
    4,
    "The queue has room for one: the first waits and gives up, the second hears busy",
    missed(131, "queue_gave_up"),
    missed(131, "busy", caller="+15095550101"),
)
def queue_full(stage: Stage, first: Truth, second: Truth) -> None:
    stage.phone("103", rings(), calls=2)
    call(stage, first, gives_up(after=LONG_ENOUGH))
    stage.pbx.wait_for_channels(2)
    call(stage, second, waits())


# --- machines -------------------------------------------------------------------------------------------------------


@scenario(10, "The menu answers, the caller hangs up in it", missed(106, "menu_gave_up"))
def menu_hangup(stage: Stage, truth: Truth) -> None:
    call(stage, truth, talks(LONG_ENOUGH))


@scenario(10, "The menu answers, the caller hangs up at once", missed(106, "short", text=False))
def menu_short(stage: Stage, truth: Truth) -> None:
    call(stage, truth, talks(1.5))


@scenario(0, "Menu, the caller presses 1, the reception answers", answered(106))
def menu_answered(stage: Stage, truth: Truth) -> None:
    stage.phone("102", answers())
    call(stage, truth, presses("1", after=1, then=[pause(4), HANG_UP], by_rtp=True))


@scenario(1, "Menu, the caller presses 1, the reception does not answer", missed(106, "no_answer"))
def menu_noanswer(stage: Stage, truth: Truth) -> None:
    stage.phone("102", rings())
    call(stage, truth, presses("1", after=1, then=[EXPECT_HANG_UP]))


@scenario(11, "Closed: announcement to the end, the PBX hangs up", missed(108, "closed"))
def closed(stage: Stage, truth: Truth) -> None:
    call(stage, truth, listens())


@scenario(12, "Nobody answers, the caller hangs up during the voicemail greeting", missed(107, "voicemail_hangup"))
def vm_no_message(stage: Stage, truth: Truth) -> None:
    stage.phone("101", rings())
    call(stage, truth, talks(2.5))


@scenario(13, "Nobody answers, the caller leaves a message", missed(107, "voicemail_left"))
def vm_message(stage: Stage, truth: Truth) -> None:
    stage.phone("101", rings())
    call(stage, truth, speaks(9, after=0.5))


@scenario(14, "Voicemail, the caller presses 0, a person answers", answered(109))
def vm_pressed_0_answered(stage: Stage, truth: Truth) -> None:
    stage.phone("102", answers())
    call(stage, truth, presses("0", after=2, then=[pause(9), HANG_UP]))


@scenario(34, "A bot answers and talks with the caller", missed(129, "no_answer"))
def bot_answers(stage: Stage, truth: Truth) -> None:
    call(stage, truth, talks(LONG_ENOUGH))


@scenario(32, "A conference room in which the caller stays alone", ignored(line(117), "service"))
def conference_alone(stage: Stage, truth: Truth) -> None:
    call(stage, truth, talks(LONG_ENOUGH))


@scenario(32, "A conference room: the caller waits, a phone of the office joins", answered(117))
def conference_joined(stage: Stage, truth: Truth) -> None:
    call(stage, truth, talks(15))
    stage.pbx.wait_for_output("confbridge list", "room")
    stage.dial("102", "190", [EXPECT_ANSWER, pause(8), HANG_UP])


@scenario(32, "A fax machine calls the fax number", ignored(line(118), "service"))
def fax(stage: Stage, truth: Truth) -> None:
    call(stage, truth, talks(LONG_ENOUGH))


@scenario(32, "Staff call in from outside to hear the voicemail", ignored(line(122), "service"))
def vm_remote_check(stage: Stage, truth: Truth) -> None:
    call(stage, truth, talks(LONG_ENOUGH))


@scenario(33, "A blacklisted caller is rejected", ignored(line(119), "blacklisted"))
def blacklisted(stage: Stage, truth: Truth) -> None:
    call(stage, truth, waits())


# --- mobiles and forwards -------------------------------------------------------------------------------------------


@scenario(17, "FollowMe: the owner answers the mobile and presses 1", answered(111))
def followme_confirmed(stage: Stage, truth: Truth) -> None:
    stage.phone("101", rings())
    stage.outside(answers(then=[pause(2), *press("1"), EXPECT_HANG_UP]))
    call(stage, truth, talks(10))


@scenario(1, "FollowMe: the mobile's own voicemail answers, nobody presses 1", missed(111, "no_answer"))
def followme_unconfirmed(stage: Stage, truth: Truth) -> None:
    stage.phone("101", rings())
    stage.outside(answers())
    call(stage, truth, listens())


@scenario(17, "The mobile is asked by Dial's U() and presses 1", answered(112))
def screened_confirmed(stage: Stage, truth: Truth) -> None:
    stage.outside(answers(then=[pause(1.5), *press("1"), EXPECT_HANG_UP]))
    call(stage, truth, talks(4))


@scenario(1, "The mobile is asked by Dial's U(), its voicemail presses nothing", missed(112, "no_answer"))
def screened_unconfirmed(stage: Stage, truth: Truth) -> None:
    stage.outside(answers())
    call(stage, truth, waits())


UNCONFIRMED: Final = Truth(did=line(124), verdict="uncertain", reason="maybe_mobile_voicemail")


@scenario(18, "Forwarded to a mobile that is not asked; connected for some seconds", UNCONFIRMED)
def forward_short(stage: Stage, truth: Truth) -> None:
    stage.outside(answers())
    call(stage, truth, talks(6))


@scenario(18, "The desk phone does not answer, the mobile does, for some seconds", replace(UNCONFIRMED, did=line(110)))
def followme_mobile_short(stage: Stage, truth: Truth) -> None:
    stage.phone("101", rings())
    stage.outside(answers())
    call(stage, truth, talks(6))


@scenario(19, "Forwarded to a mobile that is not asked; connected for more than 20 seconds", answered(124))
def forward_long(stage: Stage, truth: Truth) -> None:
    stage.outside(answers())
    call(stage, truth, talks(SURE_OF_A_PERSON + 2))


@scenario(2, "Forwarded to a mobile that rings until the caller gives up", missed(124, "gave_up"))
def forward_noanswer(stage: Stage, truth: Truth) -> None:
    stage.outside(rings())
    call(stage, truth, gives_up(after=LONG_ENOUGH))


@scenario(15, "The phone answers 302 to another phone, which answers", answered(101))
def forward_302_answered(stage: Stage, truth: Truth) -> None:
    stage.phone("101", forwards("102"))
    stage.phone("102", answers())
    call(stage, truth, talks(4))


@scenario(1, "The phone answers 302 to another phone, which does not answer", missed(101, "no_answer"))
def forward_302_noanswer(stage: Stage, truth: Truth) -> None:
    stage.phone("101", forwards("102"))
    stage.phone("102", rings())
    call(stage, truth, waits())


# --- answered, then handed on ---------------------------------------------------------------------------------------


def _blind(*, known_after: float) -> list[Step]:
    """Transfer to 102 and hang up when NOTIFY has told the outcome; Asterisk leaves that BYE to the phone."""
    return [pause(1.5), refer("<sip:102@[remote_ip]>"), pause(known_after), HANG_UP]


@scenario(0, "101 answers, transfers blind to 102, which answers", answered(101))
def blind_transfer_answered(stage: Stage, truth: Truth) -> None:
    stage.phone("101", answers(then=_blind(known_after=2)))
    stage.phone("102", answers())
    call(stage, truth, talks(6))


@scenario(21, "101 answers, transfers blind to 102, which does not answer", lost(101, "transfer_unanswered"))
def blind_transfer_noanswer(stage: Stage, truth: Truth) -> None:
    stage.phone("101", answers(then=_blind(known_after=6)))
    stage.phone("102", rings())
    call(stage, truth, listens())


@scenario(0, "101 answers, asks 102, transfers with REFER and Replaces as desk phones do", answered(101))
def attended_transfer_answered(stage: Stage, truth: Truth) -> None:
    note = stage.note("dialog")
    stage.phone("101", answers(then=[pause(5), refer_replacing("102", note), pause(0.5), HANG_UP]))
    stage.phone("102", answers())
    call(stage, truth, talks(8))
    stage.wait_for_talk()
    stage.dial("101", "102", [EXPECT_ANSWER, notes_dialog(note), EXPECT_HANG_UP])


@scenario(21, "101 transfers to 102 while that still rings; nobody answers", lost(101, "transfer_unanswered"))
def blonde_transfer_noanswer(stage: Stage, truth: Truth) -> None:
    _transfer_while_ringing(stage, truth, rings(), listens())


@scenario(0, "101 transfers to 102 while that still rings; 102 answers", answered(101))
def blonde_transfer_answered(stage: Stage, truth: Truth) -> None:
    _transfer_while_ringing(stage, truth, answers(after=4), talks(9))


def _transfer_while_ringing(stage: Stage, truth: Truth, target: list[Step], caller: list[Step]) -> None:
    note = stage.note("dialog")
    stage.phone("101", answers(then=[pause(2), refer_replacing("102", note), pause(0.5), HANG_UP]))
    stage.phone("102", target)
    call(stage, truth, caller)
    stage.wait_for_talk()
    stage.dial("101", "102", [notes_dialog(note, ringing=True), *waits()])


@scenario(22, "101 asks 102, which does not answer, and is back with the caller", answered(101))
def attended_transfer_fails(stage: Stage, truth: Truth) -> None:
    stage.phone("101", answers(then=[pause(1.5), *press("*2"), pause(1.5), *press("102"), EXPECT_HANG_UP]))
    stage.phone("102", rings())
    call(stage, truth, talks(13))


@scenario(0, "101 answers and parks the call, 102 takes it back", answered(101))
def park_retrieved(stage: Stage, truth: Truth) -> None:
    parker = stage.phone("101", answers(then=[pause(1.5), *press("#72"), EXPECT_HANG_UP]))
    call(stage, truth, listens())
    parker.wait()
    stage.dial("102", "701", [EXPECT_ANSWER, pause(3), HANG_UP])


@scenario(21, "101 parks the call, nobody takes it, it comes back and is not answered", lost(101, "park_timeout"))
def park_timeout(stage: Stage, truth: Truth) -> None:
    parker = stage.phone("101", answers(then=[pause(1.5), *press("#72"), EXPECT_HANG_UP]))
    call(stage, truth, listens())
    parker.wait()
    stage.phone("101", rings())


# --- several calls --------------------------------------------------------------------------------------------------


@scenario(
    1,
    "Ten callers at the same moment, all missed",
    *(missed(126, "gave_up", caller=f"+1504555010{digit}") for digit in range(10)),
)
def ten_at_once(stage: Stage, *truths: Truth) -> None:
    stage.phone("102", rings(), calls=len(truths))
    for truth in truths:
        call(stage, truth, gives_up(after=LONG_ENOUGH))


@scenario(
    23,
    "Missed, and the caller tries again at once and is answered",
    missed(126, "gave_up", text=False, resolved="called_again"),
    answered(126),
)
def redial_answered(stage: Stage, first: Truth, second: Truth) -> None:
    miss_on_126(stage, first)
    stage.phone("102", answers())
    call(stage, second, talks(4))


@scenario(
    24,
    "Missed, and a colleague calls the caller back at once and talks with him",
    missed(126, "gave_up", text=False, caller=CUSTOMER, resolved="called_back"),
    ignored(CUSTOMER, "outbound", caller="103", direction="outbound"),
)
def called_back(stage: Stage, first: Truth, second: Truth) -> None:
    miss_on_126(stage, first)
    stage.outside(answers())
    stage.dial(second.caller, second.did, talks(4))


@scenario(
    25,
    "The same caller misses three times in a row",
    missed(126, "gave_up"),
    missed(126, "gave_up", text=False),
    missed(126, "gave_up", text=False),
)
def three_misses(stage: Stage, *truths: Truth) -> None:
    for truth in truths:
        miss_on_126(stage, truth)


@scenario(
    26,
    "Trunk fail-over: the carrier delivers the call a second time over trunk2, while the first still rings",
    missed(126, "gave_up"),
    missed(126, "gave_up", text=False),
)
def failover_duplicate(stage: Stage, first: Truth, second: Truth) -> None:
    stage.phone("102", rings(), calls=2)
    call(stage, first, gives_up(after=LONG_ENOUGH))
    stage.pbx.wait_for_channels(2)
    call(stage, second, gives_up(after=LONG_ENOUGH + 2), trunk="trunk2")


@scenario(
    27,
    "The caller rings two lines of the same business in a row",
    missed(126, "gave_up"),
    missed(101, "no_answer", text=False),
)
def two_lines(stage: Stage, first: Truth, second: Truth) -> None:
    miss_on_126(stage, first)
    stage.phone("101", rings())
    call(stage, second, waits())


@scenario(
    0,
    "Two calls at the same time from the same number (a company), one answered, one missed",
    answered(101),
    missed(132, "no_answer", text=False),
)
def two_at_once_one_answered(stage: Stage, first: Truth, second: Truth) -> None:
    stage.phone("101", answers())
    stage.phone("102", rings())
    stage.phone("103", rings())
    call(stage, first, talks(10))
    call(stage, second, waits())


# --- not from outside, or not a customer ----------------------------------------------------------------------------


def internal(did: str) -> Truth:
    return ignored(did, "internal", caller="101", direction="internal")


@scenario(30, "Phone 101 calls phone 102, nobody answers", internal("102"))
def internal_noanswer(stage: Stage, truth: Truth) -> None:
    stage.phone("102", rings())
    stage.dial(truth.caller, truth.did, waits())


@scenario(30, "Phone 101 hears its voicemail", internal("197"))
def feature_code(stage: Stage, truth: Truth) -> None:
    stage.dial(truth.caller, truth.did, talks(LONG_ENOUGH))


def outbound(caller: str = "101") -> Truth:
    return ignored(CUSTOMER, "outbound", caller=caller, direction="outbound")


@scenario(30, "Phone 101 calls a customer through the trunk, who does not answer", outbound())
def outbound_noanswer(stage: Stage, truth: Truth) -> None:
    stage.outside(rings())
    stage.dial(truth.caller, truth.did, gives_up(after=LONG_ENOUGH))


@scenario(30, "Click to call: 101 answers, then the customer is called and does not answer", outbound())
def click_to_call_noanswer(stage: Stage, truth: Truth) -> None:
    phone = stage.phone(truth.caller, answers_and_hangs_up(talk=LONG_ENOUGH))
    stage.outside(rings())
    stage.pbx.cli(f"channel originate PJSIP/{truth.caller} extension {truth.did}@from-internal")
    phone.wait()


@scenario(31, "One of our own numbers calls", ignored(line(126), "own_number", caller=line(102)))
def own_number(stage: Stage, truth: Truth) -> None:
    miss_on_126(stage, truth)


@scenario(31, "The office's own mobile calls", ignored(line(126), "own_number", caller=MOBILE))
def staff_mobile(stage: Stage, truth: Truth) -> None:
    miss_on_126(stage, truth)


# --- who calls ------------------------------------------------------------------------------------------------------


@scenario(28, "The number is withheld: From anonymous@anonymous.invalid", untextable("withheld", caller="anonymous"))
def cid_anonymous(stage: Stage, truth: Truth) -> None:
    stage.phone("102", rings())
    steps = gives_up(after=LONG_ENOUGH)
    stage.call(truth.caller, truth.did, steps, name="Anonymous", host="anonymous.invalid")


@scenario(28, "The number is withheld, but the carrier tells it in P-Asserted-Identity", untextable("withheld"))
def cid_withheld_pai(stage: Stage, truth: Truth) -> None:
    stage.phone("102", rings())
    identity = f'P-Asserted-Identity: "Ann Smith" <sip:{truth.caller}@carrier.invalid>'
    headers = (identity, "Privacy: id")
    steps = gives_up(after=LONG_ENOUGH)
    stage.call("anonymous", truth.did, steps, name="Anonymous", host="anonymous.invalid", headers=headers)


@scenario(28, "The caller ID is a word, not a number", untextable("withheld", caller="unavailable"))
def cid_word(stage: Stage, truth: Truth) -> None:
    miss_on_126(stage, truth)


@scenario(29, "A toll-free number calls (a call centre)", untextable("toll_free", caller="+18005550199"))
def cid_tollfree(stage: Stage, truth: Truth) -> None:
    miss_on_126(stage, truth)


@scenario(29, "A foreign number calls", untextable("foreign", caller="+447700900123"))
def cid_foreign(stage: Stage, truth: Truth) -> None:
    miss_on_126(stage, truth)


@scenario(29, "A short code calls", untextable("short_code", caller="40404"))
def cid_short_code(stage: Stage, truth: Truth) -> None:
    miss_on_126(stage, truth)


NATIONAL: Final = missed(126, "gave_up", caller="+14325550100")


@scenario(2, "The caller is presented as ten digits", replace(NATIONAL, presented="4325550100"))
def cid_national10(stage: Stage, truth: Truth) -> None:
    miss_on_126(stage, truth)


@scenario(
    2, "The caller is presented as eleven digits", replace(NATIONAL, caller="+14325550101", presented="14325550101")
)
def cid_national11(stage: Stage, truth: Truth) -> None:
    miss_on_126(stage, truth)


@scenario(2, "The caller's name has UTF-8 and emoji in it", missed(126, "gave_up"))
def name_utf8(stage: Stage, truth: Truth) -> None:
    stage.phone("102", rings())
    stage.call(truth.caller, truth.did, gives_up(after=LONG_ENOUGH), name="Zoë Müller 📞 日本")


@scenario(1, "A name lookup brings line feeds and a forged AMI event into the name", missed(121, "no_answer"))
def name_newline(stage: Stage, truth: Truth) -> None:
    call(stage, truth, waits())


# --- the line to the PBX, and the PBX itself ------------------------------------------------------------------------


@scenario(38, "It rings for a while; a test connects or disconnects at `ringing`", missed(126, "gave_up"))
def midcall_missed(stage: Stage, truth: Truth) -> None:
    stage.phone("102", rings())
    call(stage, truth, gives_up(after=LONG_ENOUGH + 3))
    stage.pbx.wait_for_channels(2)
    stage.moment("ringing")


@scenario(38, "A longer talk; a test connects or disconnects at `talking`", answered(126))
def midcall_answered(stage: Stage, truth: Truth) -> None:
    stage.phone("102", answers(after=0.5))
    call(stage, truth, talks(8))
    stage.wait_for_talk()
    stage.moment("talking")


RESTARTED: Final = Truth(did=line(126), verdict="uncertain", reason="pbx_restarted")


@scenario(36, "`core restart now` while it rings", RESTARTED)
def restart_while_ringing(stage: Stage, truth: Truth) -> None:
    _cut_off(stage, truth, stage.pbx.restart_now)


@scenario(36, "Asterisk is killed while it rings, and started again: no Hangup, no CDR", RESTARTED)
def crash_while_ringing(stage: Stage, truth: Truth) -> None:
    def crash() -> None:
        stage.pbx.kill()
        stage.moment("down")
        stage.pbx.start_again()

    _cut_off(stage, truth, crash)


def _cut_off(stage: Stage, truth: Truth, cut: Callable[[], None]) -> None:
    """Let it ring, cut the PBX off, and dismiss caller and phone, since nobody tells them how it went on."""
    phone = stage.phone("102", rings())
    caller = call(stage, truth, gives_up(after=60))
    stage.pbx.wait_for_channels(2)
    stage.moment("ringing")
    cut()
    stage.dismiss(caller, phone)
