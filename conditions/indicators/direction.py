"""Direction: whether prices go somewhere, and which way."""

from __future__ import annotations

import numpy as np

from conditions.indicators.memory import STILL, faded, wilder
from conditions.indicators.registry import (
    INDICATORS,
    Declared,
    Floats,
    Output,
    Parameter,
    kernel,
)
from conditions.units import Unit

POINTS = (0.0, 100.0)


def _lines_warm_up(window: int) -> int:
    return window + 2


def _strength_warm_up(window: int) -> int:
    return 2 * window


def _lines_memory(window: int) -> int:
    return (STILL + 1) * window + 1 + faded(wilder(window))


def _strength_memory(window: int) -> int:
    return (STILL + 2) * window + 1 + faded(wilder(window), wilder(window))


@kernel
def _moves(high: Floats, low: Floats, close: Floats, row: int, place: int) -> tuple[float, ...]:
    """Return the true range of a bar and its movement up and down, NaN where one is unknown."""
    upper, lower, last = high[row, place], low[row, place], close[row, place - 1]
    before_upper, before_lower = high[row, place - 1], low[row, place - 1]
    reach = max(upper, last) - min(lower, last)
    up, down = upper - before_upper, before_lower - lower
    unknown = np.isnan(upper + lower + last + before_upper + before_lower + close[row, place])
    return (
        np.nan if unknown else reach,
        up if up > down and up > 0.0 else 0.0,
        down if down > up and down > 0.0 else 0.0,
    )


@kernel
def _strength(plus: float, minus: float, idle: int, window: int) -> float:
    """Return how one-sided the movement is; none for three windows counts as no direction."""
    total = plus + minus
    if total == 0.0 or idle >= STILL * window:
        return 0.0
    return 100.0 * abs(plus - minus) / total


@INDICATORS.register("adx")
@Declared(
    parameters=(Parameter("window", 14, 2, 1_000),),
    sources=("high", "low", "close"),
    outputs=(
        Output(
            "adx",
            "how strongly prices go anywhere: Wilder's mean of the lines' difference",
            Unit.POINTS,
            bounds=POINTS,
        ),
        Output(
            "plus",
            "movement up as a share of the range",
            Unit.POINTS,
            False,
            POINTS,
            _lines_warm_up,
            _lines_memory,
        ),
        Output(
            "minus",
            "movement down as a share of the range",
            Unit.POINTS,
            False,
            POINTS,
            _lines_warm_up,
            _lines_memory,
        ),
    ),
    warm_up=_strength_warm_up,
    memory=_strength_memory,
    is_recursive=True,
    origin="https://www.investopedia.com/terms/a/adx.asp",
    twin="ta.trend.ADXIndicator",
    example="adx(14).adx > 25 and adx(14).plus > adx(14).minus",
)
def adx(high: Floats, low: Floats, close: Floats, window: int, columns: int) -> Floats:
    """The average directional index; unknown once nothing moved for three windows."""
    # Sums by Wilder: the first `window` moves added up, then each a window-th less and a new one.
    rows, width = close.shape
    out = np.full((3, rows, columns), np.nan)
    first = width - columns
    for row in range(rows):
        total, plus, minus, mean = 0.0, 0.0, 0.0, 0.0
        known, still, idle = 0, STILL * window, STILL * window
        for place in range(1, width):
            reach, up, down = _moves(high, low, close, row, place)
            if np.isnan(reach):
                total, plus, minus, mean = 0.0, 0.0, 0.0, 0.0
                known, still, idle = 0, STILL * window, STILL * window
                continue
            known += 1
            still = still + 1 if reach == 0.0 else 0
            idle = idle + 1 if up + down == 0.0 else 0
            fade = 1.0 if known <= window else 1.0 - 1.0 / window
            total, plus, minus = total * fade + reach, plus * fade + up, minus * fade + down
            if known < window:
                continue
            strength = _strength(plus, minus, idle, window)
            weight = 1.0 / window
            mean += strength * weight if known < 2 * window else (strength - mean) * weight
            if place < first or still >= STILL * window:
                continue
            if known >= 2 * window - 1:
                out[0, row, place - first] = mean
            if known > window:
                out[1, row, place - first] = 100.0 * plus / total
                out[2, row, place - first] = 100.0 * minus / total
    return out
