"""`upper_limit`, `lower_limit`: between which prices KRX lets trade on the day of each bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from conditions.day_fields import day_field
from conditions.days import session_bars
from conditions.nodes import Name
from conditions.series import Series
from conditions.units import Unit
from market.prices import LIMIT_RATIO, tick_bands
from market.types import Kind

if TYPE_CHECKING:
    from conditions.view import View
    from market.types import Timeframe

Array: TypeAlias = np.ndarray[Any, Any]

LIMIT_FIELDS = {
    "upper_limit": "The highest price KRX allows that day: 30 % over `day.prev_close`.",
    "lower_limit": "The lowest price KRX allows that day: 30 % under `day.prev_close`.",
}
"""What each means. Coins have none, so that it is unknown for them."""

_NUMERATOR, _DENOMINATOR = LIMIT_RATIO.as_integer_ratio()


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitField(Series):
    """A limit of the day, from the last close of the session before."""

    before: Series

    def values(self, view: View, columns: int) -> Array:
        """Return the limit by the instrument's kind, unknown where the close before is."""
        return view.recall(self.key, columns, lambda: self._limits(view, columns))

    def _limits(self, view: View, columns: int) -> Array:
        base = self.before.values(view, columns)[:, -columns:]
        kinds = np.array([view.reference.kind(name) for name in view.instruments])
        found = np.full(base.shape, np.nan)
        for kind in set(kinds.tolist()) - {Kind.COIN}:
            rows = kinds == kind
            lower, upper = price_limits(base[rows], kind)
            found[rows] = upper if self.key == "upper_limit" else lower
        return found


def limit_field(name: str, timeframe: Timeframe | None) -> LimitField:
    """Return a field of LIMIT_FIELDS."""
    return LimitField(
        node=Name(name),
        unit=Unit.PRICE,
        key=name,
        bars=session_bars(timeframe) + 1,
        warm_up=2,
        is_level=True,
        before=day_field("prev_close", timeframe),
    )


def price_limits(base: Array, kind: Kind) -> tuple[Array, Array]:
    """Return the lowest and highest prices of the day as market.prices does, NaN where unknown.

    Prices and ticks are whole, so every quotient below is exact to the floor that is taken of it.
    """
    tick = _ticks(base, kind)
    width = np.floor(base * _NUMERATOR / (tick * _DENOMINATOR)) * tick
    lower, upper = base - width, base + width
    lower_tick, upper_tick = _ticks(lower, kind), _ticks(upper, kind)
    smallest = float(tick_bands(kind)[-1][1])
    lower = np.maximum(np.ceil(lower / lower_tick) * lower_tick, smallest)
    return lower, np.maximum(np.floor(upper / upper_tick) * upper_tick, smallest)


def _ticks(prices: Array, kind: Kind) -> Array:
    bands = tick_bands(kind)[::-1]
    lowest = np.array([float(price) for price, _ in bands])
    ticks = np.array([float(tick) for _, tick in bands])
    found: Array = ticks[np.maximum(np.searchsorted(lowest, prices, side="right") - 1, 0)]
    return found
