"""Every fault is one sentence at its place, says what to write instead, and all of them come at once."""

from collections.abc import Callable

import pytest

from textbackd.config import loads
from textbackd.errors import ConfigError

Faults = Callable[..., list[str]]
HTTP = "type: http, url: 'http://localhost/', json: {to: '{to}', text: '{text}'}"

MISSING = [
    pytest.param(
        "{country: US}", "business.name: this key is missing. Write it as `name: Anderson Roofing`.", id="no name"
    ),
    pytest.param("{name: A}", "business.country: this key is missing. Write it as `country: US`.", id="no country"),
    pytest.param(
        "{name: '', country: US}", "business.name: this is empty. Write it as `name: Anderson Roofing`.",
        id="an empty name",
    ),
    pytest.param(
        "{name: , country: US}", "business.name: this key is missing. Write it as `name: Anderson Roofing`.",
        id="a key without a value counts as not written",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("business", "fault"), MISSING)
def test_what_is_needed_and_missing_is_a_fault_with_an_example(faults: Faults, business: str, fault: str) -> None:
    assert faults(business=business) == [fault]


@pytest.mark.parametrize("section", ["business", "pbx", "lines", "gateways"])
def test_a_section_that_is_needed_and_missing_is_a_fault(faults: Faults, section: str) -> None:
    assert f"{section}: this key is missing." in " ".join(faults(**{section: "null"}))


@pytest.mark.parametrize("section", ["pbx", "lines", "gateways"])
def test_a_section_without_entries_is_a_fault(faults: Faults, section: str) -> None:
    assert f"{section}: this is empty; at least one is needed." in " ".join(faults(**{section: "{}"}))


@pytest.mark.parametrize(
    ("section", "text", "fault"),
    [
        pytest.param("polices", "{}", "polices: there is no such key. Did you mean policy?", id="at the top"),
        pytest.param(
            "policy", "{cooldwn: 1h}", "policy.cooldwn: there is no such key. Did you mean cooldown?", id="below"
        ),
        pytest.param(
            "pbx", "{a: {secret: x, trunks: {context: [a]}}}",
            "pbx.a.trunks.context: there is no such key. Did you mean contexts?", id="two sections deep",
        ),
        pytest.param(
            "gateways", f"{{web: {{{HTTP}, bearar: x}}}}",
            "gateways.web.bearar: there is no such key. Did you mean bearer?",
            id="in a gateway, where its type says which keys there are",
        ),
        pytest.param(
            "contacts", "{a: {zzz: 1}}", "contacts.a.zzz: there is no such key. The keys here are files, numbers, text.",
            id="like none, so all are named",
        ),
        pytest.param("policy", "{zzz: }", "policy.zzz: there is no such key.", id="also without a value"),
    ],
)  # fmt: skip
def test_an_unknown_key_is_a_fault_that_names_the_likely_one(
    faults: Faults, section: str, text: str, fault: str
) -> None:
    assert [found[: len(fault)] for found in faults(**{section: text})] == [fault]


# What the row claims to be a fault, the section with it, and a part of the sentence.
VALUES = [
    ("no country", "business", "{name: A, country: Narnia}", "business.country: 'Narnia' is not a country."),
    ("the country that people call UK", "business", "{name: A, country: UK}", "Did you mean GB?"),
    ("a zone mistyped", "business", "{name: A, country: US, timezone: America/Chigaco}",
     "Did you mean America/Chicago?"),
    ("half a zone", "business", "{name: A, country: US, timezone: America}", "is not a time zone."),
    ("a path", "business", "{name: A, country: US, timezone: ../../etc/passwd}", "is not a time zone."),
    ("a word for a number", "business", "{name: A, country: US, numbers: [hello]}",
     "numbers[0]: 'hello' is not a phone number in US."),
    ("an address without http", "business", "{name: A, country: US, booking_url: foo}",
     "booking_url: this is not a web address."),
    ("true as text", "business", "{name: true, country: US}", "name: true is not text here. Put it in quotes."),
    ("a list as text", "business", "{name: [A], country: US}", "name: this must be text, not a list."),
    ("text as a section", "business", "hello", "business: this must be a block of keys, not text."),
    ("a list as a section", "pbx", "[a]", "pbx: this must be a block of keys, not a list."),
    ("a space in a name", "pbx", "{a b: {secret: x}}", "'a b' is no name."),
    ("port 0", "pbx", "{a: {secret: x, port: 0}}", "a.port: '0' is not a port."),
    ("a word as a port", "pbx", "{a: {secret: x, port: http}}", "a.port: 'http' is not a port."),
    ("true as a port", "pbx", "{a: {secret: x, port: true}}", "a.port: true is not a port."),
    ("an empty secret", "pbx", "{a: {secret: ''}}", "a.secret: the secret is empty."),
    ("a list as a secret", "pbx", "{a: {secret: [x]}}", "a.secret: a secret is text."),
    ("a file without a name", "pbx", "{a: {secret: 'file:'}}", "file: needs a name."),
    ("a credential with a path", "pbx", "{a: {secret: 'credential:a/b'}}", "a name without slashes."),
    ("a variable that cannot be one", "pbx", "{a: {secret: '${AMI-SECRET}'}}", "does not name a variable."),
    ("records nobody can read", "pbx", "{a: {secret: x, cdr: 'postgres://h/d'}}", "call records come from"),
    ("no trunks", "pbx", "{a: {secret: x, trunks: {contexts: []}}}", "no call would come from outside."),
    ("a word as a DID", "lines", "{a: {dids: [x]}}", "dids[0]: 'x' is not a phone number in US."),
    ("a start that is not international", "lines", "{a: {dids: ['312*']}}", "is not the start of numbers."),
    ("no DIDs", "lines", "{a: {dids: []}}", "dids: this is empty; at least one is needed."),
    ("no such gateway", "lines", "{a: {gateways: [stik]}}", "there is no gateway 'stik'. Did you mean stick?"),
    ("no such person", "lines", "{a: {staff: [bob]}}", "there is no member of staff 'bob'."),
    ("no such day", "lines", "{a: {hours: {xyz: closed}}}", "hours.xyz: 'xyz' names no day."),
    ("hours alone", "lines", "{a: {hours: {mon: 8-17}}}", "hours.mon: '8-17' is not a stretch of time."),
    ("25 o'clock", "lines", "{a: {hours: {mon: '08:00-25:00'}}}", "holds a time that no clock shows."),
    ("minute 60", "lines", "{a: {hours: {mon: '08:60-09:00'}}}", "holds a time that no clock shows."),
    ("no time at all", "lines", "{a: {hours: {mon: '08:00-08:00'}}}", "starts when it ends."),
    ("fri twice", "lines", "{a: {hours: {mon-fri: closed, fri: closed}}}", "hours.fri: fri has hours already."),
    ("a number as hours", "lines", "{a: {hours: 5}}", "hours: '5' is not opening hours."),
    ("no such country", "lines", "{a: {holidays: XX}}", "holidays: 'XX' is neither a country nor a date."),
    ("no such date", "lines", "{a: {holidays: [US, 2026-02-30]}}", "holidays[1]: '2026-02-30' is neither"),
    ("a field mistyped", "lines", "{a: {texts: {missed: 'Hi {busines}'}}}", "Did you mean {business}?"),
    ("a field's part", "lines", "{a: {texts: {missed: 'Hi {caller.name}'}}}", "there is no field {caller.name}."),
    ("a stray brace", "lines", "{a: {texts: {missed: 'Hi {'}}}", "a brace stands alone."),
    ("doubled braces", "lines", "{a: {texts: {missed: 'Hi {{business}}'}}}", "a brace stands alone."),
    ("an empty text", "lines", "{a: {texts: {missed: ''}}}", "the text is empty. Write none"),
    ("a list as a text", "lines", "{a: {texts: {missed: [x]}}}", "this is not a text."),
    ("a gateway of no type", "gateways", "{a: {port: x}}",
     "a.type: this key is missing. Write it as `type: "),
    ("a type mistyped", "gateways", "{a: {type: gsm_modm, port: x}}",
     "Did you mean gsm_modem?"),
    ("a modem without port and IMEI", "gateways", "{a: {type: gsm_modem}}", "a: neither `imei` nor `port` is written."),
    ("an IMEI too short", "gateways", "{a: {type: gsm_modem, imei: 4999}}", "is not an IMEI, which has 15 digits."),
    ("an IMEI of letters", "gateways", "{a: {type: gsm_modem, imei: abcdefghijklmno}}", "is not an IMEI"),
    ("no such PBX", "gateways", "{a: {type: asterisk_dongle, device: dongle0, pbx: shop}}",
     "a.pbx: there is no PBX 'shop'. Describe it under `pbx`, or take it out here."),
    ("a PIN of letters", "gateways", "{a: {type: gsm_modem, port: x, pin: abcd}}", "a PIN has 4 to 8 digits."),
    ("no speed", "gateways", "{a: {type: gsm_modem, port: x, baud: fast}}", "is not a speed of a serial port."),
    ("a rate of nothing", "gateways", "{a: {type: gsm_modem, port: x, rate: 0/min}}", "would never send."),
    ("a rate without time", "gateways", "{a: {type: gsm_modem, port: x, rate: 6}}", "rate: '6' is not a limit."),
    ("an address that is none", "gateways", "{a: {type: http, url: foo}}", "url: this is not a web address."),
    ("two bodies", "gateways", f"{{a: {{{HTTP}, form: {{a: b}}}}}}",
     "a request has one body, and json is written too."),
    ("a body on GET", "gateways", f"{{a: {{{HTTP}, method: GET}}}}", "a GET request has no body."),
    ("no such method", "gateways", f"{{a: {{{HTTP}, method: FETCH}}}}", "'FETCH' is none of GET, POST, PUT."),
    ("no status", "gateways", f"{{a: {{{HTTP}, success: [ok]}}}}", "success[0]: 'ok' is not an HTTP status."),
    ("statuses backwards", "gateways", f"{{a: {{{HTTP}, success: [299-200]}}}}", "is not an HTTP status."),
    ("an open bracket", "gateways", f"{{a: {{{HTTP}, reference: '/(/'}}}}", "is not a regular expression."),
    ("no header", "gateways", f"{{a: {{{HTTP}, headers: {{'a b': c}}}}}}", "'a b' is not the name of a header."),
    ("two ways to log in", "gateways", f"{{a: {{{HTTP}, bearer: x, basic_auth: {{username: u, password: p}}}}}}",
     "Keep one of the two."),
    ("a field of a request mistyped", "gateways",
     "{a: {type: http, url: 'http://h/', json: {to: '{too}', text: '{text}'}}}", "Did you mean {to}?"),
    ("a request without the text", "gateways", "{a: {type: http, url: 'http://h/', json: {to: '{to}'}}}",
     "nothing in the request says {text}."),
    ("a number without a unit", "policy", "{delay: 5}",
     "delay: '5' is not a duration. Write a number and its unit: 5s, 10m, 24h or 7d."),
    ("two units", "policy", "{delay: 1h30}", "delay: '1h30' is not a duration."),
    ("less than nothing", "policy", "{delay: -5s}", "delay: '-5s' is not a duration."),
    ("a lifetime", "policy", "{delay: 9999d}", "is longer than ten years."),
    ("half a night", "policy", "{quiet_hours: 8}", "quiet_hours: '8' is not a stretch of time."),
    ("a night of no length", "policy", "{quiet_hours: '08:00-08:00'}", "starts when it ends."),
    ("no choice", "policy", "{night: sned}", "night: 'sned' is none of send, hold, skip. Did you mean send?"),
    ("a cap in no time", "policy", "{caps: {number: 1/0d}}", "has no time that can be counted in."),
    ("no money", "policy", "{caps: {spend: [much]}}", "spend[0]: 'much' is not a limit of money."),
    ("more than all", "policy", "{brake: {delivered_below: 140%/50}}", "is not a share."),
    ("too short for a mobile", "staff", "{anna: {mobile: 12}}", "mobile: '12' is not a phone number in US."),
    ("a port alone", "web", "{listen: 8470}", "listen: '8470' is not an address and a port."),
    ("IPv6 without brackets", "web", "{listen: '::1:8470'}", "is not an address and a port."),
    ("a port that is none", "web", "{listen: '127.0.0.1:99999'}", "is not an address and a port."),
    ("less than caps look back", "retention", "{texts: 7d}", "retention.texts: shorter than 30d, which caps"),
    ("no language of ours", "business", "{name: A, country: US, languages: [klingon]}", "languages[0]: 'klingon' is not a language whose"),
    ("a list as a path", "storage", "[]", "storage: a list is not a file."),
    ("a folder as a file", "storage", "/var/lib/", "is not a file."),
    ("no such mode", "mode", "dry", "mode: 'dry' is none of observe, live."),
]  # fmt: skip
AS_ROWS = [pytest.param(section, text, part, id=claim) for claim, section, text, part in VALUES]


@pytest.mark.parametrize(("section", "text", "part"), AS_ROWS)
def test_a_value_that_cannot_be_is_one_fault_that_says_so(faults: Faults, section: str, text: str, part: str) -> None:
    found = faults(**{section: text})
    assert len(found) == 1
    assert part in found[0]


@pytest.mark.parametrize(("section", "text", "part"), AS_ROWS)
def test_no_fault_is_in_the_words_of_a_library(faults: Faults, section: str, text: str, part: str) -> None:
    for fault in faults(**{section: text}):
        assert not any(
            words in fault for words in ("Input should", "validation error", "Value error", "pydantic", "Traceback")
        )
        assert fault.rstrip("`\"'").endswith((".", "?", ".`"))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("['+13035550142']", "[303-555-0142]", id="one number written in two ways"),
        pytest.param("['*']", "['*']", id="all numbers"),
        pytest.param("null", "['*']", id="all numbers, once by default"),
        pytest.param("['+1303*']", "['+1303*']", id="the same start"),
    ],
)
def test_two_lines_that_claim_one_did_are_a_fault_that_names_both(faults: Faults, first: str, second: str) -> None:
    found = faults(lines=f"{{main: {{dids: {first}}}, sales: {{dids: {second}}}}}")
    assert len(found) == 1
    assert "belongs to the line main already. Take it out of main or out of sales." in found[0]


