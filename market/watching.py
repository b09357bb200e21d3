"""What is known of one instrument while its bars are built."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from market.types import EPOCH

if TYPE_CHECKING:
    from datetime import date, datetime

    from market.growing import GrowingBar
    from market.sessions import Calendar
    from market.types import Tick


@dataclass(slots=True)
class Watching:
    """What was last seen of an instrument, and its newest bars, oldest first.

    `slot` is that of the last tick. `count`, `money`, `day_high` and `day_low` are the session's at
    the newest tick that traded (at `at`); a range of (-inf, inf) means that nothing had traded
    before it, None that the source did not say. `unknown_slot` began before we watched.
    """

    calendar: Calendar
    is_counting: bool
    seen_at: datetime | None = None
    day: date | None = None
    opened_at: datetime = EPOCH
    slot: datetime | None = None
    at: datetime | None = None
    count: float = 0.0
    money: float | None = None
    day_high: float | None = None
    day_low: float | None = None
    unknown_slot: datetime | None = None
    bars: list[GrowingBar] = field(default_factory=list)

    def watched_until(self) -> datetime:
        """Return the moment up to which nothing of the session escaped us."""
        return max(self.seen_at or self.opened_at, self.opened_at)

    def moved_range(self, tick: Tick) -> tuple[float, float]:
        """Return how far the session's range was pushed out since the last trade we saw."""
        high, low = tick.price, tick.price
        if self.day_high is not None and tick.day_high and tick.day_high > self.day_high:
            high = tick.day_high
        if self.day_low is not None and tick.day_low and tick.day_low < self.day_low:
            low = tick.day_low
        return high, low

    def open_bars(self) -> list[GrowingBar]:
        """Return the bars that are not closed yet, oldest first."""
        return [growing for growing in self.bars if not growing.is_closed]

    def forget_closed(self, kept: int) -> None:
        """Drop the oldest bars until only so many closed ones are left."""
        while sum(growing.is_closed for growing in self.bars) > kept:
            self.bars.pop(0)
