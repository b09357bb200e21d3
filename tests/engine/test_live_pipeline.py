"""Live candles through the pipeline: bars, signals, outages, and two venues side by side."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from conditions.compile import compile_condition
from config.condition_reader import parse_condition
from engine.chain import Chain, Named
from engine.sources import Sources
from market.bars import aggregate
from market.directory import Directory
from market.errors import SourceUnavailable
from market.sessions import AlwaysOpen
from market.types import Timeframe, Venue, to_ms
from sandbox.coin_trades import Coin
from tests.engine.live_market import BTC, START, XRP, LiveMarket
from tests.engine.pipeline_world import World, condition
from tests.engine.traded_market import CALENDAR, SAMSUNG, TradedMarket

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from conditions.compile import Condition
    from market.types import Bar, InstrumentId

COINS = (
    Coin("KRW-BTC", 90_000_000, 1000, trades_per_minute=30),
    Coin("KRW-XRP", 3_000, 1, trades_per_minute=0.7),
)
DOWN = SourceUnavailable("no answer")
EVERY_BAR = ("fire: every bar",)


def coins(when: str, *lines: str, name: str = "coin") -> Condition:
    text = [f"name: {name}", f"universe: [{BTC.id}, {XRP.id}]", "timeframe: 5m", f"when: '{when}'"]
    return compile_condition(parse_condition("\n".join([*text, *lines]) + "\n", f"{name}.yaml"))


class CoinWorld(World):
    """A pipeline on live coins, and on KRX beside them."""

    def __init__(self, path: Path, *conditions: Condition) -> None:
        super().__init__(path, *conditions, start=START + timedelta(minutes=2, seconds=7))
        self.calendars = {Venue.UPBIT: AlwaysOpen(), Venue.KRX: CALENDAR}
        self.live = LiveMarket(self.clock, COINS)
        self.market = TradedMarket(self.clock)
        self.directory = Directory([BTC, XRP, SAMSUNG])
        self.depth = 60

    def sources(self) -> Sources:
        chains = {
            Venue.UPBIT: Chain([Named("upbit", self.live)]),
            Venue.KRX: Chain([Named("naver", self.market)]),
        }
        return Sources(chains, self.clock)

    async def go(self, seconds: float, every: float = 2.0) -> None:
        """Sweep the coins for so long."""
        end = self.clock.now() + timedelta(seconds=seconds)
        while self.clock.now() < end:
            self.clock.advance(timedelta(seconds=every))
            await self.pipeline.crawl(Venue.UPBIT)

    def venue_bars(self, name: InstrumentId, start: datetime, end: datetime) -> list[Bar]:
        minutes = asyncio.run(self.live.bars(name, start, end))
        return aggregate(minutes, Timeframe.M5, AlwaysOpen())

    async def kept(self, name: InstrumentId) -> list[Bar]:
        return await self.store.read(lambda tx: tx.bars.last(name, Timeframe.M5, 1000))


@pytest.fixture
def world(tmp_path: Path) -> CoinWorld:
    return CoinWorld(tmp_path / "coins.sqlite", coins("close > 0", *EVERY_BAR))


def figures(bars: Sequence[Bar]) -> list[tuple[object, ...]]:
    return [(one.start, one.open, one.high, one.low, one.close, one.volume) for one in bars]


def test_every_stored_bar_is_the_venues_own(world: CoinWorld) -> None:
    async def scenario() -> dict[InstrumentId, list[Bar]]:
        await world.boot()
        await world.go(3600)
        return {name: await world.kept(name) for name in (BTC.id, XRP.id)}

    kept = asyncio.run(scenario())
    for name, bars in kept.items():
        start, end = bars[0].start, bars[-1].start + timedelta(minutes=5)
        assert len(bars) >= 60
        assert figures(bars) == figures(world.venue_bars(name, start, end))
    world.close()


def test_a_condition_fires_within_seconds_of_the_end_of_the_bar(world: CoinWorld) -> None:
    async def scenario() -> None:
        await world.boot()
        await world.go(900)
        signals = [one for one in await world.signals() if one.instrument == BTC.id]
        assert len(signals) >= 3
        for one in signals:
            late = one.fired_at - one.bar_start - timedelta(minutes=5)
            assert timedelta(0) <= late <= timedelta(seconds=5)
            assert not one.is_late

    asyncio.run(scenario())
    world.close()


def test_the_slot_of_the_start_comes_whole_from_the_chart(world: CoinWorld) -> None:
    async def scenario() -> None:
        await world.boot()
        await world.go(240)
        first = next(one for one in await world.signals() if one.instrument == BTC.id)
        assert first.bar_start == START
        assert not await world.pipeline.crawl(Venue.KRX)

    asyncio.run(scenario())
    bars = asyncio.run(_reopened(world))
    venue = world.venue_bars(BTC.id, START, START + timedelta(minutes=5))
    assert figures([one for one in bars if one.start == START]) == figures(venue)
    world.close()


async def _reopened(world: CoinWorld) -> list[Bar]:
    return await world.kept(BTC.id)


def test_an_outage_loses_nothing_and_judges_every_bar_in_order(world: CoinWorld) -> None:
    async def scenario() -> None:
        await world.boot()
        await world.go(600)
        world.live.error = DOWN
        await world.go(1200)
        assert world.pipeline.health(Venue.UPBIT).state == "unavailable"
        world.live.error = None
        await world.go(300)
        starts = [to_ms(one.bar_start) for one in await world.signals() if one.instrument == BTC.id]
        assert starts == sorted(starts)
        steps = {later - one for one, later in pairwise(starts)}
        assert steps == {300_000}
        late = [one for one in await world.signals() if one.is_late]
        assert late, "bars of the outage are stamped late"

    asyncio.run(scenario())
    world.close()


def test_a_restart_goes_on_where_it_stood(world: CoinWorld) -> None:
    async def scenario() -> None:
        await world.boot()
        await world.go(900)
        world.live = LiveMarket(world.clock, COINS)
        world.clock.advance(timedelta(minutes=7))
        await world.boot()
        await world.go(600)
        starts = [to_ms(one.bar_start) for one in await world.signals() if one.instrument == BTC.id]
        assert len(starts) == len(set(starts))
        steps = {later - one for one, later in pairwise(starts)}
        assert steps == {300_000}

    asyncio.run(scenario())
    world.close()


def test_a_venue_that_is_down_keeps_no_other_waiting(tmp_path: Path) -> None:
    both = (coins("close > 0", *EVERY_BAR), condition(universe=f"[{SAMSUNG.id}]"))
    world = CoinWorld(tmp_path / "both.sqlite", *both)

    async def scenario() -> None:
        world.market.chart_errors = {SAMSUNG.id: DOWN}
        world.market.polling_error = DOWN
        await world.boot()
        await world.go(700)
        assert world.pipeline.health(Venue.UPBIT).state == "ok"
        assert len([one for one in await world.signals() if one.instrument == BTC.id]) >= 2
        assert await world.pipeline.crawl(Venue.KRX) == 0
        assert world.pipeline.health(Venue.KRX).state == "unavailable"

    asyncio.run(scenario())
    world.close()


def test_a_slow_sweep_of_one_venue_does_not_block_the_other(tmp_path: Path) -> None:
    both = (coins("close > 0", *EVERY_BAR), condition(universe=f"[{SAMSUNG.id}]"))
    world = CoinWorld(tmp_path / "slow.sqlite", *both)

    async def scenario() -> None:
        await world.boot()
        hangs, goes_on = asyncio.Event(), asyncio.Event()

        async def slow(_: object) -> list[object]:
            hangs.set()
            await goes_on.wait()
            return []

        world.market.ticks = slow
        sweep = asyncio.create_task(world.pipeline.crawl(Venue.KRX))
        await hangs.wait()
        await world.go(400)
        assert world.pipeline.health(Venue.UPBIT).state == "ok"
        assert not sweep.done()
        goes_on.set()
        await sweep

    asyncio.run(scenario())
    world.close()


def test_prices_of_live_coins_are_quotes(world: CoinWorld) -> None:
    async def scenario() -> None:
        await world.boot()
        await world.go(60)
        quote = world.pipeline._parts.quotes.last(BTC.id)
        assert quote is not None
        assert world.clock.now() - quote.at < timedelta(seconds=30)
        (newest,) = world.live.candles(BTC.id, quote.at - timedelta(seconds=60), quote.at)[-1:]
        assert quote.price == newest.close

    asyncio.run(scenario())
    world.close()
