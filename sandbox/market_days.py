"""A pretend session as one row of a daily chart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from sandbox.market_day import Trades


@dataclass(frozen=True, slots=True)
class Day:
    """What traded in a session up to a moment; nothing at all on a halted one."""

    day: date
    open: float
    high: float
    low: float
    close: float
    volume: int
    value: float = 0.0


def summed(day: date, trades: Trades, count: int) -> Day:
    """Return the first trades of a session as one row; zeros where there are none."""
    if not count:
        return Day(day, 0.0, 0.0, 0.0, 0.0, 0)
    last = count - 1
    return Day(
        day,
        float(trades.prices[0]),
        float(trades.highs[last]),
        float(trades.lows[last]),
        float(trades.prices[last]),
        int(trades.total_volume[last]),
        float(trades.total_value[last]),
    )
