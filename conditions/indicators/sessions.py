"""Kernels of what a session has come to by each of its bars."""

from __future__ import annotations

import numpy as np

from conditions.indicators.registry import Floats, kernel


@kernel
def session_first(values: Floats, openings: Floats, gap: Floats, columns: int) -> Floats:
    """Return the value at the session's first bar, unknown where that may have been missed."""
    rows, width = values.shape
    out = np.full((rows, columns), np.nan)
    first = width - columns
    for row in range(rows):
        found = np.nan
        for place in range(width):
            if openings[row, place] == 1.0:
                found = np.nan if gap[row, place] else values[row, place]
            if place >= first and openings[row, place] >= 0.0:
                out[row, place - first] = found
    return out


@kernel
def session_before(values: Floats, openings: Floats, gap: Floats, columns: int) -> Floats:
    """Return the value at the last bar of the session before, unknown where it may be missing."""
    rows, width = values.shape
    out = np.full((rows, columns), np.nan)
    first = width - columns
    for row in range(rows):
        found = np.nan
        for place in range(width):
            if openings[row, place] == 1.0:
                is_known = place > 0 and not gap[row, place]
                found = values[row, place - 1] if is_known else np.nan
            if place >= first and openings[row, place] >= 0.0:
                out[row, place - first] = found
    return out


@kernel
def session_greatest(values: Floats, openings: Floats, gap: Floats, columns: int) -> Floats:
    """Return the greatest value of the session so far, unknown after bars that are missing."""
    rows, width = values.shape
    out = np.full((rows, columns), np.nan)
    first = width - columns
    for row in range(rows):
        found = np.nan
        for place in range(width):
            value = values[row, place]
            if gap[row, place]:
                found = np.nan
            elif openings[row, place] == 1.0 or value > found:
                found = value
            if place >= first and openings[row, place] >= 0.0:
                out[row, place - first] = found
    return out


@kernel
def session_total(values: Floats, openings: Floats, gap: Floats, columns: int) -> Floats:
    """Return the sum of the session so far, unknown after bars that are missing."""
    rows, width = values.shape
    out = np.full((rows, columns), np.nan)
    first = width - columns
    for row in range(rows):
        found = np.nan
        for place in range(width):
            if gap[row, place]:
                found = np.nan
            elif openings[row, place] == 1.0:
                found = values[row, place]
            else:
                found += values[row, place]
            if place >= first and openings[row, place] >= 0.0:
                out[row, place - first] = found
    return out


SESSION_KERNELS = (session_first, session_before, session_greatest, session_total)
"""Each takes float64[rows, bars] of values, openings (1 at a session's first bar, 0 at others,
NaN for no bar) and bool gaps, and gives the newest columns."""
