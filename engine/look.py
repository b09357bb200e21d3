"""One look at a condition: copies of its bars and states, from a running series or the store."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from conditions.lifecycle import States
from conditions.near import near
from conditions.waits import Moment
from conditions.why import replayed, why
from engine.exact import venue_of
from engine.series import series_key
from market.panel import Panel
from market.types import from_ms, to_ms

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from conditions.compile import Condition
    from conditions.near import Ranking
    from conditions.why import Why
    from engine.series import Series, Watch
    from market.sessions import Calendar
    from market.store import Transaction
    from market.types import Bar, InstrumentId, Timeframe


@dataclass(frozen=True, slots=True)
class Look:
    """A condition on instruments of one venue; nothing in it changes any more.

    `states` has a row for each row of the panel. `judged_ms` is the start of the newest slot that
    was judged (0: none), but for the `held_back` instruments, which wait for the venue's chart.
    """

    condition: Condition
    panel: Panel
    states: States
    calendar: Calendar
    judged_ms: int
    held_back: frozenset[InstrumentId] = frozenset()

    @property
    def has_bars(self) -> bool:
        """Tell whether there is any bar to look at."""
        return bool(self.panel.counts.any())

    def why(self, instrument: InstrumentId, now: datetime, fired_today: int) -> Why:
        """Return why the condition fires on an instrument or does not."""
        row = self.panel.row(instrument)
        state = self.states.to_mapping(self.panel.instruments, np.array([row]))[instrument]
        is_held_back = instrument in self.held_back
        moment = Moment(now, self.calendar, self.judged_ms, fired_today, is_held_back)
        return why(self.condition, self.panel, row, state, moment)

    def near(self, top: int) -> Ranking:
        """Return the instruments that the condition is closest to firing on."""
        return near(self.condition, self.panel, np.arange(len(self.panel.instruments)), top)


def live_looks(
    series: Sequence[Series], name: str, instrument: InstrumentId | None = None
) -> list[Look]:
    """Return a condition as it runs, one look a venue; with `instrument` only at that one.

    Safe from another thread than the one that judges.
    """
    return [
        _live(one, watch, rows)
        for one in series
        for watch in one.watches
        if watch.condition.name == name and len(rows := _rows(one, watch, instrument))
    ]


def _rows(series: Series, watch: Watch, instrument: InstrumentId | None) -> np.ndarray:
    if instrument is None:
        return watch.rows
    row = series.panel.row(instrument) if series.panel.has(instrument) else -1
    found: np.ndarray = watch.rows[watch.rows == row]
    return found


def _live(series: Series, watch: Watch, rows: np.ndarray) -> Look:
    # States first: bars that come meanwhile are newer than they are, never older.
    states, judged_ms, held_back = watch.states, series.judged_ms, frozenset(series.wants)
    panel = series.panel.part(rows)
    kept = States.from_mapping(states.to_mapping(series.panel.instruments, rows), panel.instruments)
    return Look(watch.condition, panel, kept, series.calendar, judged_ms, held_back)


def stored_look(
    tx: Transaction,
    condition: Condition,
    instruments: Sequence[InstrumentId],
    calendar: Calendar,
    depth: int,
) -> Look:
    """Return a condition on instruments of one venue as the store has it.

    The store tells missing slots from those without a trade only after the newest bar.
    """
    key = series_key(venue_of(instruments[0]), condition.timeframe)
    position = tx.documents.get(key) or {"judged_ms": 0, "behind": {}}
    judged_ms, behind = int(position["judged_ms"]), position["behind"]
    panel = Panel(condition.timeframe, instruments, depth)
    for name in instruments:
        panel.append(tx.bars.last(name, condition.timeframe, depth))
    held_back = frozenset(name for name in instruments if name in behind)
    panel.mark_missing(panel.row(name) for name in held_back)
    kept = States.from_mapping(tx.signals.states(condition.name, condition.version), instruments)
    # the store keeps a state when it changes, not with every bar that was judged
    judged = np.array([behind.get(name, judged_ms + 1) - 1 for name in instruments])
    states = replace(kept, bar_ms=np.maximum(kept.bar_ms, judged))
    return Look(condition, panel, states, calendar, judged_ms, held_back)


def replayed_look(
    tx: Transaction,
    condition: Condition,
    instrument: InstrumentId,
    calendar: Calendar,
    depth: int,
    at: datetime,
) -> Look:
    """Return a condition as it stood at a moment: its lifecycle run over the stored bars.

    The run begins with the first of the `depth` bars that had closed by then.
    """
    bars = closed_bars(tx, instrument, condition.timeframe, calendar, depth, at)
    panel = Panel(condition.timeframe, [instrument], depth)
    panel.append(bars)
    states = States.from_mapping({instrument: replayed(condition, panel, 0)}, [instrument])
    judged_ms = to_ms(bars[-1].start) if bars else 0
    later = calendar.slots(from_ms(judged_ms + 1), at, condition.timeframe) if bars else []
    closed = [one for one in later if calendar.slot_end(one, condition.timeframe) <= at]
    return Look(condition, panel, states, calendar, to_ms(closed[-1]) if closed else judged_ms)


def closed_bars(
    tx: Transaction,
    instrument: InstrumentId,
    timeframe: Timeframe,
    calendar: Calendar,
    depth: int,
    at: datetime,
) -> list[Bar]:
    """Return the newest stored bars of an instrument that had closed by a moment."""
    bars = tx.bars.before(instrument, timeframe, at, depth + 1)
    return [bar for bar in bars if calendar.slot_end(bar.start, timeframe) <= at][-depth:]
