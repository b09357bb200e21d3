"""One closed slot: verdicts, the check against the venue's own bars, and what fired."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from conditions.engine import Verdicts, evaluate
from conditions.explain import explain, overlays
from conditions.lifecycle import Step, step
from engine.muting import is_muted, muters_first
from market.errors import SourceError
from market.signals import Signal, signal_id
from market.types import to_ms

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence
    from datetime import datetime

    from conditions.compile import Condition
    from conditions.view import Shared
    from engine.exact import ExactBars
    from engine.muting import Judged
    from engine.series import Series, Slot, Watch
    from market.panel import Panel
    from market.types import Bar, InstrumentId

logger = logging.getLogger(__name__)

SNAPSHOT_BARS = 72


@dataclass(frozen=True, slots=True)
class Fired:
    """A condition that fired in the judged slot, with its signals in order of instrument."""

    watch: Watch
    step: Step
    signals: tuple[Signal, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a slot came to; nothing of it is in force before it is stored.

    `revised` are the venue's bars that took the place of crawled ones. `unknown` would have fired
    but could not be verified: they were not judged at all. `faulty` names conditions that broke
    while they were judged: they are unknown everywhere, the others are not touched.
    """

    slot_ms: int
    steps: tuple[Fired, ...]
    revised: tuple[Bar, ...]
    unknown: tuple[InstrumentId, ...] = ()
    faulty: tuple[str, ...] = ()


class Judge:
    """Evaluates a slot on crawled bars, then again on exact ones where something fired."""

    def __init__(self, exact: ExactBars) -> None:
        self._exact = exact

    async def judge(
        self, series: Series, slot: Slot, bars: Sequence[Bar], at: datetime, *, is_late: bool
    ) -> Judgement:
        """Judge those `bars` of the slot that are their instruments' newest in the panel.

        `at` is the market time it happens. The slot's exact bars need no second look.
        """
        slot_ms = to_ms(slot.start)
        series.lose(slot_ms)
        rows = np.array(sorted(series.panel.row(bar.instrument) for bar in bars), dtype=np.int64)
        faulty: set[str] = set()
        steps = await asyncio.to_thread(_steps, series, slot_ms, rows, faulty)
        asked = set(slot.exact)
        revised: tuple[Bar, ...] = ()
        unknown: tuple[InstrumentId, ...] = ()
        while doubtful := _crawled(series, asked, steps):  # a revised bar can move others' ranks
            told, untold = await self._verify(series, slot, doubtful)
            asked.update(doubtful)
            revised, unknown = revised + told, unknown + untold
            rows = np.setdiff1d(rows, [series.panel.row(name) for name in untold])
            steps = await asyncio.to_thread(_steps, series, slot_ms, rows, faulty, told)
        fired = await asyncio.to_thread(_fired, series, steps, slot, at, is_late)
        return Judgement(slot_ms, fired, revised, unknown, tuple(sorted(faulty)))

    async def _verify(
        self, series: Series, slot: Slot, names: Sequence[InstrumentId]
    ) -> tuple[tuple[Bar, ...], tuple[InstrumentId, ...]]:
        end = slot.start + series.timeframe.length
        starts = dict.fromkeys(names, slot.start)
        answers = await self._exact.fetch(starts, series.timeframe, end)
        found = {name: _bar_of(answers, name, slot.start) for name in names}
        unknown = tuple(name for name, bar in found.items() if bar is None)
        if unknown:
            logger.warning("%s: the venue's bars of %s cannot be had", slot.start, unknown)
        return tuple(bar for bar in found.values() if bar is not None), unknown


def _bar_of(
    answers: Mapping[InstrumentId, list[Bar] | SourceError], name: InstrumentId, slot: datetime
) -> Bar | None:
    answer = answers[name]
    if isinstance(answer, SourceError):
        return None
    return next((bar for bar in answer if bar.start == slot), None)


def _crawled(
    series: Series, asked: Container[InstrumentId], steps: Sequence[Step]
) -> list[InstrumentId]:
    """Return what fires, is silenced or fired early on bars the venue was not asked for."""
    told = (rows.tolist() for one in steps for rows in (one.fired, one.muted, one.early))
    rows = sorted({row for rows in told for row in rows})
    names = (series.panel.instruments[row] for row in rows)
    return [name for name in names if name not in asked]


def _enabled(series: Series) -> list[Watch]:
    return muters_first([watch for watch in series.watches if watch.is_enabled])


def _steps(
    series: Series,
    slot_ms: int,
    rows: np.ndarray,
    faulty: set[str],
    revised: Sequence[Bar] = (),
) -> list[Step]:
    """Return each enabled condition's step over those of the rows whose newest bar is the slot's.

    A row that has a newer bar already was judged on it; what comes late for it is only kept.
    `revised` bars take their places first. Conditions that break are added to `faulty`.
    """
    panel = series.panel
    series.revise(revised)
    shared: dict[object, np.ndarray] = {}
    is_due = np.zeros(len(panel.instruments), dtype=bool)
    is_due[rows] = panel.starts[rows, -1] == slot_ms
    length_ms = int(series.timeframe.length.total_seconds() * 1000)
    judged: dict[str, Judged] = {}
    for watch in _enabled(series):
        condition, states = watch.condition, watch.states
        due = watch.rows[is_due[watch.rows]]
        verdicts = verdicts_of(condition, panel, due, shared, faulty)
        starts = np.full(len(due), slot_ms, dtype=np.int64)
        silent = is_muted(watch, judged, panel, slot_ms + length_ms)
        made = step(condition, states, due, verdicts, starts, starts + length_ms, is_muted=silent)
        judged[condition.name] = (watch, made)
    return [made for _, made in judged.values()]


def verdicts_of(
    condition: Condition, panel: Panel, due: np.ndarray, shared: Shared, faulty: set[str]
) -> Verdicts:
    """Return the verdicts, unknown everywhere for a condition that breaks."""
    try:
        return evaluate(condition, panel, due, shared)
    except Exception:  # one condition's fault must not silence the others
        if condition.name not in faulty:
            logger.exception("condition '%s' breaks and is unknown meanwhile", condition.name)
        faulty.add(condition.name)
        nothing = np.zeros(len(due), dtype=np.int8)
        return Verdicts(nothing, nothing)


def _fired(
    series: Series, steps: Sequence[Step], slot: Slot, at: datetime, is_late: bool
) -> tuple[Fired, ...]:
    return tuple(
        Fired(
            watch,
            one,
            tuple(
                signal_of(watch.condition, series.panel, row, slot.start, at, is_late=is_late)
                for row in one.fired.tolist()
            ),
        )
        for watch, one in zip(_enabled(series), steps, strict=True)
    )


def signal_of(
    condition: Condition,
    panel: Panel,
    row: int,
    start: datetime,
    at: datetime,
    *,
    is_late: bool = False,
    is_intrabar: bool = False,
) -> Signal:
    """Return what a condition that fires on a row's newest bar, begun at `start`, has to tell."""
    instrument = panel.instruments[row]
    drawn = overlays(condition, panel, row, SNAPSHOT_BARS)
    return Signal(
        id=signal_id(condition.name, condition.version, instrument, to_ms(start)),
        condition=condition.name,
        version=condition.version,
        instrument=instrument,
        timeframe=panel.timeframe,
        bar_start=start,
        fired_at=at,
        price=float(panel.close[row, -1]),
        explanation=explain(condition, panel, row),
        snapshot=panel.snapshot(row, SNAPSHOT_BARS, drawn),
        is_late=is_late,
        is_intrabar=is_intrabar,
    )
