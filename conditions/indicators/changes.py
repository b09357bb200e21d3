"""How much a series has moved."""

from __future__ import annotations

import numpy as np

from conditions.indicators.registry import INDICATORS, Declared, Floats, Parameter
from conditions.units import Unit


def _one_more(bars: int) -> int:
    return bars + 1


@INDICATORS.register("change")
@Declared(
    parameters=(Parameter("bars", 1, 1, 5_000),),
    warm_up=_one_more,
    memory=_one_more,
    unit=Unit.RATIO,
)
def change(source: Floats, bars: int, columns: int) -> Floats:
    """The change from `bars` bars ago, as a ratio of the value then; unknown where that was 0."""
    rows, width = source.shape
    out = np.full((rows, columns), np.nan)
    for row in range(rows):
        for column in range(max(columns - (width - bars), 0), columns):
            place = width - columns + column
            before = source[row, place - bars]
            if before != 0.0:
                out[row, column] = (source[row, place] - before) / before
    return out
