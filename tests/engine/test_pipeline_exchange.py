"""Conditions are exchanged while sweeps go on: who stays goes on, who joins begins."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from conditions.compile import compile_condition
from config.condition_reader import parse_condition
from market.errors import SourceUnavailable, StoreFull
from market.signals import Phase
from market.types import to_ms
from tests.engine.pipeline_world import ORDER, World, condition, quiet_morning
from tests.engine.traded_market import HYNIX, NAVER, SAMSUNG, kst

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path
    from typing import Any

    from conditions.compile import Condition
    from engine.series import Series, Watch

BOTH = f"[{SAMSUNG.id}, {HYNIX.id}]"
ALL = f"[{SAMSUNG.id}, {HYNIX.id}, {NAVER.id}]"


@pytest.fixture
def live(tmp_path: Path) -> Callable[..., None]:
    """Return how to run a scenario in a world that was started at ten to ten."""

    def run(scenario: Callable[[World], Coroutine[Any, Any, None]], *conditions: Condition) -> None:
        async def whole() -> None:
            world = World(tmp_path / "x.sqlite", *conditions, start=kst("09:50"))
            quiet_morning(world)
            for minute in range(30):
                world.market.trade(kst(f"09:{minute + 10}:30"), 100.0, of=NAVER)
            try:
                await world.boot()
                await scenario(world)
            finally:
                world.close()

        asyncio.run(whole())

    return run


def series(world: World) -> Series:
    (only,) = world.pipeline.series
    return only


def watch(world: World, name: str = "high") -> Watch:
    return next(one for one in series(world).watches if one.condition.name == name)


def phase(world: World, of: str = SAMSUNG.id, name: str = "high") -> Phase:
    states = watch(world, name).states
    return Phase(int(states.phase[series(world).panel.row(of)]))


def test_new_words_change_nothing_but_the_words(live: Callable[..., None]) -> None:
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

    live(scenario)


def test_another_meaning_begins_anew_with_the_next_bar(live: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:54:40"), 120.0)
        world.market.trade(kst("09:59:40"), 121.0)
        await world.sweeps("09:50:02", "09:57:02")
        await world.exchange(condition("close > 99"))
        assert phase(world) is Phase.INACTIVE
        await world.sweeps("09:57:12", "10:01:02")
        assert sorted(await world.fired()) == ["000660 09:55", "005930 09:50", "005930 09:55"]

    live(scenario)


def test_a_meaning_that_comes_back_has_not_forgotten_that_it_fired(
    live: Callable[..., None],
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

    live(scenario)


def test_a_meaning_that_comes_back_has_counted_nothing_meanwhile(live: Callable[..., None]) -> None:
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

    live(scenario, held)


def test_an_instrument_that_joins_gets_its_history_at_the_next_sweep(
    live: Callable[..., None],
) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:56:30"), 120.0, of=NAVER)
        world.market.trade(kst("09:58:30"), 121.0, of=NAVER)
        world.market.trade(kst("10:01:30"), 100.0, of=NAVER)
        await world.sweeps("09:50:02", "09:57:02")
        samsung = series(world).panel.starts[0].tolist()
        await world.exchange(condition("close > 110", universe=ALL))
        panel = series(world).panel
        assert panel.instruments == (SAMSUNG.id, HYNIX.id, NAVER.id)
        assert panel.starts[0].tolist() == samsung
        assert panel.missing.tolist() == [False, False, True]
        await world.sweep("09:57:12")
        assert int(panel.counts[2]) == 6
        await world.sweeps("09:57:22", "10:01:02")
        assert await world.fired() == ["035420 09:55"]
        (signal,) = await world.signals()
        assert signal.snapshot.volume[-1] == 20.0, "also what traded before it joined"

    live(scenario)


def test_what_closed_before_an_instrument_joined_is_not_judged(live: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:52:30"), 120.0, of=NAVER)
        await world.sweeps("09:50:02", "09:57:02")
        await world.exchange(condition("close > 110", universe=ALL))
        await world.sweeps("09:57:12", "10:05:02")
        assert await world.fired() == []

    live(scenario)


def test_a_kill_after_an_exchange_judges_nothing_else(live: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:52:30"), 120.0, of=NAVER)
        await world.sweeps("09:50:02", "09:57:02")
        await world.exchange(condition("close > 110", universe=ALL))
        await world.boot()
        await world.sweeps("09:57:12", "10:05:02")
        assert await world.fired() == []
        assert int(series(world).panel.counts[2]) == 7

    live(scenario)


def test_an_instrument_that_leaves_is_not_asked_for_any_more(live: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:59:40"), 120.0, of=HYNIX)
        await world.sweeps("09:50:02", "09:57:02")
        await world.exchange(condition("close > 110", universe=f"[{SAMSUNG.id}]"))
        await world.sweeps("09:57:12", "10:01:02")
        assert world.market.swept[-1] == (SAMSUNG.id,)
        assert await world.fired() == []
        await world.exchange(condition("close > 110"))
        await world.sweeps("10:01:12", "10:06:02")
        assert [start for start, *_ in await world.bars(HYNIX)][-2:] == ["09:55", "10:00"]
        assert series(world).panel.counts.tolist()[0] == series(world).panel.counts.tolist()[1]

    live(scenario)


def test_a_timeframe_that_is_new_is_filled_and_judged_from_now_on(
    live: Callable[..., None],
) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("10:07:30"), 120.0)
        world.market.trade(kst("10:14:40"), 120.0)
        await world.sweeps("09:50:02", "09:57:02")
        await world.exchange(condition("close > 1000"), slow("close > 110"))
        assert [one.key for one in world.pipeline.series] == ["series/KRX/5m", "series/KRX/15m"]
        await world.sweeps("09:57:12", "10:16:02")
        assert await world.fired() == ["005930 10:00"]

    live(scenario)


def test_a_source_that_is_down_keeps_no_condition_waiting(live: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:59:40"), 120.0)
        await world.sweeps("09:50:02", "09:57:02")
        world.market.chart_errors[NAVER.id] = SourceUnavailable("down")
        await world.exchange(condition("close > 115", universe=ALL))
        world.market.chart_errors.clear()
        await world.sweeps("09:57:12", "10:01:02")
        assert await world.fired() == ["005930 09:55"]

    live(scenario)


def test_a_full_disk_leaves_all_as_it_was(live: Callable[..., None]) -> None:
    async def scenario(world: World) -> None:
        await world.sweeps("09:50:02", "09:57:02")
        before = world.pipeline.series
        world.store.is_full = lambda _: True
        with pytest.raises(StoreFull):
            await world.pipeline.exchange([(condition("close > 1"), (NAVER.id,))])
        assert world.pipeline.series == before
        assert all(one is two for one, two in zip(world.pipeline.series, before, strict=True))
        assert list(world.watched) == ["high"]

    live(scenario)


def test_without_conditions_nothing_is_watched_until_there_are_some(
    live: Callable[..., None],
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

    live(scenario)


def test_a_removed_condition_proposes_no_order(live: Callable[..., None]) -> None:
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

    live(scenario, condition("close > 110", *ORDER))


def slow(when: str) -> Condition:
    """Return a condition on bars of 15 minutes."""
    text = f"name: slow\nuniverse: {BOTH}\ntimeframe: 15m\nwhen: '{when}'\n"
    return compile_condition(parse_condition(text, "slow.yaml"))
