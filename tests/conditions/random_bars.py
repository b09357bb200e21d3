"""Bars for the tests of indicators: random walks of whole won, with or without holes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from conditions.indicators.registry import OPENINGS

if TYPE_CHECKING:
    from conditions.indicators.registry import Indicator, Output

Array = np.ndarray[Any, Any]
Bars = dict[str, Array]

SESSION = 78
"""Bars of a session of five-minute bars."""


def walk(seed: int, bars: int, start: float = 50_000.0) -> Array:
    """Return a price path of whole won with some bars that do not move."""
    random = np.random.default_rng(seed)
    moves = random.normal(0, 0.004, bars) * (random.random(bars) > 0.2)
    return np.round(start * np.exp(np.cumsum(moves)))


def walked_bars(seed: int, count: int) -> Bars:
    """Return every field of random bars; sessions begin every SESSION bars."""
    random = np.random.default_rng(seed + 1)
    close = walk(seed, count)
    opened = np.concatenate([close[:1], close[:-1]])
    reach = np.round(random.exponential(60.0, (2, count)))
    volume = random.integers(0, 5_000, count).astype(float)
    openings = np.zeros(count)
    openings[::SESSION] = 1.0
    return {
        "open": opened,
        "high": np.maximum(opened, close) + reach[0],
        "low": np.minimum(opened, close) - reach[1],
        "close": close,
        "volume": volume,
        "value": close * volume,
        OPENINGS: openings,
    }


def coarse_bars(seed: int, count: int) -> Bars:
    """Return bars of an instrument that hardly trades: large ticks, long stretches of one price."""
    random = np.random.default_rng(seed)
    tick, still = random.choice([1.0, 50.0, 500.0]), random.choice([0.2, 0.8, 0.97])
    moves = random.normal(0, 0.004, count) * (random.random(count) > still)
    close = np.round(50_000 * np.exp(np.cumsum(moves)) / tick) * tick
    opened = np.concatenate([close[:1], close[:-1]])
    reach = random.exponential(random.choice([0.01, 60.0, 300.0]), (2, count))
    reach = np.round(reach / tick) * tick
    volume = random.integers(0, 3, count) * (random.random(count) > still).astype(float)
    return {
        **walked_bars(seed, count),
        "open": opened,
        "high": np.maximum(opened, close) + reach[0],
        "low": np.minimum(opened, close) - reach[1],
        "close": close,
        "volume": volume,
        "value": close * volume,
    }


def holed(bars: Bars, places: Array | list[int]) -> Bars:
    """Return the bars with every field unknown at some places."""
    made = {name: values.copy() for name, values in bars.items()}
    for values in made.values():
        values[places] = np.nan
    return made


def part(bars: Bars, start: int, end: int | None = None) -> Bars:
    """Return a stretch of the bars."""
    return {name: values[start:end] for name, values in bars.items()}


def values_of(
    indicator: Indicator, bars: Bars, parameters: tuple[float, ...], columns: int = 0
) -> Array:
    """Return float64[outputs, columns] of one row of bars; 0 columns are all."""
    rows = [np.ascontiguousarray(bars[name].reshape(1, -1)) for name in indicator.sources]
    found: Array = indicator.kernel(*rows, *parameters, columns or rows[0].shape[1])
    return found[:, 0] if indicator.is_several else found


def warm_up_of(indicator: Indicator, output: Output, parameters: tuple[float, ...]) -> int:
    """Return how many bars an output needs."""
    return (output.warm_up or indicator.warm_up)(*parameters)


def memory_of(indicator: Indicator, output: Output, parameters: tuple[float, ...]) -> int:
    """Return how many bars an output remembers."""
    return (output.memory or indicator.memory)(*parameters)
