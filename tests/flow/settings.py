"""Settings for the tests of flow: one line for everything, unless a test says otherwise."""

from textbackd.config import Settings, loads

SECTIONS = {
    "business": '{name: Anderson Roofing, country: US, timezone: America/Denver, numbers: ["+13035550111"]}',
    "pbx": '{office: {secret: none, ignore: {dids: ["+13035550118"], contexts: ["door*"]}}}',
    "lines": '{main: {dids: ["*"]}}',
    "gateways": '{stick: {type: gsm_modem, port: /dev/null, number: "+13035550112"}, '
    'web: {type: http, url: "http://127.0.0.1:9/"}}',
    "policy": "{min_wait: 4s, cooldown: 1h, recent_talk: 10m}",
    "staff": '{anna: {mobile: "+13035550113"}}',
}


def configured(**sections: str) -> Settings:
    """Return settings with these sections instead of the usual ones."""
    return loads("".join(f"{name}: {text}\n" for name, text in {**SECTIONS, **sections}.items()))
