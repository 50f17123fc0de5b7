"""Numbers that can be recognised, and no longer read.   store/database.py → here → optouts, outbox

A number that was forgotten must stay opted out. What is kept of it is its HMAC-SHA256 (RFC 2104) under a random key of this
database: without the key nobody can find out by trying all numbers whose it is. SQL knows the function as `hashed`.
"""

import hashlib
import hmac
import sqlite3
from functools import partial
from typing import Final

import sqlite_utils

PREFIX: Final = "hmac:"  # no number starts so


def install(connection: sqlite3.Connection) -> None:
    """Give a connection the SQL function `hashed(number)`."""
    key = connection.execute("SELECT value FROM meta WHERE name = 'number_key'").fetchone()[0]
    connection.create_function("hashed", 1, partial(_hashed, key), deterministic=True)


def hashed(db: sqlite_utils.Database, number: str) -> str:
    """Return what is kept of a number that is forgotten."""
    return str(db.execute("SELECT hashed(?)", [number]).fetchone()[0])


def _hashed(key: bytes, number: str) -> str:
    return PREFIX + hmac.new(key, number.encode(), hashlib.sha256).hexdigest()
