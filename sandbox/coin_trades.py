"""One hour of a pretend coin: when it traded, at what price, how much, and when that was shown."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

HOUR_MS = 3_600_000
_WAVES = ((7, 0.004), (53, 0.02), (311, 0.08), (2003, 0.25))
"""Hours and height of the slow waves that the price rides on (logarithmic)."""
_HOURLY_NOISE = 0.004
_INNER_NOISE = 0.003
_MOST_TRADES = 100_000
"""Trades that an hour may have, for ids that grow from hour to hour."""


@dataclass(frozen=True, slots=True)
class Coin:
    """A coin that wanders around a price: `tick` and `step` are the units of price and volume."""

    symbol: str
    price: float
    tick: float
    trades_per_minute: float = 12.0
    trade_value: float = 500_000.0
    step: float = 1e-8
    name: str = ""


@dataclass(frozen=True, slots=True)
class CoinHour:
    """Trades of one hour, oldest first; `shown_ms` is when the venue shows each, in their order."""

    first_id: int
    at_ms: NDArray[np.int64]
    shown_ms: NDArray[np.int64]
    price: NDArray[np.float64]
    volume: NDArray[np.float64]
    is_buy: NDArray[np.bool_]


def trade_hour(coin: Coin, hour: int, seed: int, longest_lag_ms: int) -> CoinHour:
    """Return what a coin trades in an hour since 1970; always the same for the same seed."""
    random = np.random.default_rng([seed, crc32(coin.symbol.encode()), hour])
    activity = math.exp(random.normal(0, 0.4))
    count = min(int(random.poisson(coin.trades_per_minute * 60 * activity)), _MOST_TRADES)
    offsets = np.sort(random.integers(0, HOUR_MS, count))
    at_ms = hour * HOUR_MS + offsets
    price = _prices(coin, hour, seed, offsets / HOUR_MS, random)
    value = coin.trade_value * np.exp(random.normal(0, 1.0, count))
    steps = np.maximum(np.round(value / price / coin.step), 1)
    # most are shown at once, a few late; never before an earlier one
    longest = np.where(random.random(count) < 0.05, longest_lag_ms, longest_lag_ms / 20)
    lag = random.integers(0, longest.astype(np.int64) + 1)
    return CoinHour(
        first_id=hour * _MOST_TRADES,
        at_ms=at_ms,
        shown_ms=np.maximum.accumulate(at_ms + lag),
        price=price,
        volume=np.round(steps * coin.step, _decimals(coin.step)),
        is_buy=random.random(count) < 0.5,
    )


def _prices(
    coin: Coin, hour: int, seed: int, places: NDArray[np.float64], random: np.random.Generator
) -> NDArray[np.float64]:
    """Return prices on a walk from this hour's anchor to the next one's."""
    start, end = (_anchor(coin, one, seed) for one in (hour, hour + 1))
    count = len(places)
    walk = np.cumsum(random.normal(0, _INNER_NOISE / math.sqrt(max(count, 1)), count))
    bridge = walk - places * (walk[-1] if count else 0.0)
    raw = np.exp(start + places * (end - start) + bridge)
    return np.round(np.maximum(np.round(raw / coin.tick), 1) * coin.tick, _decimals(coin.tick))


def _anchor(coin: Coin, hour: int, seed: int) -> float:
    place = crc32(coin.symbol.encode())
    waves = sum(
        height * math.sin(2 * math.pi * (hour / hours + place % 97 / 97))
        for hours, height in _WAVES
    )
    noise = np.random.default_rng([seed, place, hour, 1]).normal(0, _HOURLY_NOISE)
    return math.log(coin.price) + waves + float(noise)


def _decimals(unit: float) -> int:
    return max(0, -math.floor(math.log10(unit) + 1e-9))
