"""Highest and lowest values of a moving window, and where the price stands between them."""

from __future__ import annotations

import numpy as np

from conditions.indicators.registry import INDICATORS, Declared, Floats, Output, Parameter, kernel
from conditions.units import Unit


def _smoothed(window: int, smooth: int) -> int:
    return window + smooth - 1


def _unsmoothed(window: int, smooth: int) -> int:  # noqa: ARG001  # gets all parameters
    return window


@kernel
def _extreme(source: Floats, window: int, columns: int, sign: float) -> Floats:
    """Return the largest value of each window (the smallest for sign -1), unknown beside NaN."""
    rows, width = source.shape
    out = np.full((rows, columns), np.nan)
    count = min(columns, width - window + 1)
    if count <= 0:
        return out
    start = width - count
    for row in range(rows):
        best = out[row, columns - count :]
        best[:] = source[row, start:]
        for offset in range(1, window):
            older = source[row, start - offset : width - offset]
            for place in range(count):
                is_kept = sign * best[place] >= sign * older[place] or np.isnan(best[place])
                best[place] = best[place] if is_kept else older[place]
    return out


@INDICATORS.register("highest")
@Declared(
    is_level=True,
    example="close > highest(high, 20)[1]",
)
def highest(source: Floats, window: int, columns: int) -> Floats:
    """The largest value of the last `window` bars, the newest included."""
    return _extreme(source, window, columns, 1.0)


@INDICATORS.register("lowest")
@Declared(
    is_level=True,
    example="close < lowest(low, 20)[1]",
)
def lowest(source: Floats, window: int, columns: int) -> Floats:
    """The smallest value of the last `window` bars, the newest included."""
    return _extreme(source, window, columns, -1.0)


@INDICATORS.register("donchian")
@Declared(
    parameters=(Parameter("window", 20, 1, 5_000),),
    sources=("high", "low"),
    outputs=(
        Output("upper", "the highest high", is_level=True),
        Output("middle", "halfway between them", is_level=True),
        Output("lower", "the lowest low", is_level=True),
    ),
    origin="https://www.investopedia.com/terms/d/donchianchannels.asp",
    twin="ta.volatility.DonchianChannel",
    example="close > donchian(20).upper[1]",
)
def donchian(high: Floats, low: Floats, window: int, columns: int) -> Floats:
    """The channel of the last `window` bars, the newest included: a break is seen against `[1]`."""
    out = np.empty((3, high.shape[0], columns))
    out[0] = _extreme(high, window, columns, 1.0)
    out[2] = _extreme(low, window, columns, -1.0)
    out[1] = (out[0] - out[2]) / 2.0 + out[2]
    return out


@INDICATORS.register("stochastic")
@Declared(
    parameters=(Parameter("window", 14, 1, 5_000), Parameter("smooth", 3, 1, 1_000)),
    sources=("high", "low", "close"),
    outputs=(
        Output(
            "k",
            "where the close stands between the lowest low (0) and the highest high (100)",
            Unit.POINTS,
            bounds=(0.0, 100.0),
            warm_up=_unsmoothed,
            memory=_unsmoothed,
        ),
        Output("d", "the mean of the last `smooth` values of k", Unit.POINTS, bounds=(0.0, 100.0)),
    ),
    warm_up=_smoothed,
    memory=_smoothed,
    origin="https://www.investopedia.com/terms/s/stochasticoscillator.asp",
    twin="ta.momentum.StochasticOscillator",
    example="crosses_above(stochastic(14, 3).k, stochastic(14, 3).d) and stochastic(14, 3).d < 20",
)
def stochastic(
    high: Floats, low: Floats, close: Floats, window: int, smooth: int, columns: int
) -> Floats:
    """Where the close stands in the range of the last `window` bars; unknown where it is nil."""
    rows, width = close.shape
    out = np.full((2, rows, columns), np.nan)
    count = min(columns + smooth - 1, width)
    top, bottom = _extreme(high, window, count, 1.0), _extreme(low, window, count, -1.0)
    shown = min(columns, count)
    means = min(columns, count - smooth + 1)
    place_of = np.empty(count)
    for row in range(rows):
        newest = close[row, width - count :]
        for place in range(count):
            reach = top[row, place] - bottom[row, place]
            above = newest[place] - bottom[row, place]
            place_of[place] = 100.0 * above / reach if reach != 0.0 else np.nan
        out[0, row, columns - shown :] = place_of[count - shown :]
        mean = out[1, row, columns - means :] if means > 0 else place_of[:0]
        mean[:] = 0.0
        for offset in range(smooth - 1, -1, -1):
            older = place_of[count - means - offset : count - offset]
            for place in range(len(mean)):
                mean[place] += older[place] / smooth
    return out


@INDICATORS.register("williams_r")
@Declared(
    parameters=(Parameter("window", 14, 1, 5_000),),
    sources=("high", "low", "close"),
    unit=Unit.POINTS,
    bounds=(-100.0, 0.0),
    origin="https://www.investopedia.com/terms/w/williamsr.asp",
    twin="ta.momentum.WilliamsRIndicator",
    example="williams_r(14) < -80",
)
def williams_r(high: Floats, low: Floats, close: Floats, window: int, columns: int) -> Floats:
    """How far the close is under the highest high of `window` bars, from 0 to -100 at the low."""
    rows, width = close.shape
    top, bottom = _extreme(high, window, columns, 1.0), _extreme(low, window, columns, -1.0)
    out = np.full((rows, columns), np.nan)
    count = min(columns, width)
    for row in range(rows):
        newest = close[row, width - count :]
        for place in range(count):
            at = columns - count + place
            reach = top[row, at] - bottom[row, at]
            if reach != 0.0:
                out[row, at] = -100.0 * (top[row, at] - newest[place]) / reach
    return out
