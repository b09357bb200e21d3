"""Scripted bursts: the shipped conditions fire on them, reliably and on nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from market.bars import aggregate
from market.types import Bar, Timeframe
from sandbox.market import LIQUID_DAILY_VALUE
from sandbox.market_prices import footing
from tests.sandbox.market_makers import CALENDAR, DAY, kst, minute_bars, simulator


def breakouts(bars: list[Bar]) -> set[datetime]:
    """Return the starts of 5-minute bars at which the shipped volume-breakout is true."""
    close, volume, value = (
        np.array([getattr(bar, name) for bar in bars]) for name in ("close", "volume", "value")
    )
    return {
        bars[row].start
        for row in range(59, len(bars))
        if close[row] / close[row - 59 : row + 1].mean() - 1 > 0.02
        and volume[row] > 6 * volume[row - 19 : row + 1].mean()
        and value[row] > 100_000_000
    }


@pytest.mark.parametrize("seed", [7, 8])
def test_every_scripted_jump_is_a_breakout_and_nothing_else_is(seed: int) -> None:
    market = simulator(seed)
    start, end = kst(9, day=DAY - timedelta(days=2)), kst(16)
    found = {
        (code, at)
        for code in market.codes
        for at in breakouts(
            aggregate(minute_bars(market, code, start, end), Timeframe.M5, CALENDAR)
        )
        if at >= kst(9)
    }
    jumps = [burst for burst in market.bursts(DAY) if burst.is_jump]
    assert found == {(jump.code, kst(9, jump.minute).astimezone(UTC)) for jump in jumps}
    assert [jump.minute for jump in jumps] == list(range(10, 365, 10))


def test_bursts_are_of_liquid_instruments_and_can_be_left_out() -> None:
    market = simulator()
    assert {burst.is_jump for burst in market.bursts(DAY)} == {True, False}
    for burst in market.bursts(DAY):
        assert footing(burst.code).daily_value >= LIQUID_DAILY_VALUE
        assert burst.code not in {market.halted, market.illiquid}
    assert simulator(bursts=False).bursts(DAY) == ()


def rebounds(bars: list[Bar]) -> int:
    """Count how often Wilder's RSI of 14 closes rises through 30."""
    moves = np.diff([bar.close for bar in bars])
    up = down = 0.0
    values = []
    for move in moves:
        up, down = (13 * up + max(move, 0)) / 14, (13 * down + max(-move, 0)) / 14
        values.append(100 * up / (up + down) if up + down else 50.0)
    return sum(before <= 30 < after for before, after in pairwise(values[30:]))


def test_rsi_comes_back_from_below_thirty_now_and_then() -> None:
    market = simulator()
    start, end = kst(9, day=DAY - timedelta(days=1)), kst(16)
    counts = [
        rebounds(aggregate(minute_bars(market, code, start, end), Timeframe.M5, CALENDAR))
        for code in market.codes[:20]
    ]
    assert sum(counts) >= 5
