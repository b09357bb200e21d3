"""The newest bars of many instruments as arrays, one row an instrument."""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np

from market.fact_panel import FactPanel
from market.position_panel import PositionPanel
from market.signals import Snapshot
from market.types import to_ms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from market.types import Bar, InstrumentId, Timeframe

_FIELDS = ("open", "high", "low", "close", "volume", "value")
_SLACK = 4096
"""Elements a band can slide before it is copied back to the front of its buffer."""


class _Band:
    """One field of all rows, C-contiguous, that shifts every row left without copying.

    The rows lie one after the other in a buffer with some room behind it. Looking at the buffer
    one element further on moves each row one bar left; its last element is then the next row's
    old first one, which the caller overwrites.
    """

    def __init__(self, rows: int, depth: int, filler: float) -> None:
        self._size = rows * depth
        self._shape = (rows, depth)
        self._buffer: np.ndarray[Any, Any] = np.full(
            self._size + _SLACK, filler, dtype=type(filler)
        )
        self._offset = 0
        self.view = self._look()

    def slide(self) -> None:
        """Move every row one element left."""
        if self._offset == _SLACK:
            self._buffer[: self._size] = self.view.ravel().copy()
            self._offset = 0
        self._offset += 1
        self.view = self._look()

    def _look(self) -> np.ndarray[Any, Any]:
        return self._buffer[self._offset : self._offset + self._size].reshape(self._shape)


