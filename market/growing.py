"""A bar while it is being built, and the exact sum it counts with."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from market.types import Bar

if TYPE_CHECKING:
    from datetime import datetime

    from market.types import InstrumentId, Tick, Timeframe


class ExactSum:
    """A running sum that rounds once, when it is read.

    Shewchuk's method (Adaptive Precision Floating-Point Arithmetic, 1997): the sum is held as
    parts that do not overlap, so that a quantity comes out the same however it was split.
    """

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: list[float] = []

    def add(self, number: float) -> None:
        """Add a number; what rounding would lose is kept as a part of its own."""
        kept = []
        for part in self._parts:
            larger, smaller = (number, part) if abs(number) > abs(part) else (part, number)
            number = larger + smaller
            lost = smaller - (number - larger)
            if lost:
                kept.append(lost)
        kept.append(number)
        self._parts = kept

    def total(self) -> float:
        """Return the sum, correctly rounded."""
        return math.fsum(self._parts)


@dataclass(slots=True)
class GrowingBar:
    """The bar of one slot; it grows with every tick of the slot, also after it was closed.

    `first_at` and `last_at` are the trade times its open and its close are from.
    """

    start: datetime
    open: float
    high: float
    low: float
    close: float
    first_at: datetime
    last_at: datetime
    volume: ExactSum = field(default_factory=ExactSum)
    value: ExactSum = field(default_factory=ExactSum)
    is_complete: bool = True
    is_closed: bool = False

    @classmethod
    def begin(cls, start: datetime, tick: Tick) -> GrowingBar:
        """Return a bar that holds the tick's price and nothing traded yet."""
        price = tick.price
        return cls(start, price, price, price, price, tick.at, tick.at)

    def take_price(self, tick: Tick) -> None:
        """Take in a price; ticks may come in any order."""
        if tick.at < self.first_at:
            self.open, self.first_at = tick.price, tick.at
        if tick.at >= self.last_at:
            self.close, self.last_at = tick.price, tick.at
        self.widen(tick.price, tick.price)

    def widen(self, high: float, low: float) -> None:
        """Make the range reach up to `high` and down to `low`."""
        self.high = max(self.high, high)
        self.low = min(self.low, low)

    def bar(self, instrument: InstrumentId, timeframe: Timeframe) -> Bar:
        """Return the bar as it stands."""
        return Bar(
            instrument=instrument,
            timeframe=timeframe,
            start=self.start,
            open=self.open,
            high=self.high,
            low=self.low,
            close=self.close,
            volume=self.volume.total(),
            value=self.value.total(),
            is_complete=self.is_complete,
        )
