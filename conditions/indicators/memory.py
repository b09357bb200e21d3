"""How many bars a recursive mean remembers."""

from __future__ import annotations

from functools import lru_cache
from math import ceil, log

FORGOTTEN = 1e-7
"""Weight of the first bar that no longer counts where differences are averaged, not prices."""
STILL = 3
"""Windows without any change after which a ratio of changes is unknown: nothing is left of them."""


def exponential(window: int) -> float:
    """Return the share of an exponential mean that one bar leaves of what was before."""
    return (window - 1) / (window + 1)


def wilder(window: int) -> float:
    """Return the share of Wilder's mean that one bar leaves of what was before."""
    return (window - 1) / window


@lru_cache(maxsize=512)
def faded(*shares: float, rest: float = FORGOTTEN) -> int:
    """Return the bars after which means, each of the one before, have forgotten how they began."""
    if len(shares) == 1:
        return 1 + ceil(log(rest) / log(shares[0])) if shares[0] else 1
    errors = [1.0] * len(shares)
    bars = 0
    while max(errors) > rest:
        before = 0.0
        for place, share in enumerate(shares):
            before = errors[place] = share * errors[place] + (1.0 - share) * before
        bars += 1
    return 1 + bars
