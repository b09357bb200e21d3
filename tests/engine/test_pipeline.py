"""A pipeline from sweep to signal, with outages, full disks and restarts."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from market.errors import SourceChanged, SourceUnavailable, StoreFull
from market.orders import Position
from market.types import Timeframe
from sandbox.market import Simulator
from tests.engine.pipeline_world import (
    CALENDAR,
    CHANNEL,
    DAY,
    HYNIX,
    NAVER,
    ORDER,
    OWNER,
    SAMSUNG,
    VIEWER,
    SimulatedMarket,
    World,
    condition,
    kst,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from conditions.compile import Condition

NO_ANSWER = SourceUnavailable("no answer")


Live: TypeAlias = "Callable[..., None]"


@pytest.fixture
def live(tmp_path: Path) -> Live:
    """Run a scenario in a world with these conditions."""

    def start(
        scenario: Callable[[World], Coroutine[Any, Any, None]], *conditions: Condition
    ) -> None:
        world = World(tmp_path / "ticktalk.sqlite", *conditions)
        try:
            asyncio.run(scenario(world))
        finally:
            world.close()

    return start


def quiet_morning(world: World, until: str = "15:19", price: float = 100.0) -> None:
    """Let both trade once a minute, well away from the minutes' ends."""
    at = kst("09:00:30")
    while at <= kst(until):
        for instrument in (SAMSUNG, HYNIX):
            world.market.trade(at, price, of=instrument)
        at += timedelta(minutes=1)


def all_but(kept: int) -> Callable[[int], bool]:
    """Return a full disk that takes one more write."""
    return lambda number: number != kept


# closing


def test_bar_closes_by_time_with_the_first_sweep_at_or_after_its_end(live: Live) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:01:00"), 120.0)
        await world.boot()
        await world.sweeps("09:00:02", "09:04:52")
        assert await world.fired() == []
        await world.sweep("09:05:00")
        assert await world.fired() == ["005930 09:00"]
        assert await world.bars() == [("09:00", 120.0, 10.0)]

    live(scenario)


def test_last_bar_closes_thirty_seconds_after_the_close(live: Live) -> None:
    async def scenario(world: World) -> None:
        quiet_morning(world)
        world.market.trade(kst("15:30:12"), 130.0)
        world.clock.move_to(kst("15:00"))
        await world.boot()
        await world.sweeps("15:00:02", "15:30:22")
        assert await world.fired() == []
        await world.sweep("15:30:30")
        assert await world.fired() == ["005930 15:25"]

    live(scenario)


def test_failed_sweep_closes_nothing(live: Live) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:01:00"), 120.0)
        await world.boot()
        await world.sweeps("09:00:02", "09:04:52")
        world.market.polling_error = NO_ANSWER
        await world.sweep("09:05:02")
        assert await world.bars() == []

    live(scenario)


# outages


def test_outage_over_slot_ends_is_repaired_in_order_and_told_late(live: Live) -> None:
    async def scenario(world: World) -> None:
        quiet_morning(world, "09:58")
        for text, price in (("10:03:40", 120.0), ("10:07:40", 100.0), ("10:13:40", 121.0)):
            world.market.trade(kst(text), price)
        world.clock.move_to(kst("09:50"))
        await world.boot()
        await world.sweeps("09:50:02", "10:03:32")
        world.market.polling_error = NO_ANSWER
        await world.sweeps("10:03:42", "10:17:32")
        world.market.polling_error = None
        await world.sweep("10:17:42")
        # 10:10 fires only because 10:05 was judged between the two and re-armed
        assert await world.fired() == ["005930 10:00 late", "005930 10:10 late"]

    live(scenario)


