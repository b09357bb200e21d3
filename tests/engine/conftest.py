from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine.desk_world import World
from tests.engine.pipeline_world import World as PipelineWorld
from tests.engine.pipeline_world import quiet_morning
from tests.engine.traded_market import NAVER, kst

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from pathlib import Path

    from conditions.compile import Condition
    from tests.engine.pipeline_world import Live


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., None]:
    """Run a scenario with a desk whose people are in; options are sections of the settings."""

    def start(scenario: Callable[[World], Awaitable[None]], **options: Any) -> None:
        world = World(tmp_path / "desk.sqlite", **options)

        async def body() -> None:
            await world.settle_in()
            await scenario(world)

        try:
            asyncio.run(body())
        finally:
            world.store.close()

    return start


@pytest.fixture
def live(tmp_path: Path) -> Live:
    """Run a scenario in the world of a pipeline with these conditions."""

    def start(
        scenario: Callable[[PipelineWorld], Coroutine[Any, Any, None]], *conditions: Condition
    ) -> None:
        world = PipelineWorld(tmp_path / "ticktalk.sqlite", *conditions)
        try:
            asyncio.run(scenario(world))
        finally:
            world.close()

    return start


@pytest.fixture
def morning(tmp_path: Path) -> Live:
    """Run a scenario in a pipeline with these conditions that was started at ten to ten."""

    def start(
        scenario: Callable[[PipelineWorld], Coroutine[Any, Any, None]], *conditions: Condition
    ) -> None:
        world = PipelineWorld(tmp_path / "ticktalk.sqlite", *conditions, start=kst("09:50"))
        quiet_morning(world)
        for minute in range(10, 40):
            world.market.trade(kst(f"09:{minute}:30"), 100.0, of=NAVER)

        async def body() -> None:
            await world.boot()
            await scenario(world)

        try:
            asyncio.run(body())
        finally:
            world.close()

    return start
