"""Rights: what a configuration needs, and what the answers of Asterisk 16 and 22 to `ListCommands` prove."""

import pytest

from tests.flow.settings import configured
from textbackd.doctor.rights import DANGERS, Rights, granted_by, missing, needed, spare

# As Asterisk 22.10 wrote them, one action of each kind.
ACTIONS = {
    "Ping": "Keepalive command.  (Priv: <none>)",
    "CoreShowChannels": "List currently active channels.  (Priv: system,reporting,all)",
    "Status": "List channel status.  (Priv: system,call,reporting,all)",
    "ConfbridgeList": "List participants in a conference.  (Priv: reporting,all)",
    "Originate": "Originate a call.  (Priv: originate,all)",
    "Hangup": "Hangup channel.  (Priv: system,call,all)",
    "Atxfer": "Attended transfer.  (Priv: call,all)",
    "Command": "Execute Asterisk CLI Command.  (Priv: command,all)",
    "MessageSend": "Send an out of call message.  (Priv: message,all)",
}


@pytest.mark.parametrize(
    ("actions", "granted"),
    [
        pytest.param(["Ping"], set(), id="what needs no right proves none"),
        pytest.param(
            ["CoreShowChannels", "Status", "ConfbridgeList"], {"reporting"}, id="an action of one class proves it"
        ),
        pytest.param(
            ["CoreShowChannels", "Status"], {"reporting"}, id="reporting is what is left to explain an action"
        ),
        pytest.param(
            ["Atxfer", "Hangup", "Status"], {"call"}, id="an action that call explains does not prove reporting"
        ),
        pytest.param(
            ["Originate", "Command", "MessageSend"], {"originate", "command", "message"}, id="each has its own"
        ),
    ],
)
def test_the_actions_that_are_listed_prove_the_rights(actions: list[str], granted: set[str]) -> None:
    assert granted_by({name: ACTIONS[name] for name in actions}) == granted


READ, WRITE = ("call", "agent", "system"), ("reporting",)


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        pytest.param({}, Rights(read=READ, write=WRITE), id="a modem needs the least"),
        pytest.param(
            {"pbx": "{office: {secret: none, dial: {}}}"},
            Rights(read=READ, write=(*WRITE, "originate")),
            id="dial needs originate",
        ),
        pytest.param(
            {"staff": '{anna: {sip: "pjsip:anna"}}'},
            Rights(read=(*READ, "user"), write=(*WRITE, "message")),
            id="a desk phone that shows messages needs user and message",
        ),
        pytest.param(
            {"gateways": "{trunk: {type: asterisk_message, endpoint: trunk, domain: sip.example.com}}"},
            Rights(read=(*READ, "user"), write=(*WRITE, "message")),
            id="texts through the trunk need user and message",
        ),
        pytest.param(
            {"gateways": "{stick: {type: asterisk_dongle, device: dongle0}}"},
            Rights(read=READ, write=(*WRITE, "call")),
            id="a dongle needs call",
        ),
    ],
)
def test_rights_are_needed_for_what_is_switched_on(sections: dict[str, str], expected: Rights) -> None:
    assert needed(configured(**sections), "office") == expected


def test_who_may_do_everything_lacks_nothing() -> None:
    assert missing(("call", "agent"), frozenset({"all"})) == ()
    assert missing(("call", "agent"), frozenset({"call"})) == ("agent",)


def test_spare_rights_come_worst_first_and_not_those_that_are_needed() -> None:
    assert spare(WRITE, frozenset({"originate", "command", "reporting", "log"}), DANGERS) == ("command", "originate")
    assert spare(("originate",), frozenset({"originate"}), DANGERS) == ()
    assert spare(("originate",), frozenset({"all"}), DANGERS)[0] == "command"
