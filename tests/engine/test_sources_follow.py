"""Prices that sources tell by themselves: who is followed, who tells, and who is live."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from engine.chain import Chain, Named
from engine.sources import Sources
from market.clock import ManualClock
from market.types import Tick, Venue
from tests.engine.traded_market import SAMSUNG, TradedMarket, kst

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crawlers.source import Hear
    from market.types import InstrumentId

NOW = kst("10:05")
COIN = "UPBIT:KRW-BTC"


class Following(TradedMarket):
    """A source with a websocket; it tells what the test lets it tell."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.followed: list[InstrumentId] = []
        self.hearers: list[Hear] = []
        self.is_closed = False

    def follow(self, instruments: Iterable[InstrumentId]) -> None:
        self.followed = list(instruments)

    def listen(self, hear: Hear) -> None:
        self.hearers.append(hear)

    def live(self) -> frozenset[InstrumentId]:
        return frozenset(self.followed)

    async def close(self) -> None:
        self.is_closed = True


def test_a_source_beside_the_others_follows_tells_and_is_closed() -> None:
    clock = ManualClock(NOW)
    silent, beside = TradedMarket(clock), Following(clock)
    both = Following(clock)  # the same source twice is one
    chains = {
        Venue.KRX: Chain([Named("silent", silent)]),
        Venue.UPBIT: Chain([Named("coins", both), Named("again", both)]),
    }
    sources = Sources(chains, clock, beside=[Named("kis", beside)])
    told: list[Tick] = []
    sources.listen(told.extend)
    assert sources.live() == frozenset()
    sources.follow([SAMSUNG.id, COIN, SAMSUNG.id])
    assert beside.followed == both.followed == [SAMSUNG.id, COIN]
    assert sources.live() == {SAMSUNG.id, COIN}
    tick = Tick(SAMSUNG.id, NOW, NOW, 70_000.0, volume=1.0)
    for source in (beside, both):
        (hear,) = source.hearers
        hear([tick])
    assert told == [tick, tick]
    asyncio.run(sources.close())
    assert beside.is_closed
    assert both.is_closed
