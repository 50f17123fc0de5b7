"""Fifth part of `textbackd setup`: a real text to you, and your reply.   words.py → here → finish.py"""

from dataclasses import dataclass
from datetime import timedelta

from textbackd.cli.options import printable
from textbackd.cli.setup.gateway import real
from textbackd.cli.setup.interview import Interview, had_enough
from textbackd.errors import TextbackdError
from textbackd.setup.draft import Draft
from textbackd.setup.trial import Outcome, Trial, hears, try_out


@dataclass(frozen=True, slots=True)
class Tried:
    """How far a text has come."""

    is_sent: bool = False
    came_through: bool = False  # it was answered, or you say that it came


def try_text(interview: Interview, draft: Draft, patience: timedelta) -> Tried:
    """Send one text, if there is something to send with and somebody to send it to. It is never sent a second time."""
    gateways, staff = real(draft), draft.at("staff") or {}
    mobile = next((person["mobile"] for person in staff.values() if person.get("mobile")), None)
    if not gateways or mobile is None:
        return Tried()
    interview.head("A first text")
    name = next(iter(gateways))
    wanted = not interview.silent  # nobody is texted unless somebody said so
    if not interview.agree("test", f"Send a text to {mobile} through {name}, now?", default=wanted):
        return Tried()
    try:
        outcome = try_out(_trial(interview, draft, name, patience))
    except TextbackdError as exc:
        outcome = Outcome(is_taken=False, trouble=str(exc))
    return _told(interview, outcome, draft, name)


def _trial(interview: Interview, draft: Draft, name: str, patience: timedelta) -> Trial:
    settings = draft.resolved()
    mobile = next(person.mobile for person in settings.staff.values() if person.mobile)
    interview.tell("Sending. Answer it with any word; press Enter to wait no longer.")
    return Trial(settings=settings, gateway=name, to=mobile, patience=patience, said=interview.tell, skip=had_enough)


def _told(interview: Interview, outcome: Outcome, draft: Draft, name: str) -> Tried:
    if not outcome.is_taken:
        interview.trouble(f"The text did not go out. {outcome.trouble}")
        return Tried()
    if outcome.answer is not None:
        interview.tell(f"You answered: “{printable(outcome.answer)[:160]}”. It works both ways.")
        return Tried(is_sent=True, came_through=True)
    if not hears(draft.settings().gateways[name]):
        interview.tell("Replies reach this gateway by webhook, once textbackd runs: docs/GATEWAYS.md tells how.")
    elif not interview.silent:
        interview.tell("No answer so far.")
    came = interview.agree("", "Did the text come?", default=False)
    return Tried(is_sent=True, came_through=came)
