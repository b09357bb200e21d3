"""A store as it stood at a moment: what a replay of a day begins with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from conditions.engine import Verdicts, evaluate_columns
from conditions.lifecycle import States, step
from engine.days_told import days_key, read_days
from engine.facts import fill_facts, read_facts
from engine.history import closed_slots, whole_key
from engine.longer import fill, read_longer
from market.fact_groups import FactGroup
from market.fact_panel import FactPanel
from market.panel import Panel
from market.sessions import KST
from market.types import Timeframe, Venue, to_ms

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from engine.series import Series, Watch
    from market.facts import DailyFacts
    from market.signals import LifecycleState
    from market.store import Transaction
    from market.types import Bar, InstrumentId

_REST = timedelta(days=40)
"""No venue is closed for longer than this."""


@dataclass(frozen=True, slots=True)
class Past:
    """What the store held of a series before a moment, and where its conditions stood.

    The states are worked out from the bars: that another condition silenced one is not known.
    """

    bars: tuple[Bar, ...]
    facts: tuple[DailyFacts, ...]
    documents: dict[str, dict[str, Any]]
    states: tuple[tuple[str, str, dict[InstrumentId, LifecycleState]], ...]

    def put(self, tx: Transaction) -> None:
        """Write it into another store, which then goes on from there as after a restart."""
        tx.bars.put(self.bars)
        tx.facts.put(self.facts, FactGroup.LISTING | FactGroup.FLOWS | FactGroup.FIGURES)
        for key, document in self.documents.items():
            tx.documents.put(key, document)
        for name, version, states in self.states:
            tx.signals.save_states(name, version, states)


def past_of(tx: Transaction, series: Series, at: datetime, depth: int) -> Past:
    """Return what a store held of a series before a moment; only facts where it had not run before.

    A first start stores `depth` bars of each instrument and judges none of them.
    """
    asked = series.panel.facts is not None
    facts = tuple(read_facts(tx, series.panel.instruments, at)) if asked else ()
    fresh = Past((), facts, {}, ())
    slots = closed_slots(series, depth, at)
    whole = tx.documents.get(whole_key(series))
    if not slots or whole is None or whole["depth"] < depth:
        return fresh
    names = [name for name in whole["instruments"] if series.panel.has(name)]
    end = series.calendar.slot_end(slots[-1], series.timeframe)
    held = {name: tx.bars.before(name, series.timeframe, end, depth + 1) for name in names}
    if not any(len(bars) > depth for bars in held.values()):
        return fresh
    own = [bar for bars in held.values() for bar in bars[-depth:]]
    longer = [
        bar
        for timeframe in series.larger
        for name in series.panel.instruments
        for bar in tx.bars.before(name, timeframe, at, depth)
    ]
    documents = {
        series.key: {"judged_ms": to_ms(slots[-1]), "behind": {}},
        whole_key(series): {"depth": whole["depth"], "instruments": names},
    }
    documents |= _days(tx, series, at)
    panel = _panel(tx, series, own, at, depth)
    states = tuple(
        (one.condition.name, one.condition.version, _stand(one, panel)) for one in series.watches
    )
    return Past((*own, *longer), facts, documents, states)


def _days(tx: Transaction, series: Series, at: datetime) -> dict[str, dict[str, Any]]:
    """Return how far daily bars had been told."""
    told = tx.documents.get(days_key(series.venue))
    if told is None or Timeframe.D1 not in series.larger:
        return {}
    today = at.astimezone(KST if series.venue is Venue.KRX else UTC).date()
    days = series.calendar.slots(at - _REST, at, Timeframe.D1)
    over = [day for day in days if series.calendar.session_day(day) < today]
    if not over:
        return {}
    return {days_key(series.venue): {**told, "until_ms": to_ms(over[-1]), "names": told["whole"]}}


def _panel(tx: Transaction, series: Series, own: Sequence[Bar], at: datetime, depth: int) -> Panel:
    names, asked = series.panel.instruments, series.panel.facts
    facts = None if asked is None else FactPanel(names)
    panel = Panel(series.timeframe, names, depth, series.larger, facts)
    read_days(tx, panel, at)
    fill_facts(tx, facts, at)
    panel.append(own)
    fill(panel, series.calendar, read_longer(tx, panel, at))
    return panel


def _stand(watch: Watch, panel: Panel) -> dict[InstrumentId, LifecycleState]:
    """Return where a condition stands after all bars of a panel, begun before the first."""
    condition, rows, depth = watch.condition, watch.rows, panel.depth
    verdicts = evaluate_columns(condition, panel, rows, depth)
    states = States.from_mapping({}, panel.instruments)
    length_ms = int(panel.timeframe.length.total_seconds() * 1000)
    for column in range(depth):
        is_there = panel.counts[rows] >= depth - column
        due = rows[is_there]
        if len(due):
            held = Verdicts(verdicts.when[is_there, column], verdicts.clear[is_there, column])
            starts = panel.starts[due, column]
            states = step(condition, states, due, held, starts, starts + length_ms).states
    return states.to_mapping(panel.instruments)
