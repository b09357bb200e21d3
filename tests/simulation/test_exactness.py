"""Every order exactly once, whatever the seed does to us; `benchmarks/exactness.py` plays more."""

from __future__ import annotations

from functools import cache
from itertools import count

import pytest

from market.orders import OrderState
from tests.simulation.exactness import Totals, again
from tests.simulation.world import NEVER, Plan, Report, run_seed

SEEDS = {"paper": 20, "plain": 30, "upbit": 20, "kis": 20, "binance": 10}
"""How many seeds each broker gets in the gate: each takes a third to half of a second."""
BATCH = 10
SHORT = ("propose", "confirm", "cancel")
"""What people do in the story that is killed at every point."""


@cache
def first_time(broker: str, seed: int) -> Report:
    """Play a seed, once: what it came to is kept to be compared with."""
    return run_seed(broker, seed)


def short_story(broker: str, kill_at: int, seed: int) -> Report:
    return run_seed(broker, seed, Plan(actions=SHORT, kill_at=kill_at, fault_chance=0))


@pytest.mark.parametrize(
    ("broker", "start"),
    [(broker, start) for broker, most in SEEDS.items() for start in range(0, most, BATCH)],
)
def test_every_order_is_at_the_venue_exactly_once(broker: str, start: int) -> None:
    totals = Totals()
    for seed in range(start, start + BATCH):
        report = first_time(broker, seed)
        assert not report.violations, again(broker, report)
        totals.add(report)
    assert totals.kills > BATCH / 2
    assert totals.orders > BATCH
    assert totals.states[OrderState.FILLED] > 0


@pytest.mark.parametrize("broker", ["plain"])
def test_a_kill_at_every_point_of_a_short_story(broker: str) -> None:
    for seed in count():
        whole = short_story(broker, NEVER, seed)
        if OrderState.CANCELED in whole.states and whole.kills == 0:
            break
    assert whole.acted > 20
    for point in range(1, whole.acted + 1):
        report = short_story(broker, point, seed)
        assert report.kills >= 1
        assert not report.violations, f"killed at point {point}: {again(broker, report)}"


@pytest.mark.parametrize("broker", SEEDS)
def test_the_same_seed_is_the_same_story_also_after_others(broker: str) -> None:
    first = first_time(broker, 7)
    assert run_seed(broker, 7) == first
    assert first.points > 100
