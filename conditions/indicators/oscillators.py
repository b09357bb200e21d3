"""Oscillators: where a series stands between two extremes, in points from 0 to 100."""

from __future__ import annotations

from math import ceil, log

import numpy as np

from conditions.indicators.registry import INDICATORS, Declared, Floats, Parameter
from conditions.units import Unit

FORGOTTEN = 1e-7
"""Weight of the first change that no longer counts; changes differ more than prices do."""
STILL = 3
"""Windows without any change after which strength is unknown: nothing is left to compare."""


def strength_memory(window: int) -> int:
    """Return the bars after which older changes no longer count, even behind a still stretch."""
    return STILL * window + 1 + ceil(log(FORGOTTEN) / log((window - 1) / window))


@INDICATORS.register("rsi")
@Declared(
    parameters=(Parameter("window", 14, 2, 1_000),),
    memory=strength_memory,
    unit=Unit.POINTS,
    is_recursive=True,
)
def rsi(source: Floats, window: int, columns: int) -> Floats:
    """Relative strength: Wilder's mean gain as a share of mean gain plus mean loss."""
    # The first bar counts as no change, as in `ta`.
    rows, width = source.shape
    out = np.full((rows, columns), np.nan)
    weight = 1.0 / window
    first = width - columns
    for row in range(rows):
        known = 0
        still = 0
        gain = 0.0
        loss = 0.0
        for place in range(width):
            value = source[row, place]
            if np.isnan(value):
                known = 0
                continue
            change = value - source[row, place - 1] if known else 0.0
            if known == 0:
                gain, loss, still = 0.0, 0.0, STILL * window
            known += 1
            still = 0 if change != 0.0 else still + 1
            gain += weight * (max(change, 0.0) - gain)
            loss += weight * (max(-change, 0.0) - loss)
            if known >= window and place >= first and still < STILL * window:
                out[row, place - first] = 100.0 * gain / (gain + loss)
    return out
