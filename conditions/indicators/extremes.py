"""Highest and lowest values of a moving window."""

from __future__ import annotations

import numpy as np

from conditions.indicators.registry import INDICATORS, Declared, Floats, kernel


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
@Declared(is_level=True)
def highest(source: Floats, window: int, columns: int) -> Floats:
    """The largest value of the last `window` bars, the newest included."""
    return _extreme(source, window, columns, 1.0)


@INDICATORS.register("lowest")
@Declared(is_level=True)
def lowest(source: Floats, window: int, columns: int) -> Floats:
    """The smallest value of the last `window` bars, the newest included."""
    return _extreme(source, window, columns, -1.0)
