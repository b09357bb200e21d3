"""Highest and lowest values of a moving window."""

from __future__ import annotations

import numpy as np

from conditions.indicators.registry import INDICATORS, Declared, Floats, kernel


@kernel
def moving_maximum(source: Floats, window: int, columns: int) -> Floats:
    """Return the largest value of each window; an unknown one makes it unknown."""
    rows, width = source.shape
    out = np.full((rows, columns), np.nan)
    first = max(columns - (width - window + 1), 0)
    for row in range(rows):
        values = source[row]
        for column in range(first, columns):
            out[row, column] = values[width - columns + column]
        for offset in range(1, window):
            for column in range(first, columns):
                value = values[width - columns + column - offset]
                best = out[row, column]
                out[row, column] = value if value > best or np.isnan(value) else best
    return out


@INDICATORS.register("highest")
@Declared(is_level=True)
def highest(source: Floats, window: int, columns: int) -> Floats:
    """The largest value of the last `window` bars, the newest included."""
    return moving_maximum(source, window, columns)


@INDICATORS.register("lowest")
@Declared(is_level=True)
def lowest(source: Floats, window: int, columns: int) -> Floats:
    """The smallest value of the last `window` bars, the newest included."""
    return -moving_maximum(-source, window, columns)
