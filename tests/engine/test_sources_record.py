"""What sources tell goes into the record under their names; quotes do not."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from crawlers.source import Update
from engine.chain import Chain, Named
from engine.sources import Sources
from market.clock import ManualClock
from market.errors import SourceUnavailable
from market.types import Bar, Timeframe, Venue
from tests.engine.traded_market import SAMSUNG, TradedMarket, kst

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from market.errors import SourceError
    from market.types import InstrumentId, Tick

NAMES = (SAMSUNG.id,)
COIN = "UPBIT:KRW-BTC"
NOW = kst("10:05")


@dataclass
class Noted:
    """A recorder that notes each call in short."""

    calls: list[tuple[str, ...]] = field(default_factory=list)

    def ticks(self, source: str, ticks: Sequence[Tick]) -> None:
        self.calls.append(("ticks", source, *(tick.instrument for tick in ticks)))

    def updates(self, source: str, updates: Sequence[Update]) -> None:
        self.calls.append(("updates", source, *(one.bar.instrument for one in updates)))

    def bars(
        self,
        source: str,
        instrument: InstrumentId,
        start: datetime,
        end: datetime,
        bars: Sequence[Bar],
    ) -> None:
        self.calls.append(("bars", source, instrument, str(len(bars))))

    def days(
        self,
        source: str,
        instrument: InstrumentId,
        start: datetime,
        end: datetime,
        bars: Sequence[Bar],
    ) -> None:
        self.calls.append(("days", source, instrument, str(len(bars))))

    def failed(self, source: str, call: str, error: SourceError, about: str) -> None:
        self.calls.append(("failed", source, call, about, str(error)))


class Daily(TradedMarket):
    """A market with a daily chart."""

    async def days(self, instrument: InstrumentId, start: datetime, end: datetime) -> list[Bar]:
        return []


class Coins(TradedMarket):
    """A live source of one candle."""

    async def updates(self, instruments: Sequence[InstrumentId]) -> list[Update]:
        bar = Bar(COIN, Timeframe.M1, kst("10:04"), 1, 1, 1, 1, 1, 1)
        return [Update(bar, NOW, NOW)]


@pytest.fixture
def world() -> tuple[Sources, Noted, TradedMarket]:
    """Return sources of two venues, what they record, and the wanted one for KRX."""
    clock, noted = ManualClock(NOW), Noted()
    first, second = TradedMarket(clock), Daily(clock)
    for market in (first, second):
        market.trade(kst("10:04:30"), 100.0)
    chains = {
        Venue.KRX: Chain([Named("naver", first), Named("kis", second)]),
        Venue.UPBIT: Chain([Named("upbit", Coins(clock))]),
    }
    return Sources(chains, clock, noted), noted, first


def test_sweeps_and_charts_are_recorded(world: tuple[Sources, Noted, TradedMarket]) -> None:
    sources, noted, _ = world

    async def scenario() -> None:
        await sources.sweep(Venue.KRX, NAMES)
        await sources.sweep(Venue.UPBIT, (COIN,))
        await sources.bars(SAMSUNG.id, kst("10:00"), NOW)
        await sources.ticks(NAMES)

    asyncio.run(scenario())
    assert noted.calls == [
        ("ticks", "naver", SAMSUNG.id),
        ("updates", "upbit", COIN),
        ("bars", "naver", SAMSUNG.id, "1"),
    ]


def test_failures_are_recorded_and_so_is_who_stood_in(
    world: tuple[Sources, Noted, TradedMarket],
) -> None:
    sources, noted, naver = world
    naver.polling_error = SourceUnavailable("busy")
    naver.chart_errors[SAMSUNG.id] = SourceUnavailable("no chart")

    async def scenario() -> None:
        await sources.sweep(Venue.KRX, NAMES)
        await sources.bars(SAMSUNG.id, kst("10:00"), NOW)
        await sources.days(SAMSUNG.id, kst("10:00"), NOW)

    asyncio.run(scenario())
    assert noted.calls == [
        ("failed", "naver", "ticks", "KRX", "busy"),
        ("ticks", "kis", SAMSUNG.id),
        ("failed", "naver", "bars", SAMSUNG.id, "no chart"),
        ("bars", "kis", SAMSUNG.id, "1"),
        ("days", "kis", SAMSUNG.id, "0"),
    ]
