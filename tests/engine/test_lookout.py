"""A pipeline over two sources: one stands in for the other, and neither is believed blindly."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from engine.chain import Chain, Named
from engine.sources import Sources
from market.errors import SourceChanged, SourceUnavailable
from market.types import Instrument, Venue
from tests.engine.pipeline_world import OWNER, World, condition, moments
from tests.engine.traded_market import HYNIX, SAMSUNG, TradedMarket, kst

if TYPE_CHECKING:
    from pathlib import Path

DOWN = SourceUnavailable("no answer")
MANY = [Instrument(Venue.KRX, f"00000{one}", f"Company {one}", "KOSPI") for one in range(6)]
EVERYBODY = "[" + ", ".join(one.id for one in MANY) + "]"


class Pair(World):
    """A world whose market is shown by two sources, `naver` first."""

    def __init__(self, path: Path, universe: str = "", start: str = "08:30") -> None:
        super().__init__(path, condition(universe=universe or f"[{SAMSUNG.id}]"), start=kst(start))
        self.second = TradedMarket(self.clock)
        self.second.trades = self.market.trades

    def sources(self) -> Sources:
        chain = Chain([Named("naver", self.market), Named("kis", self.second)])
        return Sources({Venue.KRX: chain}, self.clock)

    def troubles(self) -> list[str]:
        return [one.code for one in self.pipeline.health(Venue.KRX).troubles]


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path / "pair.sqlite")


def test_the_second_source_feeds_the_bars_until_the_first_is_back(pair: Pair) -> None:
    async def scenario() -> None:
        pair.market.trade(kst("09:01:00"), 120.0)
        await pair.boot()
        await pair.sweeps("09:00:02", "09:02:02")
        pair.market.polling_error = DOWN
        pair.market.trade(kst("09:03:00"), 125.0, 30.0)
        await pair.sweeps("09:02:12", "09:04:52")
        assert pair.pipeline.health(Venue.KRX).state == "ok"
        assert pair.pipeline.health(Venue.KRX).source == "kis"
        assert pair.troubles() == ["stands_in"]
        pair.market.polling_error = None
        await pair.sweeps("09:05:02", "09:10:02")
        assert pair.pipeline.health(Venue.KRX).source == "naver"
        assert await pair.bars() == [("09:00", 125.0, 40.0)]
        assert await pair.fired() == ["005930 09:00"]
        told = [text for text in await pair.texts() if text.startswith("notice")]
        assert told == ["notice source.stands_in", "notice source.stands_in.over"]

    asyncio.run(scenario())
    pair.close()


def test_when_both_fail_the_outage_is_told_after_a_while(pair: Pair) -> None:
    async def scenario() -> None:
        await pair.boot()
        pair.market.polling_error = pair.second.polling_error = DOWN
        await pair.sweeps("09:00:02", "09:05:02")
        assert pair.pipeline.health(Venue.KRX).state == "unavailable"
        assert await pair.texts() == ["notice source.down"]

    asyncio.run(scenario())
    pair.close()


def test_a_second_source_that_lags_behind_contradicts_nothing(pair: Pair) -> None:
    async def scenario() -> None:
        pair.market.trade(kst("09:01:00"), 120.0, 50.0)
        await pair.boot()
        await pair.sweeps("09:00:02", "09:02:02")
        pair.market.polling_error = DOWN
        pair.second.lower_counts = {SAMSUNG.id: 20.0}
        await pair.sweeps("09:02:12", "09:02:42")
        pair.second.lower_counts = {}
        pair.market.trade(kst("09:04:00"), 121.0, 5.0)
        await pair.sweeps("09:02:52", "09:05:02")
        assert await pair.bars() == [("09:00", 121.0, 55.0)]
        assert "notice source.contradicted" not in await pair.texts()

    asyncio.run(scenario())
    pair.close()


def test_a_second_source_that_stays_lower_is_a_contradiction(pair: Pair) -> None:
    async def scenario() -> None:
        pair.market.trade(kst("09:01:00"), 120.0, 50.0)
        await pair.boot()
        await pair.sweeps("09:00:02", "09:02:02")
        pair.market.polling_error = DOWN
        pair.second.lower_counts = {SAMSUNG.id: 20.0}
        await pair.sweeps("09:02:12", "09:05:02")
        assert "notice source.contradicted" in await pair.texts()
        assert await pair.fired() == ["005930 09:00"], "the chart has told"

    asyncio.run(scenario())
    pair.close()


def everybody_trades(world: Pair, start: str, end: str) -> None:
    for at in moments(kst(start), kst(end)):
        for one in MANY:
            world.market.trade(at, 100.0, of=one)


def test_a_source_that_stands_still_is_replaced_and_told(tmp_path: Path) -> None:
    pair = Pair(tmp_path / "still.sqlite", EVERYBODY)

    async def scenario() -> None:
        everybody_trades(pair, "09:00:00", "09:20:00")
        await pair.boot()
        await pair.sweeps("09:00:02", "09:05:02")
        frozen = await pair.market.ticks([one.id for one in MANY])
        shown = pair.market.ticks

        async def stand_still(_: object) -> object:
            return frozen

        pair.market.ticks = stand_still
        await pair.sweeps("09:05:12", "09:07:02")
        assert pair.pipeline.health(Venue.KRX).source == "naver"
        await pair.sweeps("09:07:12", "09:08:02")
        assert pair.pipeline.health(Venue.KRX).source == "kis"
        told = await pair.texts()
        assert told.count("notice source.stalled") == 1
        pair.market.ticks = shown
        await pair.sweeps("09:08:12", "09:15:02")
        assert pair.pipeline.health(Venue.KRX).source == "naver"
        assert pair.troubles() == []
        bars = await pair.bars(MANY[0])
        assert [one[0] for one in bars] == ["09:00", "09:05", "09:10"]
        assert [one[2] for one in bars] == [300.0, 300.0, 300.0]

    asyncio.run(scenario())
    pair.close()


def test_without_a_second_source_a_stall_makes_what_it_hides_unknown(tmp_path: Path) -> None:
    world = World(tmp_path / "alone.sqlite", condition(universe=EVERYBODY), start=kst("08:30"))

    async def scenario() -> None:
        for at in moments(kst("09:00:00"), kst("09:20:00")):
            for one in MANY:
                world.market.trade(at, 100.0, of=one)
        await world.boot()
        await world.sweeps("09:00:02", "09:04:02")
        frozen = await world.market.ticks([one.id for one in MANY])
        shown, world.market.ticks = world.market.ticks, None

        async def stand_still(_: object) -> object:
            return frozen

        world.market.ticks = stand_still
        await world.sweeps("09:04:12", "09:08:02")
        assert world.pipeline.health(Venue.KRX).state == "unavailable"
        world.market.ticks = shown
        await world.sweeps("09:08:12", "09:10:42")
        assert [one[2] for one in await world.bars(MANY[0])] == [300.0, 300.0], "the chart told"

    asyncio.run(scenario())
    world.close()


def test_an_instrument_nobody_shows_is_told_after_ten_minutes(tmp_path: Path) -> None:
    pair = Pair(tmp_path / "hidden.sqlite", f"[{SAMSUNG.id}, {HYNIX.id}]")

    async def scenario() -> None:
        pair.market.trade(kst("09:00:01"), 120.0)
        await pair.boot()
        pair.market.hidden = pair.second.hidden = {HYNIX.id}
        await pair.sweeps("09:00:02", "09:09:52")
        assert pair.troubles() == ["partial"]
        assert "notice source.partial" not in await pair.texts()
        await pair.sweeps("09:10:02", "09:11:02")
        assert (await pair.texts()).count("notice source.partial") == 1

    asyncio.run(scenario())
    pair.close()


def test_a_page_that_changed_is_told_even_while_another_stands_in(pair: Pair) -> None:
    async def scenario() -> None:
        pair.market.trade(kst("09:00:01"), 120.0)
        await pair.boot()
        pair.market.polling_error = SourceChanged("other page")
        await pair.sweeps("09:00:02", "09:00:22")
        (trouble,) = pair.pipeline.health(Venue.KRX).troubles
        assert (trouble.code, trouble.facts["error"]) == ("stands_in", "other page")
        assert trouble.facts["wanted"] == "naver"
        assert (await pair.texts(OWNER.id)) == ["notice source.stands_in"]

    asyncio.run(scenario())
    pair.close()
