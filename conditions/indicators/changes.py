"""How much a series has moved."""

from __future__ import annotations

import numpy as np

from conditions.indicators.registry import INDICATORS, Declared, Floats, Parameter, kernel
from conditions.units import Unit


def _one_more(bars: int) -> int:
    return bars + 1


@kernel
def _change(source: Floats, bars: int, columns: int, scale: float) -> Floats:
    rows, width = source.shape
    out = np.full((rows, columns), np.nan)
    count = min(columns, width - bars)
    for row in range(rows):
        newest = source[row, width - count :]
        before = source[row, width - count - bars : width - bars]
        ratio = out[row, columns - count :]
        for place in range(count):
            if before[place] != 0.0:
                ratio[place] = scale * ((newest[place] - before[place]) / before[place])
    return out


@INDICATORS.register("change")
@Declared(
    parameters=(Parameter("bars", 1, 1, 5_000),),
    warm_up=_one_more,
    memory=_one_more,
    unit=Unit.RATIO,
    example="change(close, 12) > 3%",
)
def change(source: Floats, bars: int, columns: int) -> Floats:
    """The change from `bars` bars ago, as a ratio of the value then; unknown where that was 0."""
    return _change(source, bars, columns, 1.0)


@INDICATORS.register("roc")
@Declared(
    parameters=(Parameter("window", 12, 1, 5_000),),
    warm_up=_one_more,
    memory=_one_more,
    unit=Unit.POINTS,
    origin="https://www.investopedia.com/terms/p/pricerateofchange.asp",
    twin="ta.momentum.ROCIndicator",
    example="roc(12) > 3",
)
def roc(source: Floats, window: int, columns: int) -> Floats:
    """The change from `window` bars ago in percent: 5 where `change` is 5%."""
    return _change(source, window, columns, 100.0)
