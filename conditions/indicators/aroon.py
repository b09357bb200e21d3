"""Aroon: how long ago the highest and the lowest price were."""

from __future__ import annotations

import numpy as np

from conditions.indicators.registry import INDICATORS, Declared, Floats, Output, Parameter, kernel
from conditions.units import Unit


def _one_more(window: int) -> int:
    return window + 1


@kernel
def _freshness(source: Floats, window: int, columns: int, sign: float) -> Floats:
    """Return 100 where the extreme of the window is the newest bar, down to 0 at the oldest."""
    rows, width = source.shape
    out = np.full((rows, columns), np.nan)
    count = min(columns, width - window)
    if count <= 0:
        return out
    start = width - count
    best = np.empty(count)
    for row in range(rows):
        age = out[row, columns - count :]
        age[:] = 0.0
        best[:] = source[row, start:]
        for offset in range(1, window + 1):
            older = source[row, start - offset : width - offset]
            for place in range(count):
                # of equal extremes the oldest counts, as in `ta`
                if not (sign * best[place] > sign * older[place] or np.isnan(best[place])):
                    best[place] = older[place]
                    age[place] = offset
        for place in range(count):
            fresh = 100.0 * ((window - age[place]) / window)
            age[place] = np.nan if np.isnan(best[place]) else fresh
    return out


@INDICATORS.register("aroon")
@Declared(
    parameters=(Parameter("window", 25, 1, 5_000),),
    sources=("high", "low"),
    outputs=(
        Output(
            "up",
            "how fresh the highest high of `window` + 1 bars is: 100 now, 0 the oldest",
            Unit.POINTS,
            bounds=(0.0, 100.0),
        ),
        Output("down", "how fresh the lowest low is", Unit.POINTS, bounds=(0.0, 100.0)),
        Output("oscillator", "up less down", Unit.POINTS, bounds=(-100.0, 100.0)),
    ),
    warm_up=_one_more,
    memory=_one_more,
    origin="https://www.investopedia.com/terms/a/aroon.asp",
    twin="ta.trend.AroonIndicator",
    example="aroon(25).up > 70 and aroon(25).down < 30",
)
def aroon(high: Floats, low: Floats, window: int, columns: int) -> Floats:
    """How fresh the highest high and the lowest low of the last `window` + 1 bars are."""
    out = np.empty((3, high.shape[0], columns))
    out[0] = _freshness(high, window, columns, 1.0)
    out[1] = _freshness(low, window, columns, -1.0)
    out[2] = out[0] - out[1]
    return out
