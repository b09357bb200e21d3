"""Rounding many pretend prices at once to what may be quoted."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from market.prices import price_limits, tick_size

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from market.types import Kind

_BANDS = (2_000, 5_000, 20_000, 50_000, 200_000, 500_000)
"""Prices at which the tick size may change (KRX, since 2023-01-25); every tick divides them."""


def tick_sizes(prices: NDArray[np.float64], kind: Kind) -> NDArray[np.float64]:
    """Return the tick size at each price."""
    return np.asarray(_ticks(kind)[np.searchsorted(_BANDS, prices, side="right")])


def on_tick(prices: NDArray[np.float64], kind: Kind) -> NDArray[np.float64]:
    """Return the nearest price on the tick grid for each price."""
    size = tick_sizes(prices, kind)
    return np.asarray(np.maximum(np.round(prices / size), 1.0) * size)


def within_limits(
    prices: NDArray[np.float64], previous_close: float, kind: Kind
) -> NDArray[np.float64]:
    """Return the prices on the tick grid and inside the day's price limits."""
    lower, upper = price_limits(Decimal(int(previous_close)), kind)
    return np.clip(on_tick(prices, kind), float(lower), float(upper))


@lru_cache
def _ticks(kind: Kind) -> NDArray[np.float64]:
    inside = [*(band - 1 for band in _BANDS), _BANDS[-1]]
    return np.array([float(tick_size(Decimal(price), kind)) for price in inside])
