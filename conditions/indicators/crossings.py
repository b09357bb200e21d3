"""Crossings: one series passes another between a bar and the one before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conditions.indicators.events import EVENTS, Happening

if TYPE_CHECKING:
    from conditions.indicators.events import Array, Reach


@EVENTS.register("crosses_above")
@Happening(
    "crosses above", series=("a", "b"), bars=2, example="crosses_above(close, sma(close, 20))"
)
def crosses_above(reach: Reach) -> Array:
    """The first was at or below the second one bar ago and is above it now."""
    return (reach.ago("a", 1) <= reach.ago("b", 1)) & (reach["a"] > reach["b"])


@EVENTS.register("crosses_below")
@Happening(
    "crosses below", series=("a", "b"), bars=2, example="crosses_below(close, sma(close, 20))"
)
def crosses_below(reach: Reach) -> Array:
    """The first was at or above the second one bar ago and is below it now."""
    return (reach.ago("a", 1) >= reach.ago("b", 1)) & (reach["a"] < reach["b"])
