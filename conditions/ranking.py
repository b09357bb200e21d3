"""Ranks what markets list by an expression over the facts of one day, as conditions understand it.

The expressions are compiled and evaluated by what conditions are made of, over a panel of daily
bars with facts: the day that is over, and the close before it as far as the list tells the change.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from math import nan
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from conditions.day_fields import DAY
from conditions.expand import Expanded, read_plain
from conditions.fact_fields import FACTS, facts_in
from conditions.mistake import Mistake
from conditions.nodes import Call, Member, Name, children, rebuilt
from conditions.resolve import Resolver
from conditions.resolve_series import SeriesResolver
from conditions.view import View
from config.fields import refuse
from market.fact_groups import GROUP_OF_FACT, FactGroup
from market.fact_panel import FactPanel, day_start
from market.panel import Panel
from market.position_panel import Marks, PositionPanel
from market.types import Bar, Timeframe, Venue, from_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from conditions.nodes import Node
    from conditions.series import Series
    from conditions.truths import Truth
    from config.strict_yaml import Located
    from config.universe_file import RankingSpec, UniverseSpec
    from market.errors import Problem
    from market.facts import DailyFacts, Listing
    from market.position_panel import Holding
    from market.types import InstrumentId

Array: TypeAlias = np.ndarray[Any, Any]

BARS = 2
"""The day that is over, and the one before."""
CHANGE = "change"
"""In a ranking the change of the day needs no `day.` in front."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Ranked:
    """Rows of a panel in the order of their rank, and the number that decided it."""

    rows: Array
    values: Array


@dataclass(frozen=True, slots=True)
class RankingRule:
    """A ranking ready to be evaluated on a day's panel; `facts` are those that it asks for."""

    spec: RankingSpec
    by: Series
    where: Truth | None
    facts: frozenset[str]

    @property
    def needs(self) -> FactGroup:
        """Return which questions to sources tell what it asks for."""
        groups = FactGroup.NONE
        for name in self.facts:
            groups |= GROUP_OF_FACT[name]
        return groups

    def candidates(self, panel: Panel) -> Array:
        """Return the rows that may take part as far as is known: unknown is not false."""
        return np.flatnonzero(self._verdicts(panel) >= 0)

    def rank(self, panel: Panel) -> Ranked:
        """Return who takes part for certain and has a number, the first ones first.

        Equal numbers keep the order of the panel.
        """
        values = np.broadcast_to(self.by.values(_view(panel), 1)[:, -1], (len(panel.instruments),))
        rows = np.flatnonzero((self._verdicts(panel) > 0) & ~np.isnan(values))
        keys = values[rows] if self.spec.is_least_first else -values[rows]
        rows = rows[np.argsort(keys, kind="stable")]
        return Ranked(rows, values[rows])

    def _verdicts(self, panel: Panel) -> Array:
        if self.where is None:
            return np.ones(len(panel.instruments), dtype=np.int8)
        return self.where.verdicts(_view(panel), 1)[:, -1]


def compile_universe(spec: UniverseSpec) -> RankingRule | None:
    """Return the rule of a ranked universe, None of another; raises ConfigError."""
    return None if spec.ranking is None else compile_ranking(spec.ranking)


def compile_ranking(spec: RankingSpec) -> RankingRule:
    """Return a ranking's rule; raises ConfigError with every problem of both expressions."""
    problems: list[Problem] = []
    names: set[str] = set()

    def read(located: Located, resolve: Callable[[Expanded, list[Mistake]], Any]) -> Any:
        try:
            expanded = _read(located)
        except Mistake as mistake:
            problems.append(located.problem(mistake.message, mistake.offset))
            return None
        mistakes = list(_untold(expanded.node, spec.venue))
        found = resolve(expanded, mistakes)
        names.update(facts_in(expanded.node))
        problems.extend(expanded.problems(mistakes))
        return found

    by: Series | None = read(spec.by, _series)
    where: Truth | None = None if spec.where is None else read(spec.where, _truth)
    refuse(problems)
    if by is None:
        raise AssertionError(f"{spec.by.text} has no value and no problem")
    return RankingRule(spec, by, where, frozenset(names))


def day_panel(
    lines: Sequence[Listing],
    facts: Iterable[DailyFacts],
    day: date,
    holdings: Mapping[InstrumentId, Holding] | None = None,
) -> Panel:
    """Return the panel of a day that is over: one row a line of the list, in that order.

    `holdings` are the positions as they are when the universe is computed.
    """
    names = [line.instrument.id for line in lines]
    positions = PositionPanel(names)
    if holdings:
        positions.tell(holdings)
        newest = max(stake.known_ms for one in holdings.values() for stake in one.stakes)
        prices = [nan if line.price is None else line.price for line in lines]
        positions.marks = Marks(newest + 1, np.array(prices))
    else:
        positions.tell({})
    panel = Panel(Timeframe.D1, names, BARS, (), FactPanel(names, BARS), positions)
    panel.append(bar for line in lines for bar in _bars(line, day))
    if panel.facts is not None and names:
        panel.facts.put(day_start(names[0], day), facts)
    return panel


def _view(panel: Panel) -> View:
    return View(panel, None, {})


def _read(located: Located) -> Expanded:
    expanded = read_plain(located)
    return replace(expanded, node=_with_change(expanded.node))


def _with_change(node: Node) -> Node:
    """Return the tree with `day.change` for a plain `change`; `change(1)` stays a call."""
    match node:
        case Name(name) if name == CHANGE:
            return Member(Name(DAY, start=node.start, end=node.end), CHANGE, start=node.start)
        case Call(function) if isinstance(function, Name):
            changed = tuple(replace(one, value=_with_change(one.value)) for one in node.arguments)
            return replace(node, arguments=changed)
        case Member(Name()):
            return node
        case _:
            return rebuilt(node, _with_change)


def _series(expanded: Expanded, mistakes: list[Mistake]) -> Series | None:
    truths = Resolver(expanded.text, BARS, Timeframe.D1)
    numbers = SeriesResolver(BARS, Timeframe.D1, truths.truth)
    found = numbers.series(expanded.node)
    mistakes += [*numbers.mistakes, *truths.mistakes]
    return found


def _truth(expanded: Expanded, mistakes: list[Mistake]) -> Truth | None:
    truths = Resolver(expanded.text, BARS, Timeframe.D1)
    found = truths.truth(expanded.node)
    mistakes += truths.mistakes
    return found


def _untold(node: Node, venue: Venue) -> Iterator[Mistake]:
    """Yield what a venue without companies cannot tell."""
    match node:
        case Member(Name(owner), part) if owner == FACTS and venue is not Venue.KRX:
            if GROUP_OF_FACT.get(part, FactGroup.LISTING) != FactGroup.LISTING:
                yield Mistake(node.start, f"no source tells {FACTS}.{part} of {venue}")
        case _:
            for below in children(node):
                yield from _untold(below, venue)


def _bars(line: Listing, day: date) -> Iterator[Bar]:
    """Yield the close before, if it can be told, and the day; both a day later.

    Facts of a day are seen by bars of the next one.
    """
    name = line.instrument.id
    close = nan if line.price is None else line.price
    if line.change is not None and line.change > -1:
        yield _bar(name, day, close / (1 + line.change), nan, nan)
    volume = nan if line.volume is None else line.volume
    yield _bar(name, day + _DAY, close, volume, nan if line.value is None else line.value)


def _bar(name: InstrumentId, day: date, close: float, volume: float, value: float) -> Bar:
    start = from_ms(day_start(name, day))
    return Bar(name, Timeframe.D1, start, nan, nan, nan, close, volume, value)
