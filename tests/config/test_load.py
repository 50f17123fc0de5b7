"""What is written comes through; what is not written has its default."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from pydantic import ValidationError

from textbackd.config import GsmModem, Holidays, HttpGateway, Settings, loads
from textbackd.config.countries import COUNTRIES, profile
from textbackd.config.zones import business_zone, machine_zone
from textbackd.core.limits import Limit, Share, SpendLimit
from textbackd.core.opening_hours import ALWAYS_OPEN, NEVER_OPEN
from textbackd.core.phone import E164
from textbackd.core.stop_words import WORDS
from textbackd.core.trunk import USUAL_TRUNK_CONTEXTS
from textbackd.core.words import Language, language_of

Configured = Callable[..., Settings]
CHICAGO = ZoneInfo("America/Chicago")

EVERYTHING = """\
business: {name: Baker Plumbing, country: US, timezone: America/Denver, booking_url: null, numbers: [303-555-0100]}
pbx:
  office:                                   # one PBX or several
    host: 192.0.2.5
    port: 5039
    username: robot
    secret: file:/etc/textbackd/ami.secret
    trunks: {contexts: ["from-trunk*", "from-pstn*"], channels: ["PJSIP/trunk-*"]}
    ignore: {dids: ["+13035550199"], contexts: ["app-blacklist*"]}   # fax, blacklist
    cdr: sqlite:////var/log/asterisk/master.db
lines:
  main:
    dids: ["*"]
    hours: {mon-fri: ["08:00-12:00", "13:00-17:00"], "sat,sun": closed}
    holidays: US-CO
    texts: {missed: "Sorry, {business} here. How can we help?", busy: none}
    gateways: [web, stick]
    staff: [anna]
gateways:
  stick: {type: gsm_modem, port: /dev/ttyUSB0, rate: 4/min}
  web:   {type: http, url: "http://127.0.0.1:9000/send", method: POST, json: {to: "{to}", text: "{text}", flash: false}}
policy:
  min_wait: 0s
  delay: 7s
  cooldown: 2d
  recent_talk: 1h
  expire: 15m
  quiet_hours: "22:00-07:30"
  night: hold
  caps: {number: [2/12h, 5/7d], prefix: 6/1h, did: off, all: [11/1m], spend: [2.50/1d, 60/30d]}
  brake: {consecutive_numbers: 4/10m, delivered_below: 35%/40}