def test_outage_alerts_are_late_and_order_nothing(live: Live) -> None:
    async def scenario(world: World) -> None:
        quiet_morning(world, "10:04")
        world.market.trade(kst("10:07:00"), 120.0)
        world.market.trade(kst("10:11:00"), 100.0)
        world.clock.move_to(kst("09:50"))
        await world.boot()
        await world.sweeps("09:50:02", "10:03:32")
        world.market.polling_error = NO_ANSWER
        await world.sweeps("10:03:42", "10:14:32")
        world.market.polling_error = None
        await world.sweeps("10:14:42", "10:15:12")
        assert await world.fired() == ["005930 10:05 late"]
        assert world.desk.tickets == {}
        assert any(text.startswith("late alert") for text in await world.texts())

    live(scenario, condition("close > 110", *ORDER))


def test_repaired_slot_that_ended_just_now_is_not_late(live: Live) -> None:
    async def scenario(world: World) -> None:
        quiet_morning(world, "10:02")
        world.market.trade(kst("10:04:00"), 120.0)
        world.clock.move_to(kst("09:50"))
        await world.boot()
        await world.sweeps("09:50:02", "10:03:32")
        world.market.polling_error = NO_ANSWER
        await world.sweeps("10:03:42", "10:05:32")
        world.market.polling_error = None
        await world.sweep("10:05:42")
        assert await world.fired() == ["005930 10:00"]
        assert len(world.desk.tickets) == 1

    live(scenario, condition("close > 110", *ORDER))


def test_slot_in_which_an_outage_ends_comes_from_the_chart_too(live: Live) -> None:
    async def scenario(world: World) -> None:
        quiet_morning(world, "09:58")
        world.market.trade(kst("10:04:00"), 100.0, 50.0)  # seen only at 10:06, within the next slot
        world.market.trade(kst("10:05:30"), 100.0, 7.0)
        world.clock.move_to(kst("09:50"))
        await world.boot()
        await world.sweeps("09:50:02", "10:03:32")
        world.market.polling_error = NO_ANSWER
        await world.sweeps("10:03:42", "10:05:52")
        world.market.polling_error = None
        await world.sweeps("10:06:02", "10:10:02")
        assert (await world.bars())[-2:] == [("10:00", 100.0, 50.0), ("10:05", 100.0, 7.0)]

    live(scenario)


def test_short_outage_within_a_slot_asks_for_nothing(live: Live) -> None:
    async def scenario(world: World) -> None:
        quiet_morning(world, "10:20")
        world.clock.move_to(kst("09:50"))
        await world.boot()
        await world.sweeps("09:50:02", "10:01:02")
        world.market.asked.clear()
        world.market.polling_error = NO_ANSWER
        await world.sweeps("10:01:12", "10:03:42")
        world.market.polling_error = None
        await world.sweeps("10:03:52", "10:10:02")
        assert world.market.asked == []

    live(scenario)


@pytest.mark.parametrize("days", [1, 3])
def test_closed_hours_are_no_outage(live: Live, days: int) -> None:
    async def scenario(world: World) -> None:
        friday = DAY + timedelta(days=3)
        day = friday if days == 3 else DAY
        following = day + timedelta(days=days)
        for instrument in (SAMSUNG, HYNIX):
            for text in ("15:00:10", "15:12:00", "15:30:10"):
                world.market.trade(kst(text, day), 100.0, of=instrument)
            world.market.trade(kst("09:00:01", following), 100.0, of=instrument)
        world.clock.move_to(kst("15:00:01", day))
        await world.boot()
        await world.sweeps("15:00:02", "15:31:22", day)
        world.market.asked.clear()
        await world.sweeps("09:00:02", "09:06:02", following)
        assert world.market.asked == []

    live(scenario)


def test_outage_over_the_close_is_repaired_the_next_morning(live: Live) -> None:
    async def scenario(world: World) -> None:
        quiet_morning(world, "15:08")
        world.market.trade(kst("15:12:00"), 120.0)
        world.market.trade(kst("15:30:10"), 100.0, 99.0)
        following = DAY + timedelta(days=1)
        world.clock.move_to(kst("15:00"))
        await world.boot()
        await world.sweeps("15:00:02", "15:09:02")
        world.market.polling_error = NO_ANSWER
        await world.sweeps("15:09:12", "15:31:22")
        world.market.polling_error = None
        await world.sweep("09:00:02", following)
        assert await world.fired() == ["005930 15:10 late"]
        assert (await world.bars())[-1] == ("15:25", 100.0, 99.0)

    live(scenario)


