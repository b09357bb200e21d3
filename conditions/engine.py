"""Evaluates compiled conditions over the rows of a panel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from conditions.compile import Condition
    from conditions.truths import Truth
    from conditions.view import Shared
    from market.panel import Panel

Array: TypeAlias = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Verdicts int8 (+1 true, 0 unknown, -1 false), one a row; `clear` is what re-arms."""

    when: Array
    clear: Array


def evaluate(
    condition: Condition, panel: Panel, rows: Array, shared: Shared | None = None
) -> Verdicts:
    """Return the verdicts of the newest bars of these rows, unknown where the panel misses some.

    Conditions evaluated on the same unchanged panel may be given the same `shared` dict: what they
    have in common is then computed once.
    """
    columns = evaluate_columns(condition, panel, rows, 1, shared)
    return Verdicts(columns.when[:, 0], columns.clear[:, 0])


def evaluate_columns(
    condition: Condition, panel: Panel, rows: Array, columns: int, shared: Shared | None = None
) -> Verdicts:
    """Return the verdicts int8[rows, columns] of the newest `columns` bars, the newest last."""
    rows = np.asarray(rows, dtype=np.int64)
    if not len(rows):
        nothing = np.zeros((0, columns), dtype=np.int8)
        return Verdicts(nothing, nothing)
    # all rows mostly cost less than picking some, but idle ones reach far back in the universe
    is_most = 2 * len(rows) > len(panel.instruments) and not condition.is_cross
    view = condition.view(panel, None if is_most else rows, shared)
    picked = rows if is_most else np.arange(len(rows))
    missing = panel.missing[rows]

    def verdicts(truth: Truth) -> Array:
        found = truth.verdicts(view, columns)[picked]
        found[missing, -1] = 0
        return found

    when = verdicts(condition.when)
    return Verdicts(when, -when if condition.clear is None else verdicts(condition.clear))
