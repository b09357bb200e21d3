"""A small random market that is told facts by the day: some days, some instruments, some facts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from market.bars import aggregate
from market.fact_panel import FactPanel, day_start
from market.facts import FACT_NAMES, DailyFacts
from market.panel import Panel
from market.sessions import KST, KrxCalendar
from market.types import Bar, Timeframe
from tests.conditions.walked_market import NAMES, Step, take

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

Array: TypeAlias = np.ndarray[Any, Any]

CALENDAR = KrxCalendar({})
FIRST = datetime(2026, 1, 5, tzinfo=UTC)
DAYS = {Timeframe.M30: 3, Timeframe.H1: 9, Timeframe.D1: 36}
"""How long the market lasts, in days of the calendar."""


@dataclass(frozen=True)
class Told:
    """A slot, and the facts that are told before it: those of the session before."""

    step: Step
    facts: tuple[DailyFacts, ...]


def told_steps(seed: int, timeframe: Timeframe = Timeframe.M30) -> list[Told]:
    """Return slots with either kind of absence, in the bars as in the facts."""
    random = np.random.default_rng(seed)
    closes = dict.fromkeys(NAMES, 50_000.0)
    lost, traded = random.choice([0.0, 0.05]), random.choice([1.0, 0.7, 0.3])
    silent = random.choice([0.0, 0.2, 0.7])
    end = FIRST + timedelta(days=DAYS[timeframe])
    found, before = list[Told](), None
    for start in CALENDAR.slots(FIRST, end, timeframe):
        day = start.astimezone(KST).date()
        facts = () if day == before else _facts(random, day, silent)
        before = day
        bars = []
        missing = [name for name in NAMES if random.random() < lost]
        for name in NAMES:
            if name not in missing and random.random() < traded:
                opening = closes[name]
                close = closes[name] = max(10_000.0, opening + 100.0 * random.integers(-9, 10))
                prices = (opening, max(opening, close) + 100, min(opening, close) - 100, close)
                bars.append(Bar(name, timeframe, start, *prices, 10.0, close * 10))
        found.append(Told(Step(tuple(bars), tuple(missing)), facts))
    return found


def empty(timeframe: Timeframe, longer: Sequence[Timeframe] = (), depth: int = 100) -> Panel:
    """Return a panel to which nothing has been told."""
    return Panel(timeframe, NAMES, depth, longer, FactPanel(NAMES))


def tell(panel: Panel, told: Told) -> Array:
    """Take in the facts and the slot, and return the rows with a new bar."""
    assert panel.facts is not None
    for one in told.facts:
        panel.facts.put(day_start(one.instrument, one.day), [one])
    return take(panel, told.step)


def panel_of(
    steps: Sequence[Told], timeframe: Timeframe = Timeframe.M30, longer: Sequence[Timeframe] = ()
) -> Panel:
    """Return the panel after these slots, with what they come to in longer bars."""
    panel = empty(timeframe, longer)
    for told in steps:
        tell(panel, told)
    bars = [bar for told in steps for bar in told.step.bars]
    for one in longer:
        panel.larger[one].append(aggregate(bars, one, CALENDAR))
    return panel


def _facts(random: np.random.Generator, day: date, silent: float) -> tuple[DailyFacts, ...]:
    if random.random() < silent:
        return ()
    before = CALENDAR.session_day(datetime(day.year, day.month, day.day, tzinfo=KST) - _DAY)
    found = []
    for name in NAMES:
        if random.random() >= silent:
            facts = dict(zip(FACT_NAMES, random.integers(-9, 10, len(FACT_NAMES)), strict=True))
            kept = {key: float(fact) for key, fact in facts.items() if random.random() > silent}
            kept |= {key: abs(kept[key]) + 1 for key in ("listed_shares",) if key in kept}
            found.append(DailyFacts(name, before, **kept))
    return tuple(found)


_DAY = timedelta(days=1)