def test_missed_closing_print_is_repaired(live: Live) -> None:
    async def scenario(world: World) -> None:
        quiet_morning(world)
        world.market.trade(kst("15:30:20"), 120.0, 99.0)
        world.clock.move_to(kst("15:00"))
        await world.boot()
        await world.sweeps("15:00:02", "15:30:12")
        await world.sweep("09:00:02", DAY + timedelta(days=1))
        assert (await world.bars())[-1] == ("15:25", 120.0, 99.0)

    live(scenario)


def test_instrument_whose_chart_fails_is_unknown_until_it_is_had(live: Live) -> None:
    async def scenario(world: World) -> None:
        quiet_morning(world, "10:03")
        world.market.trade(kst("10:07:00"), 120.0)
        world.market.trade(kst("10:07:00"), 120.0, of=HYNIX)
        world.clock.move_to(kst("09:50"))
        await world.boot()
        await world.sweeps("09:50:02", "10:03:32")
        world.market.polling_error = NO_ANSWER
        world.market.chart_errors[SAMSUNG.id] = SourceUnavailable("no chart")
        await world.sweeps("10:03:42", "10:10:02")
        world.market.polling_error = None
        world.market.trade(kst("10:17:00"), 100.0)
        await world.sweeps("10:10:12", "10:20:12")
        assert await world.fired() == ["000660 10:05"]
        series = world.pipeline.series[0]
        assert series.panel.missing[series.panel.row(SAMSUNG.id)]
        world.market.chart_errors.clear()
        await world.sweeps("10:20:22", "10:21:02")
        assert await world.fired() == ["000660 10:05", "005930 10:05 late"]
        assert not series.panel.missing.any()
        assert not series.panel.gap.any()
        assert [bar[0] for bar in await world.bars()][-3:] == ["10:00", "10:05", "10:15"]

    live(scenario)


def test_long_repair_of_many_does_not_look_like_an_outage(live: Live) -> None:
    async def scenario(world: World) -> None:
        quiet_morning(world, "10:20")
        world.clock.move_to(kst("09:50"))
        await world.boot()
        await world.sweeps("09:50:02", "10:04:32")
        world.market.polling_error = NO_ANSWER
        await world.sweeps("10:04:42", "10:06:02")
        world.market.polling_error = None
        await world.sweeps("10:06:12", "10:10:02")
        world.market.asked.clear()
        await world.sweeps("10:10:12", "10:15:12")
        assert world.market.asked == []

    live(scenario)


# verify before fire


def test_polled_bar_that_fires_without_the_exact_one_is_as_if_it_never_fired(live: Live) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:01:00"), 120.0)
        world.market.chart_prices[SAMSUNG.id, kst("09:01")] = 105.0
        world.market.trade(kst("09:06:00"), 121.0)
        await world.boot()
        await world.sweeps("09:00:02", "09:05:02")
        assert await world.fired() == []
        assert await world.texts() == []
        assert await world.bars() == [("09:00", 105.0, 10.0)]
        await world.sweeps("09:05:12", "09:10:02")
        assert await world.fired() == ["005930 09:05"]

    live(scenario)


def test_late_tick_does_not_undo_a_verified_bar(live: Live) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:01:00"), 120.0)
        world.market.chart_prices[SAMSUNG.id, kst("09:01")] = 115.0
        await world.boot()
        await world.sweeps("09:00:02", "09:05:02")
        world.market.trade(kst("09:04:59"), 130.0)  # the polling shows it late
        await world.sweeps("09:05:12", "09:10:02")
        assert (await world.bars())[0][1] == 115.0

    live(scenario)


