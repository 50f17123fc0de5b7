"""Where a database is, as a shop writes it: `mysql://user:password@host[:port]/database[?socket=/path]`, and `postgresql://` alike."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from textbackd.errors import TextbackdError

ADDRESS: Final = re.compile(
    r"(?P<scheme>[a-z]+)://(?P<user>[^:/@]*)(:(?P<password>.*))?@(?P<host>\[[^\]]+\]|[^:/@]*)(:(?P<port>\d+))?/(?P<database>[^/?]+)"
    r"(\?socket=(?P<socket>.+))?",
    re.DOTALL,
)
PORTS: Final = {"mysql": 3306, "postgresql": 5432}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the database is. Its text leaves out the password."""

    scheme: str
    user: str
    password: str
    host: str
    port: int
    port_given: bool
    database: str
    socket: str | None

    def __str__(self) -> str:
        return f"{self.scheme}://{self.user}@{self.host}/{self.database}"

    def __repr__(self) -> str:
        return str(self)


def read_address(source: str) -> Address:
    """Return the parts of an address. Raises TextbackdError, without the password.

    A password may hold any character; `%40` is read as `@`.
    """
    found = ADDRESS.fullmatch(source)
    if found is None:
        scheme = source.partition("://")[0]
        raise TextbackdError(f"{scheme}://…: is not an address. Write {scheme}://user:password@host/asteriskcdrdb.")
    return Address(
        scheme=found["scheme"],
        user=unquote(found["user"]),
        password=unquote(found["password"] or ""),
        host=found["host"].strip("[]") or "localhost",
        port=int(found["port"] or PORTS.get(found["scheme"], 0)),
        port_given=bool(found["port"]),
        database=unquote(found["database"]),
        socket=found["socket"],
    )
