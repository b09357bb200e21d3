"""Starts and restarts, with other conditions and universes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.engine.pipeline_world import ORDER, condition, quiet_morning
from tests.engine.traded_market import DAY, HYNIX, NAVER, SAMSUNG, kst

if TYPE_CHECKING:
    from tests.engine.pipeline_world import Live, World


def test_first_start_judges_nothing_of_the_past(live: Live) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:01:00"), 120.0)
        world.market.trade(kst("09:06:00"), 120.0)
        world.clock.move_to(kst("09:07"))
        await world.boot()
        assert await world.fired() == []
        await world.sweeps("09:07:02", "09:10:02")
        assert await world.fired() == ["005930 09:05"]

    live(scenario)


def test_restart_judges_what_was_missed(live: Live) -> None:
    async def scenario(world: World) -> None:
        quiet_morning(world, "09:58")
        world.market.trade(kst("10:06:00"), 120.0)
        world.market.trade(kst("10:11:00"), 100.0)
        world.market.trade(kst("10:16:00"), 120.0)
        await world.boot()
        await world.sweeps("09:00:02", "10:00:02")
        world.clock.move_to(kst("10:20:30"))
        await world.boot()
        assert await world.fired() == ["005930 10:05 late", "005930 10:15"]

    live(scenario)


def test_slot_that_ends_between_a_restart_and_its_first_sweep_is_not_lost(live: Live) -> None:
    async def scenario(world: World) -> None:
        quiet_morning(world, "09:58")
        world.market.trade(kst("10:03:00"), 120.0)
        await world.boot()
        await world.sweeps("09:00:02", "10:04:42")
        world.clock.move_to(kst("10:04:55"))
        await world.boot()
        world.market.trade(kst("10:05:03"), 100.0)
        await world.sweeps("10:05:12", "10:05:22")
        assert await world.fired() == ["005930 10:00"]

    live(scenario)


def test_trades_before_a_restart_within_the_slot_count(live: Live) -> None:
    async def scenario(world: World) -> None:
        quiet_morning(world, "09:58")
        world.market.trade(kst("10:01:00"), 120.0, 33.0)
        await world.boot()
        await world.sweeps("09:00:02", "10:01:32")
        await world.boot()
        await world.sweeps("10:01:42", "10:05:02")
        assert (await world.bars())[-1] == ("10:00", 120.0, 33.0)
        assert await world.fired() == ["005930 10:00"]

    live(scenario)


def test_restart_after_longer_than_the_history_reaches(live: Live) -> None:
    async def scenario(world: World) -> None:
        quiet_morning(world, "09:58")
        world.depth = 20
        much_later = DAY + timedelta(days=20)
        world.market.trade(kst("09:30:00", much_later), 120.0)
        await world.boot()
        await world.sweeps("09:00:02", "10:00:02")
        world.clock.move_to(kst("10:00", much_later))
        await world.boot()
        panel = world.pipeline.series[0].panel
        assert await world.fired() == ["005930 09:30 late"]
        assert panel.gap[panel.row(SAMSUNG.id), -1]

    live(scenario)


def test_instrument_that_joins_a_universe_gets_its_history(live: Live) -> None:
    async def scenario(world: World) -> None:
        quiet_morning(world, "09:58")
        for minute in range(55):
            world.market.trade(kst(f"09:{minute:02}:30"), 100.0, of=NAVER)
        await world.boot()
        await world.sweeps("09:00:02", "10:00:02")
        everyone = f"[{SAMSUNG.id}, {HYNIX.id}, {NAVER.id}]"
        world.conditions = (condition(universe=everyone),)
        await world.boot()
        panel = world.pipeline.series[0].panel
        assert panel.counts[panel.row(NAVER.id)] == 11
        assert [bar[0] for bar in await world.bars(NAVER)][:2] == ["09:00", "09:05"]

    live(scenario)


def test_instrument_that_comes_back_to_a_universe_has_no_hole(live: Live) -> None:
    async def scenario(world: World) -> None:
        quiet_morning(world, "11:00")
        await world.boot()
        await world.sweeps("09:00:02", "09:30:02")
        world.conditions = (condition(universe=f"[{HYNIX.id}]"),)
        await world.boot()
        await world.sweeps("09:30:12", "10:30:02")
        world.conditions = (condition(),)
        await world.boot()
        panel = world.pipeline.series[0].panel
        assert panel.counts[panel.row(SAMSUNG.id)] == 18

    live(scenario)


def test_condition_of_another_version_starts_fresh(live: Live) -> None:
    async def scenario(world: World) -> None:
        quiet_morning(world, "09:58", 120.0)
        await world.boot()
        await world.sweeps("09:00:02", "09:10:02")
        assert await world.fired() == ["005930 09:00", "000660 09:00"]
        world.conditions = (condition("close > 111"),)
        await world.boot()
        await world.sweeps("09:10:12", "09:15:02")
        assert (await world.fired())[2:] == ["005930 09:10", "000660 09:10"]

    live(scenario)


def test_leftovers_of_a_removed_condition_do_no_harm(live: Live) -> None:
    async def scenario(world: World) -> None:
        quiet_morning(world, "09:58", 120.0)
        await world.boot()
        await world.sweeps("09:00:02", "09:05:02")
        assert len(world.desk.tickets) == 2
        world.desk.tickets.clear()
        world.conditions = (condition("close > 500", name="other"),)
        await world.boot()
        await world.sweeps("09:05:12", "09:10:02")
        assert len(await world.fired()) == 2
        assert world.desk.tickets == {}

    live(scenario, condition("close > 110", *ORDER))