def test_unverified_bar_waits_for_its_chart_and_then_fires(live: Live) -> None:
    async def scenario(world: World) -> None:
        quiet_morning(world, "09:03")
        world.market.trade(kst("09:04:00"), 120.0)
        world.market.trade(kst("09:04:00"), 120.0, of=HYNIX)
        world.market.trade(kst("09:06:00"), 100.0)
        await world.boot()
        await world.sweeps("09:00:02", "09:04:52")
        world.market.chart_errors[SAMSUNG.id] = SourceUnavailable("no chart")
        await world.sweep("09:05:02")
        assert await world.fired() == ["000660 09:00"]
        await world.sweep("09:05:12")
        world.market.chart_errors.clear()
        await world.sweeps("09:05:22", "09:05:42")
        assert await world.fired() == ["000660 09:00", "005930 09:00"]
        assert len(world.desk.tickets) == 2

    live(scenario, condition("close > 110", *ORDER))


def test_unverified_bar_survives_a_restart(live: Live) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:04:00"), 120.0)
        world.market.trade(kst("09:04:00"), 100.0, of=HYNIX)
        await world.boot()
        await world.sweeps("09:00:02", "09:04:52")
        world.market.chart_errors[SAMSUNG.id] = SourceUnavailable("no chart")
        await world.sweep("09:05:02")
        await world.boot()
        world.market.chart_errors.clear()
        await world.sweeps("09:05:12", "09:06:12")
        assert await world.fired() == ["005930 09:00"]

    live(scenario)


def test_chart_that_lags_is_asked_again(live: Live) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:04:00"), 120.0)
        world.market.chart_ends = kst("09:04:00")
        await world.boot()
        await world.sweeps("09:00:02", "09:05:02")
        world.market.chart_ends = None
        await world.sweeps("09:05:12", "09:05:42")
        assert await world.fired() == ["005930 09:00"]

    live(scenario)


def test_trade_that_the_chart_never_shows_does_not_hold_back_what_follows(live: Live) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:04:00"), 120.0)
        world.market.chart_ends = kst("09:04:00")
        await world.boot()
        await world.sweeps("09:00:02", "09:06:42")
        world.market.chart_ends = None
        world.market.trades[SAMSUNG.id].clear()
        world.market.trade(kst("09:08:00"), 130.0, 50.0)
        await world.sweeps("09:06:52", "09:10:02")
        assert await world.fired() == ["005930 09:05"]

    live(scenario)


# one transaction


def test_full_disk_at_the_commit_loses_nothing(live: Live) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:01:00"), 120.0)
        await world.boot()
        await world.sweeps("09:00:02", "09:04:52")
        world.store.is_full = all_but(world.store.writes)  # the ticks are written, the slot is not
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


def test_full_disk_for_ticks_loses_nothing(live: Live) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:01:00"), 120.0)
        world.market.trade(kst("09:06:00"), 100.0, 5.0)
        await world.boot()
        await world.sweeps("09:00:02", "09:00:52")
        world.store.is_full = lambda number: True
        for text in ("09:01:02", "09:04:52", "09:05:02", "09:06:02"):
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
            world.store.is_full = all_but(world.store.writes)  # the ticks are written
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


# start and restart


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


# people


def test_alert_goes_to_the_channel_and_to_everybody(live: Live) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:01:00"), 120.0)
        await world.boot()
        await world.store.write(lambda tx: tx.people.put(VIEWER, world.clock.now()))
        await world.sweeps("09:00:02", "09:05:02")
        for chat in (CHANNEL, OWNER.id, VIEWER.id):
            assert len(await world.texts(chat)) == 1

    live(scenario)


def test_channel_gets_alerts_of_a_bot_that_nobody_has_claimed(live: Live) -> None:
    async def scenario(world: World) -> None:
        world.is_claimed = False
        world.market.trade(kst("09:01:00"), 120.0)
        await world.boot()
        await world.sweeps("09:00:02", "09:05:02")
        assert len(await world.texts(CHANNEL)) == 1
        assert world.desk.tickets == {}

    live(scenario, condition("close > 110", *ORDER))


# health


