"""Sums that begin anew with every session."""

from __future__ import annotations

import numpy as np

from conditions.indicators.registry import (
    INDICATORS,
    OPENINGS,
    SESSION_BARS,
    Declared,
    Floats,
)
from conditions.units import Unit


def _at_once() -> int:
    return 1


def _session() -> int:
    return SESSION_BARS


@INDICATORS.register("vwap")
@Declared(
    parameters=(),
    sources=("high", "low", "close", "volume", OPENINGS),
    warm_up=_at_once,
    memory=_session,
    is_level=True,
    is_recursive=True,
    origin="https://www.investopedia.com/terms/v/vwap.asp",
    example="crosses_above(close, vwap())",
)
def vwap(
    high: Floats, low: Floats, close: Floats, volume: Floats, openings: Floats, columns: int
) -> Floats:
    """The session's typical price so far, weighted with volume; unknown where its start is."""
    rows, width = close.shape
    out = np.full((rows, columns), np.nan)
    first = width - columns
    for row in range(rows):
        base, total, weight = np.nan, 0.0, 0.0
        for place in range(width):
            typical = (high[row, place] + low[row, place] + close[row, place]) / 3.0
            traded = volume[row, place]
            if openings[row, place] == 1.0:
                base, total, weight = typical, 0.0, 0.0
            elif np.isnan(openings[row, place]):
                base = np.nan
            total += (typical - base) * traded
            weight += traded
            if place >= first and weight > 0.0:
                out[row, place - first] = base + total / weight
    return out


@INDICATORS.register("obv")
@Declared(
    parameters=(),
    sources=("close", "volume", OPENINGS),
    warm_up=_at_once,
    memory=_session,
    unit=Unit.VOLUME,
    is_recursive=True,
    origin="https://www.investopedia.com/terms/o/onbalancevolume.asp",
    twin="ta.volume.OnBalanceVolumeIndicator on one session",
    example="obv() > 0 and rising(obv(), 3)",
)
def obv(close: Floats, volume: Floats, openings: Floats, columns: int) -> Floats:
    """The session's volume so far: that of bars which closed lower is taken away."""
    rows, width = close.shape
    out = np.full((rows, columns), np.nan)
    first = width - columns
    for row in range(rows):
        total, before = np.nan, np.nan
        for place in range(width):
            price, traded = close[row, place], volume[row, place]
            if openings[row, place] == 1.0:
                total, before = 0.0, np.nan
            elif np.isnan(openings[row, place]) or np.isnan(price):
                total = np.nan
            total += -traded if price < before else traded + 0.0 * price
            before = price
            if place >= first:
                out[row, place - first] = total
    return out
