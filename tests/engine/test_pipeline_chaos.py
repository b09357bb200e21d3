"""Whatever fails in an hour, once it is over the alerts and bars are those of a quiet hour."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

import pytest

from market.errors import SourceChanged, SourceError, SourceUnavailable, StoreFull
from tests.engine.pipeline_world import Killed, World, told
from tests.engine.test_pipeline_restart import EVERYONE, SWEEPS, conditions, wild_hour
from tests.engine.traded_market import kst

if TYPE_CHECKING:
    from pathlib import Path

    from market.types import Instrument

CALM = len(SWEEPS) - 12
"""The sweep from which nothing fails any more."""

Outcome = tuple[list[str], list[list[tuple[str, float, float]]]]


class Chaos:
    """An hour in which the polling, the chart, the disk and the process fail by chance.

    Absences over the end of a slot are longer than the minute that is let pass.
    """

    def __init__(self, path: Path, seed: int | None) -> None:
        self.random = Random(seed)  # noqa: S311  # bad luck, not a secret
        self.is_quiet = seed is None
        # a day's limit counts what came first, and a muter that is not known yet silences nobody
        specs = {one: one.spec for one in conditions()}
        made = [
            one
            for one, spec in specs.items()
            if spec.limit_per_day is None and spec.muted_by is None
        ]
        self.world = World(path, *made, start=kst("10:00"))
        self.down_until = self.hidden_until = 0

    async def run(self) -> Outcome:
        world = self.world
        wild_hour(world)
        await world.boot()
        for number, at in enumerate(SWEEPS):
            world.clock.move_to(at)
            is_bad = not self.is_quiet and number < CALM
            self._mend(number, is_bad=is_bad)
            if is_bad:
                self._break(number)
            if not await self._survives() or (is_bad and self._happens(0.02)):
                await self._boot()
        for _ in range(3):
            world.clock.advance(timedelta(seconds=20))
            await world.pipeline.crawl()
        fired = [told(one).removesuffix(" late") + one.condition for one in await world.signals()]
        return sorted(fired), [await world.bars(one) for one in EVERYONE]

    async def _survives(self) -> bool:
        try:
            await self.world.pipeline.crawl()
        except StoreFull:
            return True
        except Killed:
            return False
        return True

    async def _boot(self) -> None:
        self.world.store.is_full = lambda number: False
        try:
            await self.world.boot()
        except SourceError:  # no chart at all: the app tries again until there is one
            self.world.market.chart_errors = {}
            await self.world.boot()

    def _mend(self, number: int, *, is_bad: bool) -> None:
        market = self.world.market
        market.lower_counts = {}
        self.world.store.is_full = lambda number: False
        if number >= self.down_until or not is_bad:
            market.polling_error = None
        if number >= self.hidden_until or not is_bad:
            market.hidden = set()
        if not is_bad or self._happens(0.05):
            market.chart_errors = {}

    def _break(self, number: int) -> None:
        world, market = self.world, self.world.market
        if self._happens(0.03):
            self.down_until = number + self.random.randint(1, 30)
            market.polling_error = SourceUnavailable("no answer")
        if self._happens(0.05):
            market.chart_errors = {
                one.id: self._failure() for one in EVERYONE if self._happens(0.5)
            }
        if self._happens(0.04):
            market.lower_counts = {self._anyone().id: 1e6}
        if self._happens(0.04) and world.clock.now().minute % 5 < 4:
            self.hidden_until = number + self.random.randint(4, 40)
            market.hidden = {self._anyone().id}
        if self._happens(0.1):
            world.store.is_full = lambda number: self._happens(0.3)
        if self._happens(0.05):
            world.store.kill_after = world.store.writes + self.random.randint(0, 3)

    def _happens(self, chance: float) -> bool:
        return self.random.random() < chance

    def _anyone(self) -> Instrument:
        return self.random.choice(EVERYONE)

    def _failure(self) -> SourceError:
        return self.random.choice((SourceUnavailable("no chart"), SourceChanged("other chart")))


def outcome(path: Path, seed: int | None) -> Outcome:
    chaos = Chaos(path, seed)
    try:
        return asyncio.run(chaos.run())
    finally:
        chaos.world.close()


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return outcome(tmp_path_factory.mktemp("quiet") / "ticktalk.sqlite", None)


@pytest.mark.parametrize("seed", range(8))
def test_failures_change_no_alert_and_no_bar(tmp_path: Path, quiet: Outcome, seed: int) -> None:
    assert outcome(tmp_path / "ticktalk.sqlite", seed) == quiet
