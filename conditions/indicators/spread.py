"""How far a series strays from its mean."""

from __future__ import annotations

import numpy as np

from conditions.indicators.registry import INDICATORS, Declared, Floats


@INDICATORS.register("stdev")
@Declared()
def stdev(source: Floats, window: int, columns: int) -> Floats:
    """The population standard deviation of the last `window` bars."""
    # Everything is measured from the window's newest value, so that flat prices give exactly 0.
    rows, width = source.shape
    out = np.full((rows, columns), np.nan)
    first = max(columns - (width - window + 1), 0)
    for row in range(rows):
        values = source[row]
        total = np.zeros(columns)
        squares = np.zeros(columns)
        for offset in range(window):
            for column in range(first, columns):
                newest = width - columns + column
                total[column] += values[newest - offset] - values[newest]
        for offset in range(window):
            for column in range(first, columns):
                newest = width - columns + column
                distance = values[newest - offset] - values[newest] - total[column] / window
                squares[column] += distance * distance
        for column in range(first, columns):
            out[row, column] = np.sqrt(squares[column] / window)
    return out
