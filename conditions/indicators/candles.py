"""Candle patterns of one and two bars, and the words that the longer ones share.

The body lies between open and close, the shadows between body and high or low; shares are shares
of the bar's range. A body is long from half of the range on. Prices come from an advance (decline)
where the close before the pattern lies above (below) the mean of TREND closes, itself included.
Source of the patterns: Steve Nison, Japanese Candlestick Charting Techniques, 2nd edition, 2001;
the book states no ratios, so those here are ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from conditions.indicators.events import EVENTS, Happening

if TYPE_CHECKING:
    from conditions.indicators.events import Array, Reach

PRICES = ("open", "high", "low", "close")
TREND = 5
LONG, SMALL, DOJI, NIL = 0.5, 0.3, 0.1, 0.1


class Candle:
    """The candle so many bars ago."""

    def __init__(self, reach: Reach, bars: int = 0) -> None:
        self.open, self.high, self.low, self.close = (reach.ago(one, bars) for one in PRICES)
        self.range = self.high - self.low
        self.body = abs(self.close - self.open)
        self.top = np.maximum(self.open, self.close)
        self.bottom = np.minimum(self.open, self.close)
        self.middle = (self.open + self.close) / 2
        self.upper = self.high - self.top
        self.lower = self.bottom - self.low
        self.is_up = self.close > self.open
        self.is_down = self.close < self.open
        self.is_long = (self.body >= LONG * self.range) & (self.body > 0)


def trend(reach: Reach, bars: int) -> Array:
    """Return the close so many bars ago less the mean of TREND closes up to it."""
    closes = [reach.ago("close", bars + step) for step in range(TREND)]
    distance: Array = closes[0] - sum(closes[1:], closes[0]) / TREND
    return distance


def _has_long_lower_shadow(candle: Candle) -> Array:
    is_hanging = candle.lower >= 2 * candle.body
    return is_hanging & (candle.upper <= NIL * candle.range) & (candle.body > 0)


def _has_long_upper_shadow(candle: Candle) -> Array:
    is_standing = candle.upper >= 2 * candle.body
    return is_standing & (candle.lower <= NIL * candle.range) & (candle.body > 0)


@EVENTS.register("doji")
@Happening("doji from", fields=PRICES, example="doji()")
def doji(reach: Reach) -> Array:
    """The body is at most a tenth of the range; a bar of one price is no doji."""
    candle = Candle(reach)
    return (candle.body <= DOJI * candle.range) & (candle.range > 0)


@EVENTS.register("hammer")
@Happening("hammer from", fields=PRICES, bars=TREND + 1, example="hammer()")
def hammer(reach: Reach) -> Array:
    """After a decline: a lower shadow of 2 bodies or more, an upper one of at most 0.1."""
    return _has_long_lower_shadow(Candle(reach)) & (trend(reach, 1) < 0)


@EVENTS.register("hanging_man")
@Happening("hanging man from", fields=PRICES, bars=TREND + 1, example="hanging_man()")
def hanging_man(reach: Reach) -> Array:
    """After an advance: a lower shadow of 2 bodies or more, an upper one of at most 0.1."""
    return _has_long_lower_shadow(Candle(reach)) & (trend(reach, 1) > 0)


@EVENTS.register("inverted_hammer")
@Happening("inverted hammer from", fields=PRICES, bars=TREND + 1, example="inverted_hammer()")
def inverted_hammer(reach: Reach) -> Array:
    """After a decline: an upper shadow of 2 bodies or more, a lower one of at most 0.1."""
    return _has_long_upper_shadow(Candle(reach)) & (trend(reach, 1) < 0)


@EVENTS.register("shooting_star")
@Happening("shooting star from", fields=PRICES, bars=TREND + 1, example="shooting_star()")
def shooting_star(reach: Reach) -> Array:
    """After an advance: an upper shadow of 2 bodies or more, a lower one of at most 0.1."""
    return _has_long_upper_shadow(Candle(reach)) & (trend(reach, 1) > 0)


@EVENTS.register("engulfing_bullish")
@Happening("engulfs from", fields=PRICES, bars=2, example="engulfing_bullish() and rsi(14) < 25")
def engulfing_bullish(reach: Reach) -> Array:
    """A rising body covers the falling body before it and is larger."""
    old, new = Candle(reach, 1), Candle(reach)
    is_covered = (new.open <= old.close) & (new.close >= old.open)
    return old.is_down & new.is_up & is_covered & (new.body > old.body)


@EVENTS.register("engulfing_bearish")
@Happening("engulfs from", fields=PRICES, bars=2, example="engulfing_bearish() and rsi(14) > 70")
def engulfing_bearish(reach: Reach) -> Array:
    """A falling body covers the rising body before it and is larger."""
    old, new = Candle(reach, 1), Candle(reach)
    is_covered = (new.open >= old.close) & (new.close <= old.open)
    return old.is_up & new.is_down & is_covered & (new.body > old.body)


@EVENTS.register("harami_bullish")
@Happening("harami from", fields=PRICES, bars=2, example="harami_bullish()")
def harami_bullish(reach: Reach) -> Array:
    """A rising body lies within the long falling body before it and is at most half of it."""
    old, new = Candle(reach, 1), Candle(reach)
    is_within = (new.open >= old.close) & (new.close <= old.open)
    return old.is_down & old.is_long & new.is_up & is_within & (new.body <= old.body / 2)


@EVENTS.register("harami_bearish")
@Happening("harami from", fields=PRICES, bars=2, example="harami_bearish()")
def harami_bearish(reach: Reach) -> Array:
    """A falling body lies within the long rising body before it and is at most half of it."""
    old, new = Candle(reach, 1), Candle(reach)
    is_within = (new.open <= old.close) & (new.close >= old.open)
    return old.is_up & old.is_long & new.is_down & is_within & (new.body <= old.body / 2)


@EVENTS.register("piercing_line")
@Happening("pierces from", fields=PRICES, bars=2, example="piercing_line()")
def piercing_line(reach: Reach) -> Array:
    """After a long falling body a bar opens at or under its close and ends in its upper half."""
    old, new = Candle(reach, 1), Candle(reach)
    is_half_back = (new.close > old.middle) & (new.close < old.open)
    return old.is_down & old.is_long & (new.open <= old.close) & is_half_back


@EVENTS.register("dark_cloud_cover")
@Happening("covers from", fields=PRICES, bars=2, example="dark_cloud_cover()")
def dark_cloud_cover(reach: Reach) -> Array:
    """After a long rising body a bar opens at or over its close and ends in its lower half."""
    old, new = Candle(reach, 1), Candle(reach)
    is_half_back = (new.close < old.middle) & (new.close > old.open)
    return old.is_up & old.is_long & (new.open >= old.close) & is_half_back
