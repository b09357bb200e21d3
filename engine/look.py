"""One look at a condition: copies of its bars and states, from a running series or the store."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from conditions.lifecycle import States
from conditions.near import near
from conditions.panels import panel_for
from conditions.waits import Moment
from conditions.why import replayed, why
from engine.days_told import read_days
from engine.exact import venue_of
from engine.facts import fill_facts
from engine.forming import usable
from engine.holdings import fill_holdings, holdings_at, read_holdings
from engine.longer import fill, read_longer
from engine.series import series_key
from market.signals import Phase
from market.types import from_ms, to_ms

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from conditions.compile import Condition
    from conditions.near import Ranking
    from conditions.why import Why
    from engine.series import Series, Watch
    from market.panel import Panel
    from market.sessions import Calendar
    from market.signals import LifecycleState
    from market.store import Transaction
    from market.types import InstrumentId, Timeframe, Venue


@dataclass(frozen=True, slots=True)
class Look:
    """A condition on instruments of one venue; nothing in it changes any more.

    `asked` are the instruments that the look is for; the panel may hold others that the condition
    compares them with. `states` has a row for each row of the panel. `judged_ms` is the start of
    the newest slot that was judged (0: none), but for the `held_back` instruments, which wait for
    the venue's chart. `muted_ms` is the end of the bar since which another condition silences this
    one (0: it does not). Of the `forming` instruments the newest bar has not closed yet.
    """

    condition: Condition
    panel: Panel
    states: States
    calendar: Calendar
    judged_ms: int
    asked: tuple[InstrumentId, ...]
    held_back: frozenset[InstrumentId] = frozenset()
    muted_ms: int = 0
    forming: frozenset[InstrumentId] = frozenset()

    @property
    def has_bars(self) -> bool:
        """Tell whether there is any bar to look at."""
        return bool(self.panel.counts[self._rows].any())

    def why(self, instrument: InstrumentId, now: datetime, fired_today: int) -> Why:
        """Return why the condition fires on an instrument or does not."""
        row = self.panel.row(instrument)
        state = self.states.to_mapping(self.panel.instruments, np.array([row]))[instrument]
        moment = Moment(
            now,
            self.calendar,
            self.judged_ms,
            fired_today,
            instrument in self.held_back,
            self._muted_by(row),
            instrument in self.forming,
        )
        return why(self.condition, self.panel, row, state, moment)

    def near(self, top: int) -> Ranking:
        """Return the instruments that the condition is closest to firing on."""
        return near(self.condition, self.panel, self._rows, top)

    @property
    def _rows(self) -> np.ndarray:
        return np.array([self.panel.row(name) for name in self.asked], dtype=np.int64)

    def _muted_by(self, row: int) -> str:
        """Return the condition that silences this one as of a row's newest bar."""
        muting = self.condition.spec.muted_by
        end_ms = int(self.panel.starts[row, -1]) + _length_ms(self.panel.timeframe)
        is_muted = muting is not None and 0 < self.muted_ms <= end_ms
        return muting.condition.text if muting is not None and is_muted else ""


def live_looks(
    series: Sequence[Series], name: str, instrument: InstrumentId | None = None
) -> list[Look]:
    """Return a condition as it runs, one look a venue; with `instrument` only at that one.

    The look at one instrument shows the forming bar to a condition that is judged on it. Safe from
    another thread than the one that judges.
    """
    return [
        _live(one, watch, asked, is_forming=instrument is not None)
        for one in series
        for watch in one.watches
        if watch.condition.name == name
        and (asked := _asked([one.panel.instruments[row] for row in watch.rows], instrument))
    ]


def _asked(
    universe: Sequence[InstrumentId], instrument: InstrumentId | None
) -> tuple[InstrumentId, ...]:
    return tuple(one for one in universe if instrument in {None, one})


def _live(
    series: Series, watch: Watch, asked: tuple[InstrumentId, ...], *, is_forming: bool
) -> Look:
    # States first: bars that come meanwhile are newer than they are, never older.
    condition, states, judged_ms = watch.condition, watch.states, series.judged_ms
    names, held_back = series.panel.instruments, frozenset(series.wants)
    muted_ms = _live_muting(series, watch)
    universe = [names[row] for row in watch.rows]
    needed = [one for one in _needed(condition, universe, asked) if series.panel.has(one)]
    rows = np.array([series.panel.row(one) for one in needed], dtype=np.int64)
    panel = series.panel.part(rows)
    calendar = series.calendar
    picked = states.pick(rows)
    bars = usable(series, panel) if is_forming and condition.spec.is_intrabar else {}
    panel.append(bars.values())
    forming = frozenset(bars)
    return Look(condition, panel, picked, calendar, judged_ms, asked, held_back, muted_ms, forming)


