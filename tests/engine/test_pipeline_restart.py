"""A kill and a restart at any point gives the alerts and orders of an uninterrupted run."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

import pytest

from market.errors import SourceUnavailable
from tests.engine.pipeline_world import ORDER, Killed, World, condition, moments, told
from tests.engine.traded_market import HYNIX, NAVER, SAMSUNG, kst

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conditions.compile import Condition

EVERYONE = (SAMSUNG, HYNIX, NAVER)
UNIVERSE = f"[{', '.join(one.id for one in EVERYONE)}]"
SWEEPS = list(moments(kst("10:00:02"), kst("11:00:32")))[::2]
"""One every twenty seconds; trades are at half past a minute, so polled bars are exact ones."""

Kill = tuple[str, int]
Outcome = tuple[list[str], list[str]]


def wild_hour(world: World) -> None:
    """Let prices wander over the thresholds, and one instrument pause now and then."""
    random = Random(7)  # noqa: S311  # a market, not a secret
    for instrument in EVERYONE:
        price = 105.0
        for minute in range(121):
            price = min(125.0, max(90.0, price + random.choice((-9, -5, 5, 9))))
            if instrument is not NAVER or random.random() < 0.3:
                at = kst("09:00:30") + timedelta(minutes=minute)
                world.market.trade(at, price, random.choice((5.0, 10.0, 40.0)), of=instrument)


def conditions() -> tuple[Condition, ...]:
    return (
        condition("close > 108", *ORDER, universe=UNIVERSE),
        condition(
            "close > sma(close, 5)",
            "for: 2 bars",
            "clear: close < 104",
            name="held",
            universe=UNIVERSE,
        ),
        condition(
            "volume > 1.3 * sma(volume, 3)",
            "cooldown: 10 minutes",
            *ORDER,
            name="busy",
            universe=UNIVERSE,
        ),
        condition("crosses_above(close, 107)", "limit: 3 per day", name="few", universe=UNIVERSE),
        condition("close < 97", "keep_for: 7 minutes", name="low", universe=UNIVERSE),
        condition(
            "close > 106",
            "fire: every bar",
            "muted_by: low",
            "on_unknown: resolve",
            name="each",
            universe=UNIVERSE,
        ),
        condition("close > 100", "expires: 12 minutes", name="brief", universe=UNIVERSE),
    )


NAMES = ("high", "held", "busy", "few", "low", "each", "brief")


class Hour:
    """Runs the hour, dying once; what it led to is `outcome`."""

    def __init__(self, path: Path, kill: Kill | None = None) -> None:
        self.world = World(path, *conditions(), start=kst("10:00"))
        self.kill = kill
        self.deaths = 0
        self.outcome: Outcome = ([], [])

    async def run(self) -> None:
        wild_hour(self.world)
        await self.world.boot()
        self._arm()
        for number, at in enumerate(SWEEPS):
            self.world.clock.move_to(at)
            if not await self._survives(number):
                self.deaths += 1
                self.world.desk.before = lambda: None
                await self.world.boot()
        signals = sorted(told(one) + one.condition for one in await self.world.signals())
        self.outcome = (signals, sorted(self.world.desk.tickets))

    async def _survives(self, number: int) -> bool:
        try:
            await self.world.pipeline.crawl()
        except Killed:
            return False
        return self.kill != ("sweep", number)

    def _arm(self) -> None:
        kind, number = self.kill or ("", 0)
        if kind == "write":
            self.world.store.kill_after = self.world.store.writes + number
        if kind == "proposal":
            self.world.desk.before = self._dying(number)

    def _dying(self, number: int) -> Callable[[], None]:
        left = [number]

        def die() -> None:
            left[0] -= 1
            if left[0] < 0:
                raise Killed

        return die


def outcome(path: Path, kill: Kill | None = None) -> Outcome:
    hour = Hour(path, kill)
    try:
        asyncio.run(hour.run())
    finally:
        hour.world.close()
    assert hour.deaths == (kill is not None)
    return hour.outcome


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return outcome(tmp_path_factory.mktemp("undisturbed") / "ticktalk.sqlite")


def test_the_hour_is_worth_the_test(undisturbed: Outcome) -> None:
    signals, tickets = undisturbed
    assert len(signals) > 20
    assert len(tickets) > 8
    assert {name for name in NAMES if any(name in one for one in signals)} == set(NAMES)


KILLS: list[Kill] = [
    *(("sweep", number) for number in (0, 7, 14, 15, 29, 30, 44, 60, 89, 90, 120, 150, 181)),
    *(("write", number) for number in range(13)),
    *(("proposal", number) for number in (0, 1, 4, 6)),
]


@pytest.mark.parametrize("kill", KILLS, ids=lambda kill: f"{kill[0]}-{kill[1]}")
def test_a_kill_loses_nothing_and_does_nothing_twice(
    tmp_path: Path, undisturbed: Outcome, kill: Kill
) -> None:
    assert outcome(tmp_path / "ticktalk.sqlite", kill) == undisturbed


def test_a_kill_while_the_chart_is_down_loses_nothing(tmp_path: Path, undisturbed: Outcome) -> None:
    world = World(tmp_path / "ticktalk.sqlite", *conditions(), start=kst("10:00"))

    async def scenario() -> None:
        wild_hour(world)
        await world.boot()
        for number, at in enumerate(SWEEPS):
            world.clock.move_to(at)
            if number == 40:
                world.market.chart_errors = dict.fromkeys(
                    (one.id for one in EVERYONE[:2]), SourceUnavailable("no chart")
                )
            if number in (50, 70):
                await world.boot()
            if number == 80:
                world.market.chart_errors = {}
            await world.pipeline.crawl()

    try:
        asyncio.run(scenario())
        fired = asyncio.run(world.store.read(lambda tx: tx.signals.recent(1000)))
    finally:
        world.close()
    signals = sorted(told(one).removesuffix(" late") + one.condition for one in fired)
    assert [one for one in signals if "few" not in one] == [
        one for one in undisturbed[0] if "few" not in one
    ]
