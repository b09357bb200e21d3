"""Live coins, judged every two seconds on candles that still form."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from conditions.compile import compile_condition
from config.condition_reader import parse_condition
from engine.chain import Chain, Named
from engine.sources import Sources
from market.bars import aggregate
from market.directory import Directory
from market.sessions import AlwaysOpen
from market.types import Timeframe, Venue
from sandbox.coin_trades import Coin
from tests.engine.live_market import BTC, START, XRP, LiveMarket
from tests.engine.pipeline_world import World

if TYPE_CHECKING:
    from pathlib import Path

    from conditions.compile import Condition

COINS = (
    Coin("KRW-BTC", 90_000_000, 1000, trades_per_minute=30),
    Coin("KRW-XRP", 3_000, 1, trades_per_minute=0.7),
)
FIVE = timedelta(minutes=5)


def coins(when: str, *lines: str, name: str = "early") -> Condition:
    text = [f"name: {name}", f"universe: [{BTC.id}, {XRP.id}]", "timeframe: 5m", f"when: '{when}'"]
    return compile_condition(parse_condition("\n".join([*text, *lines]) + "\n", f"{name}.yaml"))


class CoinWorld(World):
    """A pipeline on live coins."""

    def __init__(self, path: Path, *conditions: Condition) -> None:
        super().__init__(path, *conditions, start=START + timedelta(minutes=2, seconds=7))
        self.calendars = {Venue.UPBIT: AlwaysOpen()}
        self.live = LiveMarket(self.clock, COINS)
        self.directory = Directory([BTC, XRP])
        self.depth = 60

    def sources(self) -> Sources:
        return Sources({Venue.UPBIT: Chain([Named("upbit", self.live)])}, self.clock)

    async def go(self, seconds: float) -> None:
        """Sweep every two seconds for so long."""
        end = self.clock.now() + timedelta(seconds=seconds)
        while self.clock.now() < end:
            self.clock.advance(timedelta(seconds=2))
            await self.pipeline.crawl(Venue.UPBIT)


def test_every_bar_fires_early_once_and_is_settled_at_its_close(tmp_path: Path) -> None:
    world = CoinWorld(
        tmp_path / "a.sqlite", coins("close > 0", "fire: every bar", "intrabar: true")
    )

    async def scenario() -> None:
        await world.boot()
        await world.go(1800)
        signals = await world.signals()
        ids = [one.id for one in signals]
        assert len(ids) == len(set(ids))
        early = [one for one in signals if one.is_intrabar]
        busy = [one for one in early if one.instrument == BTC.id]
        assert len(busy) >= 4
        for one in busy:
            assert one.fired_at - one.bar_start < timedelta(seconds=15), "in one of the first looks"
        over = [one for one in early if one.bar_start + FIVE < world.clock.now()]
        assert {one.has_held for one in over} == {True}

    asyncio.run(scenario())
    world.close()


def test_what_the_close_says_is_what_the_venues_candle_says(tmp_path: Path) -> None:
    """The close decides as it does for the same condition that is judged at closes only."""
    when = "close > open"
    world = CoinWorld(
        tmp_path / "b.sqlite",
        coins(when, "cooldown: 0 minutes", "intrabar: true", "fire: every bar"),
    )

    async def scenario() -> None:
        await world.boot()
        await world.go(5400)
        minutes = await world.live.bars(BTC.id, START, world.clock.now())
        bars = {one.start: one for one in aggregate(minutes, Timeframe.M5, AlwaysOpen())}
        early = [one for one in await world.signals() if one.instrument == BTC.id]
        settled = [one for one in early if one.is_intrabar and one.has_held is not None]
        assert {one.has_held for one in settled} == {True, False}
        for one in settled:
            bar = bars[one.bar_start]
            assert one.has_held is (bar.close > bar.open)

    asyncio.run(scenario())
    world.close()


def test_a_restart_in_the_middle_of_a_bar_fires_nothing_twice(tmp_path: Path) -> None:
    world = CoinWorld(
        tmp_path / "c.sqlite", coins("close > 0", "fire: every bar", "intrabar: true")
    )

    async def scenario() -> None:
        await world.boot()
        for seconds in (400, 130, 77, 300, 20, 500):
            await world.go(seconds)
            world.live = LiveMarket(world.clock, COINS)
            await world.boot()
        await world.go(400)
        busy = [one for one in await world.signals() if one.instrument == BTC.id]
        starts = [one.bar_start for one in busy]
        assert starts == [starts[0] + place * FIVE for place in range(len(starts))]
        assert all(one.has_held is not False for one in busy)
        texts = await world.texts()
        assert len(texts) == len(set(texts))

    asyncio.run(scenario())
    world.close()
