"""Coins that were recorded as their candles formed, played again: the same signals and bars."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from crawlers.replay import RecordedLiveSource, recorded_sources
from engine.chain import Chain, Named
from engine.sources import Sources
from market.clock import ManualClock
from market.errors import SourceUnavailable
from market.record import RawRecord
from market.sessions import AlwaysOpen
from market.types import Timeframe, Venue
from tests.engine.live_market import BTC, START, XRP
from tests.engine.test_live_pipeline import CoinWorld, coins

if TYPE_CHECKING:
    from pathlib import Path

    from market.signals import Signal
    from market.types import Bar

CALENDARS = {Venue.UPBIT: AlwaysOpen()}
RULE = coins("close > open", "fire: every bar", name="up")


class RecordedWorld(CoinWorld):
    """Live coins whose every answer is recorded."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "live.sqlite", RULE)
        self.record = RawRecord(folder / "record", self.clock, 100, flush_seconds=0)

    def sources(self) -> Sources:
        return Sources({Venue.UPBIT: Chain([Named("upbit", self.live)])}, self.clock, self.record)


class PlayedWorld(CoinWorld):
    """The same pipeline on what was recorded."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "played.sqlite", RULE)
        self.clock = ManualClock(START)
        told = recorded_sources(folder / "record", self.clock, CALENDARS, Venue.UPBIT)
        [(self.name, source)] = told.items()
        assert isinstance(source, RecordedLiveSource)
        self.played = source

    def sources(self) -> Sources:
        return Sources({Venue.UPBIT: Chain([Named(self.name, self.played)])}, self.clock)


async def came_to(world: CoinWorld) -> tuple[list[Signal], list[Bar]]:
    kept = await world.store.read(lambda tx: tx.bars.last(BTC.id, Timeframe.M5, 1000))
    kept += await world.store.read(lambda tx: tx.bars.last(XRP.id, Timeframe.M5, 1000))
    return await world.signals(), kept


async def live(folder: Path) -> tuple[list[Signal], list[Bar]]:
    """Run for an hour with a minute and a half of silence in it."""
    world = RecordedWorld(folder)
    await world.boot()
    await world.go(1500)
    world.live.error = SourceUnavailable("silent")
    await world.go(90)
    world.live.error = None
    await world.go(2010)
    found = await came_to(world)
    world.close()
    world.record.close()
    return found


async def played(folder: Path) -> tuple[list[Signal], list[Bar]]:
    """Play the hour from one recorded answer to the next."""
    world = PlayedWorld(folder)
    world.clock.move_to(world.played.tape.began)
    await world.boot()
    for at in world.played.tape.steps(Venue.UPBIT):
        world.clock.move_to(at)
        await world.pipeline.crawl(Venue.UPBIT)
    found = await came_to(world)
    world.close()
    return found


def test_an_hour_of_coins_fires_the_same_again(tmp_path: Path) -> None:
    signals, bars = asyncio.run(live(tmp_path))
    assert len(signals) >= 5
    assert asyncio.run(played(tmp_path)) == (signals, bars)


def test_answers_come_every_two_seconds(tmp_path: Path) -> None:
    asyncio.run(live(tmp_path))
    steps = PlayedWorld(tmp_path).played.tape.steps(Venue.UPBIT)
    assert {later - earlier for earlier, later in pairwise(steps)} == {timedelta(seconds=2)}
