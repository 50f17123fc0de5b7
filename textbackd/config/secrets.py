"""Secrets: how they are written, where they are, who can read them.   settings.py → here → resolve.py, lint.py

`${NAME}` is a variable of the environment, `file:NAME` a file (beside the configuration unless it starts with `/`), and
`credential:NAME` a systemd credential. Anything else is the secret itself. What is written is checked when the
configuration is loaded, what is behind it only when it is needed, so that `check` can run where the secrets are not.
"""

import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import SecretStr

_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_CREDENTIAL: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
MAX_SECRET_BYTES: Final = 64 * 1024  # a certificate chain fits; /dev/zero does not


class SecretMissingError(Exception):
    """A secret is not where the configuration says; the text says what and what to do.

    `until` ends the sentence "textbackd will not start until …".
    """

    def __init__(self, sentence: str, until: str) -> None:
        super().__init__(sentence)
        self.until = until


def written_secret(value: object, folder: Path) -> SecretStr:
    """Return a secret as it is written, `file:NAME` made absolute against `folder`. Raises ValueError without it."""
    if isinstance(value, SecretStr):
        return value
    text = str(value)
    if not text.strip():
        raise ValueError("the secret is empty. Write ${NAME}, file:NAME or credential:NAME.")
    kind, _, name = text.partition(":")
    if kind == "file":
        return SecretStr(f"file:{folder / _file_name(name)}")
    if kind == "credential" and not _CREDENTIAL.fullmatch(name):
        raise ValueError(
            "a credential has a name without slashes. Write credential:NAME as in LoadCredential=NAME:PATH."
        )
    if "${" in _VARIABLE.sub("", text):
        raise ValueError(
            "${ does not name a variable. Write ${NAME} with letters, digits and _; a secret with ${ in it into a file."
        )
    return SecretStr(text)


def _file_name(name: str) -> str:
    if not name.strip() or "\0" in name:
        raise ValueError("file: needs a name. Write file:ami.secret, or file:/etc/textbackd/ami.secret.")
    return name.strip()


def resolve(written: str, environ: Mapping[str, str]) -> str:
    """Return the secret behind what is written. Raises SecretMissingError."""
    kind, _, name = written.partition(":")
    if kind == "file":
        return _contents(Path(name), f"the secret's file {name}")
    if kind == "credential":
        return _contents(credential_path(name, environ), f"the credential {name}")
    return fill_variables(written, environ)


def fill_variables(written: str, environ: Mapping[str, str]) -> str:
    """Return `written` with every ${NAME} replaced from `environ`. Raises SecretMissingError."""
    unset = [name for name in variables(written) if not environ.get(name)]
    if unset:
        raise SecretMissingError(
            f"the environment variable {unset[0]} is not set. Set it for the service, or use file:NAME.",
            f"{unset[0]} is set",
        )
    return _VARIABLE.sub(lambda found: environ[found[1]], written)


def variables(written: str) -> list[str]:
    """Return the names of the variables in `written`."""
    return _VARIABLE.findall(written)


def without_variables(written: str) -> str:
    """Return `written` without its ${NAME}, to look at the rest."""
    return _VARIABLE.sub("", written)


def credential_path(name: str, environ: Mapping[str, str]) -> Path:
    """Return where systemd puts the credential `name`. Raises SecretMissingError if it hands over none."""
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        raise SecretMissingError(
            f"systemd hands over no credentials here. Add LoadCredential={name}:PATH to the unit, or use file:NAME.",
            f"systemd hands over {name}",
        )
    return Path(folder) / name


def file_of(written: str, environ: Mapping[str, str]) -> Path | None:
    """Return the file that holds the secret, None if it is not in a file."""
    kind, _, name = written.partition(":")
    if kind == "credential":
        return credential_path(name, environ)
    return Path(name) if kind == "file" else None


def is_plain(written: str) -> bool:
    """Return whether the secret itself is written here."""
    return not (written.startswith(("file:", "credential:")) or variables(written))


def world_readable(path: Path) -> bool:
    """Return whether everybody on the box can read the file; False if there is none."""
    try:
        return bool(path.stat().st_mode & stat.S_IROTH)
    except (OSError, ValueError):
        return False


def _contents(path: Path, what: str) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_SECRET_BYTES)
        secret = raw.decode("utf-8").strip("\r\n")
    except FileNotFoundError as exc:
        raise SecretMissingError(
            f"{what} is not there. Create it with the secret as its only line, mode 0640.", f"{path} is there"
        ) from exc
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is not text"
        raise SecretMissingError(
            f"{what} cannot be read ({reason}). Make it readable for the user textbackd.", f"{path} can be read"
        ) from exc
    if not secret:
        raise SecretMissingError(f"{what} is empty. Write the secret into it.", f"there is a secret in {path}")
    return secret
