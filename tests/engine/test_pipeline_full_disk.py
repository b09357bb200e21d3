"""A disk that is full for a while loses nothing and does nothing twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from market.errors import StoreFull
from tests.engine.pipeline_world import ORDER, condition
from tests.engine.traded_market import kst

if TYPE_CHECKING:
    from tests.engine.pipeline_world import Live, World


def test_full_disk_at_the_commit_loses_nothing(live: Live) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:01:00"), 120.0)
        await world.boot()
        await world.sweeps("09:00:02", "09:04:52")
        world.store.is_full = lambda number: True
        with pytest.raises(StoreFull):
            await world.sweep("09:05:02")
        assert (await world.fired(), await world.bars(), await world.texts()) == ([], [], [])
        assert world.desk.tickets == {}
        world.store.is_full = lambda number: False
        await world.sweep("09:05:12")
        await world.sweep("09:05:22")
        assert await world.fired() == ["005930 09:00"]
        assert len(await world.texts()) == len(world.desk.tickets) == 1

    live(scenario, condition("close > 110", *ORDER))


def test_full_disk_over_two_slots_loses_nothing(live: Live) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:01:00"), 120.0)
        world.market.trade(kst("09:06:00"), 100.0, 5.0)
        await world.boot()
        await world.sweeps("09:00:02", "09:00:52")
        world.store.is_full = lambda number: True
        for text in ("09:01:02", "09:02:02", "09:03:02", "09:04:02", "09:04:52"):
            await world.sweep(text)  # nothing is to be written while a bar forms
        for text in ("09:05:02", "09:06:02"):
            with pytest.raises(StoreFull):
                await world.sweep(text)
        world.store.is_full = lambda number: False
        await world.sweeps("09:06:12", "09:10:02")
        assert await world.fired() == ["005930 09:00"]
        assert await world.bars() == [("09:00", 120.0, 10.0), ("09:05", 100.0, 5.0)]

    live(scenario)


def test_slots_that_close_while_the_disk_is_full_keep_their_order(live: Live) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:01:00"), 120.0)
        world.market.trade(kst("09:06:00"), 100.0)
        world.market.trade(kst("09:11:00"), 121.0)
        await world.boot()
        await world.sweeps("09:00:02", "09:04:52")
        for text in ("09:05:02", "09:06:02", "09:07:02", "09:08:02", "09:09:02", "09:10:02"):
            world.store.is_full = lambda number: True
            with pytest.raises(StoreFull):
                await world.sweep(text)
        world.store.is_full = lambda number: False
        await world.sweeps("09:11:02", "09:15:02")
        assert await world.fired() == ["005930 09:00 late", "005930 09:10"]

    live(scenario)


def test_order_that_could_not_be_proposed_is_proposed_with_the_next_sweep(live: Live) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:01:00"), 120.0)
        await world.boot()
        await world.sweeps("09:00:02", "09:04:52")

        def full() -> None:
            raise StoreFull("the disk is full")

        world.desk.before = full
        with pytest.raises(StoreFull):
            await world.sweep("09:05:02")
        world.desk.before = lambda: None
        await world.sweep("09:05:12")
        assert len(world.desk.tickets) == 1
        assert await world.fired() == ["005930 09:00"]

    live(scenario, condition("close > 110", *ORDER))
