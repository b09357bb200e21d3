"""Kernels of what a session has come to by each of its bars."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from conditions.indicators.registry import Floats, kernel

Ints: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]
Flags: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]


@kernel
def session_openings(starts: Ints, offsets: Ints, opens: Ints, day: int) -> Floats:
    """Return 1 where a session begins, 0 where it goes on, NaN where there is no bar (start 0).

    A row's days begin its offset before those of UTC, and its sessions usually so long after that;
    all in the same unit. Its first bar begins a session only then.
    """
    rows, width = starts.shape
    out = np.full((rows, width), np.nan)
    for row in range(rows):
        until = np.int64(0)
        for place in range(width):
            start = starts[row, place]
            if start <= 0:
                until = np.int64(0)
                continue
            out[row, place] = 0.0
            if start >= until:
                begin = (start + offsets[row]) // day * day - offsets[row]
                if until > 0 or start == begin + opens[row]:
                    out[row, place] = 1.0
                until = begin + day
    return out


@kernel
def session_first(values: Floats, openings: Floats, gap: Flags, columns: int) -> Floats:
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
def session_before(values: Floats, openings: Floats, gap: Flags, columns: int) -> Floats:
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
def session_greatest(values: Floats, openings: Floats, gap: Flags, columns: int) -> Floats:
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
def session_total(values: Floats, openings: Floats, gap: Flags, columns: int) -> Floats:
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


def warm_up() -> None:
    """Compile every kernel, or load it from numba's cache."""
    bars, gap = np.ones((1, 8)), np.zeros((1, 8), dtype=bool)
    for one in SESSION_KERNELS:
        one(bars, bars, gap, 1)
    whole = np.ones((1, 8), dtype=np.int64)
    session_openings(whole, whole[0, :1], whole[0, :1], 1)
