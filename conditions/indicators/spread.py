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
    count = min(columns, width - window + 1)
    if count <= 0:
        return out
    start = width - count
    mean = np.empty(count)
    squares = np.empty(count)
    for row in range(rows):
        newest = source[row, start:]
        mean[:] = 0.0
        squares[:] = 0.0
        for offset in range(window - 1, 0, -1):
            older = source[row, start - offset : width - offset]
            for place in range(count):
                mean[place] += older[place] - newest[place]
        mean /= window
        for offset in range(window - 1, -1, -1):
            older = source[row, start - offset : width - offset]
            for place in range(count):
                distance = older[place] - newest[place] - mean[place]
                squares[place] += distance * distance
        spread = out[row, columns - count :]
        for place in range(count):
            spread[place] = np.sqrt(squares[place] / window)
    return out
