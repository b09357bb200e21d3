"""A small random market: instruments that trade, do not trade, or could not be read in a slot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from conditions.compile import compile_condition
from conditions.truths import Compared
from config.condition_reader import parse_condition
from market.panel import Panel
from market.sessions import KrxCalendar
from market.types import Bar, Timeframe

if TYPE_CHECKING:
    from conditions.compile import Condition
    from conditions.reference import Reference

Array: TypeAlias = np.ndarray[Any, Any]

FIRST, LAST = datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 1, 7, 2, tzinfo=UTC)
NAMES = tuple(f"KRX:{number:06d}" for number in range(5))
MEMBERS = NAMES[:4]
"""The universe; the last instrument is only in the panel."""


@dataclass(frozen=True)
class Step:
    """A slot: the bars that traded, and the instruments whose slot is missing."""

    bars: tuple[Bar, ...]
    missing: tuple[str, ...]


def walked_steps(
    seed: int, timeframe: Timeframe = Timeframe.M30, *, is_mixed: bool = True
) -> list[Step]:
    """Return two days and the morning of a third, with either kind of absence or both."""
    random = np.random.default_rng(seed)
    closes = dict.fromkeys(NAMES, 50_000.0)
    missing = random.choice([0.0, 0.05])
    traded = random.choice([1.0, 0.7, 0.3]) if is_mixed or not missing else 1.0
    steps = []
    for start in KrxCalendar({}).slots(FIRST, LAST, timeframe):
        bars, lost = [], []
        for name in NAMES:
            if random.random() < missing:
                lost.append(name)
            elif random.random() < traded:
                opening = closes[name]
                close = closes[name] = max(10_000.0, opening + 100.0 * random.integers(-9, 10))
                top, bottom = max(opening, close) + 100.0, min(opening, close) - 100.0
                volume = float(random.integers(1, 1_000))
                prices = (opening, top, bottom, close)
                bars.append(Bar(name, timeframe, start, *prices, volume, close * volume))
        steps.append(Step(tuple(bars), tuple(lost)))
    return steps


def take(panel: Panel, step: Step) -> Array:
    """Take in a slot as the market side does, and return the rows with a new bar."""
    panel.mark_missing(panel.row(name) for name in step.missing)
    return panel.append(step.bars)


def panel_of(steps: list[Step], timeframe: Timeframe = Timeframe.M30, depth: int = 200) -> Panel:
    """Return the panel after these slots."""
    panel = Panel(timeframe, NAMES, depth)
    for step in steps:
        take(panel, step)
    return panel


def condition_of(
    when: str, timeframe: Timeframe = Timeframe.M30, reference: Reference | None = None
) -> Condition:
    """Return a condition over MEMBERS."""
    universe = ", ".join(MEMBERS)
    text = f"name: x\nuniverse: [{universe}]\ntimeframe: {timeframe}\nwhen: {when}\n"
    return compile_condition(parse_condition(text, "x.yaml"), reference=reference)


def values_of(
    number: str,
    panel: Panel,
    rows: Array | None = None,
    reference: Reference | None = None,
    columns: int | None = None,
) -> Array:
    """Return the newest values of a number, by default of all columns and rows."""
    condition = condition_of(f"{number} > {number}", panel.timeframe, reference)
    view = condition.view(panel, rows)
    assert isinstance(condition.when, Compared)
    columns = panel.depth if columns is None else columns
    found = condition.when.left.values(view, columns)[:, -columns:]
    return np.broadcast_to(found, (view.rows, columns))
