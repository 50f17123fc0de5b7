"""A database of one test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlite_utils

from textbackd.store.database import open_database


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An empty database as a file, so that not every test has to make one."""
    path = tmp_path_factory.mktemp("migrated") / "textbackd.db"
    open_database(path).close()
    return path.read_bytes()


@pytest.fixture
def db(tmp_path: Path, migrated: bytes) -> Iterator[sqlite_utils.Database]:
    (tmp_path / "textbackd.db").write_bytes(migrated)
    database = open_database(tmp_path / "textbackd.db")
    yield database
    database.close()
