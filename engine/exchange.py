"""Other conditions while sweeps go on: what is watched already keeps its bars and its standing.

A series that goes on with other instruments keeps the rows of those that stay. What joins is wanted
from the venue's chart like everything that was not watched, so that no sweep waits for a history;
it is not judged on what closed before. A condition goes on where its version stands in the store,
or starts fresh.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from conditions.lifecycle import States
from engine.history import closed_slots, keep_whole
from engine.longer import fill
from engine.series import Want, build_series
from market.signals import LifecycleState, Phase
from market.types import from_ms, to_ms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from conditions.compile import Condition
    from engine.series import Members, Series, Watch
    from market.panel import Panel
    from market.sessions import Calendar
    from market.store import Transaction
    from market.types import InstrumentId, Venue

Standings = dict[str, dict["InstrumentId", LifecycleState]]
"""Where conditions stand, by name and instrument."""


@dataclass(frozen=True, slots=True)
class Renewed:
    """A series as it will be; the bars of those that `joined` are still to be told.

    `begun` are the standings with which conditions begin, there or everywhere.
    """

    series: Series
    joined: tuple[InstrumentId, ...]
    begun: Standings


@dataclass(frozen=True, slots=True)
class Exchange:
    """What other conditions come to. Nothing is changed before it is recorded."""

    renewed: tuple[Renewed, ...]
    ended: tuple[Series, ...]

    def record(self, tx: Transaction) -> None:
        """Store where everything stands: a restart goes on from there."""
        for one in self.renewed:
            series = one.series
            tx.documents.put(series.key, series.position(series.judged_ms, series.pending))
            keep_whole(tx, series, set(series.panel.instruments) - set(one.joined))
            for watch in series.watches:
                condition = watch.condition
                begun = one.begun.get(condition.name, {})
                tx.signals.save_states(condition.name, condition.version, begun)
        for gone in self.ended:
            tx.documents.delete(gone.key)
            keep_whole(tx, gone, ())


def read_standings(tx: Transaction, conditions: Iterable[Condition]) -> Standings:
    """Return where these versions of the conditions stand in the store."""
    return {one.name: tx.signals.states(one.name, one.version) for one in conditions}


def plan_exchange(
    present: Sequence[Series],
    members: Sequence[Members],
    stored: Standings,
    calendars: Mapping[Venue, Calendar],
    depth: int,
    now: datetime,
) -> Exchange:
    """Return what watching these conditions instead comes to; changes nothing."""
    before = {one.key: one for one in present}
    fresh = build_series(members, calendars, depth)
    renewed = tuple(_renewed(before.get(one.key), one, stored, depth, now) for one in fresh)
    kept = {one.key for one in fresh}
    return Exchange(renewed, tuple(one for one in present if one.key not in kept))


def _renewed(
    old: Series | None, fresh: Series, stored: Standings, depth: int, now: datetime
) -> Renewed:
    series = fresh if old is None else _continued(old, fresh)
    names = series.panel.instruments
    joined = tuple(name for name in names if old is None or not old.panel.has(name))
    closed = closed_slots(series, depth, now)
    if closed:
        series.judged_ms = series.judged_ms or to_ms(closed[-1])
        _want(series, joined, closed[0], now)
    begun: Standings = {}
    frontier = _frontier(series)
    for watch in series.watches:
        kept = stored.get(watch.condition.name, {})
        begun[watch.condition.name] = _take_over(old, series, watch, kept, frontier)
    return Renewed(series, joined, begun)


def _continued(old: Series, fresh: Series) -> Series:
    """Return the old series with the new watches, and with the new instruments in its panel."""
    panel = old.panel
    if _shape(panel) != _shape(fresh.panel):
        panel = fresh.panel
        kept = [name for name in panel.instruments if old.panel.has(name)]
        panel.take_rows(_rows(panel, kept), old.panel, _rows(old.panel, kept))
        fill(panel, old.calendar)
    pending = (
        replace(slot, bars=tuple(bar for bar in slot.bars if panel.has(bar.instrument)))
        for slot in old.pending
    )
    return replace(
        old,
        panel=panel,
        watches=fresh.watches,
        wants={name: want for name, want in old.wants.items() if panel.has(name)},
        pending=deque(pending),
        unsaved=[bar for bar in old.unsaved if panel.has(bar.instrument)],
        exact_until={name: at for name, at in old.exact_until.items() if panel.has(name)},
        forming={name: bar for name, bar in old.forming.items() if panel.has(name)},
        grown=set(filter(panel.has, (*old.grown, *old.forming))),
    )


def _shape(panel: Panel) -> tuple[object, ...]:
    """Return what decides whether one panel can do for another."""
    return panel.instruments, set(panel.larger), panel.facts is None, panel.positions is None


def _want(series: Series, joined: Sequence[InstrumentId], oldest: datetime, now: datetime) -> None:
    """Want the whole depth of bars of what joins, up to the slot that is going on."""
    last = from_ms(series.judged_ms)
    until = series.calendar.slot(now, series.timeframe) or last
    want = Want(min(oldest, last), last, max(until, last), ask_at=now)
    series.wants |= dict.fromkeys(joined, want)
    series.panel.mark_missing(series.panel.row(name) for name in joined)


def _frontier(series: Series) -> np.ndarray:
    """Return from where on each instrument is still to be judged, in order of the rows."""
    position = series.position(series.judged_ms, series.pending)
    after = series.judged_ms + 1
    frontier = (position["behind"].get(name, after) for name in series.panel.instruments)
    return np.fromiter(frontier, dtype=np.int64)


def _take_over(
    old: Series | None,
    series: Series,
    watch: Watch,
    stored: Mapping[InstrumentId, LifecycleState],
    frontier: np.ndarray,
) -> dict[InstrumentId, LifecycleState]:
    """Let a condition stand where it stood; return the standings with which it begins."""
    instruments = series.panel.instruments
    states = States.from_mapping(stored, instruments)
    watched: set[InstrumentId] = set()
    before = None if old is None else _same(old, watch)
    if old is not None and before is not None:
        watched = {old.panel.instruments[row] for row in before.rows.tolist()}
        watch.is_enabled = before.is_enabled
        if series.panel is old.panel:
            states = before.states
    begins = np.array([name not in watched for name in instruments], dtype=bool)
    start = np.where(begins, series.judged_ms + 1, frontier)
    watch.states = _begun(states, begins, start)
    return watch.states.to_mapping(instruments, watch.rows[begins[watch.rows]])


def _same(old: Series, watch: Watch) -> Watch | None:
    """Return the same version of a condition in the series that went before."""
    meaning = (watch.condition.name, watch.condition.version)
    found = (one for one in old.watches if (one.condition.name, one.condition.version) == meaning)
    return next(found, None)


def _begun(states: States, begins: np.ndarray, start: np.ndarray) -> States:
    """Return states that no bar before its row's start moves any more.

    Where a condition begins again, what it has counted so far is void: the bars between were not
    judged. That it has fired stays.
    """
    fresh = LifecycleState()
    is_pending = begins & (states.phase == Phase.PENDING)
    return States(
        phase=np.where(is_pending, Phase.INACTIVE, states.phase).astype(states.phase.dtype),
        held=np.where(begins, fresh.held, states.held),
        fired_ms=states.fired_ms,
        bar_ms=np.maximum(states.bar_ms, start - 1),
        clear_ms=np.where(begins, fresh.clear_ms, states.clear_ms),
        unknown=np.where(begins, fresh.unknown, states.unknown),
    )


def _rows(panel: Panel, names: Sequence[InstrumentId]) -> np.ndarray:
    return np.array([panel.row(name) for name in names], dtype=np.intp)
