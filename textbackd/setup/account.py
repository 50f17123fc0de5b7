"""Our account at Asterisk's manager: the lines, and putting them where they belong.   asterisk.py → here → cli/setup

It may listen, and ask what is running; config/manager-textbackd.conf tells why of each line, and what more a shop may allow.
"""

import os
import re
import secrets
from pathlib import Path
from typing import Final

from textbackd.doctor import program
from textbackd.setup.asterisk import USERNAME, Asterisk
from textbackd.setup.files import NewFile, write

# scripts/uninstall takes away what stands between the first and the last; scripts/box.sh writes the same.
BEGIN: Final = "; --- textbackd: this block belongs to its installer ---"
NOTE: Final = "; What each right is for stands in config/manager-textbackd.conf of textbackd."
END: Final = "; --- end of textbackd ---"
LINES: Final = """\
[{username}]
secret = {secret}
deny = 0.0.0.0/0.0.0.0
permit = {address}/255.255.255.255
read = call,agent,system
write = reporting
writetimeout = 5000
"""
RELOAD: Final = "asterisk -rx 'manager reload'"
PATIENCE: Final = 10.0  # seconds for the console
_BLOCK: Final = re.compile(re.escape(BEGIN) + r".*?" + re.escape(END) + r"\n?", re.DOTALL)


def new_secret() -> str:
    """Return a secret that nobody guesses."""
    return secrets.token_hex(24)


def lines(secret: str, address: str) -> str:
    """Return the account as it stands in manager.conf."""
    return LINES.format(username=USERNAME, secret=secret, address=address or "127.0.0.1")


def may_write(asterisk: Asterisk) -> bool:
    """Return whether we could put the account where it belongs: on this box, as root, into a folder that is there."""
    return asterisk.is_here and asterisk.is_readable and os.access(asterisk.folder, os.W_OK) and os.geteuid() == 0


def put(asterisk: Asterisk, secret: str) -> None:
    """Write the account into Asterisk's configuration, in place of one that we wrote before. Raises FilesError."""
    target = asterisk.target
    block = f"{BEGIN}\n{NOTE}\n{lines(secret, asterisk.our_address)}{END}\n"
    own = target.parent.name == "manager.d"  # a file of ours alone
    before = "" if own or not target.exists() else target.read_text("utf-8", "surrogateescape")
    rest = _BLOCK.sub("", before)
    text = f"{rest}{'' if not rest or rest.endswith(chr(10)) else chr(10)}{block}"
    write([NewFile(target, text, mode=0o640, like=target if target.exists() else _model(asterisk.folder))], keep=False)


def reload() -> bool:
    """Have Asterisk read its accounts again; return whether its console was there to do it."""
    return program.said(*RELOAD.replace("'", "").split(" ", 2), within=PATIENCE) is not None


def _model(folder: Path) -> Path:
    """Return the file whose owner a new one beside it gets."""
    return folder / "manager.conf"
