"""Instruments join and leave while sweeps go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.engine.pipeline_world import World, condition
from tests.engine.traded_market import HYNIX, NAVER, SAMSUNG, kst

if TYPE_CHECKING:
    from engine.series import Series
    from tests.engine.pipeline_world import Live as Morning

BOTH = f"[{SAMSUNG.id}, {HYNIX.id}]"
ALL = f"[{SAMSUNG.id}, {HYNIX.id}, {NAVER.id}]"


def series(world: World) -> Series:
    (only,) = world.pipeline.series
    return only


def test_an_instrument_that_joins_gets_its_history_at_the_next_sweep(
    morning: Morning,
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

    morning(scenario)


def test_what_closed_before_an_instrument_joined_is_not_judged(morning: Morning) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:52:30"), 120.0, of=NAVER)
        await world.sweeps("09:50:02", "09:57:02")
        await world.exchange(condition("close > 110", universe=ALL))
        await world.sweeps("09:57:12", "10:05:02")
        assert await world.fired() == []

    morning(scenario)


def test_a_kill_after_an_exchange_judges_nothing_else(morning: Morning) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:52:30"), 120.0, of=NAVER)
        await world.sweeps("09:50:02", "09:57:02")
        await world.exchange(condition("close > 110", universe=ALL))
        await world.boot()
        await world.sweeps("09:57:12", "10:05:02")
        assert await world.fired() == []
        assert int(series(world).panel.counts[2]) == 7

    morning(scenario)


def test_an_instrument_that_leaves_is_not_asked_for_any_more(morning: Morning) -> None:
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

    morning(scenario)


def test_a_universe_that_grows_within_the_series_begins_on_what_is_new(
    morning: Morning,
) -> None:
    held = ("for: 2 bars",)
    narrow = condition("close > 110", *held, universe=f"[{SAMSUNG.id}]")
    wide = condition("close > 110", *held, universe=BOTH)
    other = condition("close > 1000", name="other", universe=BOTH)

    async def scenario(world: World) -> None:
        for minute in ("09:54", "09:59", "10:04"):
            for instrument in (SAMSUNG, HYNIX):
                world.market.trade(kst(f"{minute}:40"), 120.0, of=instrument)
        await world.sweeps("09:50:02", "09:57:02")
        before = series(world).panel
        await world.exchange(wide, other)
        assert series(world).panel is before
        await world.sweeps("09:57:12", "10:06:02")
        assert await world.fired() == ["005930 09:55", "000660 10:00"]

    morning(scenario, narrow, other)
