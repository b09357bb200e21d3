"""Between which values a series must lie, whatever the market does."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isnan
from typing import TYPE_CHECKING

import numpy as np

from conditions.cross import Breadth, Ranked
from conditions.fact_fields import FACTS, FactField
from conditions.lens import Seen
from conditions.nodes import Call, Member, Name
from conditions.series import Arithmetic, Constant, Earlier, Indicated, Mapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conditions.nodes import Node
    from conditions.series import Series

LEAST_PRICE = 1e-9
"""No price is 0; below this nothing is quoted anywhere."""

AVERAGES = frozenset({"sma", "ema", "wma", "kama", "highest", "lowest", "donchian"})
"""Indicators whose values never leave the range of their sources."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and the greatest value, both of which may be taken."""

    low: float = -inf
    high: float = inf

    @property
    def is_point(self) -> bool:
        """Return whether it is one number."""
        return self.low == self.high


ANYTHING = Bounds()
POSITIVE = Bounds(0.0, inf)
_PRICES = ("open", "high", "low", "close", "upper_limit", "lower_limit")
_DAY_PRICES = ("day.open", "day.high", "day.low", "day.prev_close")
_AMOUNTS = ("volume", "value", "day.volume", "day.value", "minutes_since_open", "minutes_to_close")
_FACT_AMOUNTS = ("market_cap", "listed_shares")
_FACT_PRICES = ("high_52w", "low_52w")
_NAMED = {
    **dict.fromkeys((*_PRICES, *_DAY_PRICES), Bounds(LEAST_PRICE, inf)),
    **dict.fromkeys(_AMOUNTS, POSITIVE),
    **dict.fromkeys((f"{FACTS}.{name}" for name in _FACT_AMOUNTS), POSITIVE),
    **dict.fromkeys((f"{FACTS}.{name}" for name in _FACT_PRICES), Bounds(LEAST_PRICE, inf)),
    "day.change": Bounds(-1.0, inf),
    "position.price": Bounds(LEAST_PRICE, inf),
    "position.age": POSITIVE,
    "time": Bounds(0.0, 24 * 60.0),
}
"""Bounds of what has a name of its own."""


def bounds(series: Series) -> Bounds:
    """Return the bounds of a series; where nothing is known, of all numbers."""
    found = _NAMED.get(_own_name(series), ANYTHING)
    match series:
        case Constant(value=value):
            found = Bounds(value, value)
        case Breadth():
            found = Bounds(0.0, 1.0)
        case Ranked():
            found = Bounds(1.0, inf)
        case Earlier(source=source) | Seen(source=source):
            found = bounds(source)
        case Arithmetic(sign=sign, left=left, right=right):
            found = _arithmetic(sign, bounds(left), bounds(right))
        case Mapped():
            found = _mapped(series)
        case Indicated():
            found = _indicated(series)
    return found


def _own_name(series: Series) -> str:
    return f"{FACTS}.{series.name}" if isinstance(series, FactField) else series.key


def _indicated(series: Indicated) -> Bounds:
    declared = series.output.bounds
    if declared is not None:
        return Bounds(*declared)
    found = [bounds(one) for one in series.sources]
    name = _name(series.node)
    if name in AVERAGES:
        return Bounds(min(one.low for one in found), max(one.high for one in found))
    return Bounds(-1.0, inf) if name == "change" and found[0].low >= 0 else ANYTHING


def _name(node: Node) -> str:
    """Return the name of an indicator by the call of it or of one of its outputs."""
    call = node.source if isinstance(node, Member) else node
    return call.function.name if isinstance(call, Call) and isinstance(call.function, Name) else ""


def _mapped(series: Mapped) -> Bounds:
    found = [bounds(one) for one in series.arguments]
    lows, highs = [one.low for one in found], [one.high for one in found]
    if series.function is np.negative:
        return Bounds(-highs[0], -lows[0])
    if series.function is np.abs:
        ends = sorted((abs(lows[0]), abs(highs[0])))
        return Bounds(0.0 if lows[0] <= 0 <= highs[0] else ends[0], ends[1])
    if series.function is np.minimum:
        return Bounds(min(lows), min(highs))
    if series.function is np.maximum:
        return Bounds(max(lows), max(highs))
    return ANYTHING


def _arithmetic(sign: str, left: Bounds, right: Bounds) -> Bounds:
    if sign == "+":
        return _widest([left.low + right.low], [left.high + right.high])
    if sign == "-":
        return _widest([left.low - right.high], [left.high - right.low])
    if sign == "/":
        if right.low < 0 < right.high or right.low == right.high == 0:
            return ANYTHING
        right = Bounds(_inverse(right.high, -inf), _inverse(right.low, inf))
    corners = [
        _times(one, other) for one in (left.low, left.high) for other in (right.low, right.high)
    ]
    return _widest(corners, corners)


def _inverse(number: float, at_zero: float) -> float:
    return 1.0 / number if number else at_zero


def _times(left: float, right: float) -> float:
    """Return the product; nothing times everything is nothing, since the ends are not reached."""
    return 0.0 if not left or not right else left * right


def _widest(lows: Sequence[float], highs: Sequence[float]) -> Bounds:
    low, high = min(lows), max(highs)
    return Bounds(-inf if isnan(low) else low, inf if isnan(high) else high)
