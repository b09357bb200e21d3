"""Crossings: one series passes another between a bar and the one before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from conditions.indicators.registry import EVENTS, Event, Floats, Truths, kernel

if TYPE_CHECKING:
    from typing import TypeAlias

Gaps: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]


@kernel
def _passes(lower: Floats, upper: Floats, gap: Gaps, columns: int) -> Truths:
    rows = lower.shape[0]
    reach = min(lower.shape[1] - 1, upper.shape[1] - 1, gap.shape[1], columns)
    out = np.zeros((rows, columns), dtype=np.int8)
    for row in range(rows):
        for back in range(1, reach + 1):
            old = lower[row, -back - 1] - upper[row, -back - 1]
            new = lower[row, -back] - upper[row, -back]
            if not (np.isnan(old) or np.isnan(new) or gap[row, -back]):
                out[row, columns - back] = 1 if old <= 0.0 < new else -1
    return out


@EVENTS.register("crosses_above")
@Event.declared(words="crosses above")
def crosses_above(left: Floats, right: Floats, gap: Gaps, columns: int) -> Truths:
    """The first was at or below the second one bar ago and is above it now."""
    return _passes(left, right, gap, columns)


@EVENTS.register("crosses_below")
@Event.declared(words="crosses below")
def crosses_below(left: Floats, right: Floats, gap: Gaps, columns: int) -> Truths:
    """The first was at or above the second one bar ago and is below it now."""
    return _passes(right, left, gap, columns)
