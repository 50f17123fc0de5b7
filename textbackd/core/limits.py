"""How much in how long: caps, the brake and the speed of a gateway.  Pure.   config → here → flow/texts_out.py"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final

MILLIONTHS: Final = (
    1_000_000  # of the shop's currency: what texts cost is kept in these, since a segment costs less than a cent
)


@dataclass(frozen=True, slots=True)
class Limit:
    """So many texts in so long a time, "4/7d"; the window slides."""

    count: int
    window: timedelta


@dataclass(frozen=True, slots=True)
class SpendLimit:
    """So much money in so long a time, "5/1d", in the currency in which the gateways' prices are told."""

    amount: Decimal
    window: timedelta


@dataclass(frozen=True, slots=True)
class Share:
    """A share of the last so many texts, "40%/50"."""

    percent: int
    of: int
