"""True ranges: how far prices reach in a bar, and channels made of it."""

from __future__ import annotations

from math import inf

import numpy as np

from conditions.indicators.memory import exponential, faded, wilder
from conditions.indicators.registry import (
    INDICATORS,
    LANES,
    Declared,
    Floats,
    Output,
    Parameter,
    kernel,
)


def _range_memory(window: int) -> int:
    return window + faded(wilder(window))


@kernel
def _true_range(upper: float, lower: float, before: float) -> float:
    return max(upper - lower, abs(upper - before), abs(lower - before))


@kernel
def _average_range(high: Floats, low: Floats, close: Floats, window: int, columns: int) -> Floats:
    rows, width = close.shape
    out = np.full((rows, columns), np.nan)
    first = width - columns
    for top in range(0, rows, LANES):
        lanes = min(LANES, rows - top)
        before, mean = np.zeros(lanes), np.zeros(lanes)
        known = np.zeros(lanes, dtype=np.int64)
        for place in range(width):
            for lane in range(lanes):
                upper, lower = high[top + lane, place], low[top + lane, place]
                last = close[top + lane, place]
                if np.isnan(upper + lower + last):
                    known[lane] = 0
                    continue
                is_first = known[lane] == 0
                reach = upper - lower if is_first else _true_range(upper, lower, before[lane])
                before[lane] = last
                known[lane] += 1
                # a plain mean of the bars so far, then each bar counts a window-th
                old = 0.0 if is_first else mean[lane]
                mean[lane] = old + (reach - old) / min(known[lane], window)
                if place >= first and known[lane] >= window:
                    out[top + lane, place - first] = mean[lane]
    return out


@INDICATORS.register("atr")
@Declared(
    parameters=(Parameter("window", 14, 1, 1_000),),
    sources=("high", "low", "close"),
    memory=_range_memory,
    bounds=(0.0, inf),
    is_recursive=True,
    origin="https://www.investopedia.com/terms/a/atr.asp",
    twin="ta.volatility.AverageTrueRange",
    example="high - low > 2 * atr(14)",
)
def atr(high: Floats, low: Floats, close: Floats, window: int, columns: int) -> Floats:
    """Wilder's mean of the true range: from high to low, or from the close before if further."""
    return _average_range(high, low, close, window, columns)


def _keltner_warm_up(window: int, range_window: int, multiplier: float) -> int:  # noqa: ARG001  # gets all parameters
    return max(window, range_window)


def _keltner_memory(window: int, range_window: int, multiplier: float) -> int:  # noqa: ARG001  # gets all parameters
    return max(window + faded(exponential(window)), _range_memory(range_window))


@INDICATORS.register("keltner")
@Declared(
    parameters=(
        Parameter("window", 20, 1, 1_000),
        Parameter("range_window", 10, 1, 1_000),
        Parameter("multiplier", 2, 0.1, 20, is_whole=False),
    ),
    sources=("high", "low", "close"),
    outputs=(
        Output("upper", "the mean plus `multiplier` times the range", is_level=True),
        Output("middle", "the exponential mean of the close", is_level=True),
        Output("lower", "the mean less `multiplier` times the range", is_level=True),
    ),
    warm_up=_keltner_warm_up,
    memory=_keltner_memory,
    is_recursive=True,
    origin="https://www.investopedia.com/terms/k/keltnerchannel.asp",
    twin="ta.volatility.KeltnerChannel, original_version=False",
    example="close > keltner(20, 10, 2).upper",
)
def keltner(
    high: Floats,
    low: Floats,
    close: Floats,
    window: int,
    range_window: int,
    multiplier: float,
    columns: int,
) -> Floats:
    """The exponential mean of the close, and lines so many average true ranges around it."""
    rows, width = close.shape
    out = np.full((3, rows, columns), np.nan)
    reach = _average_range(high, low, close, range_window, columns)
    weight, first = 2.0 / (window + 1.0), width - columns
    for row in range(rows):
        mean, known = 0.0, 0
        for place in range(width):
            value = close[row, place]
            unknown = np.isnan(value + high[row, place] + low[row, place])
            known = 0 if unknown else known + 1
            mean = value if known <= 1 else mean + weight * (value - mean)
            if place >= first and known >= max(window, range_window):
                distance = multiplier * reach[row, place - first]
                out[0, row, place - first] = mean + distance
                out[1, row, place - first] = mean
                out[2, row, place - first] = mean - distance
    return out
