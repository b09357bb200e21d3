"""A pipeline from sweep to signal: closing, verifying, telling."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from market.errors import SourceChanged, SourceUnavailable
from market.orders import Position
from market.types import Timeframe, Venue
from sandbox.market import Simulator
from tests.engine.pipeline_world import CHANNEL, ORDER, OWNER, VIEWER, condition, quiet_morning
from tests.engine.traded_market import CALENDAR, HYNIX, NAVER, SAMSUNG, SimulatedMarket, kst

if TYPE_CHECKING:
    from tests.engine.pipeline_world import Live, World


NO_ANSWER = SourceUnavailable("no answer")


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


def test_count_that_fell_concerns_its_instrument_only(live: Live) -> None:
    async def scenario(world: World) -> None:
        quiet_morning(world, "09:20")
        await world.boot()
        await world.sweeps("09:00:02", "09:06:02")
        world.market.lower_counts[SAMSUNG.id] = 60.0
        await world.sweeps("09:06:12", "09:10:02")
        assert world.pipeline.health(Venue.KRX).state == "ok"
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


def test_the_fact_of_a_sweep_leaves_the_time_of_its_line_alone(live: Live) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:01:00"), 120.0)
        await world.boot()
        await world.sweep("09:02:02")
        assert world.events.facts("ticks")[-1] == {"count": 1, "seen_at": kst("09:02:02")}

    live(scenario)