def test_count_that_fell_concerns_its_instrument_only(live: Live) -> None:
    async def scenario(world: World) -> None:
        quiet_morning(world, "09:20")
        await world.boot()
        await world.sweeps("09:00:02", "09:06:02")
        world.market.lower_counts[SAMSUNG.id] = 60.0
        await world.sweeps("09:06:12", "09:10:02")
        assert world.pipeline.health.state == "ok"
        assert await world.texts() == ["notice source.contradicted"]
        assert (await world.bars())[-1] == ("09:05", 100.0, 50.0)
        assert (await world.bars(HYNIX))[-1] == ("09:05", 100.0, 50.0)

    live(scenario)


def test_changed_page_is_told_at_once_and_its_end_once(live: Live) -> None:
    async def scenario(world: World) -> None:
        await world.boot()
        world.market.polling_error = SourceChanged("other page")
        await world.sweeps("09:00:02", "09:00:42")
        world.market.polling_error = None
        await world.sweeps("09:00:52", "09:01:12")
        assert await world.texts() == ["notice source.changed", "notice source.back"]

    live(scenario)


# others


def test_instrument_that_is_held_is_crawled_without_disturbing_the_series(live: Live) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:01:00"), 120.0)
        world.market.trade(kst("09:01:00"), 120.0, of=NAVER)
        await world.boot()
        held = Position(NAVER.id, Decimal(3), Decimal(100))
        await world.store.write(lambda tx: tx.orders.put_position(held))
        await world.sweeps("09:00:02", "09:05:02")
        assert world.market.swept[-1] == (SAMSUNG.id, HYNIX.id, NAVER.id)
        assert await world.fired() == ["005930 09:00"]
        assert await world.bars(NAVER) == []

    live(scenario)


def test_signals_of_the_pretend_exchange_are_told_on_its_own_bars(live: Live) -> None:
    async def scenario(world: World) -> None:
        simulator = Simulator([SAMSUNG, HYNIX, NAVER], CALENDAR, 3)
        world.market = SimulatedMarket(simulator, world.clock)
        world.clock.move_to(kst("10:00"))
        await world.boot()
        await world.sweeps("10:00:02", "11:30:02")
        signals = await world.signals()
        assert len(signals) > 3
        for signal in signals:
            end = signal.bar_start + timedelta(minutes=5)
            minutes = await world.market.bars(signal.instrument, signal.bar_start, end)
            assert signal.snapshot.volume[-1] == sum(bar.volume for bar in minutes)
            assert signal.snapshot.high[-1] == max(bar.high for bar in minutes)
            assert signal.price == minutes[-1].close

    busy = f"[{SAMSUNG.id}, {HYNIX.id}, {NAVER.id}]"
    live(scenario, condition("volume > 1.2 * sma(volume, 20)", universe=busy))


def test_crawled_bars_are_nearly_those_of_the_pretend_exchange(live: Live) -> None:
    async def scenario(world: World) -> None:
        simulator = Simulator([SAMSUNG, HYNIX], CALENDAR, 3, bursts=False)
        world.market = SimulatedMarket(simulator, world.clock)
        await world.boot()
        await world.sweeps("09:00:02", "09:30:02")
        exact = await world.market.bars(SAMSUNG.id, kst("09:00"), kst("09:30"))
        today = await world.store.read(
            lambda tx: tx.bars.between(SAMSUNG.id, Timeframe.M5, kst("09:00"), kst("09:30"))
        )
        assert len(today) == 6
        assert sum(bar.volume for bar in today) == sum(bar.volume for bar in exact)

    live(scenario, condition("close < 0 * close"))


def test_sweeps_do_not_overlap(live: Live) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:01:00"), 120.0)
        await world.boot()
        await world.sweeps("09:00:02", "09:04:52")
        world.clock.move_to(kst("09:05:02"))
        await asyncio.gather(*(world.pipeline.crawl() for _ in range(3)))
        assert await world.fired() == ["005930 09:00"]

    live(scenario)
