"""One booted box for each file of tests; they run in the order in which they stand, as days at a shop do."""

from collections.abc import Iterator

import pytest

from tests.box.box import Box


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """A box that is switched on, with our sources in /root/textbackd and nothing of ours installed."""
    made = Box(tmp_path_factory.mktemp("box"))
    try:
        made.boot()
        made.lay()
        yield made
    finally:
        made.scrap()
