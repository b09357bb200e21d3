"""A store as it stood at a moment: bars, documents, facts, and where conditions stood."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import TYPE_CHECKING

from engine.rewind import past_of
from market.fact_groups import FactGroup
from market.fact_panel import FactPanel
from market.facts import DailyFacts
from market.types import to_ms
from tests.engine.pipeline_world import World, condition, quiet_morning
from tests.engine.traded_market import SAMSUNG, kst

if TYPE_CHECKING:
    from pathlib import Path

DEPTH = 20
RULES = (
    condition(name="high"),
    condition("close > 110", "for: 3 bars", "keep_for: 1 hour", name="held"),
)


async def traded(path: Path, until: str) -> World:
    """Return a world in which Samsung was above the limit from 11:30 to 12:00."""
    world = World(path, *RULES, start=kst("10:00"))
    world.depth = DEPTH
    quiet_morning(world, until="11:29")
    at = kst("11:30:30")
    while at <= kst(until):
        world.market.trade(at, 120.0 if at < kst("12:00") else 100.0)
        at += timedelta(minutes=1)
    await world.boot()
    await world.sweeps("10:00:02", until)
    return world


def test_conditions_stand_where_they_stood(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = await traded(tmp_path / "store.sqlite", "12:32:02")
        [series] = world.pipeline.series
        at = world.clock.now()
        past = await world.store.read(lambda tx: past_of(tx, series, at, DEPTH))
        stood = {name: states for name, _, states in past.states}
        for watch in series.watches:
            kept = watch.states.to_mapping(series.panel.instruments)
            assert stood[watch.condition.name][SAMSUNG.id] == kept[SAMSUNG.id]
            assert kept[SAMSUNG.id].fired_ms > 0
        assert past.documents[series.key] == {"judged_ms": to_ms(kst("12:25")), "behind": {}}
        assert len([bar for bar in past.bars if bar.instrument == SAMSUNG.id]) == DEPTH
        world.close()

    asyncio.run(scenario())


def test_what_came_later_is_not_known(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = await traded(tmp_path / "store.sqlite", "12:32:02")
        [series] = world.pipeline.series
        at = kst("11:50:01")
        past = await world.store.read(lambda tx: past_of(tx, series, at, DEPTH))
        newest = max(bar.start for bar in past.bars)
        assert newest == kst("11:45")
        assert past.documents[series.key]["judged_ms"] == to_ms(newest)
        world.close()

    asyncio.run(scenario())


def test_another_store_goes_on_from_there(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = await traded(tmp_path / "store.sqlite", "12:02:02")
        [series] = world.pipeline.series
        at = world.clock.now()
        past = await world.store.read(lambda tx: past_of(tx, series, at, DEPTH))
        other = World(tmp_path / "other.sqlite", *RULES, start=at)
        other.depth, other.market = DEPTH, world.market
        other.market.clock = other.clock
        await other.boot()
        await other.store.write(past.put)
        await other.boot()
        [mine] = other.pipeline.series
        for first, second in zip(series.watches, mine.watches, strict=True):
            names = series.panel.instruments
            stood, stands = (one.states.to_mapping(names) for one in (first, second))
            assert stands[SAMSUNG.id] == stood[SAMSUNG.id]
        assert (series.panel.close[:, -3:] == mine.panel.close[:, -3:]).all()
        assert await other.fired() == []
        world.close()
        other.close()

    asyncio.run(scenario())


def test_before_its_first_start_a_store_knows_only_facts(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = await traded(tmp_path / "store.sqlite", "10:06:02")
        [series] = world.pipeline.series
        series.panel.facts = FactPanel(series.panel.instruments)
        facts = [DailyFacts(SAMSUNG.id, date(2026, 1, day), per=float(day)) for day in (5, 6, 7)]
        await world.store.write(lambda tx: tx.facts.put(facts, FactGroup.FIGURES))
        at = kst("10:00:01")
        past = await world.store.read(lambda tx: past_of(tx, series, at, DEPTH))
        assert (past.bars, past.documents, past.states) == ((), {}, ())
        assert [one.per for one in past.facts] == [5.0, 6.0]
        world.close()

    asyncio.run(scenario())
