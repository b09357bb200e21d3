"""What was not watched is repaired in order, or unknown until it is."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from market.errors import SourceUnavailable
from tests.engine.pipeline_world import ORDER, condition, quiet_morning
from tests.engine.traded_market import DAY, HYNIX, SAMSUNG, kst

if TYPE_CHECKING:
    from tests.engine.pipeline_world import Live, World


NO_ANSWER = SourceUnavailable("no answer")


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


def test_instrument_that_the_polling_leaves_out_over_a_slots_end_is_repaired(live: Live) -> None:
    async def scenario(world: World) -> None:
        quiet_morning(world, "10:02")
        world.market.trade(kst("10:04:30"), 120.0, 7.0)
        world.market.trade(kst("10:06:10"), 100.0, 5.0)
        world.clock.move_to(kst("09:50"))
        await world.boot()
        await world.sweeps("09:50:02", "10:04:02")
        world.market.hidden = {SAMSUNG.id}
        await world.sweeps("10:04:12", "10:06:02")
        world.market.hidden = set()
        await world.sweeps("10:06:12", "10:10:02")
        assert (await world.bars())[-2:] == [("10:00", 120.0, 27.0), ("10:05", 100.0, 5.0)]

    live(scenario)
