"""What the venue's chart must tell before it is judged: asked for a few instruments a sweep."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from engine.series import Want
from market.errors import SourceChanged, SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from engine.exact import ExactBars
    from engine.series import Series
    from market.types import Bar, InstrumentId

logger = logging.getLogger(__name__)

ASKED_A_SWEEP = 24
"""Instruments repaired in one sweep: sweeps go on while thousands of them are repaired."""

PAUSE = timedelta(seconds=30)
"""How long after a chart could not be had it is asked for again."""

LONG_PAUSE = timedelta(minutes=5)
"""The same, where the answer was not of the shape we know."""

CHART_LAG = timedelta(seconds=60)
"""How long after a slot's end the chart may still lack a trade that the count has shown."""

_STEP = timedelta(milliseconds=1)


async def ask(series: Series, exact: ExactBars, seen_at: datetime) -> tuple[list[Bar], list[Bar]]:
    """Return the bars that the chart tells to be judged, and earlier ones.

    Instruments that it could not tell of are put off, and are missing meanwhile.
    """
    wants = series.wants
    due = _due(series, seen_at)
    if not due:
        return [], []
    starts = {name: wants[name].start for name in due}
    answers = await exact.fetch(starts, series.timeframe, seen_at)
    judged: list[Bar] = []
    earlier: list[Bar] = []
    for name, answer in answers.items():
        want = wants[name]
        bars = _accepted(series, name, answer, seen_at)
        judged += [bar for bar in bars if bar.start >= want.judge_from]
        earlier += [bar for bar in bars if bar.start < want.judge_from]
    waiting = sum(name in wants and wants[name].ask_at > seen_at for name in due)
    if waiting:
        logger.warning("%d instruments could not be repaired and are unknown", waiting)
    return judged, earlier


def _due(series: Series, seen_at: datetime) -> list[InstrumentId]:
    """Return the few to ask about now: those with a closed slot, the longest waiting first."""
    wants = series.wants
    has_closed = {
        start: _last_closed(series, start, seen_at) is not None
        for start in {want.judge_from for want in wants.values()}
    }
    due = [
        name
        for name, want in wants.items()
        if want.ask_at <= seen_at and has_closed[want.judge_from]
    ]
    due.sort(key=lambda name: (wants[name].ask_at, wants[name].judge_from))
    return due[:ASKED_A_SWEEP]


def _accepted(
    series: Series, name: InstrumentId, answer: list[Bar] | SourceError, seen_at: datetime
) -> list[Bar]:
    """Return the closed bars of an answer; one that is no use puts the instrument off."""
    want, row = series.wants[name], series.panel.row(name)
    last = _last_closed(series, want.judge_from, seen_at)
    if isinstance(answer, SourceError) or last is None or _lags(series, want, answer, seen_at):
        pause = LONG_PAUSE if isinstance(answer, SourceChanged) else PAUSE
        series.panel.mark_missing([row])
        series.wants[name] = replace(want, ask_at=seen_at + pause)
        return []
    series.panel.missing[row] = False
    series.exact_until[name] = last
    if last >= want.until:
        del series.wants[name]
    else:
        after = last + _STEP
        series.wants[name] = Want(start=after, judge_from=after, until=want.until)
    return [bar for bar in answer if bar.start <= last]


def _lags(series: Series, want: Want, bars: Sequence[Bar], seen_at: datetime) -> bool:
    expected = want.expected
    if expected is None or seen_at >= series.end(expected) + CHART_LAG:
        return False
    return all(bar.start != expected for bar in bars)


def _last_closed(series: Series, since: datetime, seen_at: datetime) -> datetime | None:
    slots = series.calendar.slots(since, seen_at, series.timeframe)
    return next((slot for slot in reversed(slots) if series.end(slot) <= seen_at), None)
