"""What numbers measure, and what may be added, multiplied, divided and compared."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Unit(StrEnum):
    """What a number measures; a bare NUMBER and MONEY adapt to what they meet.

    PRICE is money a share, VALUE is money that changed hands, MONEY is an amount a user wrote
    (`80_000 KRW`): it is compared with either. POINTS are the 0 to 100 of oscillators. TIME counts
    minutes, CLOCK minutes since midnight: a time of day is only compared, and only with another.
    """

    NUMBER = ""
    RATIO = "ratio"
    PRICE = "price"
    VOLUME = "volume"
    VALUE = "value"
    POINTS = "points"
    MONEY = "money"
    TICKS = "ticks"
    BARS = "bars"
    TIME = "time"
    CLOCK = "clock"

    @property
    def words(self) -> str:
        """Return the unit as an error names it."""
        return _WORDS[self]


_WORDS = {
    Unit.NUMBER: "a bare number",
    Unit.RATIO: "a ratio (%)",
    Unit.PRICE: "a price (money a share)",
    Unit.VOLUME: "a volume (shares)",
    Unit.VALUE: "a value (money traded)",
    Unit.POINTS: "points (0 to 100)",
    Unit.MONEY: "an amount of money",
    Unit.TICKS: "a number of ticks",
    Unit.BARS: "a number of bars",
    Unit.TIME: "a length of time",
    Unit.CLOCK: "a time of day",
}


@dataclass(frozen=True, slots=True)
class Literal:
    """A unit that may follow a number: its usual spelling, and what one of it is worth."""

    name: str
    unit: Unit
    factor: Decimal = Decimal(1)


_ALL = (
    Literal("%", Unit.RATIO, Decimal("0.01")),
    Literal("KRW", Unit.MONEY),
    Literal("USDT", Unit.MONEY),
    Literal("shares", Unit.VOLUME),
    Literal("tick", Unit.TICKS),
    Literal("bars", Unit.BARS),
    Literal("s", Unit.TIME, Decimal(1) / 60),
    Literal("m", Unit.TIME),
    Literal("h", Unit.TIME, Decimal(60)),
    Literal("minutes", Unit.TIME),
    Literal("days", Unit.TIME, Decimal(24 * 60)),
)
CLOCK = Literal("hh:mm", Unit.CLOCK)
"""A time of day: its digits are written around the colon, not before a unit."""

LITERALS: dict[str, Literal] = {one.name: one for one in _ALL} | {
    "ticks": _ALL[4],
    "bar": _ALL[5],
    "share": _ALL[3],
    "minute": _ALL[9],
    "day": _ALL[10],
    CLOCK.name: CLOCK,
}
"""The units of numbers by every spelling that is understood."""

CURRENCIES = ("KRW", "USDT")

_MONEY_KINDS = {Unit.PRICE, Unit.VALUE}
_SCALES = {Unit.NUMBER, Unit.RATIO}

_PRODUCTS = {
    frozenset({Unit.PRICE, Unit.VOLUME}): Unit.VALUE,
    frozenset({Unit.MONEY, Unit.VOLUME}): Unit.VALUE,
}
_QUOTIENTS = {
    (Unit.VALUE, Unit.VOLUME): Unit.PRICE,
    (Unit.MONEY, Unit.VOLUME): Unit.PRICE,
    (Unit.VALUE, Unit.PRICE): Unit.VOLUME,
    (Unit.MONEY, Unit.PRICE): Unit.NUMBER,  # shares if it was to be spent, else a ratio of prices
    (Unit.PRICE, Unit.MONEY): Unit.RATIO,
    (Unit.VALUE, Unit.MONEY): Unit.RATIO,
    (Unit.MONEY, Unit.VALUE): Unit.RATIO,
    (Unit.NUMBER, Unit.NUMBER): Unit.NUMBER,
    (Unit.NUMBER, Unit.RATIO): Unit.RATIO,
}


def joined(left: Unit, right: Unit) -> Unit | None:
    """Return the unit in which two numbers are added or compared, None where they cannot be."""
    if left == right:
        return left
    if Unit.CLOCK in {left, right}:
        return None
    if left is Unit.NUMBER or (left is Unit.MONEY and right in _MONEY_KINDS):
        return right
    if right is Unit.NUMBER or (right is Unit.MONEY and left in _MONEY_KINDS):
        return left
    return None


def added(left: Unit, right: Unit) -> Unit | None:
    """Return the unit of left + right or left - right, None where that means nothing."""
    return None if Unit.CLOCK in {left, right} else joined(left, right)


def product(left: Unit, right: Unit) -> Unit | None:
    """Return the unit of left * right, None where that means nothing."""
    if Unit.CLOCK in {left, right}:
        return None
    if left in _SCALES:
        return left if right is Unit.NUMBER else right
    if right in _SCALES:
        return left
    return _PRODUCTS.get(frozenset({left, right}))


def quotient(left: Unit, right: Unit) -> Unit | None:
    """Return the unit of left / right, None where that means nothing."""
    if Unit.CLOCK in {left, right}:
        return None
    if (left, right) in _QUOTIENTS:
        return _QUOTIENTS[left, right]
    if left == right:
        return Unit.RATIO
    return left if right in _SCALES else None
