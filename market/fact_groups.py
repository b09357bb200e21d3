"""Which question to a source tells which fact."""

from __future__ import annotations

from enum import IntFlag

from market.facts import FACT_NAMES


class FactGroup(IntFlag):
    """Facts that one question to a source tells together."""

    NONE = 0
    LISTING = 1
    FLOWS = 2
    FIGURES = 4


_OF_LISTING = ("market_cap", "listed_shares")
_OF_FIGURES = ("per", "pbr", "eps", "high_52w", "low_52w")
GROUP_OF_FACT = {
    name: FactGroup.LISTING
    if name in _OF_LISTING
    else FactGroup.FIGURES
    if name in _OF_FIGURES
    else FactGroup.FLOWS
    for name in FACT_NAMES
}
"""Which question tells a fact."""