@pytest.mark.parametrize(
    ("pbx", "gateway", "expected"),
    [
        pytest.param("{a: {secret: x}}", "", [], id="with one PBX there is no choice"),
        pytest.param(
            "{a: {secret: x}, b: {secret: x}}", "",
            ["gateways.stick: it does not say through which PBX it sends. Write `pbx: a`."], id="with two there is",
        ),
        pytest.param("{a: {secret: x}, b: {secret: x}}", ", pbx: b", [], id="and it is made"),
    ],
)  # fmt: skip
def test_a_gateway_through_one_of_several_pbxs_says_which(
    faults: Faults, pbx: str, gateway: str, expected: list[str]
) -> None:
    assert faults(pbx=pbx, gateways=f"{{stick: {{type: asterisk_dongle, device: dongle0{gateway}}}}}") == expected


def test_all_faults_come_at_once_each_with_its_line_in_the_order_of_the_file() -> None:
    text = """\
business:
  name: Anderson
  contry: US
pbx:
  office:
    secret: x
    port: many
lines:
  main: {dids: ["*"], gateways: [stik]}
  sales:
    hours:
      mon-fri: ["08:00-12:00"]
      sat: 9-12
gateways:
  stick: {type: gsm_modem, port: /dev/null}
policy:
  delay: 5
"""
    with pytest.raises(ConfigError) as caught:
        loads(text)
    assert [fault.split(": ", 2)[:2] for fault in caught.value.faults] == [
        ["textbackd.yaml:1", "business.country"],
        ["textbackd.yaml:3", "business.contry"],
        ["textbackd.yaml:7", "pbx.office.port"],
        ["textbackd.yaml:9", "lines.main.gateways[0]"],
        ["textbackd.yaml:10", "lines.sales.dids[0]"],
        ["textbackd.yaml:13", "lines.sales.hours.sat"],
        ["textbackd.yaml:17", "policy.delay"],
    ]


def test_a_fault_never_quotes_a_secret(faults: Faults) -> None:
    found = faults(
        pbx="{a: {secret: 'hunter2 ${'}}",
        gateways="{s: {type: gsm_modem, port: x, pin: hunter2}, w: {type: http, url: 'ftp://hunter2@h/'}}",
    )
    assert len(found) == 3
    assert not any("hunter2" in fault for fault in found)
