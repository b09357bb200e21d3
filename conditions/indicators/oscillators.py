"""Oscillators: where a series stands between two extremes, in points from 0 to 100."""

from __future__ import annotations

from math import ceil, log

import numpy as np

from conditions.indicators.memory import FORGOTTEN, STILL
from conditions.indicators.registry import INDICATORS, LANES, Declared, Floats, Parameter
from conditions.units import Unit


def strength_memory(window: int) -> int:
    """Return the bars after which older changes no longer count, even behind a still stretch."""
    return STILL * window + 1 + ceil(log(FORGOTTEN) / log((window - 1) / window))


@INDICATORS.register("rsi")
@Declared(
    parameters=(Parameter("window", 14, 2, 1_000),),
    memory=strength_memory,
    unit=Unit.POINTS,
    bounds=(0.0, 100.0),
    is_recursive=True,
    origin="https://www.investopedia.com/terms/r/rsi.asp",
    twin="ta.momentum.RSIIndicator",
    example="crosses_above(rsi(14), 30)",
)
def rsi(source: Floats, window: int, columns: int) -> Floats:
    """Relative strength: Wilder's mean gain as a share of mean gain plus mean loss."""
    # The first bar counts as no change, as in `ta`; an unknown one begins anew.
    rows, width = source.shape
    out = np.full((rows, columns), np.nan)
    weight = 1.0 / window
    first = width - columns
    for top in range(0, rows, LANES):
        lanes = min(LANES, rows - top)
        before = np.full(lanes, np.nan)
        gain, loss = np.zeros(lanes), np.zeros(lanes)
        known, still = np.zeros(lanes, dtype=np.int64), np.zeros(lanes, dtype=np.int64)
        for place in range(width):
            for lane in range(lanes):
                value = source[top + lane, place]
                change = value - before[lane]
                before[lane] = value
                if np.isnan(change):
                    known[lane] = 0 if np.isnan(value) else 1
                    gain[lane], loss[lane], still[lane] = 0.0, 0.0, STILL * window
                    continue
                known[lane] += 1
                still[lane] = still[lane] + 1 if change == 0.0 else 0
                gain[lane] += weight * (max(change, 0.0) - gain[lane])
                loss[lane] += weight * (max(-change, 0.0) - loss[lane])
                if place >= first and known[lane] >= window and still[lane] < STILL * window:
                    out[top + lane, place - first] = 100.0 * gain[lane] / (gain[lane] + loss[lane])
    return out