def _needed(
    condition: Condition, universe: Sequence[InstrumentId], asked: Sequence[InstrumentId]
) -> list[InstrumentId]:
    """Return the instruments whose bars a verdict on those that are asked for depends on."""
    own = universe if condition.is_cross else asked
    return list(dict.fromkeys((*own, *condition.instruments)))


def _live_muting(series: Series, watch: Watch) -> int:
    muting = watch.condition.spec.muted_by
    if muting is None:
        return 0
    muters = [
        one
        for one in series.watches
        if one.condition.name == muting.condition.text and one.is_enabled
    ]
    names = series.panel.instruments
    kept = [one.states.to_mapping(names, one.rows) for one in muters]
    return _muted_since((one.items() for one in kept), muting.instrument)


def _muted_since(
    kept: Iterable[Iterable[tuple[InstrumentId, LifecycleState]]], only: InstrumentId | None
) -> int:
    """Return the earliest end of a bar on which a muter fired that still fires, 0 for none."""
    ends = [
        state.fired_ms
        for states in kept
        for name, state in states
        if state.phase is Phase.FIRING and only in {None, name}
    ]
    return min(ends, default=0)


def stored_look(
    tx: Transaction,
    condition: Condition,
    universe: Sequence[InstrumentId],
    calendar: Calendar,
    depth: int,
    *,
    instrument: InstrumentId | None = None,
    muter: Condition | None = None,
) -> Look:
    """Return a condition on its instruments at one venue as the store has it.

    `muter` is the condition that silences it. The store tells missing slots from those without a
    trade only after the newest bar.
    """
    timeframe, venue = condition.timeframe, venue_of(universe[0])
    asked = _asked(universe, instrument)
    needed = _needed(condition, universe, asked)
    position = tx.documents.get(series_key(venue, timeframe)) or {"judged_ms": 0, "behind": {}}
    judged_ms, behind = int(position["judged_ms"]), position["behind"]
    panel = panel_for([condition], needed, depth)
    read_days(tx, panel)
    for name in needed:
        panel.append(tx.bars.last(name, timeframe, depth))
    fill(panel, calendar, read_longer(tx, panel))
    newest = from_ms(int(panel.starts.max(initial=0)))
    fill_facts(tx, panel.facts, newest)
    fill_holdings(panel.positions, read_holdings(tx, newest))
    held_back = frozenset(name for name in needed if name in behind)
    panel.mark_missing(panel.row(name) for name in held_back)
    kept = States.from_mapping(tx.signals.states(condition.name, condition.version), needed)
    # the store keeps a state when it changes, not with every bar that was judged
    judged = np.array([behind.get(name, judged_ms + 1) - 1 for name in needed])
    states = replace(kept, bar_ms=np.maximum(kept.bar_ms, judged))
    muted_ms = _stored_muting(tx, condition, muter, venue)
    return Look(condition, panel, states, calendar, judged_ms, asked, held_back, muted_ms)


def _stored_muting(
    tx: Transaction, condition: Condition, muter: Condition | None, venue: Venue
) -> int:
    muting = condition.spec.muted_by
    if muting is None or muter is None or muter.timeframe is not condition.timeframe:
        return 0
    kept = tx.signals.states(muter.name, muter.version)
    here = [(name, state) for name, state in kept.items() if venue_of(name) == venue]
    return _muted_since([here], muting.instrument)


def replayed_look(
    tx: Transaction,
    condition: Condition,
    universe: Sequence[InstrumentId],
    calendar: Calendar,
    depth: int,
    *,
    instrument: InstrumentId,
    at: datetime,
) -> Look:
    """Return a condition as it stood at a moment: its lifecycle run over the stored bars.

    The run begins with the first of the `depth` bars that had closed by then. Whether another
    condition silenced this one is not replayed, and of positions only the one of that moment.
    """
    timeframe, asked = condition.timeframe, (instrument,)
    panel = panel_for([condition], _needed(condition, universe, asked), depth)
    read_days(tx, panel, at)
    for name in panel.instruments:
        bars = tx.bars.before(name, timeframe, at, depth + 1)
        panel.append(bar for bar in bars if calendar.slot_end(bar.start, timeframe) <= at)
    fill(panel, calendar, read_longer(tx, panel, at))
    fill_facts(tx, panel.facts, at)
    fill_holdings(panel.positions, holdings_at(tx, at))
    row = panel.row(instrument)
    states = States.from_mapping({instrument: replayed(condition, panel, row)}, panel.instruments)
    newest_ms = int(panel.starts[row, -1])
    later = calendar.slots(from_ms(newest_ms + 1), at, timeframe) if newest_ms else []
    closed = [one for one in later if calendar.slot_end(one, timeframe) <= at]
    judged_ms = to_ms(closed[-1]) if closed else newest_ms
    return Look(condition, panel, states, calendar, judged_ms, asked)


def _length_ms(timeframe: Timeframe) -> int:
    return int(timeframe.length.total_seconds() * 1000)
