"""A condition asked once about everything that is held, between two bars."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite, nan
from typing import TYPE_CHECKING

import numpy as np

from conditions.engine import evaluate
from conditions.explain import explain
from conditions.panels import panel_for
from conditions.spot import Spot
from conditions.tree import branch
from conditions.where import asks_for_bars
from engine.days_told import read_days
from engine.exact import venue_of
from engine.facts import fill_facts
from engine.holdings import fill_holdings, read_holdings
from engine.longer import fill, read_longer
from engine.series import series_key
from market.position_panel import Marks
from market.types import Bar, Verdict, to_ms

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from conditions.compile import Condition
    from conditions.tree import Branch
    from market.panel import Panel
    from market.sessions import Calendar
    from market.signals import Leaf
    from market.store import Transaction
    from market.types import InstrumentId, Tick, Venue


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known when the question is asked.

    Bars of `watched` instruments are stored as they close; of others the newest of the `prices` is
    all there is.
    """

    calendars: Mapping[Venue, Calendar]
    watched: Collection[InstrumentId]
    prices: Mapping[InstrumentId, Tick]
    depth: int
    now: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdict on one instrument, its comparisons, and how far it is from true (inf: unknown).

    The distance is that of the comparison which decides, as a share of its right side.
    """

    instrument: InstrumentId
    verdict: Verdict
    leaves: tuple[Leaf, ...]
    distance: float
    is_missing: bool


def ask_holdings(
    tx: Transaction, condition: Condition, held: Sequence[InstrumentId], around: Surroundings
) -> list[Answer]:
    """Return the verdict of a condition on each of these instruments, as of now.

    What is held, its profit and its age are of now, at the newest prices; everything else is of
    the newest bar that has closed. `rank` and `breadth` count what is held at the same venue.
    """
    found: dict[InstrumentId, Answer] = {}
    for venue in dict.fromkeys(venue_of(name) for name in held):
        names = [name for name in held if venue_of(name) is venue]
        panel = _panel(tx, condition, names, venue, around)
        rows = np.array([panel.row(name) for name in names], dtype=np.int64)
        verdicts = evaluate(condition, panel, rows).when.tolist()
        for name, verdict in zip(names, verdicts, strict=True):
            found[name] = _answer(condition, panel, name, Verdict(verdict))
    return [found[name] for name in held]


def _panel(
    tx: Transaction,
    condition: Condition,
    names: Sequence[InstrumentId],
    venue: Venue,
    around: Surroundings,
) -> Panel:
    beside = (name for name in condition.instruments if venue_of(name) is venue)
    panel = panel_for([condition], tuple(dict.fromkeys((*names, *beside))), around.depth)
    if asks_for_bars(condition):
        _fill(tx, panel, venue, around)
    if panel.positions is not None:
        fill_holdings(panel.positions, read_holdings(tx, around.now))
        prices = np.array([_price(around, name) for name in panel.instruments])
        panel.positions.marks = Marks(to_ms(around.now), prices)
    return panel


def _fill(tx: Transaction, panel: Panel, venue: Venue, around: Surroundings) -> None:
    calendar, timeframe = around.calendars[venue], panel.timeframe
    read_days(tx, panel)
    for name in panel.instruments:
        if name in around.watched:
            panel.append(tx.bars.last(name, timeframe, around.depth))
        else:
            panel.append(_newest(panel, name, around))
    fill(panel, calendar, read_longer(tx, panel))
    fill_facts(tx, panel.facts, around.now)
    position = tx.documents.get(series_key(venue, timeframe)) or {"behind": {}}
    behind = (name for name in position["behind"] if panel.has(name) and name in around.watched)
    panel.mark_missing(panel.row(name) for name in behind)


def _newest(panel: Panel, name: InstrumentId, around: Surroundings) -> Iterator[Bar]:
    """Yield a bar of which nothing but the close is known: the newest price."""
    price = _price(around, name)
    if isfinite(price):
        start = around.now - panel.timeframe.length
        yield Bar(name, panel.timeframe, start, nan, nan, nan, price, nan, nan)


def _price(around: Surroundings, name: InstrumentId) -> float:
    tick = around.prices.get(name)
    return nan if tick is None else tick.price


def _answer(condition: Condition, panel: Panel, name: InstrumentId, verdict: Verdict) -> Answer:
    row = panel.row(name)
    is_missing = bool(panel.missing[row])
    view = condition.view(panel, np.array([row], dtype=np.int64))
    tree = branch(condition.when, Spot(view, is_missing=is_missing))
    leaves = explain(condition, panel, row).leaves
    return Answer(name, verdict, leaves, _distance(tree), is_missing)


def _distance(node: Branch) -> float:
    """Return how far a node is from true, below 0 where it holds; inf where nobody can tell."""
    if node.word in {"compare", "event", "score"}:
        ratio = node.gap_ratio if isfinite(node.gap_ratio) else node.gap
        return ratio if isfinite(ratio) else inf
    parts = [_distance(one) for one in node.parts]
    if node.word == "not":
        return -parts[0] if isfinite(parts[0]) else inf
    return min(parts, default=inf) if node.word in {"any", "within"} else max(parts, default=inf)
