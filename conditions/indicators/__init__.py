"""Indicators of the condition language; one file each, registered by name on import."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

import numpy as np

from conditions.indicators import sessions
from conditions.indicators.events import EVENTS, SHORTHANDS
from conditions.indicators.registry import INDICATORS

__all__ = ["EVENTS", "INDICATORS", "SHORTHANDS", "warm_up"]

for _module in iter_modules(__path__, f"{__name__}."):
    import_module(_module.name)


def warm_up() -> None:
    """Compile every kernel, or load it from numba's cache, so that the first bar need not wait."""
    bars = np.ones((1, 8))
    for name in INDICATORS:
        indicator = INDICATORS.get(name)
        if not indicator.is_slow:
            least = (one.typed(one.low) for one in indicator.parameters)
            indicator.kernel(*(bars for _ in indicator.sources), *least, 1)
    sessions.warm_up()
