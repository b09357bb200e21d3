"""A small random market in which somebody buys and sells, between one judged slot and the next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from market.panel import Panel
from market.position_panel import Holding, PositionPanel, Stake
from market.types import Timeframe, to_ms
from tests.conditions.walked_market import NAMES, Step, take, walked_steps

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LENGTH = timedelta(minutes=30)


@dataclass(frozen=True)
class Traded:
    """A slot with its end, and what is held once it was judged."""

    step: Step
    holdings: Mapping[str, Holding]


def traded_steps(seed: int) -> list[Traded]:
    """Return slots; after some of them somebody buys, buys more, sells a part or all."""
    random = np.random.default_rng(seed)
    holdings: dict[str, Holding] = {}
    found = []
    for step in walked_steps(seed, is_mixed=False):
        for bar in step.bars:
            known_ms = to_ms(bar.start + LENGTH) + int(random.integers(0, 60_000))
            if random.random() < 0.3:
                holdings[bar.instrument] = _traded(
                    holdings.get(bar.instrument), known_ms, bar.close, random
                )
        found.append(Traded(step, dict(holdings)))
    return found


def _traded(
    before: Holding | None, known_ms: int, price: float, random: np.random.Generator
) -> Holding:
    stakes = () if before is None else before.stakes
    held = stakes[-1] if stakes else Stake(0, 0.0, 0.0)
    if before is None or not held.quantity:
        return Holding(known_ms, (Stake(known_ms, 10.0, price),))
    if random.random() < 0.4:
        return Holding(0, (Stake(known_ms, 0.0, 0.0),))
    more = Stake(known_ms, held.quantity + 10.0, (held.price + price) / 2)
    return Holding(before.opened_ms, (*stakes, more))


def empty(depth: int = 200) -> Panel:
    """Return a panel without bars, of which it is known that nothing was ever held."""
    positions = PositionPanel(NAMES)
    positions.tell({})
    return Panel(Timeframe.M30, NAMES, depth, positions=positions)


def see(panel: Panel, traded: Traded) -> np.ndarray:
    """Take in a slot with what was held before it, and return the rows with a new bar.

    What is held after it is to be told once it was judged.
    """
    return take(panel, traded.step)


def tell(panel: Panel, traded: Traded) -> None:
    """Tell what is held after a slot."""
    assert panel.positions is not None
    panel.positions.tell(traded.holdings)


def panel_of(steps: Sequence[Traded]) -> Panel:
    """Return the panel after these slots."""
    panel = empty()
    for traded in steps:
        see(panel, traded)
        tell(panel, traded)
    return panel
