"""Indicators of the condition language; one file each, registered by name on import."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

import numpy as np

from conditions.indicators.registry import EVENTS, INDICATORS

__all__ = ["EVENTS", "INDICATORS", "warm_up"]

for _module in iter_modules(__path__, f"{__name__}."):
    import_module(_module.name)


def warm_up() -> None:
    """Compile every kernel, or load it from numba's cache, so that the first bar need not wait."""
    bars = np.ones((1, 8))
    for name in INDICATORS:
        indicator = INDICATORS.get(name)
        least = (one.low for one in indicator.parameters)
        indicator.kernel(*(bars for _ in indicator.sources), *least, 1)
    for name in EVENTS:
        EVENTS.get(name).kernel(bars, bars, np.zeros((1, 8), dtype=bool), 1)