class Panel:
    """The instruments' own bars, right-aligned, oldest first, NaN (start 0) where there is none.

    `open` .. `value` are float64[rows, depth], `starts` int64 in UTC ms, `gap` tells that a missing
    slot lies between the bar and the one before it; `missing` that the slot after the newest bar is
    missing; `counts` how many bars a row holds. Take the arrays anew after every `append`: it moves
    what an array taken earlier shows. Another thread than the one that appends takes a `part`.

    `larger` are panels of longer timeframes with the same rows; their bars are appended to them.
    `facts` are what is told of the same rows by the day, `positions` what is held of them; None
    where nobody asks for it.
    """

    def __init__(
        self,
        timeframe: Timeframe,
        instruments: Sequence[InstrumentId],
        depth: int = 400,
        larger: Iterable[Timeframe] = (),
        facts: FactPanel | None = None,
        positions: PositionPanel | None = None,
    ) -> None:
        self.timeframe = timeframe
        self.instruments = tuple(instruments)
        self.depth = depth
        self._rows = {instrument: row for row, instrument in enumerate(self.instruments)}
        rows = len(self.instruments)
        self._values = {name: _Band(rows, depth, np.nan) for name in _FIELDS}
        self._starts = _Band(rows, depth, 0)
        self._gap = _Band(rows, depth, False)
        self.missing = np.zeros(rows, dtype=bool)
        self.counts = np.zeros(rows, dtype=np.int64)
        self.larger = {one: Panel(one, self.instruments, depth) for one in larger}
        self.facts = facts
        self.positions = positions
        self._changing = RLock()

    @property
    def open(self) -> np.ndarray[Any, Any]:
        """Return the first prices."""
        return self._values["open"].view

    @property
    def high(self) -> np.ndarray[Any, Any]:
        """Return the highest prices."""
        return self._values["high"].view

    @property
    def low(self) -> np.ndarray[Any, Any]:
        """Return the lowest prices."""
        return self._values["low"].view

    @property
    def close(self) -> np.ndarray[Any, Any]:
        """Return the last prices."""
        return self._values["close"].view

    @property
    def volume(self) -> np.ndarray[Any, Any]:
        """Return the quantities traded."""
        return self._values["volume"].view

    @property
    def value(self) -> np.ndarray[Any, Any]:
        """Return the money traded."""
        return self._values["value"].view

    @property
    def starts(self) -> np.ndarray[Any, Any]:
        """Return the bars' starts in UTC ms."""
        return self._starts.view

    @property
    def gap(self) -> np.ndarray[Any, Any]:
        """Return where a missing slot lies just before the bar."""
        return self._gap.view

    def row(self, instrument: InstrumentId) -> int:
        """Return the row number of an instrument; KeyError where the panel has none."""
        return self._rows[instrument]

    def has(self, instrument: InstrumentId) -> bool:
        """Tell whether the panel has a row for the instrument."""
        return instrument in self._rows

    def append(self, bars: Iterable[Bar]) -> np.ndarray[Any, Any]:
        """Take in bars, oldest first per instrument, and return the rows that got a new one.

        A bar with the newest start replaces it; older ones and instruments without a row are
        ignored. A new bar ends the row's `missing`, which becomes its `gap`.
        """
        with self._changing:
            return self._append(bars)

    def revise(self, bar: Bar) -> bool:
        """Replace the bar with the same start; False where the panel does not hold it."""
        row = self._rows.get(bar.instrument)
        if row is None:
            return False
        self._check(bar)
        start = to_ms(bar.start)
        column = int(np.searchsorted(self.starts[row], start))
        if column == self.depth or self.starts[row, column] != start:
            return False
        with self._changing:
            for name in _FIELDS:
                self._values[name].view[row, column] = getattr(bar, name)
        return True

    def mark_missing(self, rows: Iterable[int]) -> None:
        """Note that what follows the newest bar of these rows is unknown."""
        self.missing[np.fromiter(rows, dtype=np.intp)] = True

    def part(self, rows: np.ndarray[Any, Any]) -> Panel:
        """Return a copy of these rows in this order, whole whatever another thread appends."""
        names = [self.instruments[row] for row in rows.tolist()]
        facts = None if self.facts is None else FactPanel(names, self.facts.depth)
        positions = None if self.positions is None else PositionPanel(names)
        part = Panel(self.timeframe, names, self.depth, self.larger, facts, positions)
        part.take_rows(np.arange(len(rows)), self, rows)
        return part

    def take_rows(
        self, rows: np.ndarray[Any, Any], source: Panel, source_rows: np.ndarray[Any, Any]
    ) -> None:
        """Put copies of another panel's rows into these; both have the same depth.

        Of longer timeframes those are copied that both have, and so are facts and positions.
        """
        if self.positions is not None and source.positions is not None:
            self.positions.take_rows(rows, source.positions, source_rows)
        if self.facts is not None and source.facts is not None:
            self.facts.take_rows(rows, source.facts, source_rows)
        for timeframe, panel in self.larger.items():
            if timeframe in source.larger:
                panel.take_rows(rows, source.larger[timeframe], source_rows)
        with source._changing:
            for name in _FIELDS:
                self._values[name].view[rows] = source._values[name].view[source_rows]
            self._starts.view[rows] = source._starts.view[source_rows]
            self._gap.view[rows] = source._gap.view[source_rows]
            self.missing[rows] = source.missing[source_rows]
            self.counts[rows] = source.counts[source_rows]

    def snapshot(
        self,
        row: int,
        bars: int = 60,
        overlays: Mapping[str, np.ndarray[Any, Any]] | None = None,
    ) -> Snapshot:
        """Return the newest bars of a row, with the same stretch of right-aligned overlays."""
        count = min(bars, int(self.counts[row]))
        first = self.depth - count
        shown = {name: tuple(self._values[name].view[row, first:].tolist()) for name in _FIELDS}
        return Snapshot(
            timeframe=self.timeframe,
            starts=tuple(self.starts[row, first:].tolist()),
            open=shown["open"],
            high=shown["high"],
            low=shown["low"],
            close=shown["close"],
            volume=shown["volume"],
            overlays={
                name: tuple(line[len(line) - count :].tolist())
                for name, line in (overlays or {}).items()
            },
        )

    def _append(self, bars: Iterable[Bar]) -> np.ndarray[Any, Any]:
        fresh = self._collect(bars)
        rows = np.array(sorted(fresh), dtype=np.intp)
        if not len(rows):
            return rows
        if all(len(held) == 1 for held in fresh.values()):
            self._push(rows, [fresh[row][0] for row in rows.tolist()])
        else:
            for row in rows.tolist():
                self._extend(row, fresh[row])
        self.missing[rows] = False
        return rows

    def _collect(self, bars: Iterable[Bar]) -> dict[int, list[tuple[int, Bar]]]:
        """Return each row's new bars with their starts; revise what the panel holds already."""
        fresh: dict[int, list[tuple[int, Bar]]] = {}
        newest = self.starts[:, -1].tolist()
        moments: dict[datetime, int] = {}  # the bars of one close share their start
        for bar in bars:
            row = self._rows.get(bar.instrument)
            if row is None:
                continue
            self._check(bar)
            start = moments.get(bar.start) or moments.setdefault(bar.start, to_ms(bar.start))
            if start > newest[row]:
                newest[row] = start
                fresh.setdefault(row, []).append((start, bar))
            elif start == newest[row] and row in fresh:
                fresh[row][-1] = (start, bar)
            elif start == newest[row]:
                self.revise(bar)
        return fresh

    def _check(self, bar: Bar) -> None:
        if bar.timeframe is not self.timeframe:
            raise ValueError(f"a {bar.timeframe} bar in a {self.timeframe} panel: {bar}")

    def _push(self, rows: np.ndarray[Any, Any], bars: list[tuple[int, Bar]]) -> None:
        """Append one bar to each of the rows, moving whichever part of the rows is the smaller."""
        self._shift(rows)
        for name in _FIELDS:
            self._values[name].view[rows, -1] = [getattr(bar, name) for _, bar in bars]
        self.starts[rows, -1] = [start for start, _ in bars]
        self.gap[rows, -1] = self.missing[rows]
        self.counts[rows] = np.minimum(self.counts[rows] + 1, self.depth)

    def _shift(self, rows: np.ndarray[Any, Any]) -> None:
        bands = (*self._values.values(), self._starts, self._gap)
        if 2 * len(rows) <= len(self.instruments):
            for band in bands:
                band.view[rows, :-1] = band.view[rows, 1:]
            return
        others = np.setdiff1d(np.arange(len(self.instruments)), rows, assume_unique=True)
        for band in bands:
            kept = band.view[others]
            band.slide()
            band.view[others] = kept

    def _extend(self, row: int, bars: list[tuple[int, Bar]]) -> None:
        """Append several bars to one row, as after a start or a repair."""
        is_gap = bool(self.missing[row]) and len(bars) <= self.depth
        bars = bars[-self.depth :]
        count = len(bars)
        keep = self.depth - count
        for name in _FIELDS:
            line = self._values[name].view[row]
            line[:keep] = line[count:].copy()
            line[keep:] = [getattr(bar, name) for _, bar in bars]
        starts, gap = self.starts[row], self.gap[row]
        starts[:keep] = starts[count:].copy()
        starts[keep:] = [start for start, _ in bars]
        gap[:keep] = gap[count:].copy()
        gap[keep:] = False
        gap[keep] = is_gap
        self.counts[row] = min(int(self.counts[row]) + count, self.depth)
