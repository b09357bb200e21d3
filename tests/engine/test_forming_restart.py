"""Wherever the process dies, a forming bar fires at most once and its close decides the same."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING

import pytest

from market.sessions import KST
from tests.engine.pipeline_world import Killed, World, condition
from tests.engine.traded_market import SAMSUNG, kst

if TYPE_CHECKING:
    from pathlib import Path

PRICES = {
    "09:00": 100,
    "09:02": 120,
    "09:04": 100,
    "09:06": 120,
    "09:08": 121,
    "09:11": 122,
    "09:12": 100,
    "09:13": 123,
    "09:16": 100,
}
"""The bars of 09:05 and 09:10 close above 110, that of 09:00 only stood above it."""
HELD = {"09:05", "09:10"}


class Morning(World):
    """A quarter of an hour under a condition that is judged early."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, condition("close > 110", "intrabar: true", "fire: every bar"))
        for minute, price in PRICES.items():
            self.market.trade(kst(f"{minute}:05"), float(price))

    async def live(self, kill_after: int) -> int:
        """Sweep; die once, after that write, and start again ten seconds later."""
        await self.boot()
        self.store.kill_after = kill_after
        for second in count(2, 10):
            text = f"09:{second // 60:02}:{second % 60:02}"
            if text > "09:20:02":
                break
            try:
                await self.sweep(text)
            except Killed:
                await self.boot()
        return self.store.writes

    async def bars_that_fired(self) -> list[str]:
        signals = await self.signals()
        return [f"{one.bar_start.astimezone(KST):%H:%M}" for one in signals]


def undisturbed(path: Path) -> int:
    """Return how many writes the morning takes; nothing dies."""
    world = Morning(path)

    async def scenario() -> int:
        writes = await world.live(-1)
        assert await world.bars_that_fired() == ["09:00", "09:05", "09:10"]
        assert [one.has_held for one in await world.signals()] == [False, True, True]
        assert all(one.is_intrabar for one in await world.signals())
        return writes

    writes = asyncio.run(scenario())
    world.close()
    return writes


def test_without_a_death_each_bar_fires_early(tmp_path: Path) -> None:
    assert undisturbed(tmp_path / "a.sqlite") >= 7


@pytest.mark.parametrize("kill_after", range(2, 9))
def test_a_death_after_any_write_fires_nothing_twice(tmp_path: Path, kill_after: int) -> None:
    world = Morning(tmp_path / "a.sqlite")

    async def scenario() -> None:
        await world.live(kill_after)
        fired = await world.bars_that_fired()
        assert len(fired) == len(set(fired))
        assert set(fired) >= HELD
        for one in await world.signals():
            start = f"{one.bar_start.astimezone(KST):%H:%M}"
            if one.is_intrabar:
                assert one.has_held is (start in HELD)
            else:
                assert start in HELD
        texts = [one for one in await world.texts() if one.startswith("alert")]
        assert len(texts) == len(fired)
        assert SAMSUNG.id in texts[0]

    asyncio.run(scenario())
    world.close()
