"""Passwords: what is right, and that a wrong name is as much work as a wrong password."""

import asyncio

import pytest
from argon2 import PasswordHasher

from textbackd.web.access.passwords import MOST_WAITING, Passwords, is_long_enough

KEPT = Passwords().hash_now("three plain words")


@pytest.mark.parametrize(
    ("kept", "typed", "right"),
    [
        pytest.param(KEPT, "three plain words", True, id="the right one"),
        pytest.param(KEPT, "three plain word", False, id="a wrong one"),
        pytest.param(None, "three plain words", False, id="nobody"),
        pytest.param("not a hash", "not a hash", False, id="a damaged row"),
        pytest.param(Passwords().hash_now("caf\u00e9 caf\u00e9"), "cafe\u0301 cafe\u0301", True, id="another keyboard"),
        pytest.param(Passwords().hash_now("\ud800 lone half"), "\ud800 lone half", True, id="half a character"),
        pytest.param(KEPT, "x" * 100_000, False, id="a very long one"),
    ],
)
async def test_a_password_is_right_or_not(kept: str | None, typed: str, right: bool) -> None:
    assert await Passwords().is_right(kept, typed) is right


class Counting(Passwords):
    """Counts the hashes that are verified."""

    verified = 0

    def _matches(self, kept: str, password: str) -> bool:
        self.verified += 1
        return super()._matches(kept, password)


@pytest.mark.parametrize("kept", [pytest.param(KEPT, id="somebody"), pytest.param(None, id="nobody")])
async def test_a_hash_is_verified_for_a_name_that_there_is_not_as_well(kept: str | None) -> None:
    counting = Counting()
    await counting.is_right(kept, "whatever")
    assert counting.verified == 1


def test_a_hash_of_another_cost_is_outdated() -> None:
    assert Passwords().is_outdated(PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash("x"))
    assert not Passwords().is_outdated(KEPT)


@pytest.mark.parametrize(("password", "enough"), [("123456789", False), ("1234567890", True), ("", False)])
def test_a_password_has_ten_characters(password: str, enough: bool) -> None:
    assert is_long_enough(password) is enough


async def test_it_is_known_when_too_many_wait() -> None:
    passwords = Passwords()
    waiting = [asyncio.create_task(passwords.hash("three plain words")) for _ in range(MOST_WAITING)]
    assert not passwords.is_busy
    await asyncio.sleep(0)
    assert passwords.is_busy
    await asyncio.gather(*waiting)
    assert not passwords.is_busy
    passwords.close()
