from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine.desk_world import World

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path


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
