"""Conditions are exchanged while sweeps go on: who stays goes on, who joins begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conditions.compile import compile_condition
from config.condition_reader import parse_condition
from market.errors import SourceUnavailable, StoreFull
from market.signals import Phase
from market.types import to_ms
from tests.engine.pipeline_world import ORDER, World, condition
from tests.engine.traded_market import HYNIX, NAVER, SAMSUNG, kst

if TYPE_CHECKING:
    from conditions.compile import Condition
    from engine.series import Series, Watch
    from tests.engine.pipeline_world import Live as Morning

BOTH = f"[{SAMSUNG.id}, {HYNIX.id}]"
ALL = f"[{SAMSUNG.id}, {HYNIX.id}, {NAVER.id}]"


def series(world: World) -> Series:
    (only,) = world.pipeline.series
    return only


def watch(world: World, name: str = "high") -> Watch:
    return next(one for one in series(world).watches if one.condition.name == name)


def phase(world: World, of: str = SAMSUNG.id, name: str = "high") -> Phase:
    states = watch(world, name).states
    return Phase(int(states.phase[series(world).panel.row(of)]))


def test_new_words_change_nothing_but_the_words(morning: Morning) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:54:40"), 120.0)
        await world.sweeps("09:50:02", "09:57:02")
        before = series(world)
        await world.exchange(condition("close > 110", "describe: in other words"))
        after = series(world)
        assert phase(world) is Phase.FIRING
        assert after.panel is before.panel
        assert after.wants == before.wants
        assert after.judged_ms == before.judged_ms
        assert world.watched["high"].spec.describe == "in other words"
        await world.sweeps("09:57:12", "10:00:02")
        assert await world.fired() == ["005930 09:50"]

    morning(scenario)


def test_another_meaning_begins_anew_with_the_next_bar(morning: Morning) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:54:40"), 120.0)
        world.market.trade(kst("09:59:40"), 121.0)
        await world.sweeps("09:50:02", "09:57:02")
        await world.exchange(condition("close > 99"))
        assert phase(world) is Phase.INACTIVE
        await world.sweeps("09:57:12", "10:01:02")
        assert sorted(await world.fired()) == ["000660 09:55", "005930 09:50", "005930 09:55"]

    morning(scenario)


def test_a_meaning_that_comes_back_has_not_forgotten_that_it_fired(
    morning: Morning,
) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:54:40"), 120.0)
        world.market.trade(kst("09:59:40"), 120.0)
        await world.sweeps("09:50:02", "09:57:02")
        await world.exchange(condition("close > 1000"))
        await world.exchange(condition("close > 110"))
        assert phase(world) is Phase.FIRING
        await world.sweeps("09:57:12", "10:01:02")
        assert await world.fired() == ["005930 09:50"]

    morning(scenario)


def test_a_meaning_that_comes_back_has_counted_nothing_meanwhile(morning: Morning) -> None:
    held = condition("close > 110", "for: 2 bars")

    async def scenario(world: World) -> None:
        for minute in ("09:54", "09:59", "10:04", "10:09"):
            world.market.trade(kst(f"{minute}:40"), 120.0)
        await world.sweeps("09:50:02", "09:57:02")
        assert phase(world) is Phase.PENDING
        await world.exchange(condition("close > 1000"))
        await world.sweeps("09:57:12", "10:01:02")
        await world.exchange(held)
        assert phase(world) is Phase.INACTIVE
        await world.sweeps("10:01:12", "10:11:02")
        assert await world.fired() == ["005930 10:05"]

    morning(scenario, held)


def test_a_timeframe_that_is_new_is_filled_and_judged_from_now_on(
    morning: Morning,
) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("10:07:30"), 120.0)
        world.market.trade(kst("10:14:40"), 120.0)
        await world.sweeps("09:50:02", "09:57:02")
        await world.exchange(condition("close > 1000"), slow("close > 110"))
        assert [one.key for one in world.pipeline.series] == ["series/KRX/5m", "series/KRX/15m"]
        await world.sweeps("09:57:12", "10:16:02")
        assert await world.fired() == ["005930 10:00"]

    morning(scenario)


def test_a_source_that_is_down_keeps_no_condition_waiting(morning: Morning) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:59:40"), 120.0)
        await world.sweeps("09:50:02", "09:57:02")
        world.market.chart_errors[NAVER.id] = SourceUnavailable("down")
        await world.exchange(condition("close > 115", universe=ALL))
        world.market.chart_errors.clear()
        await world.sweeps("09:57:12", "10:01:02")
        assert await world.fired() == ["005930 09:55"]

    morning(scenario)


def test_a_full_disk_leaves_all_as_it_was(morning: Morning) -> None:
    async def scenario(world: World) -> None:
        await world.sweeps("09:50:02", "09:57:02")
        before = world.pipeline.series
        world.store.is_full = lambda _: True
        with pytest.raises(StoreFull):
            await world.pipeline.exchange([(condition("close > 1"), (NAVER.id,))])
        assert world.pipeline.series == before
        assert all(one is two for one, two in zip(world.pipeline.series, before, strict=True))
        assert list(world.watched) == ["high"]

    morning(scenario)


def test_without_conditions_nothing_is_watched_until_there_are_some(
    morning: Morning,
) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:54:40"), 120.0)
        world.market.trade(kst("10:04:40"), 120.0)
        world.market.trade(kst("10:09:40"), 120.0)
        await world.exchange()
        await world.sweeps("09:50:02", "10:06:02")
        assert world.pipeline.series == ()
        await world.exchange(condition())
        assert series(world).judged_ms == to_ms(kst("10:00"))
        await world.sweeps("10:06:12", "10:11:02")
        assert await world.fired() == ["005930 10:05"], "what was not watched is not told"

    morning(scenario)


def test_a_removed_condition_proposes_no_order(morning: Morning) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:54:30"), 120.0)
        await world.sweeps("09:50:02", "09:54:52")
        await world.exchange(condition("close > 110", *ORDER, "limit: 9 per day"))
        assert world.watched["high"].spec.limit_per_day == 9
        await world.sweep("09:55:02")
        assert len(world.desk.tickets) == 1
        await world.exchange(condition("close < 0", *ORDER))
        await world.fire.resume(world.clock.now())
        assert len(world.desk.tickets) == 1

    morning(scenario, condition("close > 110", *ORDER))


def slow(when: str) -> Condition:
    """Return a condition on bars of 15 minutes."""
    text = f"name: slow\nuniverse: {BOTH}\ntimeframe: 15m\nwhen: '{when}'\n"
    return compile_condition(parse_condition(text, "slow.yaml"))


def test_what_is_held_back_is_judged_by_who_watched_it_alone(morning: Morning) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:54:40"), 120.0)
        await world.sweeps("09:50:02", "09:54:52")
        world.market.chart_errors[SAMSUNG.id] = SourceUnavailable("down")
        await world.sweeps("09:55:02", "09:57:02")
        assert await world.fired() == []
        await world.exchange(condition("close > 110"), condition("close > 109", name="new"))
        world.market.chart_errors.clear()
        await world.sweeps("09:57:12", "09:59:02")
        assert [one.condition for one in await world.signals()] == ["high"]

    morning(scenario)
