"""Moving averages: the level around which a series moves."""

from __future__ import annotations

from math import ceil, log

import numpy as np

from conditions.indicators.registry import INDICATORS, LANES, Declared, Floats

FORGOTTEN = 2e-6
"""Weight of the first bar that no longer counts: half of it off the mean moves it a millionth."""


def exponential_memory(window: int) -> int:
    """Return the bars after which the first one weighs less than FORGOTTEN."""
    if window == 1:
        return 1
    return max(window, 1 + ceil(log(FORGOTTEN) / log((window - 1) / (window + 1))))


@INDICATORS.register("sma")
@Declared(
    is_level=True,
    twin="ta.trend.SMAIndicator",
    example="close > sma(close, 60)",
)
def sma(source: Floats, window: int, columns: int) -> Floats:
    """The arithmetic mean of the last `window` bars."""
    # Summing distances from the newest value gives flat prices back exactly. The order of the sum
    # does not depend on `columns`, so one column alone has the same bits as among many; and the
    # inner loop runs over places that do not need each other: the processor does several at once.
    rows, width = source.shape
    out = np.full((rows, columns), np.nan)
    count = min(columns, width - window + 1)
    if count <= 0:
        return out
    start = width - count
    total = np.empty(count)
    for row in range(rows):
        newest = source[row, start:]
        total[:] = 0.0
        for offset in range(window - 1, 0, -1):
            older = source[row, start - offset : width - offset]
            for place in range(count):
                total[place] += older[place] - newest[place]
        mean = out[row, columns - count :]
        for place in range(count):
            mean[place] = newest[place] + total[place] / window
    return out


@INDICATORS.register("ema")
@Declared(
    memory=exponential_memory,
    is_level=True,
    is_recursive=True,
    twin="ta.trend.EMAIndicator",
    example="crosses_above(ema(close, 12), ema(close, 26))",
)
def ema(source: Floats, window: int, columns: int) -> Floats:
    """The exponential mean with weight 2 / (window + 1), begun at the first known bar."""
    rows, width = source.shape
    out = np.full((rows, columns), np.nan)
    weight = 2.0 / (window + 1.0)
    first = width - columns
    for top in range(0, rows, LANES):
        lanes = min(LANES, rows - top)
        mean = np.full(lanes, np.nan)
        known = np.zeros(lanes, dtype=np.int64)
        for place in range(width):
            for lane in range(lanes):
                value = source[top + lane, place]
                step = weight * (value - mean[lane])
                mean[lane] = value if np.isnan(step) else mean[lane] + step  # NaN begins anew
                known[lane] = 0 if np.isnan(value) else known[lane] + 1
                if place >= first and known[lane] >= window:
                    out[top + lane, place - first] = mean[lane]
    return out


@INDICATORS.register("wma")
@Declared(
    is_level=True,
    twin="ta.trend.WMAIndicator",
    example="close > wma(close, 9)",
)
def wma(source: Floats, window: int, columns: int) -> Floats:
    """The mean of the last `window` bars with weights falling evenly, from `window` down to 1."""
    rows, width = source.shape
    out = np.full((rows, columns), np.nan)
    count = min(columns, width - window + 1)
    if count <= 0:
        return out
    start = width - count
    weights = window * (window + 1) / 2.0
    total = np.empty(count)
    for row in range(rows):
        newest = source[row, start:]
        total[:] = 0.0
        for offset in range(window - 1, 0, -1):
            older = source[row, start - offset : width - offset]
            for place in range(count):
                total[place] += (window - offset) * (older[place] - newest[place])
        mean = out[row, columns - count :]
        for place in range(count):
            mean[place] = newest[place] + total[place] / weights
    return out
