"""A feed with its market, crawled by hand."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from engine.exact import ExactBars
from engine.feed import Feed
from engine.series import Slot, build_series
from market.clock import ManualClock
from market.types import Bar, Tick
from tests.engine.pipeline_world import condition
from tests.engine.traded_market import CALENDARS, HYNIX, SAMSUNG, TradedMarket, kst

if TYPE_CHECKING:
    from collections.abc import Sequence


class Fed:
    """A feed with its market; sweeps of both instruments at a time of day."""

    def __init__(self, names: Sequence[str] = (SAMSUNG.id, HYNIX.id)) -> None:
        self.clock = ManualClock(kst("08:00"))
        self.market = TradedMarket(self.clock)
        self.series = build_series([(condition(), tuple(names))], CALENDARS, 10)[0]
        self.feed = Feed(self.series, ExactBars(self.market, CALENDARS))

    def watch(self, text: str) -> tuple[list[Slot], list[Bar]]:
        """Crawl every half minute until a time of day, and close then."""
        while kst(text) - self.clock.now() > timedelta(seconds=30):
            self.clock.advance(timedelta(seconds=30))
            self.feed.add(asyncio.run(self.market.ticks(self.series.panel.instruments)))
        return self.sweep(text)

    def sweep(self, text: str) -> tuple[list[Slot], list[Bar]]:
        """Crawl and close at a time of day."""
        self.clock.move_to(kst(text))

        async def crawl() -> tuple[list[Slot], list[Bar]]:
            self.feed.add(await self.market.ticks(self.series.panel.instruments))
            return await self.feed.close(kst(text))

        return asyncio.run(crawl())

    def asked(self) -> int:
        """Return how often the chart of the first instrument was asked for."""
        return sum(name == SAMSUNG.id for name, _, _ in self.market.asked)

    def absent(self, before: str, seen_at: str) -> None:
        """Want all instruments as after a stretch without sweeps."""
        slots = self.feed.unseen(kst(before), kst(seen_at))
        for name in self.series.panel.instruments:
            self.feed.want(name, slots[0], slots[-1])


def tick(text: str, count: float = 50.0) -> Tick:
    """Return a tick of the first instrument that was seen when it traded."""
    return Tick(SAMSUNG.id, kst(text), kst(text), 100.0, day_volume=count)
