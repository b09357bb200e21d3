"""One closed slot: verdicts, the check against the venue's own bars, and what fired."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from conditions.engine import Verdicts, evaluate
from conditions.explain import explain, overlays
from conditions.lifecycle import Step, step
from market.errors import SourceError
from market.signals import Signal
from market.types import from_ms, to_ms

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from engine.exact import ExactBars
    from engine.series import Series, Watch
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
    """What a slot came to; nothing of it is in force before it is stored."""

    slot_ms: int
    steps: tuple[Fired, ...]
    revised: tuple[Bar, ...]


class Judge:
    """Evaluates a slot in two passes: on crawled bars, then on exact ones where something fired."""

    def __init__(self, exact: ExactBars) -> None:
        self._exact = exact

    async def judge(
        self, series: Series, slot: datetime, at: datetime, *, is_late: bool, are_exact: bool
    ) -> Judgement:
        """Judge the newest bars that start at `slot`; `at` is the market time it happens.

        `are_exact` says that the bars already come from the venue, so no second look is needed.
        """
        slot_ms = to_ms(slot)
        steps = await asyncio.to_thread(_steps, series, slot_ms)
        revised: tuple[Bar, ...] = ()
        candidates = np.unique(np.concatenate([one.fired for one in steps] or [_NO_ROWS]))
        if len(candidates) and not are_exact:
            revised, unknown = await self._verify(series, slot, candidates)
            steps = await asyncio.to_thread(_steps, series, slot_ms, unknown)
        fired = [
            Fired(watch, one, _signals(series, watch, one, slot, at, is_late=is_late))
            for watch, one in zip(_enabled(series), steps, strict=True)
        ]
        return Judgement(slot_ms, tuple(fired), revised)

    async def _verify(
        self, series: Series, slot: datetime, candidates: np.ndarray
    ) -> tuple[tuple[Bar, ...], np.ndarray]:
        panel = series.panel
        names = [panel.instruments[row] for row in candidates]
        end = slot + series.timeframe.length
        answers = await self._exact.fetch(names, series.timeframe, slot, end)
        revised: list[Bar] = []
        unknown: list[int] = []
        for row, name in zip(candidates, names, strict=True):
            bar = _bar_of(answers, name, slot)
            if bar is None:
                logger.warning("%s: the venue's bar of %s could not be had", name, slot)
                unknown.append(int(row))
            elif panel.revise(bar):
                revised.append(bar)
        return tuple(revised), np.array(unknown, dtype=np.int64)


_NO_ROWS = np.array([], dtype=np.int64)


def _bar_of(
    answers: Mapping[InstrumentId, list[Bar] | SourceError], name: InstrumentId, slot: datetime
) -> Bar | None:
    answer = answers[name]
    if isinstance(answer, SourceError):
        return None
    return next((bar for bar in answer if bar.start == slot), None)


def _enabled(series: Series) -> list[Watch]:
    return [watch for watch in series.watches if watch.is_enabled]


def _steps(series: Series, slot_ms: int, unknown: np.ndarray = _NO_ROWS) -> list[Step]:
    """Return each enabled condition's step over its rows that have a bar in the slot."""
    panel = series.panel
    shared: dict[object, np.ndarray] = {}
    length_ms = int(series.timeframe.length.total_seconds() * 1000)
    steps = []
    for watch in _enabled(series):
        rows = watch.rows[panel.starts[watch.rows, -1] == slot_ms]
        verdicts = evaluate(watch.condition, panel, rows, shared)
        verdicts = _without(verdicts, np.isin(rows, unknown))
        starts = np.full(len(rows), slot_ms, dtype=np.int64)
        steps.append(
            step(watch.condition, watch.states, rows, verdicts, starts, starts + length_ms)
        )
    return steps


def _without(verdicts: Verdicts, unknown: np.ndarray) -> Verdicts:
    zero = np.int8(0)
    return replace(
        verdicts,
        when=np.where(unknown, zero, verdicts.when),
        clear=np.where(unknown, zero, verdicts.clear),
    )


def _signals(
    series: Series, watch: Watch, one: Step, slot: datetime, at: datetime, *, is_late: bool
) -> tuple[Signal, ...]:
    panel = series.panel
    condition = watch.condition
    signals = []
    for row in one.fired:
        number = int(row)
        instrument = panel.instruments[number]
        drawn = overlays(condition, panel, number, SNAPSHOT_BARS)
        signals.append(
            Signal(
                id=f"{condition.name}:{condition.version}:{instrument}:{to_ms(slot)}",
                condition=condition.name,
                version=condition.version,
                instrument=instrument,
                timeframe=series.timeframe,
                bar_start=from_ms(to_ms(slot)),
                fired_at=at,
                price=float(panel.close[number, -1]),
                explanation=explain(condition, panel, number),
                snapshot=panel.snapshot(number, SNAPSHOT_BARS, drawn),
                is_late=is_late,
            )
        )
    return tuple(signals)
