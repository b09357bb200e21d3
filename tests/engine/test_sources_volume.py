from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from crawlers.source import Update
from engine.sources import Sources
from market.clock import ManualClock
from market.types import Bar, Timeframe, Venue
from tests.engine.traded_market import TradedMarket, kst

if TYPE_CHECKING:
    from collections.abc import Sequence

    from market.types import InstrumentId

COIN = "UPBIT:KRW-XRP"


class ToldCandles(TradedMarket):
    """A live source that tells what the test lays down for the next call."""

    def __init__(self) -> None:
        super().__init__(ManualClock(kst("10:00")))
        self.told: list[Update] = []

    async def updates(self, instruments: Sequence[InstrumentId]) -> list[Update]:
        told, self.told = self.told, []
        return [one for one in told if one.bar.instrument in instruments]


def candle(minute: int, volume: float) -> Update:
    start = kst(f"10:{minute:02}")
    bar = Bar(COIN, Timeframe.M1, start, 3e3, 3e3, 3e3, 3e3, volume, 3e3 * volume)
    return Update(bar, start, start)


def test_a_live_tick_tells_by_how_much_the_candles_have_grown() -> None:
    async def scenario() -> list[float | None]:
        source = ToldCandles()
        sources = Sources.of(source, source.clock)
        volumes = []
        for told in (
            [candle(0, 50.0), candle(1, 5.0)],  # what was before the first call is not counted
            [candle(1, 8.0)],
            [candle(1, 9.0), candle(2, 4.0)],
            [candle(1, 9.5), candle(2, 4.0)],  # a minute that is over was corrected
            [candle(2, 3.0)],
            [candle(5, 7.0)],
        ):
            source.told = told
            (tick,) = (await sources.sweep(Venue.UPBIT, [COIN])).ticks
            volumes.append(tick.volume)
        return volumes

    assert asyncio.run(scenario()) == [5.0, 3.0, 5.0, 0.0, 0.0, 7.0]
