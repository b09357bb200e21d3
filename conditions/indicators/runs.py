"""Runs: a series that moves one way bar after bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from conditions.indicators.events import EVENTS, Happening
from conditions.indicators.registry import Parameter

if TYPE_CHECKING:
    from conditions.indicators.events import Array, Reach

BARS = Parameter("bars", 1, 1, 100)


def _one_more(bars: int) -> int:
    return bars + 1


@EVENTS.register("rising")
@Happening(
    "rises from", series=("x",), parameters=(BARS,), bars=_one_more, example="rising(close, 3)"
)
def rising(reach: Reach, bars: int) -> Array:
    """Each of the last `bars` values is above the one before it."""
    steps = [reach.ago("x", step) > reach.ago("x", step + 1) for step in range(bars)]
    found: Array = np.logical_and.reduce(steps)
    return found


@EVENTS.register("falling")
@Happening(
    "falls from", series=("x",), parameters=(BARS,), bars=_one_more, example="falling(volume, 3)"
)
def falling(reach: Reach, bars: int) -> Array:
    """Each of the last `bars` values is below the one before it."""
    steps = [reach.ago("x", step) < reach.ago("x", step + 1) for step in range(bars)]
    found: Array = np.logical_and.reduce(steps)
    return found
