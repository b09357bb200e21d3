"""The newest daily facts of many instruments as arrays, one row an instrument, one column a day."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from market.facts import FACT_NAMES
from market.sessions import KST
from market.types import Venue, to_ms

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from market.facts import DailyFacts
    from market.types import InstrumentId

Array: TypeAlias = np.ndarray[Any, Any]

DEPTH = 40
"""Days that are kept."""

_DAY_MS = timedelta(days=1) // timedelta(milliseconds=1)


def day_start(instrument: InstrumentId, day: date) -> int:
    """Return when a day begins by the clock of an instrument's venue, in UTC ms."""
    zone = KST if instrument.startswith(f"{Venue.KRX}:") else UTC
    return to_ms(datetime.combine(day, time(), zone))


class FactPanel:
    """The facts of the newest days, oldest first; days are the same for all rows.

    `days` is int64[depth], the start of each in UTC ms, 0 where there is none. What one instrument
    is told on a day belongs together: a fact that it was not told with the others is unknown.
    """

    def __init__(self, instruments: Sequence[InstrumentId], depth: int = DEPTH) -> None:
        self.instruments = tuple(instruments)
        self.depth = depth
        self._rows = {instrument: row for row, instrument in enumerate(self.instruments)}
        shape = (len(self.instruments), depth)
        self.days = np.zeros(depth, dtype=np.int64)
        self.told = np.zeros(shape, dtype=bool)
        self._values = {name: np.full(shape, np.nan) for name in FACT_NAMES}
        self._newest: Array | None = None
        self._changing = RLock()

    @property
    def known_until(self) -> int:
        """Return the start of the newest day that anything was told of, 0 where there is none."""
        return int(self.days[-1])

    def value(self, name: str) -> Array:
        """Return a fact of FACT_NAMES as float64[rows, depth], NaN where it is unknown."""
        return self._values[name]

    def put(self, day_ms: int, facts: Iterable[DailyFacts]) -> None:
        """Take in what was told of a day, in the place of what those instruments were told before.

        Instruments without a row are ignored, and so is a day before all that are kept. A
        ValueError where the day of the facts does not begin then.
        """
        with self._changing:
            self._newest = None
            for one in facts:
                if day_start(one.instrument, one.day) != day_ms:
                    raise ValueError(f"{one.day} does not begin at {day_ms}: {one}")
                row = self._rows.get(one.instrument)
                column = None if row is None else self._column(day_ms)
                if column is not None:
                    self.told[row, column] = True
                    for name, values in self._values.items():
                        fact = getattr(one, name)
                        values[row, column] = np.nan if fact is None else fact

    def take_rows(self, rows: Array, source: FactPanel, source_rows: Array) -> None:
        """Put copies of another panel's rows into these, by their days."""
        with self._changing, source._changing:
            self._newest = None
            for day in source.days[source.days > 0].tolist():
                self._column(day)
            kept = np.flatnonzero((source.days > 0) & np.isin(source.days, self.days))
            there = np.ix_(source_rows, kept)
            here = np.ix_(rows, np.searchsorted(self.days, source.days[kept]))
            self.told[rows] = False
            self.told[here] = source.told[there]
            for name, values in self._values.items():
                values[rows] = np.nan
                values[here] = source._values[name][there]

    def as_of(self, name: str, rows: Array, moments: Array, oldest: Array) -> Array:
        """Return of each row the fact on its newest day that was over at each moment.

        `moments` and `oldest` are UTC ms [rows, columns]; a day that begins before `oldest` does
        not count. NaN where that day did not tell it, or where there is none.
        """
        with self._changing:
            over = np.searchsorted(self.days + _DAY_MS, moments, side="right") - 1
            places = self._places()[rows[:, None], np.maximum(over, 0)]
            is_known = (over >= 0) & (places >= 0) & (self.days[places] >= oldest)
            found = self._values[name][rows[:, None], np.maximum(places, 0)]
        return np.where(is_known, found, np.nan)

    def _places(self) -> Array:
        """Return int64[rows, depth]: the column of the newest day up to each that told a row."""
        if self._newest is None:
            told = np.where(self.told, np.arange(self.depth), -1)
            self._newest = np.maximum.accumulate(told, axis=1)
        return self._newest

    def _column(self, day_ms: int) -> int | None:
        """Return the column of a day, made where there is none, None before all that are kept."""
        place = int(np.searchsorted(self.days, day_ms))
        if place < self.depth and self.days[place] == day_ms:
            return place
        if place == 0:
            return None
        for array in (self.days, self.told, *self._values.values()):
            array[..., : place - 1] = array[..., 1:place]
        self.days[place - 1] = day_ms
        self.told[:, place - 1] = False
        for values in self._values.values():
            values[:, place - 1] = np.nan
        return place - 1
