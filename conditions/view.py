"""What an evaluation sees: some rows of a panel, and the series that were computed for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from conditions.reference import usual_reference

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from conditions.reference import Reference
    from market.fact_panel import FactPanel
    from market.panel import Panel
    from market.types import InstrumentId, Timeframe

Array: TypeAlias = np.ndarray[Any, Any]
Shared: TypeAlias = "MutableMapping[object, np.ndarray[Any, Any]]"


class View:
    """Rows of a panel. `shared` keeps series by their text for the other conditions of one close.

    Give the same `shared` only while the panel stays as it is. Arrays are right-aligned: their
    last column is the newest bar, and they may have more columns than were asked for. `universe`
    are the rows that a row is ranked among, every row where it is None. `facts` are those of the
    panel's rows, by default the panel's own; `positions` are the panel's own.
    """

    def __init__(
        self,
        panel: Panel,
        rows: Array | None,
        shared: Shared,
        reference: Reference | None = None,
        universe: Array | None = None,
        facts: FactPanel | None = None,
    ) -> None:
        self._panel = panel
        self._picked = rows
        self._shared = shared
        self._universe = universe
        self._rows_key = (panel.timeframe, _bytes(rows), _bytes(universe))
        self.reference = usual_reference() if reference is None else reference
        self.facts = panel.facts if facts is None else facts
        self.positions = panel.positions
        self.timeframe = panel.timeframe
        self.rows = len(panel.instruments) if rows is None else len(rows)
        self.columns = panel.depth

    @property
    def instruments(self) -> list[InstrumentId]:
        """Return the instruments of the rows."""
        names = self._panel.instruments
        return list(names) if self._picked is None else [names[row] for row in self._picked]

    @property
    def picked(self) -> Array:
        """Return which rows of the panel these are."""
        return np.arange(self.rows) if self._picked is None else self._picked

    def field(self, name: str) -> Array:
        """Return a field of the bars, all columns that the panel has; `missing` has none."""
        return self.recall(name, 0, lambda: self._pick(getattr(self._panel, name)))

    def recall(self, key: str, columns: int, make: Callable[[], Array]) -> Array:
        """Return the series of that text, made anew unless at least that many columns are kept."""
        whole = (key, *self._rows_key)
        kept = self._shared.get(whole)
        if kept is None or kept.shape[-1] < columns:
            kept = self._shared[whole] = make()
        return kept

    def universe(self) -> View:
        """Return the view of all rows of the universe."""
        return self._other(self._universe)

    def only(self, instrument: InstrumentId) -> View | None:
        """Return the view of one instrument, None where the panel does not hold it."""
        if not self._panel.has(instrument):
            return None
        return self._other(np.array([self._panel.row(instrument)], dtype=np.int64))

    def larger(self, timeframe: Timeframe) -> View | None:
        """Return the view of the same rows on longer bars, None where the panel has none."""
        panel = self._panel.larger.get(timeframe)
        if panel is None:
            return None
        return View(panel, self._picked, self._shared, self.reference, self._universe, self.facts)

    def _other(self, rows: Array | None) -> View:
        return View(self._panel, rows, self._shared, self.reference, self._universe, self.facts)

    def _pick(self, values: Array) -> Array:
        return np.ascontiguousarray(values if self._picked is None else values[self._picked])


def _bytes(rows: Array | None) -> bytes:
    return b"" if rows is None else rows.tobytes()
