"""Conditions that are judged while bars form: what fires early, once a bar, before its close.

At each sweep they are judged on copies of the rows whose bars have grown since, with the bar as it
stands at the end; the panel itself knows closed bars only. What fires is stored and told like what
fires at a close, but it is not checked against the venue's chart, which does not show that bar yet:
the close does that, and notes whether the condition held.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from conditions.days import length_ms
from conditions.forming import as_seen, step_forming
from conditions.lifecycle import Step
from engine.judge import Fired, signal_of, verdicts_of
from engine.muting import is_muted, muters_first
from market.types import from_ms, to_ms

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from conditions.view import Shared
    from engine.fire import Fire
    from engine.muting import Judged
    from engine.series import Series, Watch
    from market.panel import Panel
    from market.types import Bar, InstrumentId

Array: TypeAlias = np.ndarray[Any, Any]


class Forming:
    """Judges the forming bars of one series after another."""

    def __init__(self, fire: Fire) -> None:
        self._fire = fire
        self._faulty: set[str] = set()

    async def judge(self, series: Series, now: datetime) -> None:
        """Judge what has grown; what fires is stored, told, and waits to be proposed.

        Call it when all that has closed is judged. Raises StoreError, and then judges the same
        again at the next call.
        """
        watches = early_watches(series)
        if not watches:
            return
        seen = await asyncio.to_thread(_look, series)
        fired = await asyncio.to_thread(self._judged, series, watches, seen, now)
        if fired:
            await self._fire.bring_forward(series, fired, now)
        series.grown.difference_update(seen.bars)

    def _judged(
        self, series: Series, watches: Sequence[Watch], seen: _Seen, now: datetime
    ) -> list[Fired]:
        """Return the conditions that fire on forming bars, with their signals."""
        due = {watch.condition.name: _due(series, watch, seen) for watch in watches}
        if not any(map(len, due.values())):
            return []
        copy = _copied(series, watches, due, seen)
        standing = {one.condition.name: _standing(one) for one in series.watches if one.is_enabled}
        found = []
        for watch in watches:
            rows = due[watch.condition.name]
            made = self._stepped(series, watch, rows, seen, copy, standing, to_ms(now))
            standing[watch.condition.name] = watch, made
            if len(made.fired):
                found.append(_fired(watch, made, seen, copy, now))
        return found

    def _stepped(
        self,
        series: Series,
        watch: Watch,
        rows: Array,
        seen: _Seen,
        copy: _Copy,
        standing: dict[str, Judged],
        now_ms: int,
    ) -> Step:
        condition = as_seen(watch.condition, now_ms)
        verdicts = verdicts_of(condition, copy.panel, copy.places(rows), copy.shared, self._faulty)
        starts = seen.starts[rows]
        ends = starts + length_ms(series.timeframe)
        end = int(ends.max(initial=0))
        silent = is_muted(watch, standing, series.panel, end)
        states = watch.states
        return step_forming(
            condition, states, rows, verdicts, starts, ends, now_ms, is_muted=silent
        )


@dataclass(frozen=True, slots=True)
class _Seen:
    """The forming bars that may be judged, and by row of the panel their starts (0: none).

    `is_fresh` tells of each row whether its bar has grown since it was judged last. The rows in
    `lost` have a bar, or are waited for, but nobody can say what it is.
    """

    bars: dict[InstrumentId, Bar]
    starts: Array
    is_fresh: Array
    lost: Array


@dataclass(frozen=True, slots=True)
class _Copy:
    """A panel of some rows, with their forming bars; `rows` are their numbers, ascending."""

    rows: Array
    panel: Panel
    shared: Shared

    def places(self, rows: Array) -> Array:
        """Return where rows of the series are in the copy."""
        return np.searchsorted(self.rows, rows)


def early_watches(series: Series) -> list[Watch]:
    """Return the watches that are judged on forming bars, those that silence others first."""
    enabled = (one for one in series.watches if one.is_enabled)
    return muters_first([one for one in enabled if one.condition.spec.is_intrabar])


def usable(series: Series, panel: Panel) -> dict[InstrumentId, Bar]:
    """Return the bars being built that may be judged as they stand, after those of a panel.

    None whose start was not watched, none where the chart must tell what was before, and none that
    the panel holds because it has closed meanwhile.
    """
    return {
        name: bar
        for name, bar in tuple(series.forming.items())  # another thread may ask
        if bar.is_complete
        and panel.has(name)
        and name not in series.wants
        and not panel.missing[panel.row(name)]
        and to_ms(bar.start) > panel.starts[panel.row(name), -1]
    }


def _look(series: Series) -> _Seen:
    """Take over how all bars stand that are not closed yet."""
    panel = series.panel
    for bar in (*series.builder.grown(), *series.candles.grown()):
        if panel.has(bar.instrument):
            series.forming[bar.instrument] = bar
            series.grown.add(bar.instrument)
    newest = panel.starts[:, -1].tolist()
    for name, bar in list(series.forming.items()):
        if to_ms(bar.start) <= newest[panel.row(name)]:
            del series.forming[name]
    bars = usable(series, panel)
    starts = np.zeros(len(panel.instruments), dtype=np.int64)
    is_fresh, lost = (np.zeros(len(panel.instruments), dtype=bool) for _ in range(2))
    for name, bar in bars.items():
        row = panel.row(name)
        starts[row], is_fresh[row] = to_ms(bar.start), name in series.grown
    lost[[panel.row(name) for name in (*series.wants, *(series.forming.keys() - bars.keys()))]] = (
        True
    )
    return _Seen(bars, starts, is_fresh, lost)


def _due(series: Series, watch: Watch, seen: _Seen) -> Array:
    """Return the rows that a condition is to be judged on.

    Where it looks at other instruments too, any of theirs that has grown may change all verdicts.
    """
    rows: Array = watch.rows[seen.starts[watch.rows] > 0]
    condition = watch.condition
    if not condition.is_cross and not condition.instruments:
        return rows[seen.is_fresh[rows]]
    beside = _beside(series, watch)
    return rows if seen.is_fresh[np.union1d(watch.rows, beside)].any() else rows[:0]


def _beside(series: Series, watch: Watch) -> Array:
    """Return the rows that a verdict depends on beside its own."""
    named = [series.panel.row(one) for one in watch.condition.instruments if series.panel.has(one)]
    found = np.array(named, dtype=np.int64)
    return np.union1d(found, watch.rows) if watch.condition.is_cross else found


def _copied(series: Series, watches: Sequence[Watch], due: dict[str, Array], seen: _Seen) -> _Copy:
    """Return copies of all rows that verdicts depend on, with their forming bars at the end."""
    needed = [due[one.condition.name] for one in watches]
    needed += [_beside(series, one) for one in watches if len(due[one.condition.name])]
    rows = np.unique(np.concatenate(needed))
    panel = series.panel.part(rows)
    panel.append(seen.bars[name] for name in panel.instruments if name in seen.bars)
    panel.mark_missing(np.flatnonzero(seen.lost[rows]))
    return _Copy(rows, panel, {})


def _standing(watch: Watch) -> Judged:
    """Return where a condition stands, as a step that moves nothing."""
    nothing = watch.rows[:0]
    return watch, Step(watch.states, nothing, nothing, nothing, nothing, nothing)


def _fired(watch: Watch, made: Step, seen: _Seen, copy: _Copy, now: datetime) -> Fired:
    condition = as_seen(watch.condition, to_ms(now))
    places = copy.places(made.fired).tolist()
    starts = seen.starts[made.fired].tolist()
    return Fired(
        watch,
        made,
        tuple(
            signal_of(condition, copy.panel, place, from_ms(start), now, is_intrabar=True)
            for place, start in zip(places, starts, strict=True)
        ),
    )
