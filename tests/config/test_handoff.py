"""What is written about the ways to staff is checked, each fault in its place."""

from collections.abc import Callable

import pytest
from pydantic import SecretStr

from textbackd.config import Settings

Configured = Callable[..., Settings]
Faults = Callable[..., list[str]]
MAIL = "{host: localhost, from: a@example.com}"
HOOK = '{{crm: {{url: "{url}", secret: "{secret}", events: {events}}}}}'


@pytest.mark.parametrize(
    ("sections", "fault"),
    [
        pytest.param(
            {"staff": "{anna: {email: nobody, mobile: \"+13125550123\"}}", "email": MAIL},
            "staff.anna.email: 'nobody' is not an e-mail address.", id="no address",
        ),
        pytest.param(
            {"staff": "{anna: {email: \"a@b.example\\nBcc: x@example.com\"}}", "email": MAIL},
            "staff.anna.email: ", id="an address with a second line",
        ),
        pytest.param(
            {"staff": "{anna: {email: anna@example.com}}"},
            "staff.anna.email: there is no mail server. Write it under `email`, or take this out.", id="no mail server",
        ),
        pytest.param(
            {"staff": "{anna: {weekly: true}}", "email": MAIL},
            "staff.anna.weekly: the figures go by e-mail. Write their address as `email`, or take this out.", id="no address for figures",
        ),
        pytest.param(
            {"alarms": "{at_night: [gateways]}"},
            "alarms.at_night[0]: 'gateways' is not something that may be wrong. Write one of no_calls, pbx_away, gateway_down,",
            id="an unknown alarm",
        ),
        pytest.param(
            {"email": "{host: localhost, from: \"A\\nB <a@example.com>\"}"}, "email.from: ", id="a sender of two lines",
        ),
        pytest.param(
            {"staff": "{anna: {notify: [\"nothing://x\"]}}"},
            "staff.anna.notify[0]: apprise knows no such service", id="an unknown service",
        ),
        pytest.param(
            {"staff": "{anna: {sip: \"sip:anna\"}}"},
            "staff.anna.sip: 'sip:anna' is no phone that takes messages. Write it as pjsip:anna.", id="another stack",
        ),
        pytest.param(
            {"staff": "{anna: {phone: anna}}"},
            "staff.anna.phone: 'anna' is no phone. Write it as Asterisk dials it", id="no interface",
        ),
        pytest.param(
            {"lines": "{main: {queue: sales}}"},
            "lines.main.queue: nobody of the staff has a `phone`, so nobody is known to be logged in.", id="unknown members",
        ),
        pytest.param(
            {"lines": "{main: {queue: \"sales,1\"}}", "staff": "{anna: {phone: PJSIP/1}}"},
            "lines.main.queue: 'sales,1' is no queue.", id="no queue's name",
        ),
        pytest.param(
            {"lines": "{main: {rota: {early: {staff: [bob]}}}}", "staff": "{bo: {}}"},
            "lines.main.rota.early.staff[0]: there is no member of staff 'bob'. Did you mean bo?", id="nobody of the staff on duty",
        ),
        pytest.param(
            {"lines": "{main: {rota: {early: {staff: bo, hours: {mon: \"25:00-26:00\"}}}}}", "staff": "{bo: {}}"},
            "lines.main.rota.early.hours.mon: ", id="hours that no clock shows",
        ),
        pytest.param(
            {"staff": "{anna: {mobile: (312) 555-0123}, bo: {mobile: \"+13125550123\"}}"},
            "staff.bo.mobile: +13125550123 is anna's already.", id="one mobile of two people",
        ),
        pytest.param(
            {"staff": "{anna: {sip: \"pjsip:1\"}, bo: {sip: \"pjsip:1\"}}"},
            "staff.bo.sip: pjsip:1 is anna's already.", id="one desk phone of two people",
        ),
        pytest.param(
            {"hooks_out": HOOK.format(url="ftp://x", secret="0123456789abcdef", events="[missed]")},
            "hooks_out.crm.url: this is not a web address.", id="no web address",
        ),
        pytest.param(
            {"hooks_out": HOOK.format(url="https://x.example", secret="short", events="[missed]")},
            "hooks_out.crm.secret: it is shorter than 16 characters.", id="a secret that can be guessed",
        ),
        pytest.param(
            {"hooks_out": HOOK.format(url="https://x.example", secret="0123456789abcdef", events="[missed, calls]")},
            "hooks_out.crm.events[1]: 'calls' is no event. Write some of missed,", id="no event",
        ),
    ],
)  # fmt: skip
def test_faults(faults: Faults, sections: dict[str, str], fault: str) -> None:
    assert [found[: len(fault)] for found in faults(**sections)] == [fault]


def test_what_is_written_comes_through(configured: Configured) -> None:
    settings = configured(
        staff='{anna: {email: anna@example.com, notify: ["${NTFY}", "file:anna.ntfy"], sip: "pjsip:anna", phone: SIP/1, '
        "tell: all}}",
        email="{host: mail.example.com, from: Anderson Roofing <a@example.com>}",
        lines='{main: {dids: ["*"], queue: sales, rota: {early: {staff: anna, hours: {mon: "07:00-15:00"}}}}}',
        hooks_out=HOOK.format(url="https://x.example", secret="0123456789abcdef", events="missed"),
    )
    anna, line = settings.staff["anna"], settings.lines["main"]
    assert (anna.email, anna.sip, anna.phone, anna.tell) == ("anna@example.com", "pjsip:anna", "SIP/1", "all")
    assert anna.notify[0] == SecretStr("${NTFY}")  # looked up, and looked at, when it is needed
    assert settings.email is not None
    assert (settings.email.from_, settings.email.port, settings.email.tls) == (
        "Anderson Roofing <a@example.com>",
        587,
        "starttls",
    )
    assert line.queue == "sales"
    (shift,) = settings.rota(line)
    assert shift.staff == ("anna",)
    assert settings.hooks_out["crm"].events == ("missed",)


def test_nothing_of_it_is_shown_with_its_secrets(configured: Configured) -> None:
    settings = configured(
        staff='{anna: {notify: ["json://user:hunter2@localhost"]}}',
        hooks_out=HOOK.format(url="https://x.example/?key=hunter2", secret="hunter2hunter2hunter2", events="missed"),
    )
    assert "hunter2" not in repr(settings)
