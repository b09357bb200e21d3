"""What an evaluation sees: some rows of a panel, and the series that were computed for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from market.panel import Panel

Array: TypeAlias = np.ndarray[Any, Any]
Shared: TypeAlias = "MutableMapping[object, np.ndarray[Any, Any]]"


class View:
    """Rows of a panel. `shared` keeps series by their text for the other conditions of one close.

    Give the same `shared` only while the panel stays as it is. Arrays are right-aligned: their
    last column is the newest bar, and they may have more columns than were asked for.
    """

    def __init__(self, panel: Panel, rows: Array | None, shared: Shared) -> None:
        self._panel = panel
        self._picked = rows
        self._shared = shared
        self._rows_key = (panel.timeframe, b"" if rows is None else rows.tobytes())
        self.rows = len(panel.instruments) if rows is None else len(rows)
        self.columns = panel.depth

    @property
    def instruments(self) -> list[str]:
        """Return the instruments of the rows."""
        names = self._panel.instruments
        return list(names) if self._picked is None else [names[row] for row in self._picked]

    def field(self, name: str) -> Array:
        """Return a field of the bars, all columns that the panel has."""
        return self.recall(name, self.columns, lambda: self._pick(getattr(self._panel, name)))

    def recall(self, key: str, columns: int, make: Callable[[], Array]) -> Array:
        """Return the series of that text, made anew unless at least that many columns are kept."""
        whole = (key, *self._rows_key)
        kept = self._shared.get(whole)
        if kept is None or kept.shape[-1] < columns:
            kept = self._shared[whole] = make()
        return kept

    def _pick(self, values: Array) -> Array:
        return np.ascontiguousarray(values if self._picked is None else values[self._picked])
