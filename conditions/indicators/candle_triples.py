"""Candle patterns of three bars; `candles` says what their words mean."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from conditions.indicators.candles import PRICES, SMALL, Candle
from conditions.indicators.events import EVENTS, Happening

if TYPE_CHECKING:
    from conditions.indicators.events import Array, Reach


def _three(reach: Reach) -> tuple[Candle, Candle, Candle]:
    return Candle(reach, 2), Candle(reach, 1), Candle(reach)


@EVENTS.register("morning_star")
@Happening("morning star from", fields=PRICES, bars=3, example="morning_star()")
def morning_star(reach: Reach) -> Array:
    """A long falling body, a small one (at most 0.3 of it) that does not rise above its lower half,
    and a long rising body that ends in its upper half.
    """
    first, star, last = _three(reach)
    is_star = (star.body <= SMALL * first.body) & (star.top <= first.middle)
    is_back = last.is_up & last.is_long & (last.close > first.middle)
    return first.is_down & first.is_long & is_star & is_back


@EVENTS.register("evening_star")
@Happening("evening star from", fields=PRICES, bars=3, example="evening_star()")
def evening_star(reach: Reach) -> Array:
    """A long rising body, a small one (at most 0.3 of it) that does not fall under its upper half,
    and a long falling body that ends in its lower half.
    """
    first, star, last = _three(reach)
    is_star = (star.body <= SMALL * first.body) & (star.bottom >= first.middle)
    is_back = last.is_down & last.is_long & (last.close < first.middle)
    return first.is_up & first.is_long & is_star & is_back


@EVENTS.register("three_white_soldiers")
@Happening("three soldiers from", fields=PRICES, bars=3, example="three_white_soldiers()")
def three_white_soldiers(reach: Reach) -> Array:
    """Three long rising bodies; each opens within the body before and closes above it, near its
    high: the upper shadow is at most 0.3 of the range.
    """
    candles = _three(reach)
    found = candles[0].is_up
    for candle in candles:
        found = found & candle.is_up & candle.is_long & (candle.upper <= SMALL * candle.range)
    for old, new in pairwise(candles):
        is_within = (new.open >= old.open) & (new.open <= old.close)
        found = found & is_within & (new.close > old.close)
    return found


@EVENTS.register("three_black_crows")
@Happening("three crows from", fields=PRICES, bars=3, example="three_black_crows()")
def three_black_crows(reach: Reach) -> Array:
    """Three long falling bodies; each opens within the body before and closes under it, near its
    low: the lower shadow is at most 0.3 of the range.
    """
    candles = _three(reach)
    found = candles[0].is_down
    for candle in candles:
        found = found & candle.is_down & candle.is_long & (candle.lower <= SMALL * candle.range)
    for old, new in pairwise(candles):
        is_within = (new.open <= old.open) & (new.open >= old.close)
        found = found & is_within & (new.close < old.close)
    return found
