"""Longer bars over the pretend Naver: what fired live is what hindsight tells, with a restart."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import date, timedelta
from typing import TYPE_CHECKING

import httpx
import numpy as np
from starlette.applications import Starlette

from conditions.engine import evaluate_columns
from config.settings import NaverSettings, Settings
from crawlers.naver import NaverSource
from engine.look import replayed_look
from market.types import Timeframe, to_ms
from sandbox.market import Simulator
from sandbox.naver import Faults, naver_routes
from tests.engine.pipeline_world import World, condition, moments
from tests.engine.traded_market import CALENDAR, CALENDARS, DAY, HYNIX, SAMSUNG, kst

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime
    from pathlib import Path

    from market.signals import Signal
    from market.store import Transaction

NEXT = date(2026, 1, 7)
WHEN = "close > d1.lowest(low, 5) and close > h1.sma(close, 3) and m15.close > m15.open"
EVERY = condition(WHEN, "fire: every bar")
UNIVERSE = (SAMSUNG.id, HYNIX.id)


@asynccontextmanager
async def pretend(path: Path) -> AsyncIterator[World]:
    """Open a world whose source is Naver, pretended."""
    world = World(path / "ticktalk.sqlite", EVERY, start=kst("13:00"))
    simulator = Simulator([SAMSUNG, HYNIX], CALENDAR, seed=3)
    app = Starlette(routes=naver_routes(simulator, world.clock, Faults()))
    address = "https://naver.example"
    naver = NaverSettings(polling_url=address, chart_url=address)
    settings = Settings(naver=naver.model_copy(update={"requests_per_second": 10_000}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as http:
        world.market = NaverSource(http, settings, world.clock, CALENDARS)
        yield world
    world.close()


async def swept(world: World, start: datetime, end: datetime) -> None:
    """Crawl twice a minute."""
    for place, at in enumerate(moments(start, end)):
        if place % 3 == 0:
            world.clock.move_to(at)
            await world.pipeline.crawl()


async def lived(world: World) -> list[Signal]:
    """Live through an afternoon and a morning, with a restart in its middle."""
    await world.boot()
    await swept(world, kst("13:00:02"), kst("15:31:02"))
    await swept(world, kst("09:00:02", NEXT), kst("10:20:02", NEXT))
    world.clock.advance(timedelta(minutes=7))
    await world.boot()
    await swept(world, kst("10:28:02", NEXT), kst("12:00:02", NEXT))
    return await world.signals()


def hindsight(tx: Transaction, instrument: str, at: datetime) -> set[tuple[str, int]]:
    """Return the bars on which the condition was true, by what is stored."""
    look = replayed_look(tx, EVERY, UNIVERSE, CALENDAR, 400, instrument=instrument, at=at)
    panel = look.panel
    verdicts = evaluate_columns(EVERY, panel, np.array([0]), panel.depth).when[0]
    is_lived = panel.starts[0] >= to_ms(kst("13:00"))
    return {(instrument, start) for start in panel.starts[0, is_lived & (verdicts == 1)].tolist()}


def test_live_is_hindsight_over_days_hours_and_a_restart(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with pretend(tmp_path) as world:
            signals = await lived(world)
            now = world.clock.now()
            found = await world.store.read(
                lambda tx: [hindsight(tx, name, now) for name in UNIVERSE]
            )
            live = {(one.instrument, to_ms(one.bar_start)) for one in signals}
            assert live == set().union(*found)
            assert 20 < len(live) < 100
            larger = world.pipeline.series[0].larger
            assert set(larger) == {Timeframe.M15, Timeframe.H1, Timeframe.D1}
            assert larger[Timeframe.D1].counts.tolist() == [400, 400]
            newest = larger[Timeframe.D1].starts[0, -1]
            assert newest == to_ms(kst("09:00", DAY))

    asyncio.run(scenario())
