"""How far a series strays from its mean, and bands drawn by that."""

from __future__ import annotations

from math import inf

import numpy as np

from conditions.indicators.registry import INDICATORS, Declared, Floats, Output, Parameter, kernel
from conditions.units import Unit


def _window(window: int, deviations: float) -> int:  # noqa: ARG001  # gets all parameters
    return window


@kernel
def _strays(values: Floats, window: int, mean: Floats, squares: Floats) -> None:
    """Fill in the mean's distance from the newest value, and the sum of squared strays from it."""
    # Everything is measured from the window's newest value, so that flat prices give exactly 0.
    width, count = len(values), len(mean)
    start = width - count
    newest = values[start:]
    mean[:], squares[:] = 0.0, 0.0
    for offset in range(window - 1, 0, -1):
        older = values[start - offset : width - offset]
        for place in range(count):
            mean[place] += older[place] - newest[place]
    mean /= window
    for offset in range(window - 1, -1, -1):
        older = values[start - offset : width - offset]
        for place in range(count):
            distance = older[place] - newest[place] - mean[place]
            squares[place] += distance * distance


@INDICATORS.register("stdev")
@Declared(
    bounds=(0.0, inf),
    example="stdev(close, 20) > 2 * stdev(close, 20)[20]",
)
def stdev(source: Floats, window: int, columns: int) -> Floats:
    """The population standard deviation of the last `window` bars."""
    rows, width = source.shape
    out = np.full((rows, columns), np.nan)
    count = min(columns, width - window + 1)
    if count <= 0:
        return out
    mean, squares = np.empty(count), np.empty(count)
    for row in range(rows):
        _strays(source[row], window, mean, squares)
        out[row, columns - count :] = np.sqrt(squares / window)
    return out


@INDICATORS.register("bollinger")
@Declared(
    parameters=(
        Parameter("window", 20, 2, 5_000),
        Parameter("deviations", 2, 0.1, 10, is_whole=False),
    ),
    outputs=(
        Output("upper", "the mean plus `deviations` standard deviations", is_level=True),
        Output("middle", "the mean", is_level=True),
        Output("lower", "the mean less `deviations` standard deviations", is_level=True),
        Output(
            "percent",
            "where the source stands: 0 at the lower band, 1 (100%) at the upper",
            Unit.RATIO,
        ),
        Output("width", "from band to band, in percent of the mean: 4 for 4 %", Unit.POINTS),
    ),
    warm_up=_window,
    memory=_window,
    origin="https://www.investopedia.com/terms/b/bollingerbands.asp",
    twin="ta.volatility.BollingerBands",
    example="close > bollinger(20, 2).upper and bollinger(20, 2).width < 4",
)
def bollinger(source: Floats, window: int, deviations: float, columns: int) -> Floats:
    """The mean of `window` bars and bands `deviations` population standard deviations around it."""
    rows, width = source.shape
    out = np.full((5, rows, columns), np.nan)
    count = min(columns, width - window + 1)
    if count <= 0:
        return out
    start, first = width - count, columns - count
    mean, squares = np.empty(count), np.empty(count)
    for row in range(rows):
        _strays(source[row], window, mean, squares)
        newest = source[row, start:]
        for place in range(count):
            middle = newest[place] + mean[place]
            reach = deviations * np.sqrt(squares[place] / window)
            out[0, row, first + place] = middle + reach
            out[1, row, first + place] = middle
            out[2, row, first + place] = middle - reach
            if reach != 0.0:
                out[3, row, first + place] = 0.5 - 0.5 * mean[place] / reach
            if middle != 0.0:
                out[4, row, first + place] = 200.0 * reach / middle
    return out
