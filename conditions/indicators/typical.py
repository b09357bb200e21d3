"""The typical price (high + low + close) / 3: how far it strays, and where money flows by it."""

from __future__ import annotations

import numpy as np

from conditions.indicators.registry import INDICATORS, Declared, Floats, Parameter, kernel
from conditions.units import Unit


def _one_more(window: int) -> int:
    return window + 1


@kernel
def _strays(values: Floats, window: int, mean: Floats, distance: Floats) -> None:
    """Fill in the mean's distance from the newest value, and the sum of distances from it."""
    # Everything is measured from the window's newest value, so that flat prices are unknown.
    width, count = len(values), len(mean)
    start = width - count
    newest = values[start:]
    mean[:], distance[:] = 0.0, 0.0
    for offset in range(window - 1, 0, -1):
        older = values[start - offset : width - offset]
        for place in range(count):
            mean[place] += older[place] - newest[place]
    mean /= window
    for offset in range(window - 1, -1, -1):
        older = values[start - offset : width - offset]
        for place in range(count):
            distance[place] += abs(older[place] - newest[place] - mean[place])


@INDICATORS.register("cci")
@Declared(
    parameters=(Parameter("window", 20, 2, 5_000),),
    sources=("high", "low", "close"),
    unit=Unit.POINTS,
    origin="https://www.investopedia.com/terms/c/commoditychannelindex.asp",
    twin="ta.trend.CCIIndicator",
    example="cci(20) > -100",
)
def cci(high: Floats, low: Floats, close: Floats, window: int, columns: int) -> Floats:
    """The typical price's distance from its mean, in 0.015 of its mean distance from it."""
    rows, width = close.shape
    out = np.full((rows, columns), np.nan)
    count = min(columns, width - window + 1)
    if count <= 0:
        return out
    mean, distance = np.empty(count), np.empty(count)
    for row in range(rows):
        typical = (high[row] + low[row] + close[row]) / 3.0
        _strays(typical, window, mean, distance)
        for place in range(count):
            if distance[place] != 0.0:
                scale = 0.015 * distance[place] / window
                out[row, columns - count + place] = -mean[place] / scale
    return out


@INDICATORS.register("mfi")
@Declared(
    parameters=(Parameter("window", 14, 1, 5_000),),
    sources=("high", "low", "close", "volume"),
    memory=_one_more,
    unit=Unit.POINTS,
    bounds=(0.0, 100.0),
    origin="https://www.investopedia.com/terms/m/mfi.asp",
    twin="ta.volume.MFIIndicator",
    example="mfi(14) < 20",
)
def mfi(
    high: Floats, low: Floats, close: Floats, volume: Floats, window: int, columns: int
) -> Floats:
    """Money that flowed in while the typical price rose, as a share of all that flowed."""
    # A bar without one before it has no direction, as in `ta`.
    rows, width = close.shape
    out = np.full((rows, columns), np.nan)
    count = min(columns, width - window + 1)
    if count <= 0:
        return out
    start = width - count
    inward, outward = np.zeros(width), np.zeros(width)
    gain, loss = np.empty(count), np.empty(count)
    for row in range(rows):
        typical = (high[row] + low[row] + close[row]) / 3.0
        flow = typical * volume[row]
        for place in range(width):
            move = typical[place] - typical[place - 1] if place else 0.0
            inward[place] = flow[place] if move > 0.0 else flow[place] * 0.0
            outward[place] = flow[place] if move < 0.0 else flow[place] * 0.0
        gain[:], loss[:] = 0.0, 0.0
        for offset in range(window - 1, -1, -1):
            up = inward[start - offset : width - offset]
            down = outward[start - offset : width - offset]
            for place in range(count):
                gain[place] += up[place]
                loss[place] += down[place]
        for place in range(count):
            if gain[place] + loss[place] != 0.0:
                share = gain[place] / (gain[place] + loss[place])
                out[row, columns - count + place] = 100.0 * share
    return out


@INDICATORS.register("rolling_vwap")
@Declared(
    parameters=(Parameter("window", 14, 1, 5_000),),
    sources=("high", "low", "close", "volume"),
    is_level=True,
    origin="https://www.investopedia.com/terms/v/vwap.asp",
    twin="ta.volume.VolumeWeightedAveragePrice",
    example="close > rolling_vwap(14)",
)
def rolling_vwap(
    high: Floats, low: Floats, close: Floats, volume: Floats, window: int, columns: int
) -> Floats:
    """The typical price of the last `window` bars, weighted with their volume."""
    rows, width = close.shape
    out = np.full((rows, columns), np.nan)
    count = min(columns, width - window + 1)
    if count <= 0:
        return out
    start = width - count
    total, weight = np.empty(count), np.empty(count)
    for row in range(rows):
        typical = (high[row] + low[row] + close[row]) / 3.0
        newest = typical[start:]
        total[:], weight[:] = 0.0, 0.0
        for offset in range(window - 1, -1, -1):
            older = typical[start - offset : width - offset]
            traded = volume[row, start - offset : width - offset]
            for place in range(count):
                total[place] += (older[place] - newest[place]) * traded[place]
                weight[place] += traded[place]
        for place in range(count):
            if weight[place] != 0.0:
                out[row, columns - count + place] = newest[place] + total[place] / weight[place]
    return out
