"""After a day: every watched instrument's bars are compared with the venue's chart and mended."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from conditions.engine import evaluate_columns
from engine.day_report import (
    DayReport,
    Hidden,
    read_report,
    report_key,
    write_report,
)
from engine.exact import ExactBars
from engine.health import Notice
from market.errors import SourceError
from market.types import to_ms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from engine.fire import Fire
    from engine.pipeline import Pipeline
    from engine.series import Series
    from engine.sources import Sources
    from market.clock import Clock
    from market.sessions import Calendar, Window
    from market.signals import Signal
    from market.store import Store, Transaction
    from market.types import Bar, InstrumentId, Venue

logger = logging.getLogger(__name__)

SETTLING = timedelta(minutes=15)
"""So long after a session its chart may still change: KRX prints its close up to 30 s late."""
AT_ONCE = 24
"""Instruments that are mended together, between two sweeps."""
GIVE_UP = 3
"""After so many groups without any answer the rest waits for another time."""
_BACK = 7
_BEGUN = "begun"
"""The document of the very first start."""


class Repairs:
    """Mends the newest day that is over, once a venue and day; goes on after a restart."""

    def __init__(
        self,
        store: Store,
        sources: Sources,
        calendars: Mapping[Venue, Calendar],
        clock: Clock,
        pipeline: Pipeline,
        fire: Fire,
    ) -> None:
        self._store = store
        self._exact = ExactBars(sources, calendars)
        self._calendars = calendars
        self._clock = clock
        self._pipeline = pipeline
        self._fire = fire
        self._over: set[str] = set()

    async def begin(self) -> None:
        """Note the very first start: days before it were not watched."""
        now_ms = to_ms(self._clock.now())

        def write(tx: Transaction) -> None:
            if tx.documents.get(_BEGUN) is None:
                tx.documents.put(_BEGUN, {"at_ms": now_ms})

        await self._store.write(write)

    async def step(self) -> bool:
        """Mend what is due; return whether anything was. Raises StoreError."""
        was_due = False
        for series in tuple(self._pipeline.series):
            day = self._newest_over(series.calendar, self._clock.now())
            if day is None or report_key(series.key, day) in self._over:
                continue
            was_due |= await self.mend(series.key, day)
        return was_due

    async def mend(self, key: str, day: date) -> bool:
        """Compare and mend a day of a series; return whether there was anything to do."""
        series = self._series(key)
        window = None if series is None else series.calendar.window(day)
        if series is None or window is None:
            return False
        report = await self._store.read(lambda tx: read_report(tx, key, day)) or DayReport()
        left = [name for name in series.panel.instruments if name not in report.done]
        is_ours = await self._was_there(window) and await self._has_bars(series, window)
        if report.is_over or not left or not is_ours:
            self._over.add(report_key(key, day))
            return False
        silent = 0
        for first in range(0, len(left), AT_ONCE):
            names = left[first : first + AT_ONCE]
            mended = await self._mend_some(key, day, window, names, report)
            silent = silent + 1 if len(mended.done) == len(report.done) else 0
            report = mended
            if silent == GIVE_UP:
                logger.warning("the repair of %s waits: the chart does not answer", key)
                return True
        await self._end(key, day, report)
        return True

    async def _mend_some(
        self,
        key: str,
        day: date,
        window: Window,
        names: Sequence[InstrumentId],
        report: DayReport,
    ) -> DayReport:
        series = self._series(key)
        if series is None:
            return report
        timeframe = series.timeframe
        answers = await self._exact.fetch(
            dict.fromkeys(names, window.open), timeframe, window.close
        )
        told = {name: one for name, one in answers.items() if not isinstance(one, SourceError)}
        live, signals = await self._store.read(lambda tx: _live(tx, series, window, told))
        for name, exact in told.items():
            report = report.compared(name, live[name], exact)
        for signal in signals:
            report = report.judged(signal, told[signal.instrument])
        async with self._pipeline.still(series.venue):
            present = self._series(key)
            if present is not None:
                hidden = await asyncio.to_thread(_mended, present, told, window)
                report = report.hiding(hidden)
            bars = [bar for exact in told.values() for bar in exact]
            kept = report

            def write(tx: Transaction) -> None:
                tx.bars.put(bars)
                write_report(tx, key, day, kept)

            await self._store.write(write)
        return report

    async def _end(self, key: str, day: date, report: DayReport) -> None:
        series = self._series(key)
        names = () if series is None else series.panel.instruments
        unread = tuple(name for name in names if name not in report.done)
        report = replace(report, unread=unread, is_over=True)
        await self._store.write(lambda tx: write_report(tx, key, day, report))
        self._over.add(report_key(key, day))
        logger.info(
            "%s of %s: %.2f %% (closes %.2f %%) of %d bars equal the chart,"
            " %d of %d alerts, %d hidden",
            key,
            day,
            100 * report.share_equal,
            100 * report.share_close,
            report.bars,
            report.fired_equal,
            report.fired,
            report.hidden_count,
        )
        if not report.is_flawless:
            await self._fire.tell(_notice(key, day, report))

    async def _was_there(self, window: Window) -> bool:
        """Tell whether we ran in a session: what was only filled in afterwards proves nothing."""
        begun = await self._store.read(lambda tx: tx.documents.get(_BEGUN))
        return begun is None or begun["at_ms"] < to_ms(window.close)

    async def _has_bars(self, series: Series, window: Window) -> bool:
        """Tell whether we kept any bar of the day: a first start has nothing to compare."""
        names = series.panel.instruments

        def read(tx: Transaction) -> bool:
            return any(
                tx.bars.between(name, series.timeframe, window.open, window.close) for name in names
            )

        return await self._store.read(read)

    def _series(self, key: str) -> Series | None:
        return next((one for one in self._pipeline.series if one.key == key), None)

    def _newest_over(self, calendar: Calendar, now: datetime) -> date | None:
        day = calendar.session_day(now)
        for back in range(_BACK):
            window = calendar.window(day - timedelta(days=back))
            if window is not None and window.close + SETTLING <= now:
                return day - timedelta(days=back)
        return None


def _live(
    tx: Transaction,
    series: Series,
    window: Window,
    names: Mapping[InstrumentId, object],
) -> tuple[dict[InstrumentId, list[Bar]], list[Signal]]:
    """Return what was kept of the day: bars by instrument, and what fired on them."""
    bars = {
        name: tx.bars.between(name, series.timeframe, window.open, window.close) for name in names
    }
    fired = tx.signals.of_bars(series.timeframe, window.open, window.close)
    return bars, [one for one in fired if one.instrument in names]


def _mended(
    series: Series, told: Mapping[InstrumentId, Sequence[Bar]], window: Window
) -> list[Hidden]:
    """Put the venue's bars into the panel; return what conditions hold on them and did not on ours.

    A bar that we lacked altogether has no place in a panel that has gone on: it is only stored.
    """
    rows = np.array([series.panel.row(name) for name in told if series.panel.has(name)])
    if not len(rows):
        return []
    starts = series.panel.starts[rows]
    columns = int((starts >= to_ms(window.open)).sum(1).max(initial=0))
    before = dict(_held(series, rows, columns))
    series.revise([bar for exact in told.values() for bar in exact])
    is_of_day = (starts >= to_ms(window.open)) & (starts < to_ms(window.close))
    found: list[Hidden] = []
    for name, held in _held(series, rows, columns):
        is_new = held & ~before[name] & is_of_day[:, -columns:]
        for row, column in np.argwhere(is_new).tolist():
            instrument = series.panel.instruments[int(rows[row])]
            start = int(starts[row, starts.shape[1] - columns + column])
            found.append(Hidden(name, instrument, start))
    return found


def _held(series: Series, rows: np.ndarray, columns: int) -> list[tuple[str, np.ndarray]]:
    """Return for every enabled condition bool[rows, columns]: where it holds."""
    if not columns:
        return []
    shared: dict[object, np.ndarray] = {}
    found = []
    for watch in series.watches:
        if watch.is_enabled:
            is_watched = np.isin(rows, watch.rows)[:, None]
            verdicts = evaluate_columns(watch.condition, series.panel, rows, columns, shared)
            found.append((watch.condition.name, (verdicts.when > 0) & is_watched))
    return found


def _notice(key: str, day: date, report: DayReport) -> Notice:
    facts = {
        "series": key.removeprefix("series/"),
        "day": day.isoformat(),
        "share": f"{100 * report.share_close:.2f}",
        "fired": str(report.fired),
        "unequal": str(report.fired - report.fired_equal),
        "hidden": str(report.hidden_count),
        "unread": str(len(report.unread)),
    }
    return Notice("report.flaws", facts)