staff:  {anna: {name: Anna, mobile: "(303) 555-0123"}, bo: {}}
web:    {listen: "127.0.0.1:9999"}
storage: /tmp/t.db
mode: observe
"""


def test_a_configuration_with_every_section_comes_through() -> None:
    settings = loads(EVERYTHING)
    assert settings.mode == "observe"
    assert settings.business.timezone == ZoneInfo("America/Denver")
    assert settings.business.numbers == ("+13035550100",)
    assert (settings.pbx["office"].host, settings.pbx["office"].port) == ("192.0.2.5", 5039)
    assert settings.pbx["office"].trunks.channels == ("PJSIP/trunk-*",)
    assert settings.pbx["office"].ignore.dids == ("+13035550199",)
    assert settings.pbx["office"].cdr == "sqlite:////var/log/asterisk/master.db"
    assert settings.staff["anna"].mobile == "+13035550123"
    assert settings.storage == Path("/tmp/t.db")
    assert (settings.web.host, settings.web.port) == ("127.0.0.1", 9999)


def test_a_line_comes_through() -> None:
    line = loads(EVERYTHING).lines["main"]
    assert [" ".join(map(str, day)) for day in line.hours.week] == ["08:00-12:00 13:00-17:00"] * 5 + [""] * 2
    assert line.holidays == Holidays(regions=("US-CO",))
    assert line.texts.worded() == {"missed": "Sorry, {business} here. How can we help?", "busy": None}
    assert line.gateways == ("web", "stick")
    assert line.staff == ("anna",)


def test_the_policy_comes_through() -> None:
    policy = loads(EVERYTHING).policy
    assert policy.min_wait == timedelta(0)
    assert policy.cooldown == timedelta(days=2)
    assert str(policy.quiet_hours) == "22:00-07:30"
    assert policy.night == "hold"
    assert policy.caps is not None
    assert policy.caps.number == (Limit(2, timedelta(hours=12)), Limit(5, timedelta(days=7)))
    assert policy.caps.prefix == (Limit(6, timedelta(hours=1)),)
    assert policy.caps.did == ()
    assert policy.caps.spend[0] == SpendLimit(Decimal("2.50"), timedelta(days=1))
    assert policy.brake is not None
    assert policy.brake.consecutive_numbers == Limit(4, timedelta(minutes=10))
    assert policy.brake.delivered_below == Share(35, 40)


def test_the_gateways_come_through_in_the_order_written() -> None:
    gateways = loads(EVERYTHING).gateways
    assert list(gateways) == ["stick", "web"]
    stick, web = gateways["stick"], gateways["web"]
    assert isinstance(stick, GsmModem)
    assert stick.rate == Limit(4, timedelta(minutes=1))
    assert isinstance(web, HttpGateway)
    assert web.json_body == {"to": "{to}", "text": "{text}", "flash": False}
    assert web.success_statuses() == frozenset(range(200, 300))


def test_what_is_not_written_has_its_default(configured: Configured) -> None:
    settings = configured()
    line = settings.lines["main"]
    assert settings.mode == "live"
    assert line.dids == ("*",)
    assert line.hours == ALWAYS_OPEN
    assert not line.holidays
    assert line.texts.worded() == {}
    assert settings.policy.cooldown == timedelta(hours=24)
    assert settings.policy.caps is not None
    assert settings.policy.caps.all[-1] == Limit(200, timedelta(days=1))
    assert settings.pbx["office"].trunks.contexts == USUAL_TRUNK_CONTEXTS
    assert "from-sip-external" not in USUAL_TRUNK_CONTEXTS
    assert settings.storage == Path("/var/lib/textbackd/textbackd.db")


@pytest.mark.parametrize(
    ("business", "languages"),
    [
        pytest.param("{name: A, country: US}", ("en", "es"), id="the United States"),
        pytest.param("{name: A, country: CH}", ("de", "fr", "it"), id="Switzerland"),
        pytest.param("{name: A, country: US, languages: ES}", ("es",), id="what is written goes before"),
        pytest.param("{name: A, country: FJ}", ("en",), id="a country without a profile"),
    ],
)
def test_languages_are_those_of_the_country(configured: Configured, business: str, languages: tuple[str, ...]) -> None:
    assert configured(business=business).business.languages == languages


def test_every_language_of_a_country_has_its_stop_words() -> None:
    assert {language for one in COUNTRIES.values() for language in one.languages} <= set(WORDS)


def test_what_a_country_is_texted_in_is_among_its_languages() -> None:
    texted = {country: language_of(country) for country in phonenumbers.SUPPORTED_REGIONS}
    worded = {country: language for country, language in texted.items() if language is not Language.EN}
    assert {country for country, language in worded.items() if language not in profile(country).languages} == set()


@pytest.mark.parametrize("country", ["US", "CA"])
def test_where_it_is_expected_the_first_text_says_how_to_stop(country: str) -> None:
    assert (profile(country).hint_expected, profile("GB").hint_expected, profile("FJ").hint_expected) == (
        True,
        False,
        False,
    )


@pytest.mark.parametrize(
    ("written", "texts", "calls"),
    [
        pytest.param("{}", timedelta(days=180), timedelta(days=400), id="as usual"),
        pytest.param("{texts: 90d, calls: off}", timedelta(days=90), None, id="calls for ever"),
    ],
)
def test_things_are_kept_for_so_long(
    configured: Configured, written: str, texts: timedelta | None, calls: timedelta | None
) -> None:
    retention = configured(retention=written).retention
    assert (retention.texts, retention.calls) == (texts, calls)


def test_a_line_uses_all_gateways_and_staff_in_the_order_written_unless_it_names_some(configured: Configured) -> None:
    settings = configured(
        gateways="{z: {type: gsm_modem, port: /dev/null}, a: {type: http, url: 'http://h/'}}", staff="{bo: , anna: {}}"
    )
    assert settings.lines["main"].gateways == ("z", "a")
    assert settings.lines["main"].staff == ("bo", "anna")


def test_a_member_of_staff_without_a_name_is_called_by_the_key(configured: Configured) -> None:
    assert configured(staff="{anna: }").staff["anna"].name == "anna"


@pytest.mark.parametrize(
    ("written", "days"),
    [
        pytest.param("{mon: '08:00-12:00'}", "mon", id="one day, one stretch without a list"),
        pytest.param("{Monday: '08:00-12:00'}", "mon", id="the whole name"),
        pytest.param("{'sat,sun': '08:00-12:00'}", "sat sun", id="two days"),
        pytest.param("{fri-mon: '08:00-12:00'}", "mon fri sat sun", id="days over the weekend"),
        pytest.param("{'mon-tue, sat': ['08:00-12:00']}", "mon tue sat", id="a range and a day"),
        pytest.param("{mon: closed}", "", id="closed"),
    ],
)
def test_days_are_written_as_people_write_them(configured: Configured, written: str, days: str) -> None:
    week = configured(lines=f"{{main: {{hours: {written}}}}}").lines["main"].hours.week
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    assert " ".join(name for name, day in zip(names, week, strict=True) if day) == days


def test_a_whole_line_can_be_always_open_or_closed(configured: Configured) -> None:
    assert configured(lines="{main: {hours: always}}").lines["main"].hours == ALWAYS_OPEN
    assert configured(lines="{main: {hours: closed}}").lines["main"].hours == NEVER_OPEN


def test_holidays_may_be_a_region_dates_or_both(configured: Configured) -> None:
    line = configured(lines="{main: {holidays: [us-il, 2026-12-24, US]}}").lines["main"]
    assert line.holidays == Holidays(regions=("US-IL", "US"), dates=frozenset({date(2026, 12, 24)}))


def test_numbers_are_read_in_the_country_of_the_business(configured: Configured) -> None:
    settings = configured(business="{name: A, country: GB}", lines="{main: {dids: [020 7946 0018, '+1 303 555 0142']}}")
    assert settings.lines["main"].dids == ("+442079460018", "+13035550142")


@pytest.mark.parametrize(
    ("written", "accepted"),
    [
        pytest.param("200", {200}, id="one"),
        pytest.param("[200, 202]", {200, 202}, id="some"),
        pytest.param("'200-202'", {200, 201, 202}, id="a range"),
        pytest.param("2xx", set(range(200, 300)), id="a hundred"),
    ],
)
def test_statuses_of_success_are_numbers_ranges_or_hundreds(
    configured: Configured, written: str, accepted: set[int]
) -> None:
    web = configured(gateways=f"{{web: {{type: http, url: 'http://h/', success: {written}}}}}").gateways["web"]
    assert isinstance(web, HttpGateway)
    assert web.success_statuses() == accepted


def test_relative_names_start_at_the_folder_of_the_configuration() -> None:
    text = EVERYTHING.replace("/tmp/t.db", "t.db").replace("file:/etc/textbackd/ami.secret", "file:ami")
    settings = loads(text, Path("/srv/shop/textbackd.yaml"))
    assert settings.storage == Path("/srv/shop/t.db")
    assert settings.pbx["office"].secret.get_secret_value() == "file:/srv/shop/ami"


@pytest.mark.parametrize(
    ("country", "machine", "zone"),
    [
        pytest.param("NO", "UTC", "Europe/Oslo", id="a country with one zone has it"),
        pytest.param("DE", "UTC", "Europe/Berlin", id="so has one with two zones that keep the same clock"),
        pytest.param("US", "America/Chicago", "America/Chicago", id="with several clocks the machine's zone is taken"),
        pytest.param("US", "UTC", "UTC", id="even if it is none of the country's"),
    ],
)
def test_a_business_that_names_no_zone_has_one_all_the_same(
    configured: Configured, country: str, machine: str, zone: str
) -> None:
    text = EVERYTHING.replace("country: US, timezone: America/Denver", f"country: {country}").replace("US-CO", "US")
    text = text.replace("[303-555-0100]", "[]").replace("(303) 555-0123", "+13035550123")
    assert loads(text, machine=ZoneInfo(machine)).business.timezone.key == zone


def test_a_zone_is_a_guess_only_where_the_machine_is_elsewhere() -> None:
    assert business_zone("US", CHICAGO) == (CHICAGO, True)
    assert business_zone("US", ZoneInfo("Europe/Berlin")) == (ZoneInfo("Europe/Berlin"), False)


def test_the_machine_tells_its_zone_by_environment_or_link(tmp_path: Path) -> None:
    link = tmp_path / "localtime"
    link.symlink_to("/usr/share/zoneinfo/Europe/Oslo")
    assert machine_zone({"TZ": ":America/Chicago"}, link) == CHICAGO
    assert machine_zone({}, link) == ZoneInfo("Europe/Oslo")
    assert machine_zone({}, tmp_path / "none") == ZoneInfo("UTC")


def test_settings_cannot_be_changed(configured: Configured) -> None:
    settings = configured()
    with pytest.raises(ValidationError, match="frozen"):
        settings.mode = "observe"
    with pytest.raises(TypeError, match="does not support item assignment"):
        settings.lines["other"] = settings.lines["main"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("did", "line"),
    [
        pytest.param("+13035550142", "exact", id="an exact DID wins"),
        pytest.param("+13035550143", "long", id="then the longest start"),
        pytest.param("+13039990000", "short", id="then a shorter one"),
        pytest.param("+442079460018", "rest", id="then the star"),
        pytest.param(None, "rest", id="a call without a DID goes to the star"),
    ],
)
def test_a_call_belongs_to_the_line_that_names_its_did_most_closely(
    configured: Configured, did: str | None, line: str
) -> None:
    settings = configured(
        lines="{rest: {}, short: {dids: ['+1303*']}, long: {dids: ['+1303555*']}, exact: {dids: ['+13035550142']}}"
    )
    assert settings.line_for(E164(did) if did else None) == (line, settings.lines[line])


@pytest.mark.parametrize(
    ("did", "channel", "line"),
    [
        pytest.param(None, "PJSIP/acme-0000002a", "second", id="over its trunk, without a DID"),
        pytest.param(None, "PJSIP/trunk-0000002a", "rest", id="over another trunk"),
        pytest.param("+13035550143", "PJSIP/acme-0000002a", "second", id="of equals the one that names the trunk"),
        pytest.param("+13035550142", "PJSIP/acme-0000002a", "exact", id="an exact DID wins over a trunk"),
        pytest.param(None, "", "rest", id="a record that names no channel"),
    ],
)
def test_a_line_may_be_told_by_its_trunk(configured: Configured, did: str | None, channel: str, line: str) -> None:
    settings = configured(lines="{rest: {}, second: {trunks: ['PJSIP/acme-*']}, exact: {dids: ['+13035550142']}}")
    assert settings.line_for(E164(did) if did else None, channel) == (line, settings.lines[line])


def test_a_did_that_no_line_names_belongs_to_none(configured: Configured) -> None:
    settings = configured(lines="{main: {dids: ['+13035550142']}}")
    assert settings.line_for(E164("+13035550143")) is None
    assert settings.line_for(None) is None


def test_own_numbers_are_all_that_the_configuration_names(configured: Configured) -> None:
    settings = configured(
        business="{name: A, country: US, numbers: ['+13035550101']}",
        pbx="{office: {secret: x, ignore: {dids: ['+13035550102']}}}",
        lines="{main: {dids: ['+13035550103', '*']}}",
        gateways="{stick: {type: gsm_modem, port: /dev/null, number: '+13035550104'}, "
        "web: {type: http, url: 'http://h/', number: '+13035550105'}}",
        staff="{anna: {mobile: '+13035550106'}, bo: {}}",
    )
    assert settings.own_numbers() == {f"+1303555010{last}" for last in range(1, 7)}
