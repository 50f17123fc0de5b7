"""Does a reply reach anybody?   settings → here → examination.py"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from yarl import URL

from textbackd.config import Settings, Staff
from textbackd.doctor.findings import Finding, fault, note, warning
from textbackd.gateways.web.exchange import reach

PATIENCE: Final = timedelta(seconds=10)
WAYS: Final = ("mobile", "email", "sip", "notify")


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """What is known of the ways to the staff."""

    settings: Settings = field(repr=False)
    mail_at: str = ""  # the mail server, host and port; "": none is configured
    mail_objection: str = ""  # why it cannot be reached, half a sentence


def judge(people: People) -> Iterator[Finding]:
    """Yield who cannot be told."""
    settings = people.settings
    told = {name for name, person in settings.staff.items() if is_told(person)}
    if not told:
        what = "Nobody is told of replies: they stand in the inbox until somebody looks. Give somebody a mobile:"
        yield warning(
            "staff", what, "# textbackd.yaml:", 'staff: {anna: {name: Anna, mobile: "+13125550123"}}      # yours'
        )
    for name, line in settings.lines.items():
        if told and line.staff and not told & set(line.staff):
            what = f"None of those who get the replies of this line ({', '.join(line.staff)}) can be told in any way."
            yield warning(
                f"lines.{name}.staff",
                what,
                f"# textbackd.yaml, staff.{line.staff[0]}:",
                'mobile: "+13125550123"      # theirs',
            )
        if line.on_call is None and not (told & set(line.staff or settings.staff)):
            what = "Urgent words of a caller wake nobody while the line is closed."
            yield note(
                f"lines.{name}.on_call",
                what,
                f"# textbackd.yaml, lines.{name}:",
                'on_call: "+13125550123"      # yours',
            )
    yield from _alarms(settings)
    if people.mail_objection:
        what = f"The mail server {people.mail_at} cannot be reached: {people.mail_objection}. Nobody gets an e-mail."
        yield fault(
            "email",
            what,
            "# textbackd.yaml, email: compare host and port",
            f"nc -vz {people.mail_at.replace(':', ' ')}",
        )


def _alarms(settings: Settings) -> Iterator[Finding]:
    """Yield that whoever is told of alarms has no mobile: an e-mail is read too late, or goes the way that is broken."""
    named = [name for name, person in settings.staff.items() if person.alarms] or list(settings.staff)[:1]
    if named and not any(settings.staff[name].mobile for name in named):
        what = f"Alarms go to {', '.join(named)}, who has no mobile: what is wrong at night is seen in the morning."
        yield note(
            f"staff.{named[0]}", what, f"# textbackd.yaml, staff.{named[0]}:", 'mobile: "+13125550123"      # theirs'
        )


def is_told(person: Staff) -> bool:
    """Return whether there is any way to tell somebody."""
    return any(getattr(person, way) for way in WAYS)


def gather(settings: Settings) -> People:
    """Ask whether the mail server is there; connects, and says nothing."""
    email = settings.email
    if email is None or not any(person.email for person in settings.staff.values()):
        return People(settings=settings)
    url = URL.build(scheme="smtp", host=email.host, port=email.port)
    return People(
        settings=settings,
        mail_at=f"{email.host}:{email.port}",
        mail_objection=asyncio.run(reach(url, PATIENCE)),
    )
